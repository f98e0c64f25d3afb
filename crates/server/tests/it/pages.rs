//! Pages beside the protocol: who may ask for them, and what other pages may not do.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use weightsmith_server::{ModelRegistry, Pages, PagesDocument, Settings, router_with};

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
        document: PagesDocument {
            paths: object(&json!({"/api/things": {"get": {"summary": "Things", "responses": {}}}})),
            schemas: object(&json!({"Thing": {"type": "string"}})),
        },
    };
    World::of(router_with(settings, registry.clone(), pages), registry)
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
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

#[tokio::test]
async fn our_own_page_may_use_the_protocol_under_each_name_of_this_machine() {
    let world = world(Some("a secret"));
    let answer = ask(&world, "POST", "/api/login", &[OWN]).await;
    let cookie = cookie(&answer.headers);
    let session = ("cookie", cookie.as_str());
    for (host, origin, on_protocol, on_api) in [
        ("localhost:8080", "http://localhost:8080", 200, 200),
        ("127.0.0.1:8080", "http://localhost:8080", 200, 403),
        ("localhost:8080", "http://[::1]:8080", 200, 403),
        ("localhost:8080", "http://localhost:8081", 403, 403),
        ("localhost:8080", "http://localhost", 403, 403),
        ("localhost:8080", "https://evil.example", 403, 403),
    ] {
        let headers = [("host", host), ("origin", origin), session];
        for (path, status) in [("/v1/models", on_protocol), ("/api/things", on_api)] {
            let answer = ask(&world, "GET", path, &headers).await;
            assert_eq!(answer.status.as_u16(), status, "{host} {origin} {path}");
        }
    }
}

#[tokio::test]
async fn a_session_ends_with_its_logout_and_others_go_on() {
    let world = world(Some("a secret"));
    let mut cookies = Vec::new();
    for _ in 0..2 {
        let answer = ask(&world, "POST", "/api/login", &[OWN]).await;
        cookies.push(cookie(&answer.headers));
    }
    assert_ne!(cookies[0], cookies[1]);
    let first = ("cookie", cookies[0].as_str());
    let answer = ask(&world, "POST", "/api/logout", &[OWN, first]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    for (cookie, status) in cookies.iter().zip([401, 200]) {
        let answer = ask(&world, "GET", "/api/things", &[OWN, ("cookie", cookie)]).await;
        assert_eq!(answer.status.as_u16(), status);
    }
}

#[tokio::test]
async fn guesses_at_the_login_have_to_wait() {
    let world = world(Some("a secret"));
    let login = |key: &str| {
        let body = Body::from(json!({"key": key}).to_string());
        let request = Request::post("/api/login").header(header::HOST, "localhost:8080");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        request.body(body).expect("a request")
    };
    for number in 0..5 {
        let answer = world.send(login(&format!("guess {number}"))).await;
        answer.refusal(401);
    }
    let answer = world.send(login("a secret")).await;
    assert!(answer.refusal(429).starts_with("too many wrong keys"));
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
}

#[tokio::test]
async fn programs_that_mistake_a_path_get_no_page() {
    let world = world(None);
    for (method, path, accept, status) in [
        ("POST", "/chat/completions", "application/json", 404),
        ("POST", "/v1/nothing", "*/*", 404),
        ("GET", "/v1/nothing", "text/html", 404),
        ("GET", "/", "text/html", 200),
    ] {
        let answer = ask(&world, method, path, &[OWN, ("accept", accept)]).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        if status == 404 {
            answer.refusal(404);
        }
    }
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
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Thing"], json!({"type": "string"}));
    assert!(schemas["Model"].is_object());
}
