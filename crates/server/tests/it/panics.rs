//! A panic in a model's thread costs the requests that it is busy with.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use weightsmith_infer::{Cancel, DecoderOptions, Model, Pool, SamplingSettings};
use weightsmith_server::{Engine, EngineSettings, Event, Request};

use crate::world::fixture;

/// Asks for a token of two continuations; the first of them has a number.
fn ask(engine: &Engine, first_choice: usize) -> UnboundedReceiver<Event> {
    let (events, news) = unbounded_channel();
    engine.submit(Request {
        prompt: vec![5, 6, 7],
        sampling: SamplingSettings::default(),
        continuations: vec![(1, Cancel::default()), (2, Cancel::default())],
        max_tokens: 1,
        end: Vec::new(),
        logprobs: None,
        prompt_logprobs: false,
        first_choice,
        events,
    });
    news
}

/// How many continuations are finished, and what fails, until there are no more news.
async fn outcome(mut news: UnboundedReceiver<Event>) -> (usize, Vec<String>) {
    let (mut finished, mut problems) = (0, Vec::new());
    while let Some(event) = news.recv().await {
        match event {
            Event::Finished { .. } => finished += 1,
            Event::Failed { problem } => problems.push(problem),
            _ => {}
        }
    }
    (finished, problems)
}

/// The number of the second continuation overflows, which is a panic where overflow is checked.
#[cfg(debug_assertions)]
#[tokio::test]
async fn the_model_answers_again_after_a_panic() {
    let pool = Arc::new(Pool::new(1));
    let model = Model::open(&fixture("instruct"), pool, DecoderOptions::default());
    let model = Arc::new(model.expect("a model"));
    let engine = Engine::start(model, EngineSettings::default()).expect("a thread");
    assert_eq!(outcome(ask(&engine, 0)).await, (2, Vec::new()));
    for _ in 0..2 {
        // its own sequence is lost with the panic, which its owner sees at the closed channel
        let (finished, _) = outcome(ask(&engine, usize::MAX)).await;
        assert_eq!(finished, 0);
        assert_eq!(outcome(ask(&engine, 0)).await, (2, Vec::new()));
    }
}
