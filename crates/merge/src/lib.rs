//! Merges language models: recipe, plan, run.

mod diagnostic;

pub use diagnostic::{Diagnostic, Severity, Span, Spanned};
