//! What requests bring, taken apart; what is wrong with it is answered as everything else is.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use weightsmith_server::{BodyError, Received, receive};

use crate::error::Refusal;

/// JSON of a request, and what it takes of the memory of all requests.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) Received<T>);

/// Why a body is not taken.
#[derive(Debug)]
pub(super) struct BodyRefusal(BodyError);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequest<S> for Body<T> {
    type Rejection = BodyRefusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, BodyRefusal> {
        let received = receive(request, None).await;
        received.map(Self).map_err(BodyRefusal)
    }
}

impl IntoResponse for BodyRefusal {
    fn into_response(self) -> Response {
        let mut response = refusal(&self.0).into_response();
        if self.0 == BodyError::Busy {
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
