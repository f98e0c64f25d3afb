//! Merges language models: recipe, plan, run.

pub mod architecture;
mod diagnostic;
pub mod diff;
pub mod explain;
pub mod inspect;
pub mod methods;
pub mod model;
pub mod output;
pub mod plan;
pub mod recipe;
pub mod run;
pub mod verify;

pub use diagnostic::{Diagnostic, Severity, Span, Spanned};
