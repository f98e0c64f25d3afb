//! What was measured, as a picture.

use weightsmith_report::pictures::{ScoreChart, ScoreLine, ScorePicture, ScoreValues};

use super::measures::{Divergence, Measure};
use super::report::{Beside, Evaluation, Measurement, SweepReport};

impl Evaluation {
    /// A chart of bars for each measure, a bar for each model.
    pub(super) fn picture(&self) -> ScorePicture {
        let own = &self.measurement.scores;
        let mut charts: Vec<ScoreChart> = Measure::all(own)
            .iter()
            .map(|measure| {
                let others = self.against.iter().map(|one| measure.of(&one.scores));
                let bars = std::iter::once(measure.of(own)).chain(others).collect();
                chart(measure, ScoreValues::Bars(bars))
            })
            .collect();
        charts.extend(divergences(&self.measurement, |found| {
            let others = self.against.iter().map(|one| {
                let of_it = found.iter().find(|found| found.against == one.model)?;
                of_it.of(&self.measurement)
            });
            ScoreValues::Bars(std::iter::once(None).chain(others).collect())
        }));
        ScorePicture {
            title: format!("Scores of {}", self.model),
            models: names(&self.model, &self.against),
            charts,
        }
    }
}

impl SweepReport {
    /// A chart of lines for each measure over the parameter, models beside it as levels.
    pub(super) fn picture(&self) -> ScorePicture {
        let first = self.values.first().map(|point| &point.measurement);
        let measures = first.map(|first| Measure::all(&first.scores));
        let mut charts: Vec<ScoreChart> = measures
            .unwrap_or_default()
            .iter()
            .map(|measure| {
                let line = self.line(|measurement| measure.of(&measurement.scores));
                let levels = self.against.iter().map(|one| {
                    measure
                        .of(&one.scores)
                        .map_or(ScoreLine::Absent, ScoreLine::Level)
                });
                let lines = std::iter::once(line).chain(levels).collect();
                chart(measure, self.values(lines))
            })
            .collect();
        if let Some(first) = first {
            charts.extend(divergences(first, |found| {
                let lines = self.against.iter().map(|one| {
                    let of_it = found.iter().find(|found| found.against == one.model);
                    of_it.map_or(ScoreLine::Absent, |of_it| {
                        self.line(|measurement| of_it.of(measurement))
                    })
                });
                self.values(std::iter::once(ScoreLine::Absent).chain(lines).collect())
            }));
        }
        ScorePicture {
            title: format!("{} over {}", self.model, self.parameter),
            models: names(&self.model, &self.against),
            charts,
        }
    }

    fn values(&self, lines: Vec<ScoreLine>) -> ScoreValues {
        ScoreValues::Lines {
            parameter: self.parameter.clone(),
            lines,
        }
    }

    fn line(&self, of: impl Fn(&Measurement) -> Option<f64>) -> ScoreLine {
        let points = self.values.iter();
        let points = points.filter_map(|point| Some((point.value, of(&point.measurement)?)));
        let mut points: Vec<(f64, f64)> = points.collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        ScoreLine::Points(points)
    }
}

fn chart(measure: &Measure, values: ScoreValues) -> ScoreChart {
    ScoreChart {
        name: measure.name(),
        is_share: measure.is_share(),
        values,
    }
}

/// A chart for each text on which the model is compared with others.
fn divergences(
    measurement: &Measurement,
    values: impl Fn(&[Divergence]) -> ScoreValues,
) -> Vec<ScoreChart> {
    let all = Divergence::all(measurement);
    let mut files: Vec<&str> = all.iter().map(|one| one.file.as_str()).collect();
    files.dedup();
    files
        .into_iter()
        .map(|file| {
            let found = all.iter().filter(|one| one.file == file);
            let found: Vec<Divergence> = found.cloned().collect();
            ScoreChart {
                name: format!("mean KLD from each, {file}"),
                is_share: false,
                values: values(&found),
            }
        })
        .collect()
}

fn names(model: &str, against: &[Beside]) -> Vec<String> {
    let others = against.iter().map(|one| one.model.clone());
    std::iter::once(model.to_owned()).chain(others).collect()
}
