//! More requests than there is room for, requests that take too long, clients that go away.

use std::time::Duration;

use axum::http::header;
use serde_json::json;
use tokio::time::sleep;
use weightsmith_server::{EngineSettings, Settings};

use crate::world::{World, post, served};

const PATH: &str = "/v1/completions";

/// A request that would run for long.
fn endless() -> serde_json::Value {
    json!({"model": "instruct", "prompt": "Anna", "max_tokens": 100_000, "ignore_eos": true, "stream": true})
}

#[tokio::test]
async fn beyond_the_queue_requests_are_told_to_come_back() {
    let settings = Settings {
        engine: EngineSettings {
            parallel: 1,
            ..EngineSettings::default()
        },
        queue: 1,
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let first = world.open(post(PATH, &endless())).await;
    let second = world.open(post(PATH, &endless())).await;
    let third = world.post(PATH, &endless()).await;
    assert!(
        third
            .refusal(429)
            .starts_with("2 requests are running or waiting")
    );
    assert_eq!(third.headers[header::RETRY_AFTER], "1");
    // who goes away makes room at once
    drop((first, second));
    let body = json!({"model": "instruct", "prompt": "Anna", "max_tokens": 2});
    world.ask(PATH, &body).await;
    let metrics = world.get("/metrics").await.text;
    assert!(
        metrics.contains("weightsmith_turned_away_total 1\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn what_nobody_waits_for_is_not_computed() {
    let world = World::new();
    let running = world.open(post(PATH, &endless())).await;
    sleep(Duration::from_millis(50)).await;
    drop(running);
    world.until_running(0).await;
    let metrics = world.get("/metrics").await.text;
    assert!(
        metrics.contains("weightsmith_cancelled_total{model=\"instruct\"} 1\n"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let settings = Settings {
        timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let mut body = endless();
    body["stream"] = json!(false);
    let message = world.post(PATH, &body).await.refusal(504);
    assert!(
        message.starts_with("the request was not done within"),
        "{message}"
    );
}

#[tokio::test]
async fn a_short_request_does_not_wait_for_a_long_prompt() {
    let world = World::new();
    // loads the model
    let short = json!({"model": "instruct", "prompt": "Anna", "max_tokens": 1});
    world.ask(PATH, &short).await;
    let tokens: Vec<usize> = (0..60_000).map(|index| 20 + index * 7 % 900).collect();
    let long = json!({"model": "instruct", "prompt": tokens, "max_tokens": 1, "stream": true});
    let long = world.open(post(PATH, &long)).await;
    sleep(Duration::from_millis(20)).await;
    world.ask(PATH, &short).await;
    // the long one still runs
    world.until_running(1).await;
    drop(long);
}
