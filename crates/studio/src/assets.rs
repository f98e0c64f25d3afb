//! The page's files, which are part of the program.

use std::io::Write as _;
use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::Refusal;

/// A file of the page.
struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// Compressed, when somebody asked for it; empty where that gains nothing.
    packed: OnceLock<Vec<u8>>,
    /// A hash of its bytes.
    tag: OnceLock<String>,
}

/// The table of files; a test compares it with the folder.
macro_rules! assets {
    ($($name:literal: $kind:literal,)*) => {
        static ASSETS: [Asset; [$($name),*].len()] = [$(Asset {
            path: concat!("/assets/", $name),
            kind: $kind,
            bytes: include_bytes!(concat!("../assets/", $name)),
            packed: OnceLock::new(),
            tag: OnceLock::new(),
        }),*];
    };
}

assets! {
    "LICENSES.txt": "text/plain; charset=utf-8",
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "editor.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "mono.woff2": "font/woff2",
    "sans.woff2": "font/woff2",
    "serif-italic.woff2": "font/woff2",
    "serif.woff2": "font/woff2",
}

/// The page itself, which is the same for every path.
const INDEX: &str = include_str!("../assets/index.html");

/// What the page is allowed, before the nonce for the editor's styles and after it.
const POLICY: [&str; 2] = [
    "default-src 'self'; style-src 'self' 'nonce-",
    "'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
     form-action 'self'; object-src 'none'",
];

/// What stands in the page where the nonce belongs.
const NONCE: &str = "__CSP_NONCE__";

/// Said with everything that is a page or a part of one.
const GUARDS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Whether a path shows nothing of models and runs: the page itself, which is the same for everybody.
pub(crate) fn is_open(path: &str) -> bool {
    path.starts_with("/assets/") || is_page(path)
}

/// Whether the page has something to show at a path.
fn is_page(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    matches!(first, Some("" | "models" | "new" | "runs" | "login"))
}

/// A file, or the page. Where there is nothing the page says so.
pub(crate) async fn show(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let mut response = if let Some(asset) = ASSETS.iter().find(|asset| asset.path == path) {
        asset.answer(&headers)
    } else if ["/assets/", "/v1/"]
        .iter()
        .any(|start| path.starts_with(start))
    {
        let message = format!("not found: `{path}`");
        Refusal::not_found("unknown_url", message).into_response()
    } else {
        let status = if is_page(path) {
            StatusCode::OK
        } else {
            StatusCode::NOT_FOUND
        };
        page(status)
    };
    for (name, value) in GUARDS {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// The page, with a nonce that no other answer has.
fn page(status: StatusCode) -> Response {
    let mut random = [0_u8; 16];
    if let Err(error) = getrandom::fill(&mut random) {
        return Refusal::internal(format!("no random numbers from the system: {error}"))
            .into_response();
    }
    let nonce = format!("{:032x}", u128::from_be_bytes(random));
    let [before, after] = POLICY;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        // another answer has another nonce
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (
            header::CONTENT_SECURITY_POLICY,
            format!("{before}{nonce}{after}"),
        ),
    ];
    (status, headers, INDEX.replace(NONCE, &nonce)).into_response()
}

impl Asset {
    /// The file, compressed where that is understood, or word that it has not changed.
    fn answer(&'static self, headers: &HeaderMap) -> Response {
        let packed = if takes_gzip(headers) {
            self.packed()
        } else {
            None
        };
        let tag = format!(
            "\"{}{}\"",
            self.tag(),
            if packed.is_some() { "-gz" } else { "" }
        );
        let is_known = has_tag(headers, &tag);
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(self.kind))];
            match packed {
                Some(packed) => (kind, packed).into_response(),
                None => (kind, self.bytes).into_response(),
            }
        };
        let answered = response.headers_mut();
        if packed.is_some() && !is_known {
            answered.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        // names stay the same in the next version, so each use asks whether they changed
        answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answered.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answered.insert(header::ETAG, tag);
        }
        response
    }

    fn tag(&self) -> &str {
        self.tag
            .get_or_init(|| blake3::hash(self.bytes).to_hex()[..16].to_owned())
    }

    fn packed(&'static self) -> Option<&'static [u8]> {
        let packed = self.packed.get_or_init(|| {
            if self.kind == "font/woff2" {
                return Vec::new();
            }
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            // writing to memory cannot fail
            let _ = encoder.write_all(self.bytes);
            encoder.finish().unwrap_or_default()
        });
        Some(packed.as_slice())
            .filter(|packed| !packed.is_empty() && packed.len() < self.bytes.len())
    }
}

/// Whether the client understands gzip.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            let is_refused = quality
                .trim()
                .strip_prefix("q=")
                .is_some_and(|quality| quality.trim().parse() == Ok(0.0_f32));
            name.trim().eq_ignore_ascii_case("gzip") && !is_refused
        })
}

/// Whether the client has this very answer.
fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    async fn ask(path: &'static str, pairs: &[(HeaderName, &'static str)]) -> Response {
        show(Uri::from_static(path), headers(pairs)).await
    }

    async fn body(response: Response) -> Vec<u8> {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 24).await;
        bytes.unwrap().to_vec()
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_table() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let mut there: Vec<String> = fs_err::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "index.html")
            .map(|name| format!("/assets/{name}"))
            .collect();
        there.sort();
        let listed: Vec<&str> = ASSETS.iter().map(|asset| asset.path).collect();
        assert_eq!(listed, there);
    }

    #[tokio::test]
    async fn the_page_is_guarded_and_its_nonce_is_new_each_time() {
        let mut nonces = Vec::new();
        for path in ["/", "/models/Qwen%2FQwen2.5-0.5B", "/runs/3"] {
            let response = ask(path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK);
            let said = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(said("x-content-type-options"), "nosniff");
            assert_eq!(said("referrer-policy"), "no-referrer");
            assert_eq!(said("x-frame-options"), "DENY");
            assert_eq!(said("cross-origin-opener-policy"), "same-origin");
            assert_eq!(said("cache-control"), "no-store");
            let policy = said("content-security-policy");
            assert!(!policy.contains("unsafe"), "{policy}");
            for part in [
                "default-src 'self';",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "object-src 'none'",
            ] {
                assert!(policy.contains(part), "{policy}");
            }
            let (_, rest) = policy.split_once("'nonce-").unwrap();
            let nonce = rest.split_once('\'').unwrap().0.to_owned();
            assert_eq!(nonce.len(), 32);
            let text = String::from_utf8(body(response).await).unwrap();
            assert!(text.contains(&format!("content=\"{nonce}\"")), "{text}");
            assert!(!text.contains(NONCE));
            nonces.push(nonce);
        }
        nonces.dedup();
        assert_eq!(nonces.len(), 3);
    }

    #[tokio::test]
    async fn what_is_nowhere_is_not_found() {
        for path in [
            "/assets/none.js",
            "/assets/../Cargo.toml",
            "/v1/none",
            "/nowhere",
        ] {
            assert_eq!(
                ask(path, &[]).await.status(),
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn files_are_compressed_for_those_who_understand_it() {
        let plain = ask("/assets/app.js", &[]).await;
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        let plain = body(plain).await;
        let zipped = ask(
            "/assets/app.js",
            &[(header::ACCEPT_ENCODING, "br, gzip;q=0.5")],
        )
        .await;
        assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
        let zipped = body(zipped).await;
        let mut unpacked = Vec::new();
        std::io::Read::read_to_end(
            &mut flate2::read::GzDecoder::new(zipped.as_slice()),
            &mut unpacked,
        )
        .unwrap();
        assert!(zipped.len() < plain.len() && unpacked == plain);
        let refused = ask("/assets/app.js", &[(header::ACCEPT_ENCODING, "gzip;q=0")]).await;
        assert!(!refused.headers().contains_key(header::CONTENT_ENCODING));
        let font = ask("/assets/sans.woff2", &[(header::ACCEPT_ENCODING, "gzip")]).await;
        assert!(!font.headers().contains_key(header::CONTENT_ENCODING));
    }

    #[tokio::test]
    async fn what_is_known_is_not_sent_again() {
        let first = ask("/assets/app.css", &[]).await;
        let tag = first.headers()[header::ETAG].clone();
        let mut asked = HeaderMap::new();
        asked.insert(header::IF_NONE_MATCH, tag.clone());
        let again = show(Uri::from_static("/assets/app.css"), asked.clone()).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[header::ETAG], tag);
        assert!(body(again).await.is_empty());
        // the compressed form is another answer
        asked.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let other = show(Uri::from_static("/assets/app.css"), asked).await;
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn the_first_view_is_small() {
        const MOST: usize = 400 << 10;
        let sent: usize = ASSETS
            .iter()
            .filter(|asset| !["/assets/editor.js", "/assets/LICENSES.txt"].contains(&asset.path))
            .map(|asset| asset.packed().unwrap_or(asset.bytes).len())
            .sum();
        assert!(sent + INDEX.len() <= MOST, "{sent} bytes");
    }
}
