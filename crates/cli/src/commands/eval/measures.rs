//! The numbers that are compared between models and between the values of a sweep.

use super::report::{Measurement, Scores};

/// One number for each model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Measure {
    file: String,
    kind: MeasureKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MeasureKind {
    Perplexity,
    Share(String),
}

impl Measure {
    /// Everything that was measured, without the parts of questions of one kind.
    pub(super) fn all(scores: &Scores) -> Vec<Self> {
        let texts = scores.texts.iter().map(|row| Self {
            file: row.file.clone(),
            kind: MeasureKind::Perplexity,
        });
        let tasks = scores.tasks.iter().flat_map(|row| {
            let shares = row.score.shares().into_iter();
            shares.filter(|share| !share.is_part).map(|share| Self {
                file: row.file.clone(),
                kind: MeasureKind::Share(share.measure),
            })
        });
        texts.chain(tasks).collect()
    }

    /// The data.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// `perplexity`, `exact match`, `acc` or `acc_norm`.
    pub(super) fn measure(&self) -> &str {
        match &self.kind {
            MeasureKind::Perplexity => "perplexity",
            MeasureKind::Share(measure) => measure,
        }
    }

    /// `perplexity, wiki.txt`.
    pub(super) fn name(&self) -> String {
        format!("{}, {}", self.measure(), self.file)
    }

    /// True for shares of one.
    pub(super) fn is_share(&self) -> bool {
        matches!(self.kind, MeasureKind::Share(_))
    }

    /// What a model scores.
    pub(super) fn of(&self, scores: &Scores) -> Option<f64> {
        match &self.kind {
            MeasureKind::Perplexity => {
                let mut texts = scores.texts.iter();
                let row = texts.find(|row| row.file == self.file)?;
                Some(row.perplexity.perplexity)
            }
            MeasureKind::Share(measure) => scores
                .share(&self.file, measure, false)
                .map(|share| share.value()),
        }
    }
}

/// A text on which a model is compared with another: their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Divergence {
    pub(super) file: String,
    pub(super) against: String,
}

impl Divergence {
    /// All that were measured.
    pub(super) fn all(measurement: &Measurement) -> Vec<Self> {
        let rows = measurement.comparisons.iter();
        rows.map(|row| Self {
            file: row.file.clone(),
            against: row.against.clone(),
        })
        .collect()
    }

    /// The mean divergence.
    pub(super) fn of(&self, measurement: &Measurement) -> Option<f64> {
        let mut rows = measurement.comparisons.iter();
        let row = rows.find(|row| row.file == self.file && row.against == self.against)?;
        Some(row.comparison.mean_kld)
    }
}
