//! Merges language models: recipe, plan, run.

mod diagnostic;

pub mod architecture;
pub mod model;
pub mod output;

pub use diagnostic::{Diagnostic, Severity, Span, Spanned};
