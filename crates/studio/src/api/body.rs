//! What requests bring, taken apart; what is wrong with it is answered as everything else is.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use weightsmith_server::{BodyError, Received, receive};

use crate::error::Refusal;
use crate::wire::{self, Unexpected};

/// What a request brings, and what it takes of the memory of all requests.
#[derive(Debug)]
pub(super) struct Body<T> {
    pub(super) value: T,
    /// It counts as long as the request is worked on.
    _received: Received<Value>,
}

/// Why a body is not taken.
#[derive(Debug)]
pub(super) enum BodyRefusal {
    /// It is no JSON, or beyond a limit.
    Body(BodyError),
    /// A field of it is not as expected.
    Field(Unexpected),
}

impl<S: Send + Sync, T: wire::Request> FromRequest<S> for Body<T> {
    type Rejection = BodyRefusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, BodyRefusal> {
        let mut received = receive::<Value>(request, None)
            .await
            .map_err(BodyRefusal::Body)?;
        let value = T::read(received.value.take()).map_err(BodyRefusal::Field)?;
        Ok(Self {
            value,
            _received: received,
        })
    }
}

impl IntoResponse for BodyRefusal {
    fn into_response(self) -> Response {
        let mut response = match &self {
            Self::Body(error) => refusal(error),
            Self::Field(error) => {
                let mut refusal = Refusal::invalid(error.to_string());
                refusal.hints.extend(error.hint());
                refusal
            }
        }
        .into_response();
        if matches!(self, Self::Body(BodyError::Busy)) {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

fn refusal(error: &BodyError) -> Refusal {
    let message = error.to_string();
    match error {
        BodyError::ContentType { .. } => {
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message)
                .hint("send it as `content-type: application/json`")
        }
        BodyError::TooLarge { .. } => {
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
                .hint("use `--max-body` to allow larger ones; evaluations can use a file instead")
        }
        BodyError::TooMany { .. } => {
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
        }
        BodyError::TooSlow { .. } => Refusal::new(StatusCode::REQUEST_TIMEOUT, "timeout", message),
        BodyError::Busy => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message),
        BodyError::Data { .. } => Refusal::invalid(message),
        _ => Refusal::new(StatusCode::BAD_REQUEST, "not_json", message),
    }
}
