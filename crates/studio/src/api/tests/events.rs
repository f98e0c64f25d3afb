//! What pages hear.

use std::time::Duration;

use axum::http::HeaderValue;
use axum::response::Response;
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::time::timeout;

use super::service::{SLERP, Service, merge, request, world};

/// Listens, perhaps from behind an event.
async fn listen(service: &Service, last: Option<&str>) -> Response {
    let mut asked = request("GET", "/api/events", &Value::Null);
    if let Some(last) = last {
        let value = HeaderValue::from_str(last).unwrap();
        asked.headers_mut().insert("last-event-id", value);
    }
    let answer = service.begin(asked).await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    answer
}

/// The text of a stream until something is in it, or its end.
async fn until(answer: Response, wanted: &str) -> String {
    let mut text = String::new();
    let mut stream = answer.into_body().into_data_stream();
    let read = async {
        while !text.contains(wanted) {
            match stream.next().await {
                Some(bytes) => text += std::str::from_utf8(&bytes.unwrap()).unwrap(),
                None => break,
            }
        }
    };
    timeout(Duration::from_mins(1), read)
        .await
        .expect("it comes");
    text
}

/// The number of the last event of a text.
fn last_id(text: &str) -> &str {
    let (_, id) = text.rsplit_once("id: ").unwrap();
    id.lines().next().unwrap()
}

#[tokio::test]
async fn a_page_hears_runs_and_goes_on_where_it_was() {
    let mut world = world();
    let service = Service::open(&mut world);
    let hello = until(listen(&service, None).await, "\n\n").await;
    assert!(hello.contains("event: hello"), "{hello}");
    let id = service.start(&merge(SLERP, "mine")).await;
    service.ended(id, "done").await;
    let heard = until(
        listen(&service, Some(last_id(&hello))).await,
        "\"state\":\"done\"",
    )
    .await;
    for expected in [
        "event: run",
        "event: log",
        "event: models",
        "\"state\":\"running\"",
    ] {
        assert!(heard.contains(expected), "{heard}");
    }
    // from a server that ran before
    let reset = until(listen(&service, Some("7")).await, "\n\n").await;
    assert!(reset.contains("event: reset"), "{reset}");
}

#[tokio::test]
async fn the_stream_ends_with_the_studio() {
    let mut world = world();
    let service = Service::open(&mut world);
    let answer = listen(&service, None).await;
    let opened = service.opened;
    tokio::task::spawn_blocking(move || opened.studio().close())
        .await
        .unwrap();
    until(answer, "what never comes").await;
}
