//! Measures models on the data.

use weightsmith_infer::Model;
use weightsmith_infer::evaluate::{
    ChoiceScore, ExactScore, Question, Tasks, Window, compare, perplexity,
};
use weightsmith_session::Cancel;
use weightsmith_session::evaluate::{EvaluationData, TaskOutcome, TextWindows, ask, steps};

use super::data::Data;
use super::report::{Measurement, Scores, TaskRow, TaskScore, TextRow};
use super::work::Work;
use crate::args::EvalArgs;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::terminal_progress::TerminalProgress;

/// The data, and how models are measured on them.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    pub(super) data: &'a [Data<'a>],
    pub(super) args: &'a EvalArgs,
    pub(super) printer: &'a Printer,
    pub(super) progress: &'a TerminalProgress<'a>,
    /// Set when it is to end.
    pub(super) stop: &'static Cancel,
}

/// A model that others are compared with.
#[derive(Debug)]
pub(super) struct Other {
    /// What to call it.
    pub(super) label: String,
    pub(super) model: Model,
    pub(super) scores: Scores,
}

impl Bench<'_> {
    /// True when it is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Measures a model on everything; what that tells about the others is added to their scores.
    pub(super) fn measure(
        &self,
        model: &Model,
        others: &mut [Other],
    ) -> Result<Measurement, Failure> {
        let mut measurement = Measurement::default();
        for data in self.data {
            if self.is_stopped() {
                break;
            }
            match &data.content {
                EvaluationData::Text(text) => {
                    self.text(&mut measurement, model, others, data, text)?;
                }
                EvaluationData::Tasks(tasks) => {
                    let score = self.tasks(model, data, tasks, None)?;
                    measurement.scores.tasks.extend(score);
                }
            }
        }
        Ok(measurement)
    }

    /// Puts the questions to the others.
    pub(super) fn question(&self, others: &mut [Other]) -> Result<(), Failure> {
        for data in self.data {
            if let EvaluationData::Tasks(tasks) = &data.content {
                for other in &mut *others {
                    if self.is_stopped() {
                        return Ok(());
                    }
                    let label = Some(other.label.as_str());
                    let score = self.tasks(&other.model, data, tasks, label)?;
                    other.scores.tasks.extend(score);
                }
            }
        }
        Ok(())
    }

    /// Perplexity of a text, and how others differ on it.
    fn text(
        &self,
        measurement: &mut Measurement,
        model: &Model,
        others: &mut [Other],
        data: &Data<'_>,
        text: &str,
    ) -> Result<(), Failure> {
        let file = data.name.clone();
        let Some(windows) = self.windows(model, data, text)? else {
            return Ok(());
        };
        let mut own = None;
        if others.is_empty() {
            let work = Work::new(self.printer, &file);
            let mut step = work.step();
            let mut steps = steps(&mut step, self.stop);
            own = Some(perplexity(&model.decoder, &windows, &mut steps)?);
        }
        for other in others {
            if self.is_stopped() {
                break;
            }
            let base = &other.model.decoder;
            let work = Work::new(self.printer, &format!("{file} against {}", other.label));
            let mut step = work.step();
            let mut steps = steps(&mut step, self.stop);
            let comparison = compare(&model.decoder, base, &windows, &mut steps)?;
            own = Some(comparison.model.clone());
            other.scores.text(TextRow {
                file: file.clone(),
                perplexity: comparison.base.clone(),
            });
            measurement.compared(&file, &other.label, comparison);
        }
        if let Some(perplexity) = own {
            measurement.scores.text(TextRow { file, perplexity });
        }
        Ok(())
    }

    /// The pieces of a text; nothing when it is to end.
    fn windows(
        &self,
        model: &Model,
        data: &Data<'_>,
        text: &str,
    ) -> Result<Option<Vec<Window>>, Failure> {
        let args = self.args;
        let windows = TextWindows {
            documents: args.documents,
            window: args.window,
            stride: args.stride,
            limit: args.limit,
        };
        let name = data.path.display().to_string();
        Ok(windows.cut(model, text, &name, self.stop)?)
    }

    /// How a model answers a file of questions; `label` names a model that is not the one that is measured.
    fn tasks(
        &self,
        model: &Model,
        data: &Data<'_>,
        tasks: &Tasks,
        label: Option<&str>,
    ) -> Result<Option<TaskRow>, Failure> {
        let file = data.name.clone();
        let of = label.map_or_else(String::new, |label| format!(" with {label}"));
        let work = Work::new(self.printer, &format!("{file}{of}"));
        let mut told = |question: &Question, answer: &str, right: bool| {
            let verdict = if right { "right" } else { "wrong" };
            let line = question.line;
            self.printer
                .detail(&format!("{file}:{line}{of}: {verdict}: {answer:?}"));
        };
        let most = self.args.max_tokens;
        let score = match ask(model, tasks, most, &mut work.step(), &mut told, self.stop)? {
            TaskOutcome::Choice(score) => TaskScore::Choice(score),
            TaskOutcome::Exact(score) => TaskScore::Exact(score),
        };
        let (TaskScore::Choice(ChoiceScore { questions, .. })
        | TaskScore::Exact(ExactScore { questions, .. })) = &score;
        Ok((*questions > 0).then_some(TaskRow { file, score }))
    }
}
