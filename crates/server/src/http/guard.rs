//! Who may ask: the host that a request names, the page it comes from, the key it brings.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::State;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::admission::App;
use super::caller::Caller;
use super::cors;
use super::failure::ApiError;
use super::session;

/// Lets a request through, or says why not.
pub(super) async fn guard(
    State(app): State<Arc<App>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    if let Err(error) = check_host(&app, &request).and_then(|()| check_origin(&app, &request)) {
        return error.into_response();
    }
    let is_preflight = cors::is_preflight(&request);
    let asked = request.headers().clone();
    let mut caller = Caller::new(Arc::clone(&app.door.limits), request.extensions());
    let mut response = if is_preflight {
        StatusCode::NO_CONTENT.into_response()
    } else if let Err(error) = check_key(&app, &request, &mut caller) {
        error.into_response()
    } else {
        request.extensions_mut().insert(caller);
        next.run(request).await
    };
    cors::allow(&asked, response.headers_mut(), is_preflight);
    cors::vary(response.headers_mut(), is_preflight);
    response
}

/// A page that made a browser believe that its name is this machine's must not get through.
fn check_host(app: &App, request: &Request<Body>) -> Result<(), ApiError> {
    let named = request.headers().get(header::HOST);
    let named = named.and_then(|host| host.to_str().ok());
    let host = named.or_else(|| request.uri().authority().map(Authority::as_str));
    let settings = &app.settings;
    let is_public = !settings.address.ip().is_loopback() && app.key.is_some();
    let is_allowed = host.is_some_and(|host| {
        let name = without_port(host);
        let is_listed = |one: &String| one == "*" || one == host || one == name;
        is_local(name) || settings.hosts.iter().any(is_listed)
    });
    if is_allowed || is_public {
        return Ok(());
    }
    let message = format!(
        "the host `{}` is not this machine; use `--allow-host` to allow it",
        host.unwrap_or_default()
    );
    Err(forbidden("host_not_allowed", message))
}

/// A web page may ask only if it is this machine's or was allowed. What changes models and runs, and what a browser's session
/// opens, is for our own pages: others of this machine, on another port, are turned away too.
fn check_origin(app: &App, request: &Request<Body>) -> Result<(), ApiError> {
    let headers = request.headers();
    let path = request.uri().path();
    let is_ours_alone =
        path.starts_with("/api/") || (uses_session(app, headers) && !(app.is_open)(path));
    let Some(origin) = headers.get(header::ORIGIN) else {
        // other pages' requests that browsers send without an origin, such as those for pictures
        return if is_ours_alone && comes_from_elsewhere(headers) {
            Err(other_page())
        } else {
            Ok(())
        };
    };
    let origin = origin.to_str().unwrap_or_default();
    let place = origin.split_once("://").map(|(_, place)| place);
    let own = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let is_own = place.is_some() && place == own;
    let is_allowed = is_own
        || place.is_some_and(|place| {
            if path.starts_with("/api/") {
                // another program may listen on the port of another address of this machine
                false
            } else if is_ours_alone {
                own.is_some_and(|own| is_same_machine(place, own))
            } else {
                is_local(without_port(place))
            }
        });
    let is_listed = |one: &String| one == "*" || one == origin;
    if is_allowed || app.settings.origins.iter().any(is_listed) {
        return Ok(());
    }
    let message = format!("the origin `{origin}` is not allowed; use `--allow-origin` to allow it");
    Err(forbidden("origin_not_allowed", message))
}

fn other_page() -> ApiError {
    let message = "this is for the server's own pages; use `--allow-origin` to allow it";
    forbidden("origin_not_allowed", message.to_owned())
}

/// Whether a browser says that another page asks.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// Whether nothing but a browser's session opens this.
fn uses_session(app: &App, headers: &HeaderMap) -> bool {
    app.key.is_some_and(|key| {
        session::is_known(headers, key, &app.door.ended) && !brings_key(headers, key)
    })
}

fn forbidden(code: &'static str, message: String) -> ApiError {
    ApiError::of(
        StatusCode::FORBIDDEN,
        "invalid_request_error",
        code,
        message,
    )
}

/// The key, compared by its hash: how long that takes tells nothing of it. Whoever brought wrong ones has to wait before another is
/// looked at.
fn check_key(app: &App, request: &Request<Body>, caller: &mut Caller) -> Result<(), ApiError> {
    let Some(key) = app.key else {
        caller.is_known = true;
        return Ok(());
    };
    let headers = request.headers();
    if session::is_known(headers, key, &app.door.ended) {
        caller.is_known = true;
        caller.session = session::hash(headers);
        return Ok(());
    }
    let path = request.uri().path();
    if path == "/health" || path == "/api/login" || (app.is_open)(path) {
        return Ok(());
    }
    let Some(given) = given_key(headers) else {
        return Err(ApiError::no_key());
    };
    let is_proven = caller.seat.as_ref().is_some_and(|seat| seat.is_proven());
    if !is_proven && let Some(wait) = app.door.brake.wait(caller.address, Instant::now()) {
        return Err(ApiError::too_many_keys(wait));
    }
    caller.is_known = blake3::hash(given) == key;
    if let Some(seat) = &caller.seat {
        seat.set_proven(caller.is_known);
    }
    if caller.is_known {
        return Ok(());
    }
    app.door.brake.count(caller.address, Instant::now());
    Err(ApiError::no_key())
}

fn brings_key(headers: &HeaderMap, key: blake3::Hash) -> bool {
    given_key(headers).is_some_and(|given| blake3::hash(given) == key)
}

/// The key that a request brings, right or wrong.
fn given_key(headers: &HeaderMap) -> Option<&[u8]> {
    let given = headers.get(header::AUTHORIZATION)?;
    bearer(given.as_bytes()).filter(|key| !key.is_empty())
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"Bearer ")
        .then(|| key.trim_ascii())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether two places are this machine's, at the same port: a browser takes `localhost` and `127.0.0.1` for two.
fn is_same_machine(one: &str, other: &str) -> bool {
    let port = |place: &'_ str| place[without_port(place).len()..].to_owned();
    is_local(without_port(one)) && is_local(without_port(other)) && port(one) == port(other)
}

fn is_local(name: &str) -> bool {
    let plain = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || plain.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_known() {
        for host in [
            "localhost:80",
            "LOCALHOST",
            "127.0.0.1:1",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(is_local(without_port(host)), "{host}");
        }
        for host in ["example.org", "localhost.example.org:80", "10.0.0.1", ""] {
            assert!(!is_local(without_port(host)), "{host}");
        }
    }

    #[test]
    fn names_of_this_machine_are_the_same_at_the_same_port() {
        assert!(is_same_machine("localhost:8080", "127.0.0.1:8080"));
        assert!(is_same_machine("[::1]:8080", "LOCALHOST:8080"));
        assert!(is_same_machine("[::1]", "localhost"));
        assert!(!is_same_machine("localhost:8080", "127.0.0.1:8081"));
        assert!(!is_same_machine("localhost:8080", "localhost"));
        assert!(!is_same_machine("example.org:8080", "localhost:8080"));
    }

    #[test]
    fn a_key_comes_behind_its_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer(b"bearer  abc "), Some(&b"abc"[..]));
        assert_eq!(bearer(b"Basic abc"), None);
        assert_eq!(bearer(b"Bear"), None);
    }
}
