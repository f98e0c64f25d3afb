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
            .starts_with("2 requests are active or queued")
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
        message.starts_with("the request took longer than"),
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

/// A text of some megabytes, most of whose bytes are tokens.
fn long_text(megabytes: usize) -> String {
    "a b ".repeat(megabytes << 18)
}

#[tokio::test]
async fn a_text_that_cannot_fit_is_refused_without_reading_it_to_the_end() {
    let settings = Settings {
        context: Some(2048),
        body_bytes: 64 << 20,
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let text = long_text(8);
    let message = "the prompt has more than 2048 tokens; the context is 2048 tokens";
    let begun = std::time::Instant::now();
    for (path, body) in [
        (PATH, json!({"model": "instruct", "prompt": text})),
        (
            PATH,
            json!({"model": "instruct", "prompt": ["Anna", text], "echo": true, "logprobs": 1}),
        ),
        (
            "/v1/chat/completions",
            json!({"model": "instruct", "messages": [{"role": "user", "content": text}]}),
        ),
    ] {
        let answer = world.post(path, &body).await;
        assert_eq!(answer.json()["error"]["code"], "context_length_exceeded");
        assert_eq!(answer.refusal(400), message);
    }
    let answer = world.post("/tokenize", &json!({"prompt": text})).await;
    assert_eq!(answer.json()["error"]["code"], "context_length_exceeded");
    let message = answer.refusal(400);
    assert!(
        message.starts_with("the text has more than 65536 tokens"),
        "{message}"
    );
    // 32 MB of text would take minutes
    assert!(
        begun.elapsed() < Duration::from_mins(1),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn lists_of_tokens_are_counted_before_they_are_read() {
    let settings = Settings {
        context: Some(64),
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let tokens = vec![20; 70_000];
    for echo in [false, true] {
        let body = json!({"model": "instruct", "prompt": tokens, "echo": echo, "max_tokens": 1});
        let message = world.post(PATH, &body).await.refusal(400);
        assert!(
            message.starts_with("the prompt has 70000 tokens"),
            "{message}"
        );
    }
    let message = world
        .post("/detokenize", &json!({"tokens": tokens}))
        .await
        .refusal(400);
    assert!(
        message.starts_with("the text has more than 65536 tokens"),
        "{message}"
    );
}

#[tokio::test]
async fn numbers_about_prompts_are_bounded_in_sum() {
    let world = World::new();
    let tokens = vec![20; 4000];
    let body = json!({
        "model": "instruct", "prompt": [tokens, tokens], "echo": true, "logprobs": 20, "n": 4, "best_of": 4, "max_tokens": 0,
    });
    let message = world.post(PATH, &body).await.refusal(400);
    assert!(
        message.starts_with(
            "`logprobs` is for too many tokens of prompts; expected at most 262144 prompt log-probabilities"
        ),
        "{message}"
    );
}

#[tokio::test]
async fn a_text_is_worked_on_in_the_request_s_own_place() {
    let settings = Settings {
        engine: EngineSettings {
            parallel: 1,
            ..EngineSettings::default()
        },
        queue: 0,
        body_bytes: 64 << 20,
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let short = json!({"prompt": "Anna"});
    world.ask("/tokenize", &short).await;
    let tokenize = json!({"prompt": long_text(1)});
    for path in ["/tokenize", PATH] {
        let mut body = tokenize.clone();
        body["model"] = json!("instruct");
        let first = world.post(path, &body);
        let second = async {
            sleep(Duration::from_millis(30)).await;
            world.post("/tokenize", &short).await
        };
        let (first, second) = tokio::join!(first, second);
        assert_eq!(first.status, 400);
        second.refusal(429);
    }
}

#[tokio::test]
async fn who_goes_away_gives_the_place_back_when_the_work_has_ended() {
    let settings = Settings {
        engine: EngineSettings {
            parallel: 1,
            ..EngineSettings::default()
        },
        queue: 0,
        context: Some(100_000),
        body_bytes: 64 << 20,
        timeout: Duration::from_millis(60),
        ..Settings::default()
    };
    let world = World::with(vec![served("instruct")], settings);
    let body = json!({"prompt": long_text(1)});
    let message = loop {
        // the model is loaded within the time of a first request or two
        let answer = world.post("/tokenize", &json!({"prompt": "Anna"})).await;
        if answer.status == 200 {
            break world.post("/tokenize", &body).await.refusal(504);
        }
    };
    assert!(
        message.starts_with("the request took longer than"),
        "{message}"
    );
    // its work stops soon, and only then is there a place
    let there = async {
        while world
            .post("/tokenize", &json!({"prompt": "Anna"}))
            .await
            .status
            != 200
        {
            sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), there)
        .await
        .expect("a place");
}
