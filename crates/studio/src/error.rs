//! Errors of starting, and those that the interface answers with.

use std::path::PathBuf;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use weightsmith_session::SessionError;

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
    /// What else the answer holds, such as a recipe's diagnostics.
    pub(crate) more: Vec<(&'static str, Value)>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hints: Vec::new(),
            more: Vec::new(),
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

    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more.push((name, value));
        self
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({"error": {
            "code": self.code, "message": self.message, "hints": self.hints,
        }});
        for (name, value) in self.more {
            body[name] = value;
        }
        (self.status, Json(body)).into_response()
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        if let SessionError::Recipe(outcome) = &error {
            return crate::recipes::refusal(outcome);
        }
        let mut refusal = if error.is_usage() {
            Self::invalid(error.to_string())
        } else {
            Self::internal(error.to_string())
        };
        refusal.hints = error.hints();
        refusal
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
