//! Pages beside the protocol: who may ask for them, and what other pages may not do.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::{get, post};
use serde_json::json;
use weightsmith_server::{ModelRegistry, Pages, Settings, router_with};

use crate::world::{Answer, World, served};

fn world(key: Option<&str>) -> World {
    let settings = Settings {
        api_key: key.map(str::to_owned),
        origins: vec!["https://app.example".to_owned()],
        ..Settings::default()
    };
    let registry = ModelRegistry::new(vec![served("instruct")], settings.engine, None);
    let router = Router::new()
        .route("/", get(async || "page"))
        .route("/api/things", get(async || "things"))
        .route("/api/things", post(async || "made"));
    let pages = Pages {
        router,
        is_open: |path| path == "/",
        paths: json!({"/api/things": {"get": {"summary": "Things", "responses": {}}}}),
    };
    World::of(router_with(settings, registry.clone(), pages), registry)
}

async fn ask(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = if path == "/api/login" {
        Body::from(r#"{"key":"a secret"}"#)
    } else {
        Body::empty()
    };
    let request = request.header(header::CONTENT_TYPE, "application/json");
    world.send(request.body(body).expect("a request")).await
}

const OWN: (&str, &str) = ("host", "localhost:8080");

#[tokio::test]
async fn pages_answer_beside_the_protocol() {
    let world = world(None);
    for path in ["/", "/api/things", "/v1/models", "/health"] {
        let answer = ask(&world, "GET", path, &[OWN]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let answer = ask(&world, "GET", "/nowhere", &[OWN]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_changes_things_is_for_our_own_page_alone() {
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let world = world(None);
    let cases: [(&str, Headers<'_>, u16); 9] = [
        ("POST", &[OWN], 200),
        ("POST", &[OWN, ("origin", "http://localhost:8080")], 200),
        ("POST", &[OWN, ("origin", "https://app.example")], 200),
        ("POST", &[OWN, ("origin", "http://localhost:3000")], 403),
        ("POST", &[OWN, ("origin", "https://evil.example")], 403),
        ("POST", &[OWN, ("origin", "null")], 403),
        ("GET", &[OWN, ("sec-fetch-site", "cross-site")], 403),
        ("GET", &[OWN, ("sec-fetch-site", "same-origin")], 200),
        ("POST", &[("host", "evil.example")], 403),
    ];
    for (method, headers, status) in cases {
        let answer = ask(&world, method, "/api/things", headers).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {headers:?}");
    }
}

#[tokio::test]
async fn a_key_opens_a_session_and_the_session_the_rest() {
    let world = world(Some("a secret"));
    assert_eq!(ask(&world, "GET", "/", &[OWN]).await.status, StatusCode::OK);
    let answer = ask(&world, "GET", "/api/things", &[OWN]).await;
    assert!(answer.refusal(401).contains("Bearer KEY"));
    let wrong = Request::post("/api/login")
        .header(header::HOST, "localhost:8080")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(r#"{"key":"another"}"#));
    let answer = world.send(wrong.expect("a request")).await;
    answer.refusal(401);
    let answer = ask(&world, "POST", "/api/login", &[OWN]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let cookie = cookie(&answer.headers);
    assert!(
        answer.headers[header::SET_COOKIE]
            .to_str()
            .expect("text")
            .contains("HttpOnly; SameSite=Strict")
    );
    let session = ("cookie", cookie.as_str());
    for path in ["/api/things", "/v1/models"] {
        let answer = ask(&world, "GET", path, &[OWN, session]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        // a session opens nothing to other pages, not even what a key of theirs would
        let other = ("origin", "http://localhost:3000");
        let answer = ask(&world, "GET", path, &[OWN, session, other]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        // nor does a wrong key beside it, while the right one is enough for the protocol
        let wrong = ("authorization", "Bearer another");
        let answer = ask(&world, "GET", path, &[OWN, session, other, wrong]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let (other, right) = (
        ("origin", "http://localhost:3000"),
        ("authorization", "Bearer a secret"),
    );
    let answer = ask(&world, "GET", "/v1/models", &[OWN, session, other, right]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let bearer = ("authorization", "Bearer a secret");
    let answer = ask(&world, "GET", "/api/things", &[OWN, bearer]).await;
    assert_eq!(answer.status, StatusCode::OK);
}

fn cookie(headers: &HeaderMap) -> String {
    let text = headers[header::SET_COOKIE].to_str().expect("text");
    text.split(';').next().expect("a part").to_owned()
}

#[tokio::test]
async fn the_document_tells_of_pages_too() {
    let world = world(None);
    let document = ask(&world, "GET", "/openapi.json", &[OWN]).await.json();
    for path in ["/v1/models", "/api/login", "/api/logout"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert_eq!(document["paths"]["/api/things"]["get"]["summary"], "Things");
}
