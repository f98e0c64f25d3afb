//! Keys, hosts and web pages.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use weightsmith_server::Settings;

use crate::world::{World, post, served};

fn with_key() -> World {
    let settings = Settings {
        api_key: Some("a secret".to_owned()),
        ..Settings::default()
    };
    World::with(vec![served("instruct")], settings)
}

#[tokio::test]
async fn without_the_key_only_the_health_is_told() {
    let world = with_key();
    assert_eq!(world.get("/health").await.status, StatusCode::OK);
    for path in ["/v1/models", "/metrics", "/openapi.json", "/nowhere"] {
        let answer = world.get(path).await;
        assert!(answer.refusal(401).contains("Bearer KEY"));
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
    }
    for (key, status) in [
        ("Bearer a secret", 200),
        ("Bearer a secre", 401),
        ("Bearer a secret2", 401),
        ("Bearer ", 401),
        ("a secret", 401),
        ("Basic a secret", 401),
    ] {
        let mut request = Request::get("/v1/models")
            .body(Body::empty())
            .expect("a request");
        let headers = request.headers_mut();
        headers.insert(header::HOST, "127.0.0.1".parse().expect("a host"));
        headers.insert(header::AUTHORIZATION, key.parse().expect("a header"));
        assert_eq!(world.send(request).await.status.as_u16(), status, "{key}");
    }
}

#[tokio::test]
async fn other_hosts_and_pages_are_turned_away() {
    let settings = Settings {
        hosts: vec!["box.lan".to_owned()],
        origins: vec!["https://app.example".to_owned()],
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    for (host, origin, status) in [
        ("localhost:8080", None, 200),
        ("[::1]:8080", None, 200),
        ("box.lan:8080", None, 200),
        ("evil.example", None, 403),
        ("localhost.evil.example:8080", None, 403),
        ("localhost", Some("https://app.example"), 200),
        ("localhost", Some("http://localhost:3000"), 200),
        ("localhost", Some("https://evil.example"), 403),
        ("localhost", Some("null"), 403),
    ] {
        let mut request = Request::get("/v1/models")
            .body(Body::empty())
            .expect("a request");
        let headers = request.headers_mut();
        headers.insert(header::HOST, host.parse().expect("a host"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("an origin"));
        }
        let answer = world.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{host} {origin:?}");
        let allowed = answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(allowed.is_some(), origin.is_some() && status == 200);
    }
}

/// A request with headers.
fn with(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header(header::HOST, "localhost:8080");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn a_browser_may_ask_beforehand_for_whatever_a_client_library_sends() {
    let settings = Settings {
        api_key: Some("a secret".to_owned()),
        origins: vec!["https://app.example".to_owned()],
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let headers = "authorization,content-type,x-stainless-arch,x-stainless-lang,openai-beta";
    for origin in ["http://localhost:3000", "https://app.example"] {
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", headers),
            ("access-control-request-private-network", "true"),
        ];
        let answer = world.send(with("OPTIONS", "/v1/completions", &asked)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        for (name, expected) in [
            ("access-control-allow-origin", origin),
            ("access-control-allow-headers", headers),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-private-network", "true"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(answer.headers[name], expected, "{name}");
        }
        let vary: Vec<_> = answer.headers.get_all(header::VARY).iter().collect();
        let vary = format!("{vary:?}");
        for name in [
            "origin",
            "access-control-request-headers",
            "access-control-request-method",
        ] {
            assert!(vary.contains(name), "{vary}");
        }
        // nothing is allowed that was not asked for
        let answer = world
            .send(with("OPTIONS", "/v1/completions", &asked[..2]))
            .await;
        for name in [
            "access-control-allow-headers",
            "access-control-allow-private-network",
        ] {
            assert!(!answer.headers.contains_key(name), "{name}");
        }
    }
    let strange = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
    ];
    let answer = world
        .send(with("OPTIONS", "/v1/completions", &strange))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        !answer
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN)
    );
}

#[tokio::test]
async fn a_page_can_read_why_it_is_refused() {
    let world = with_key();
    let origin = ("origin", "http://localhost:3000");
    let key = ("authorization", "Bearer a secret");
    for (method, path, headers, status) in [
        ("GET", "/v1/models", &[origin][..], 401),
        ("GET", "/v1/nothing", &[origin, key][..], 404),
        ("GET", "/v1/completions", &[origin, key][..], 405),
        ("POST", "/v1/completions", &[origin, key][..], 415),
        ("GET", "/v1/models", &[origin, key][..], 200),
    ] {
        let answer = world.send(with(method, path, headers)).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        let allowed = &answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN];
        assert_eq!(allowed, origin.1, "{path}");
        let shown = answer.headers[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str();
        assert!(shown.expect("text").contains("retry-after"));
    }
}

#[tokio::test]
async fn every_answer_says_what_browsers_must_not_do_with_it() {
    let world = with_key();
    let key = ("authorization", "Bearer a secret");
    for (path, headers) in [
        ("/health", &[][..]),
        ("/v1/models", &[][..]),
        ("/v1/models", &[key][..]),
        ("/metrics", &[key][..]),
        ("/nowhere", &[key][..]),
        ("/v1/completions", &[key][..]),
    ] {
        let answer = world.send(with("GET", path, headers)).await;
        assert_eq!(
            answer.headers[header::X_CONTENT_TYPE_OPTIONS],
            "nosniff",
            "{path}"
        );
        assert_eq!(
            answer.headers["cross-origin-resource-policy"],
            "same-origin"
        );
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        assert!(answer.headers.contains_key(header::CONTENT_SECURITY_POLICY));
    }
}

#[tokio::test]
async fn a_wrong_path_is_answered_with_the_right_one() {
    let world = World::new();
    let body = json!({"model": "instruct"});
    for (path, expected) in [
        ("/chat/completions", "did you mean `/v1/chat/completions`?"),
        ("/v1/v1/completions", "did you mean `/v1/completions`?"),
        (
            "/v1/chat/completions/",
            "did you mean `/v1/chat/completions`?",
        ),
        (
            "/api/v1/chat/completions",
            "did you mean `/v1/chat/completions`?",
        ),
        (
            "/v1/responses",
            "the server has `/v1/chat/completions`, `/v1/completions` and `/v1/models`",
        ),
        ("/nowhere", "not found: `/nowhere`"),
    ] {
        let answer = world.post(path, &body).await;
        assert_eq!(answer.json()["error"]["code"], "unknown_url");
        let message = answer.refusal(404);
        assert!(message.contains(expected), "{message}");
    }
    let answer = world.get("/models/").await;
    assert!(answer.refusal(404).contains("did you mean `/v1/models`?"));
    let answer = world.get("/v1/models/").await;
    assert!(answer.refusal(404).contains("did you mean `/v1/models`?"));
}

#[tokio::test]
async fn what_is_not_the_protocol_is_refused() {
    let settings = Settings {
        body_bytes: 1000,
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let path = "/v1/completions";
    let large = json!({"model": "instruct", "prompt": "a".repeat(2000)});
    let message = world.post(path, &large).await.refusal(413);
    assert_eq!(message, "the body has more than 1000 bytes");
    let mut request = post(path, &json!({}));
    request.headers_mut().remove(header::CONTENT_TYPE);
    assert!(
        world
            .send(request)
            .await
            .refusal(415)
            .contains("application/json")
    );
    let mut request = post(path, &json!({}));
    *request.body_mut() = Body::from("{\"model\": ");
    assert!(
        world
            .send(request)
            .await
            .refusal(400)
            .starts_with("the body is not JSON")
    );
    let message = world.post(path, &json!([1])).await.refusal(400);
    assert_eq!(message, "the body is a list; expected an object");
    world.get("/v2").await.refusal(404);
    let answer = world.get(path).await;
    answer.refusal(405);
    assert_eq!(answer.headers[header::ALLOW], "POST");
}
