//! What requests bring, taken apart; what is wrong with it is answered as everything else is.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::error::Refusal;

/// JSON of a request.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refusal(&rejection)),
        }
    }
}

fn refusal(rejection: &JsonRejection) -> Refusal {
    let status = rejection.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(status, "too_large", "the request is too large");
    }
    let message = rejection.body_text();
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Refusal::new(status, "not_json", message)
            .hint("send it as `content-type: application/json`"),
        JsonRejection::JsonDataError(_) => Refusal::invalid(message),
        _ => Refusal::new(status, "not_json", message),
    }
}
