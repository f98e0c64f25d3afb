//! Requests, and what is said of one that is not as expected.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::run::RunKind;

/// What the body of a request holds.
pub(crate) trait Request: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// Which field is not as expected.
    fn read(request: Value) -> Result<Self, Unexpected>;
}

/// A field of a request that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unexpected {
    /// It has no fields.
    #[error("the body is {0}, expected an object")]
    Body(&'static str),
    /// Unknown kind of run.
    #[error("there is no kind of run `{0}`")]
    Kind(String),
    /// The kind of run is not there.
    #[error("`kind` is missing or empty, expected a text")]
    NoKind,
    /// It cannot be read.
    #[error("{}: {problem}", named(.path))]
    Field {
        /// Its position, such as `data.kind`.
        path: String,
        /// The value found and the expected one.
        problem: String,
    },
}

impl Unexpected {
    /// A hint.
    pub(crate) fn hint(&self) -> Option<String> {
        matches!(self, Self::Kind(_)).then(|| {
            let names = RunKind::ALL.map(RunKind::name).join(", ");
            format!("expected one of {names}")
        })
    }
}

fn named(path: &str) -> String {
    match path {
        "." => "the body".to_owned(),
        path => format!("`{path}`"),
    }
}

/// Reads the fields of a request.
pub(super) fn fields<T: DeserializeOwned>(request: Value) -> Result<T, Unexpected> {
    let found = match request {
        Value::Object(_) => None,
        Value::Array(_) => Some("a list"),
        Value::String(_) => Some("a text"),
        Value::Number(_) => Some("a number"),
        Value::Bool(_) => Some("`true` or `false`"),
        Value::Null => Some("`null`"),
    };
    if let Some(found) = found {
        return Err(Unexpected::Body(found));
    }
    serde_path_to_error::deserialize(request).map_err(|error| Unexpected::Field {
        path: error.path().to_string(),
        problem: error.into_inner().to_string(),
    })
}
