//! Measures models on the data.

use std::ops::ControlFlow;

use weightsmith_infer::evaluate::{
    ChoiceScore, ExactScore, Question, Tasks, TextUnit, Window, WindowOptions, compare,
    exact_match, multiple_choice, perplexity, windows_while,
};
use weightsmith_infer::{Decoder, Error, Model};
use weightsmith_session::Cancel;

use super::data::{Content, Data};
use super::report::{Measurement, Scores, TaskRow, TaskScore, TextRow};
use super::work::Work;
use crate::args::EvalArgs;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::terminal_progress::TerminalProgress;

/// Context of a text where nothing else is said.
const WINDOW: usize = 2048;

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
                Content::Text(text) => {
                    self.text(&mut measurement, model, others, data, text)?;
                }
                Content::Tasks(tasks) => {
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
            if let Content::Tasks(tasks) = &data.content {
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
            let work = Work::new(self.printer, self.stop, &file);
            own = Some(perplexity(&model.decoder, &windows, &mut work.progress())?);
        }
        for other in others {
            if self.is_stopped() {
                break;
            }
            let base = &other.model.decoder;
            let work = Work::new(
                self.printer,
                self.stop,
                &format!("{file} against {}", other.label),
            );
            let comparison = compare(&model.decoder, base, &windows, &mut work.progress())?;
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
        let options = self.window_options(&model.decoder);
        let mut goes_on = || {
            if self.is_stopped() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let windows = windows_while(text, &model.companions, &options, &mut goes_on);
        let windows = match windows {
            Err(Error::Cancelled) => return Ok(None),
            windows => windows?,
        };
        if windows.is_empty() {
            return Err(
                Failure::usage(format!("{} is too short to measure", data.path.display()))
                    .hint("a text needs at least two tokens"),
            );
        }
        Ok(Some(windows))
    }

    fn window_options(&self, decoder: &Decoder) -> WindowOptions {
        let args = self.args;
        let positions = decoder.config().positions;
        let window = args.window.unwrap_or(WINDOW.min(positions)).min(positions);
        WindowOptions {
            unit: if args.documents {
                TextUnit::Documents
            } else {
                TextUnit::Whole
            },
            window,
            stride: args.stride.unwrap_or((window / 2).max(1)),
            limit: args.limit,
        }
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
        let work = Work::new(self.printer, self.stop, &format!("{file}{of}"));
        let questions = &tasks.questions;
        let score = if tasks.multiple_choice {
            let score = multiple_choice(model, questions, &mut work.progress())?;
            TaskScore::Choice(score)
        } else {
            let mut told = |question: &Question, answer: &str, right: bool| {
                let verdict = if right { "right" } else { "wrong" };
                let line = question.line;
                self.printer
                    .detail(&format!("{file}:{line}{of}: {verdict}: {answer:?}"));
            };
            let most = self.args.max_tokens;
            let score = exact_match(model, questions, most, &mut work.progress(), &mut told)?;
            TaskScore::Exact(score)
        };
        let (TaskScore::Choice(ChoiceScore { questions, .. })
        | TaskScore::Exact(ExactScore { questions, .. })) = &score;
        Ok((*questions > 0).then_some(TaskRow { file, score }))
    }
}
