//! The page's files, which are part of the program.

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// A file of the page.
struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const INDEX: &[u8] = include_bytes!("../assets/index.html");

const ASSETS: &[Asset] = &[];

/// Whether a path shows nothing of models and runs: the page itself, which is the same for everybody.
pub(crate) fn is_open(path: &str) -> bool {
    path.starts_with("/assets/") || is_page(path)
}

/// Whether the page has something to show at a path.
fn is_page(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    matches!(first, Some("" | "models" | "new" | "runs" | "login"))
}

/// A file, or the page.
pub(crate) async fn show(uri: Uri, _headers: HeaderMap) -> Response {
    let path = uri.path();
    if let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) {
        let kind = HeaderValue::from_static(asset.kind);
        return ([(header::CONTENT_TYPE, kind)], asset.bytes).into_response();
    }
    if !is_page(path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], INDEX).into_response()
}
