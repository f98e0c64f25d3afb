//! The body of a request: read within limits, as JSON.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::Value;
use tokio::time::timeout;

use super::failure::ApiError;

/// How long a client may take to send a request.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a body of JSON.
pub(super) async fn json(request: Request<Body>, most: usize) -> Result<Value, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let kind = content_type.and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or("").split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::of(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request_error",
            "unsupported_media_type",
            format!("the content type is `{kind}`; expected `application/json`"),
        ));
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most as u64) {
        return Err(too_large(most));
    }
    let bytes = match timeout(PATIENCE, to_bytes(request.into_body(), most)).await {
        Ok(Ok(bytes)) => bytes,
        // it is the limit, or the client broke off and reads no answer
        Ok(Err(_)) => return Err(too_large(most)),
        Err(_) => {
            return Err(ApiError::of(
                StatusCode::REQUEST_TIMEOUT,
                "invalid_request_error",
                "timeout",
                format!("the body did not come within {} s", PATIENCE.as_secs()),
            ));
        }
    };
    serde_json::from_slice(&bytes)
        .map_err(|problem| ApiError::invalid(format!("the body is not JSON: {problem}")))
}

fn too_large(most: usize) -> ApiError {
    ApiError::of(
        StatusCode::PAYLOAD_TOO_LARGE,
        "invalid_request_error",
        "request_too_large",
        format!("the body has more than {most} bytes"),
    )
}
