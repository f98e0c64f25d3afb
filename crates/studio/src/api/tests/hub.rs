//! The hub, searched.

use axum::http::StatusCode;
use serde_json::json;

use crate::testing::World;

#[tokio::test]
async fn the_hub_is_searched() {
    let mut world = World::new();
    for name in ["Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-1.5B", "other/thing"] {
        world.hub.add_model(name, Vec::new()).unwrap();
    }
    let studio = world.open();
    let found = studio.json("/api/hub/search?q=qwen2.5%200.5").await;
    assert_eq!(found["models"], json!([]));
    let found = studio.json("/api/hub/search?q=qwen2.5-0").await;
    assert_eq!(
        found["models"],
        json!([{
            "name": "Qwen/Qwen2.5-0.5B", "downloads": 17000, "likes": 17, "updated": 1_727_267_577,
            "task": "text-generation", "license": "apache-2.0", "gated": false,
        }])
    );
    world.hub.take_seen();
    assert_eq!(
        studio.json("/api/hub/search?q=+").await["models"],
        json!([])
    );
    assert!(world.hub.take_seen().is_empty());
    world.hub.stop();
    let answer = studio.get("/api/hub/search?q=x").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "hub_unreachable")
    );
}

#[tokio::test]
async fn an_offline_studio_asks_nobody() {
    let mut world = World::new();
    world.offline = true;
    let studio = world.open();
    let answer = studio.get("/api/hub/search?q=x").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "offline")
    );
    assert!(world.hub.take_seen().is_empty());
}
