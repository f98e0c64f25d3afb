//! Bodies that are too large, too slow or too many, and too many who listen.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use futures_util::StreamExt as _;
use futures_util::stream::{iter, pending};
use serde_json::{Value, json};
use weightsmith_server::Settings;

use super::service::{Service, request, world};

/// A request that has begun and does not go on.
fn held(path: &str, bytes: usize) -> Request<Body> {
    let begun = iter([Ok::<_, std::io::Error>(Bytes::from(vec![b' '; bytes]))]);
    let mut held = request("POST", path, &json!({}));
    *held.body_mut() = Body::from_stream(begun.chain(pending()));
    held
}

#[tokio::test]
async fn the_limit_of_the_size_is_that_of_the_server() {
    let mut world = world();
    let settings = Settings {
        body_bytes: 1000,
        ..Settings::default()
    };
    let service = Service::with(&mut world, settings);
    let large = json!({"recipe": "a".repeat(1000)});
    for path in ["/api/check", "/api/previews", "/api/runs"] {
        let (status, body) = service.post(path, &large).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert_eq!(body["error"]["code"], "too_large");
        assert_eq!(
            body["error"]["message"],
            "the body has more than 1000 bytes"
        );
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let mut world = world();
    let settings = Settings {
        patience: Duration::from_millis(100),
        ..Settings::default()
    };
    let service = Service::with(&mut world, settings);
    for path in ["/api/check", "/api/previews", "/api/runs"] {
        let (status, body) = service.send(held(path, 1)).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT, "{path}");
        assert_eq!(body["error"]["code"], "timeout", "{path}");
    }
}

#[tokio::test]
async fn the_memory_of_all_bodies_is_bounded() {
    let mut world = world();
    let settings = Settings {
        patience: Duration::from_secs(1),
        body_memory: 200_000,
        ..Settings::default()
    };
    let service = Service::with(&mut world, settings);
    let check = json!({"recipe": "a"});
    let (first, ()) = tokio::join!(service.send(held("/api/check", 150_000)), async {
        // until the first one is there
        loop {
            let answer = service.begin(held("/api/runs", 60_000)).await;
            if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
                break;
            }
        }
        let (status, _) = service.post("/api/check", &check).await;
        assert_eq!(status, StatusCode::OK, "small ones go on");
    });
    assert_eq!(first.0, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn so_many_listen_and_no_more() {
    let mut world = world();
    let service = Service::open(&mut world);
    let listen = || service.begin(request("GET", "/api/events", &Value::Null));
    let mut listening = Vec::new();
    for _ in 0..32 {
        let answer = listen().await;
        assert_eq!(answer.status(), StatusCode::OK);
        listening.push(answer);
    }
    assert_eq!(listen().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    // who leaves makes room
    listening.pop();
    assert_eq!(listen().await.status(), StatusCode::OK);
}
