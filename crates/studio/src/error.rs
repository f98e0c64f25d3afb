//! Errors of starting, and those that the interface answers with.

use std::path::PathBuf;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use weightsmith::Diagnostic;

use crate::wire::{ErrorAnswer, ErrorBody};

/// Why a studio cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudioError {
    /// A folder cannot be used.
    #[error("cannot use the folder `{}`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The history cannot be read.
    #[error("cannot open the history `{}`: {problem}", file.display())]
    History {
        /// The database.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Another studio uses the folder.
    #[error("another studio uses the folder `{}`", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
}

/// An answer that is no success.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
    /// What is wrong with the recipe, where that is it.
    pub(crate) diagnostics: Option<Vec<Diagnostic>>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hints: Vec::new(),
            diagnostics: None,
        }
    }

    /// There is nothing of that name or number.
    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// The request makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", message)
    }

    /// The studio is at fault, or the machine.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With everything that is to be said of the recipe.
    pub(crate) fn with(mut self, diagnostics: &[Diagnostic]) -> Self {
        self.diagnostics = Some(diagnostics.to_vec());
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let answer = ErrorAnswer {
            error: ErrorBody {
                code: self.code.to_owned(),
                message: self.message,
                hints: self.hints,
            },
            diagnostics: self.diagnostics,
        };
        (self.status, Json(answer)).into_response()
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(format!("the history cannot be used: {error}"))
    }
}
