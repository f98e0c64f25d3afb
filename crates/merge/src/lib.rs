//! Merges language models: recipe → [`plan`] → [`run`] → checkpoint.
//!
//! A [`recipe`] is parsed with positions, planned against the headers of its models, and executed block by block. An unmerged
//! recipe can also be read directly, through [`run::MergedSource`].

pub mod architecture;
mod diagnostic;
pub mod methods;
pub mod model;
pub mod output;
pub mod plan;
mod problems;
pub mod recipe;
pub mod run;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod vary;
pub mod verify;

/// Compiles the example in the library documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct LibraryPage;

pub use diagnostic::{Diagnostic, Severity, Span, Spanned};
pub use problems::{MOST_PROBLEMS, Omitted, Problems};
