//! Who may ask, and for what: other pages, other hosts, names that are paths.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::Value;

use super::service::{Service, request, world};

/// Methods and paths of the document.
async fn operations(service: &Service) -> Vec<(String, String)> {
    let document = service.get("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, operations) in paths.iter().filter(|(path, _)| path.starts_with("/api/")) {
        for method in operations.as_object().unwrap().keys() {
            all.push((method.to_uppercase(), path.clone()));
        }
    }
    assert!(all.len() > 25, "{all:?}");
    all
}

/// A path whose parameters are all the same text.
fn filled(path: &str, text: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix('{') {
        Some(_) => text,
        None => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_path_of_the_document_is_there_and_takes_its_method() {
    let mut world = world();
    let service = Service::open(&mut world);
    for (method, path) in operations(&service).await {
        if path == "/api/events" {
            continue;
        }
        let (status, body) = service
            .ask(&method, &filled(&path, "nothing"), &Value::Null)
            .await;
        let code = &body["error"]["code"];
        assert_ne!(code, "unknown_url", "{method} {path}");
        assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(status.as_u16() < 500, "{method} {path}: {body}");
    }
    let (status, body) = service.ask("GET", "/api/nowhere", &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(body["error"]["code"], "unknown_url");
    let (status, _) = service.ask("DELETE", "/api/system", &Value::Null).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn no_parameter_of_a_path_leads_anywhere_else() {
    let mut world = world();
    let outside = world.folder.path().join("secret.txt");
    fs_err::write(&outside, "a secret").unwrap();
    let service = Service::open(&mut world);
    let texts = [
        "..",
        "../..",
        "..%2f..%2fsecret.txt",
        "%2e%2e%2f%2e%2e%2fsecret.txt",
        "%2e%2e",
        "..%5c..%5csecret.txt",
        "%2fetc%2fpasswd",
        "base%2f..%2fbase",
        "base%00",
    ];
    for (method, path) in operations(&service).await {
        if !path.contains('{') {
            continue;
        }
        for text in texts {
            let path = filled(&path, text);
            let (status, body) = service.ask(&method, &path, &Value::Null).await;
            assert!(status.is_client_error(), "{method} {path}: {status} {body}");
        }
    }
    assert!(outside.exists());
}

#[tokio::test]
async fn other_pages_and_other_hosts_are_turned_away_everywhere() {
    let mut world = world();
    let service = Service::open(&mut world);
    for (method, path) in operations(&service).await {
        let path = filled(&path, "base");
        for (host, origin) in [
            ("localhost:8080", Some("https://evil.example")),
            ("localhost:8080", Some("http://localhost:3000")),
            ("localhost:8080", Some("null")),
            ("evil.example", None),
            ("evil.example", Some("http://evil.example")),
        ] {
            let mut request = Request::builder().method(method.as_str()).uri(&path);
            request = request.header("host", host);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let request = request.body(Body::from("{}")).unwrap();
            let (status, _) = service.send(request).await;
            assert_eq!(
                status,
                StatusCode::FORBIDDEN,
                "{method} {path} {host} {origin:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_json_is_refused_in_the_usual_form() {
    let mut world = world();
    let service = Service::open(&mut world);
    let mut plain = request("POST", "/api/check", &Value::Null);
    *plain.body_mut() = Body::from("{\"recipe\": \"a\"}");
    let (status, body) = service.send(plain).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(body["error"]["code"], "not_json");
    for (body, status) in [
        (serde_json::json!({"recipe": 3}), 422),
        (serde_json::json!([]), 422),
        (serde_json::json!({}), 422),
    ] {
        let (found, answer) = service.post("/api/check", &body).await;
        assert_eq!(found.as_u16(), status, "{answer}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }
    for query in ["limit=many", "state=odd", "before=x"] {
        let (status, body) = service
            .ask("GET", &format!("/api/runs?{query}"), &Value::Null)
            .await;
        assert!(
            status.is_client_error() && body["error"]["code"].is_string(),
            "{query}: {body}"
        );
    }
}
