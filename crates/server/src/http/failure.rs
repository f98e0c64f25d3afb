//! Errors, in the form in which OpenAI's clients expect them.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::local_paths::without_folders;
use super::receive::BodyError;
use crate::models::Unavailable;

/// A request that is not answered, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    /// The kind of error, OpenAI's `type`.
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            kind,
            param: None,
            code: None,
            retry_after: None,
        }
    }

    /// The request makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// A field of the request makes no sense.
    pub(crate) fn field(name: &str, found: &str, expected: &str) -> Self {
        let message = format!("`{name}` is {found}; expected {expected}");
        Self::invalid(message).param(name).code("invalid_value")
    }

    /// The request asks for something that this server does not do.
    pub(crate) fn unsupported(name: &str, message: &str) -> Self {
        Self::invalid(format!("`{name}`: {message}"))
            .param(name)
            .code("unsupported_parameter")
    }

    /// More tokens than there are positions.
    pub(crate) fn too_long(prompt: usize, max_tokens: usize, context: usize) -> Self {
        let message = format!(
            "the prompt has {prompt} tokens and {max_tokens} more are requested, {} in total; the context is {context} tokens",
            prompt + max_tokens
        );
        Self::invalid(message).code("context_length_exceeded")
    }

    /// A prompt that does not fit whatever is asked for behind it. Long ones are not counted to their end.
    pub(crate) fn prompt_too_long(found: Option<usize>, context: usize) -> Self {
        match found {
            Some(prompt) => Self::too_long(prompt, 1, context),
            None => Self::invalid(format!(
                "the prompt has more than {context} tokens; the context is {context} tokens"
            ))
            .code("context_length_exceeded"),
        }
    }

    /// More tokens than a tokenizer is asked for at once.
    pub(crate) fn too_many_tokens(most: usize) -> Self {
        let message = format!("the text has more than {most} tokens; expected at most {most}");
        Self::invalid(message).code("context_length_exceeded")
    }

    /// Another status than 400.
    pub(crate) fn of(
        status: StatusCode,
        kind: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(status, kind, message).code(code)
    }

    /// There is no model of that name.
    pub(crate) fn no_model(name: &str, names: &[&str]) -> Self {
        let message = match names {
            [] if name.is_empty() => "no model is served".to_owned(),
            [] => format!("no model `{name}`; no models are served"),
            names if names.len() > 20 => {
                format!("no model `{name}`; see `/v1/models`")
            }
            names => format!("no model `{name}`; available: {}", names.join(", ")),
        };
        Self::of(
            StatusCode::NOT_FOUND,
            "invalid_request_error",
            "model_not_found",
            message,
        )
        .param("model")
    }

    /// Too many requests.
    pub(crate) fn busy(most: usize) -> Self {
        let message = format!("{most} requests are active or queued, and the queue is full");
        Self::of(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_error",
            "queue_full",
            message,
        )
        .retry_after(1)
    }

    /// Wrong keys came from the address.
    pub(crate) fn too_many_keys(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self::of(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_error",
            "too_many_wrong_keys",
            format!("too many wrong keys from this address; try again in {seconds} s"),
        )
        .retry_after(seconds)
    }

    /// The key is not there, or is another.
    pub(crate) fn no_key() -> Self {
        Self::of(
            StatusCode::UNAUTHORIZED,
            "authentication_error",
            "invalid_api_key",
            "the API key is missing or wrong; send it as `Authorization: Bearer KEY`",
        )
    }

    /// The server is at fault.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::of(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "generation_failed",
            message,
        )
    }

    /// The request took too long.
    pub(crate) fn timed_out(seconds: u64) -> Self {
        Self::of(
            StatusCode::GATEWAY_TIMEOUT,
            "server_error",
            "timeout",
            format!("the request took longer than {seconds} s"),
        )
    }

    /// The server is ending.
    pub(crate) fn closing() -> Self {
        Self::of(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            "shutting_down",
            "the server is shutting down",
        )
        .retry_after(5)
    }

    /// Which field is meant.
    pub(crate) fn param(mut self, name: &str) -> Self {
        self.param = Some(name.to_owned());
        self
    }

    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body.
    pub(crate) fn body(&self) -> Value {
        json!({"error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Unavailable> for ApiError {
    fn from(unavailable: Unavailable) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        match unavailable {
            Unavailable::Failed(problem) => Self::of(
                status,
                "server_error",
                "model_failed_to_load",
                format!(
                    "the model could not be loaded: {}",
                    without_folders(&problem)
                ),
            ),
            Unavailable::Removed => Self::of(
                StatusCode::NOT_FOUND,
                "invalid_request_error",
                "model_not_found",
                "the model was removed while the request waited",
            ),
            Unavailable::TooLarge { needed, budget } => Self::of(
                status,
                "server_error",
                "insufficient_memory",
                format!("the model needs {needed} bytes; the memory budget is {budget}"),
            ),
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let (status, code) = match error {
            BodyError::ContentType { .. } => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            BodyError::TooLarge { .. } | BodyError::TooMany { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "request_too_large")
            }
            BodyError::TooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            BodyError::Busy => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return Self::of(status, "server_error", "overloaded", error.to_string())
                    .retry_after(1);
            }
            _ => return Self::invalid(error.to_string()),
        };
        Self::of(status, "invalid_request_error", code, error.to_string())
    }
}

impl From<weightsmith_infer::Error> for ApiError {
    /// Errors of tokenizers and templates. Most are about the request's text, but not those of the model's own files.
    fn from(error: weightsmith_infer::Error) -> Self {
        use weightsmith_infer::Error;
        let message = error.to_string();
        match error {
            // it names a file already, and the rest is the template's own words
            Error::Template { .. } => Self::invalid(message),
            Error::Tokenizer(problem) | Error::UnsoundTokenizer(problem) => {
                let problem = without_folders(&problem);
                Self::of(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "tokenizer_failed",
                    format!("the model's tokenizer.json does not work for this text: {problem}"),
                )
            }
            _ => Self::invalid(without_folders(&message)),
        }
    }
}
