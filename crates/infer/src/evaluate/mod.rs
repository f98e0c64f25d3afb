//! Evaluations of a model: perplexity and divergence on text, exact answers, multiple choice.
//!
//! - [`windows`] cuts a text into [`Window`]s, and [`perplexity`] or [`compare`] run models over them.
//! - [`read_tasks`] reads questions from JSONL, and [`exact_match`] and [`multiple_choice`] put them to a model.

mod choice;
mod compare;
mod exact;
mod perplexity;
mod positions;
mod tasks;
mod windows;

use std::ops::ControlFlow;

pub use choice::{ChoiceScore, multiple_choice};
pub use compare::{Comparison, compare};
pub use exact::{ExactScore, KindScore, exact_match};
pub use perplexity::{Perplexity, perplexity};
pub use tasks::{Answer, Prompt, Question, Tasks, read_tasks};
pub use windows::{TextUnit, Window, WindowOptions, windows, windows_while};

/// Is told how much of the work is done: pieces done, pieces in all. What they are depends on the work.
///
/// `Break` ends the measurement: its result is then that of the pieces that were done, which its counts tell.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize) -> ControlFlow<()>;
