//! Models measured on texts and on questions.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use weightsmith_infer::evaluate::{
    ChoiceScore, ExactScore, Question, Tasks, TextUnit, Window, WindowOptions, exact_match,
    multiple_choice, read_tasks, windows_while,
};
use weightsmith_infer::{Error, Model};
use weightsmith_tensors::{Cancel, read_given_text};

use crate::SessionError;

/// The largest file to measure on. It is read as a whole.
const MAX_DATA_BYTES: u64 = 1 << 30;

/// Context of a text where nothing else is said.
const WINDOW: usize = 2048;

/// What is measured on.
#[derive(Debug)]
pub enum EvaluationData {
    /// A text.
    Text(String),
    /// Questions.
    Tasks(Tasks),
}

impl EvaluationData {
    /// Reads a file: questions if its name ends with `.jsonl`, of which no more than `limit` are kept, else a text.
    ///
    /// # Errors
    /// When it cannot be read, or its questions are not sound.
    pub fn read(path: &Path, limit: Option<usize>) -> Result<Self, SessionError> {
        let text = read_given_text(path, MAX_DATA_BYTES)?;
        let is_jsonl = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"));
        if !is_jsonl {
            return Ok(Self::Text(text));
        }
        let mut tasks = read_tasks(&text, path)?;
        tasks.questions.truncate(limit.unwrap_or(usize::MAX).max(1));
        Ok(Self::Tasks(tasks))
    }
}

/// How texts are cut into windows.
#[derive(Debug, Clone, Copy, Default)]
pub struct TextWindows {
    /// Texts are documents with blank lines between them.
    pub documents: bool,
    /// Tokens that the model sees at once; 2048 or the model's positions without it.
    pub window: Option<usize>,
    /// Tokens from window to window; half a window without it.
    pub stride: Option<usize>,
    /// Only the first so many documents or windows.
    pub limit: Option<usize>,
}

impl TextWindows {
    /// The windows of a text; nothing when it was cancelled.
    ///
    /// # Errors
    /// When the text is too short, or cannot be tokenized. `name` is what it is called.
    pub fn cut(
        &self,
        model: &Model,
        text: &str,
        name: &str,
        cancel: &Cancel,
    ) -> Result<Option<Vec<Window>>, SessionError> {
        let mut goes_on = || flow(cancel);
        let options = self.options(model);
        let windows = windows_while(text, &model.companions, &options, &mut goes_on);
        let windows = match windows {
            Err(Error::Cancelled) => return Ok(None),
            _ if cancel.is_cancelled() => return Ok(None),
            windows => windows?,
        };
        if windows.is_empty() {
            return Err(SessionError::TextTooShort {
                name: name.to_owned(),
            });
        }
        Ok(Some(windows))
    }

    fn options(&self, model: &Model) -> WindowOptions {
        let positions = model.decoder.config().positions;
        let window = self.window.unwrap_or(WINDOW.min(positions)).min(positions);
        WindowOptions {
            unit: if self.documents {
                TextUnit::Documents
            } else {
                TextUnit::Whole
            },
            window,
            stride: self.stride.unwrap_or((window / 2).max(1)),
            limit: self.limit,
        }
    }
}

/// How a model did on questions; of a measurement that was cancelled, on those that were asked.
#[derive(Debug)]
pub enum TaskOutcome {
    /// Questions with choices.
    Choice(ChoiceScore),
    /// Questions that are answered in words.
    Exact(ExactScore),
}

/// Asks a model questions. `step` is told how many of how many are done, `told` each answer in words and whether it is right.
///
/// # Errors
/// When the model cannot answer.
pub fn ask(
    model: &Model,
    tasks: &Tasks,
    answer_tokens: usize,
    step: &mut dyn FnMut(usize, usize),
    told: &mut dyn FnMut(&Question, &str, bool),
    cancel: &Cancel,
) -> Result<TaskOutcome, SessionError> {
    let questions = &tasks.questions;
    let mut step = steps(step, cancel);
    Ok(if tasks.multiple_choice {
        TaskOutcome::Choice(multiple_choice(model, questions, &mut step)?)
    } else {
        let score = exact_match(model, questions, answer_tokens, &mut step, told)?;
        TaskOutcome::Exact(score)
    })
}

/// A measurement's steps, which end when it is cancelled.
pub fn steps<'a>(
    step: &'a mut dyn FnMut(usize, usize),
    cancel: &'a Cancel,
) -> impl FnMut(usize, usize) -> ControlFlow<()> + 'a {
    move |done, total| {
        step(done, total);
        flow(cancel)
    }
}

fn flow(cancel: &Cancel) -> ControlFlow<()> {
    if cancel.is_cancelled() {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// Names of files to measure on: without the folder, where no other has the same.
pub fn data_names(paths: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        name.to_string_lossy().into_owned()
    };
    let names: Vec<String> = paths.iter().map(short).collect();
    let is_one = |name: &String| names.iter().filter(|other| *other == name).count() == 1;
    let pairs = names.iter().zip(paths);
    pairs
        .map(|(name, path)| {
            if is_one(name) {
                name.clone()
            } else {
                path.display().to_string()
            }
        })
        .collect()
}
