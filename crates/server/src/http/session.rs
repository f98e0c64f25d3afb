//! Sessions of browsers: a cookie that whoever knew the key was given, so that pages need not keep the key.
//!
//! A cookie says until when it counts, and proves with a code made from the key who wrote it. The server keeps nothing.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::admission::App;
use super::failure::ApiError;

const COOKIE: &str = "weightsmith_session";

/// How long a session lasts, in seconds: thirty days.
const LASTS: u64 = 30 * 24 * 60 * 60;

/// Gives a cookie for the key.
pub(super) async fn login(
    State(app): State<Arc<App>>,
    Json(body): Json<Value>,
) -> Result<Response, ApiError> {
    let Some(key) = app.key else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let given = body["key"].as_str().unwrap_or_default();
    if blake3::hash(given.as_bytes()) != key {
        return Err(ApiError::of(
            StatusCode::UNAUTHORIZED,
            "authentication_error",
            "invalid_api_key",
            "the API key is wrong",
        ));
    }
    Ok(with_cookie(&session(key, now() + LASTS), LASTS))
}

/// Takes the cookie away.
pub(super) async fn logout() -> Response {
    with_cookie("", 0)
}

/// Whether a request brings the cookie of a session that still counts.
pub(super) fn is_known(headers: &HeaderMap, key: blake3::Hash) -> bool {
    let Some(given) = cookie(headers) else {
        return false;
    };
    let until = given
        .split_once('.')
        .and_then(|(until, _)| until.parse().ok());
    // compared by hashes: how long that takes tells nothing
    let is_ours =
        |until| blake3::hash(given.as_bytes()) == blake3::hash(session(key, until).as_bytes());
    until.is_some_and(|until: u64| until > now() && is_ours(until))
}

fn session(key: blake3::Hash, until: u64) -> String {
    let code = blake3::keyed_hash(key.as_bytes(), &until.to_le_bytes());
    format!("{until}.{}", code.to_hex())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter();
    all.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn with_cookie(value: &str, age: u64) -> Response {
    let text = format!("{COOKIE}={value}; Max-Age={age}; Path=/; HttpOnly; SameSite=Strict");
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, cookie.parse().expect("a header"));
        headers
    }

    #[test]
    fn a_session_counts_until_its_end_and_for_its_key_alone() {
        let (key, other) = (blake3::hash(b"a"), blake3::hash(b"b"));
        let fresh = session(key, now() + 60);
        let sent = with(&format!("theme=dark; {COOKIE}={fresh}"));
        assert!(is_known(&sent, key));
        assert!(!is_known(&sent, other));
        let over = session(key, now() - 1);
        assert!(!is_known(&with(&format!("{COOKIE}={over}")), key));
        let (_, code) = fresh.split_once('.').expect("two parts");
        let longer = format!("{COOKIE}={}.{code}", now() + 600);
        assert!(!is_known(&with(&longer), key));
        assert!(!is_known(&HeaderMap::new(), key));
    }
}
