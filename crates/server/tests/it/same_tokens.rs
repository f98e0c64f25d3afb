//! The same greedy request gives the same tokens, however it is computed.

use std::sync::Arc;

use serde_json::{Value, json};
use weightsmith_infer::{Cancel, DecoderOptions, GenerationSettings, Model, Pool, Session};
use weightsmith_server::{EngineSettings, Settings};

use crate::world::{World, fixture, served};

const PATH: &str = "/v1/completions";

/// Prompts of several lengths, some of which begin alike.
fn prompts() -> Vec<Vec<u32>> {
    let stories = fs_err::read_to_string(fixture("data/stories.heldout.txt")).expect("a text");
    let model = open();
    let tokens = model
        .companions
        .tokenizer
        .encode(&stories, false)
        .expect("tokens");
    [3, 40, 64, 65, 130, 200, 333, 700]
        .into_iter()
        .enumerate()
        .map(|(index, length)| {
            let begin = if index % 2 == 0 { 0 } else { index * 500 };
            tokens[begin..begin + length].to_vec()
        })
        .collect()
}

fn open() -> Model {
    Model::open(
        &fixture("base"),
        Arc::new(Pool::new(2)),
        DecoderOptions::default(),
    )
    .expect("a model")
}

fn body(prompt: &[u32]) -> Value {
    json!({
        "model": "base", "prompt": prompt, "temperature": 0, "max_tokens": 40, "ignore_eos": true,
        "logprobs": 0,
    })
}

/// The tokens' names and log-probabilities.
fn tokens(choice: &Value) -> (Value, Value) {
    let logprobs = &choice["logprobs"];
    (
        logprobs["tokens"].clone(),
        logprobs["token_logprobs"].clone(),
    )
}

#[tokio::test]
async fn alone_in_a_batch_behind_a_cache_and_streamed() {
    let prompts = prompts();
    let mut alone = Vec::new();
    for prompt in &prompts {
        // a server of its own: nothing is kept of what came before
        let world = World::with(vec![served("base")], Settings::default());
        alone.push(tokens(&world.ask(PATH, &body(prompt)).await["choices"][0]));
    }
    let world = World::with(vec![served("base")], Settings::default());
    let asked = prompts.iter().map(|prompt| {
        let body = body(prompt);
        let world = &world;
        async move { tokens(&world.ask(PATH, &body).await["choices"][0]) }
    });
    let together = futures_util::future::join_all(asked).await;
    assert_eq!(together, alone, "eight requests at once");

    let mut one = body(&[]);
    one["prompt"] = json!(prompts);
    let answer = world.ask(PATH, &one).await;
    let choices = answer["choices"].as_array().expect("choices");
    let in_one: Vec<_> = choices.iter().map(tokens).collect();
    assert_eq!(
        in_one, alone,
        "eight prompts of a request, their beginnings cached"
    );
    let reused = &answer["usage"]["prompt_tokens_details"]["cached_tokens"];
    assert!(
        reused.as_u64() >= Some(64 + 128 + 192 + 320 + 640),
        "{reused}"
    );

    for (prompt, expected) in prompts.iter().zip(&alone) {
        let mut body = body(prompt);
        body["stream"] = json!(true);
        let (mut names, mut logprobs) = (Vec::new(), Vec::new());
        for event in world.post(PATH, &body).await.events() {
            let (name, logprob) = tokens(&event["choices"][0]);
            names.extend(name.as_array().expect("a list").clone());
            logprobs.extend(logprob.as_array().expect("a list").clone());
        }
        assert_eq!((json!(names), json!(logprobs)), *expected, "streamed");
    }
}

#[tokio::test]
async fn as_a_session_of_the_library() {
    let model = open();
    let world = World::with(vec![served("base")], Settings::default());
    for prompt in prompts() {
        let settings = GenerationSettings {
            max_tokens: Some(40),
            ..GenerationSettings::default()
        };
        let mut session = Session::new(&model);
        let generation = session.generate(&prompt, &settings, Cancel::default());
        let (text, _) = generation.expect("a generation").finish().expect("a text");
        let answer = world.ask(PATH, &body(&prompt)).await;
        assert_eq!(answer["choices"][0]["text"], text);
    }
}

#[tokio::test]
async fn when_there_is_little_memory_for_caches() {
    let prompts = prompts();
    let roomy = World::with(vec![served("base")], Settings::default());
    let mut one = body(&[]);
    one["prompt"] = json!(prompts);
    let expected = roomy.ask(PATH, &one).await;
    let settings = Settings {
        engine: EngineSettings {
            // two or three of the sequences
            cache_bytes: 3 << 20,
            ..EngineSettings::default()
        },
        ..Settings::default()
    };
    let narrow = World::with(vec![served("base")], settings);
    let found = narrow.ask(PATH, &one).await;
    for index in 0..prompts.len() {
        assert_eq!(
            found["choices"][index]["text"],
            expected["choices"][index]["text"]
        );
    }
}
