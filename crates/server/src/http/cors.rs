//! Which web pages may use the server, and what their browsers are told.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};

/// How long a browser need not ask again, in seconds.
const KEPT: HeaderValue = HeaderValue::from_static("600");

/// Headers of answers that a page may read, beside those that it always may.
const SHOWN: HeaderValue =
    HeaderValue::from_static("retry-after, allow, www-authenticate, content-length");

const ASKS_FOR_LOCAL: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOWS_LOCAL: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Whether a browser asks what a page may send.
pub(super) fn is_preflight(request: &Request<Body>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && headers.contains_key(header::ORIGIN)
}

/// Tells a browser that the page may read the answer. What it asks to send is allowed, as client libraries add headers of their own:
/// the page is trusted, and without the key it gets nothing.
pub(super) fn allow(asked: &HeaderMap, answer: &mut HeaderMap, is_preflight: bool) {
    let Some(origin) = asked.get(header::ORIGIN) else {
        return;
    };
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if !is_preflight {
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, SHOWN);
        return;
    }
    for (wish, allowed) in [
        (
            header::ACCESS_CONTROL_REQUEST_METHOD,
            header::ACCESS_CONTROL_ALLOW_METHODS,
        ),
        (
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            header::ACCESS_CONTROL_ALLOW_HEADERS,
        ),
        (ASKS_FOR_LOCAL, ALLOWS_LOCAL),
    ] {
        if let Some(wished) = asked.get(&wish) {
            answer.insert(allowed, wished.clone());
        }
    }
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, KEPT);
}

/// Tells caches what the answer depends on.
pub(super) fn vary(answer: &mut HeaderMap, is_preflight: bool) {
    answer.append(header::VARY, HeaderValue::from_static("origin"));
    if is_preflight {
        let more = "access-control-request-method, access-control-request-headers, access-control-request-private-network";
        answer.append(header::VARY, HeaderValue::from_static(more));
    }
}
