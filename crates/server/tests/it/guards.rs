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

#[tokio::test]
async fn a_browser_may_ask_beforehand() {
    let world = with_key();
    let request = Request::options("/v1/completions")
        .header(header::HOST, "localhost")
        .header(header::ORIGIN, "http://localhost:3000")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let answer = world
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(
        answer.headers[header::ACCESS_CONTROL_ALLOW_HEADERS],
        "authorization, content-type"
    );
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
