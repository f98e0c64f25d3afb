//! What every answer says, whatever gave it; and requests whose bodies nobody reads.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::admission::App;
use super::drained::Drained;

/// Headers of every answer that does not say something else itself. What is no page can be shown as none, and no other site may
/// show or read it.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Wraps all that answers.
pub(super) async fn polish(
    State(app): State<Arc<App>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let waits_for_word = request.headers().contains_key(header::EXPECT);
    let patience = app.settings.patience;
    let request = request.map(|body| Body::new(Drained::new(body, patience, waits_for_word)));
    let mut response = next.run(request).await;
    let is_over = response.status() == StatusCode::REQUEST_TIMEOUT;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
    if is_over {
        // the rest of the request would be taken for the next one
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
