//! Paths that lead nowhere, with the one that was likely meant.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};

use super::failure::ApiError;

/// What the protocol answers, without `/v1`.
const ENDS: [&str; 3] = ["/chat/completions", "/completions", "/models"];

/// What is not below `/v1`.
const BESIDE: [&str; 6] = [
    "/tokenize",
    "/detokenize",
    "/tokenizer_info",
    "/health",
    "/metrics",
    "/openapi.json",
];

/// There is nothing at a path.
pub(super) fn nowhere(path: &str) -> ApiError {
    let message = match meant(path) {
        Some(other) => format!("not found: `{path}`; did you mean `{other}`?"),
        None if is_below_v1(path) => format!(
            "not found: `{path}`; the server has `/v1/chat/completions`, `/v1/completions` and `/v1/models`"
        ),
        None => format!("not found: `{path}`"),
    };
    ApiError::of(
        StatusCode::NOT_FOUND,
        "invalid_request_error",
        "unknown_url",
        message,
    )
}

/// A method that a path does not take.
pub(super) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::of(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request_error",
        "method_not_allowed",
        format!("`{}` does not support {method}", uri.path()),
    )
}

/// Whether a request that the protocol has no path for is a program's that mistook the path, and not a browser's for a page.
pub(super) fn is_a_programs(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    if is_below_v1(path) {
        return true;
    }
    // the pages' own interface
    if path.starts_with("/api/") && !path.starts_with("/api/v1/") {
        return false;
    }
    let wants_page = method == Method::GET || method == Method::HEAD;
    let accepted = headers.get(header::ACCEPT);
    let accepted = accepted.and_then(|value| value.to_str().ok()).unwrap_or("");
    let takes_json_alone = accepted.contains("json") && !accepted.contains("html");
    meant(path).is_some() && (!wants_page || takes_json_alone)
}

fn is_below_v1(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

/// The path that was likely meant: with `/v1` before it, once, without another server's prefix, and without doubled slashes and one at
/// the end.
fn meant(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_prefix = |part: &str| {
        ["v1", "api", "openai"]
            .iter()
            .any(|one| part.eq_ignore_ascii_case(one))
    };
    let prefixes = parts.iter().take_while(|part| is_prefix(part)).count();
    parts.drain(..prefixes);
    let rest = format!("/{}", parts.join("/"));
    let is_model = rest
        .strip_prefix("/models/")
        .is_some_and(|name| !name.is_empty());
    let lower = rest.to_ascii_lowercase();
    let found = if is_model {
        format!("/v1{rest}")
    } else if ENDS.contains(&lower.as_str()) {
        format!("/v1{lower}")
    } else if BESIDE.contains(&lower.as_str()) {
        lower
    } else {
        return None;
    };
    (found != path).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_that_was_meant_is_found() {
        for (path, expected) in [
            ("/chat/completions", "/v1/chat/completions"),
            ("/v1/v1/chat/completions", "/v1/chat/completions"),
            ("/v1/chat/completions/", "/v1/chat/completions"),
            ("//v1//chat/completions", "/v1/chat/completions"),
            ("/api/v1/chat/completions", "/v1/chat/completions"),
            ("/openai/v1/models", "/v1/models"),
            ("/V1/Completions", "/v1/completions"),
            ("/models/", "/v1/models"),
            ("/v1/models/", "/v1/models"),
            ("/models/Me/Model", "/v1/models/Me/Model"),
            ("/v1/tokenize", "/tokenize"),
            ("/v1/health", "/health"),
        ] {
            assert_eq!(meant(path).as_deref(), Some(expected), "{path}");
        }
        for path in [
            "/",
            "/v1",
            "/v2",
            "/v1/embeddings",
            "/api/runs",
            "/chat",
            "/v1/models",
        ] {
            assert_eq!(meant(path), None, "{path}");
        }
    }

    #[test]
    fn pages_are_left_to_browsers() {
        let accepting = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, text.parse().expect("a header"));
            headers
        };
        let (browser, program) = (
            accepting("text/html,*/*;q=0.8"),
            accepting("application/json"),
        );
        assert!(!is_a_programs(&Method::GET, "/models", &browser));
        assert!(is_a_programs(&Method::GET, "/models", &program));
        assert!(is_a_programs(&Method::POST, "/chat/completions", &browser));
        assert!(is_a_programs(&Method::GET, "/v1/nothing", &browser));
        assert!(!is_a_programs(&Method::POST, "/nothing", &program));
        assert!(!is_a_programs(
            &Method::POST,
            "/api/models/a/load",
            &program
        ));
        assert!(is_a_programs(
            &Method::POST,
            "/api/v1/completions",
            &program
        ));
    }
}
