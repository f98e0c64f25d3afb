//! Merges language models: recipe, plan, run.

mod diagnostic;
pub mod recipe;

pub use diagnostic::{Diagnostic, Severity, Span, Spanned};
