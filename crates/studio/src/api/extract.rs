//! Parts of requests, with refusals in the interface's own form.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::Refusal;

/// The parameters of a path.
#[derive(Debug)]
pub(super) struct Path<T>(pub(super) T);

/// The parameters behind the question mark.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found =
            <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state);
        match found.await {
            Ok(axum::extract::Path(found)) => Ok(Self(found)),
            Err(problem) => Err(invalid(problem.body_text())),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(found)) => Ok(Self(found)),
            Err(problem) => Err(invalid(problem.body_text())),
        }
    }
}

fn invalid(problem: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid_request", problem)
}
