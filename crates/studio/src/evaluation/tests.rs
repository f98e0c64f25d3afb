//! Models measured, and what was found shown with them.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::share;
use crate::app::App;
use crate::progress::RunFailure;
use crate::testing::{Told, World, fixtures, message, work};
use crate::wire::{
    Data, DataKind, EvaluateRequest, EvaluateResult, Metric, Request as _, RunRequest,
};

fn about(model: &str, data: Value) -> EvaluateRequest {
    EvaluateRequest {
        model: model.to_owned(),
        against: None,
        data: serde_json::from_value(data).unwrap(),
    }
}

fn run(app: &App, request: &EvaluateRequest, told: &Told) -> Result<EvaluateResult, RunFailure> {
    super::run(&app.settings, &app.catalogue, &app.registry, request, told)
}

#[test]
fn shares_have_the_standard_error_of_a_mean() {
    let score = share("a", Metric::Accuracy, 3, 5);
    assert_eq!(score.value, 0.6);
    assert!((score.error.unwrap() - (0.24_f64 / 4.0).sqrt()).abs() < 1e-12);
    assert_eq!(share("a", Metric::Accuracy, 1, 1).error, None);
}

#[tokio::test]
async fn models_are_measured_on_a_text_and_on_questions() {
    let mut world = World::new();
    world.copy("base", "base");
    world.copy("instruct", "instruct");
    let data = fixtures().join("data");
    let text = fs_err::read_to_string(data.join("stories.heldout.txt")).unwrap();
    let text: String = text.chars().take(2000).collect();
    let questions = fs_err::read_to_string(data.join("instruct.heldout.jsonl")).unwrap();
    let questions: Vec<&str> = questions.lines().take(4).collect();
    world.write("questions.jsonl", questions.join("\n"));
    let studio = world.open();
    let app = studio.app();
    let request = EvaluateRequest {
        against: Some(vec!["base".to_owned(), "instruct".to_owned()]),
        ..about(
            "instruct",
            json!({"kind": "perplexity", "name": "stories", "text": text}),
        )
    };
    let (result, told) = work(app, move |app, told| run(app, &request, told)).await;
    let evaluation = result.unwrap().evaluation;
    let data = Data {
        name: "stories".to_owned(),
        kind: DataKind::Perplexity,
    };
    assert_eq!(evaluation.data, data);
    let scores = evaluation.scores;
    let models: Vec<&str> = scores.iter().map(|score| score.model.as_str()).collect();
    assert_eq!(models, ["instruct", "base"]);
    for score in scores {
        assert_eq!(score.metric, Metric::Perplexity);
        assert!((1.0..200.0).contains(&score.value), "{score:?}");
        assert!(score.error > Some(0.0));
    }
    assert_eq!(
        (
            told.done.load(Ordering::Relaxed),
            told.total.load(Ordering::Relaxed)
        ),
        (2000, 2000)
    );
    let request = about(
        "instruct",
        json!({"kind": "tasks", "file": "questions.jsonl"}),
    );
    let (result, _) = work(app, move |app, told| run(app, &request, told)).await;
    let evaluation = result.unwrap().evaluation;
    assert_eq!(evaluation.data.name, "questions.jsonl");
    let score = &evaluation.scores[0];
    assert_eq!((score.metric, score.count), (Metric::ExactMatch, 4));
    assert!(score.value > 0.4, "{score:?}");
}

#[tokio::test]
async fn data_come_from_the_studios_folders_only() {
    let mut world = World::new();
    world.copy("base", "base");
    let outside = world.folder.path().join("outside.txt");
    fs_err::write(&outside, "a secret").unwrap();
    std::os::unix::fs::symlink(&outside, world.models().join("link.txt")).unwrap();
    let studio = world.open();
    for file in [
        "../outside.txt",
        outside.to_str().unwrap(),
        "link.txt",
        "/etc/passwd",
        "base",
        "none.txt",
    ] {
        let request = about("base", json!({"kind": "perplexity", "file": file}));
        let (result, _) = work(studio.app(), move |app, told| run(app, &request, told)).await;
        assert!(message(result).contains("was not found"), "{file}");
    }
    let cases = [
        (json!({"kind": "perplexity"}), "no evaluation data"),
        (json!({"kind": "perplexity", "text": ""}), "too short"),
        (json!({"kind": "tasks", "text": "{"}), "line 1"),
    ];
    for (data, expected) in cases {
        let request = about("base", data);
        let (result, _) = work(studio.app(), move |app, told| run(app, &request, told)).await;
        let message = message(result);
        assert!(message.contains(expected), "{message}");
    }
    let request = about("none", json!({"kind": "perplexity", "text": "x"}));
    let (result, _) = work(studio.app(), move |app, told| run(app, &request, told)).await;
    assert_eq!(message(result), "no model `none`");
}

#[tokio::test]
async fn a_measurement_stops_when_it_is_asked_to() {
    let mut world = World::new();
    world.copy("instruct", "instruct");
    let studio = world.open();
    let told = Told::default();
    told.cancel.cancel();
    let data = json!({"kind": "perplexity", "text": "One day Anna went home."});
    let request = about("instruct", data);
    let result = run(studio.app(), &request, &told);
    assert_eq!(result, Err(RunFailure::Stopped));
}

#[tokio::test]
async fn what_runs_found_is_shown_with_the_model() {
    let mut world = World::new();
    world.copy("instruct", "mine");
    let studio = world.open();
    let app = studio.app();
    assert_eq!(
        studio.json("/api/models/mine/evaluations").await,
        json!({"evaluations": []})
    );
    let data = json!({"kind": "perplexity", "name": "anna", "text": "Anna lives in a house."});
    let requests = [
        json!({"kind": "evaluate", "model": "mine", "against": [], "data": data}),
        json!({"kind": "push", "model": "mine", "repository": "me/mine", "private": true}),
    ];
    for request in requests {
        let id = app
            .runs
            .add(&RunRequest::read(request.clone()).unwrap())
            .unwrap()
            .id;
        let mut state = Value::Null;
        for _ in 0..600 {
            let run = studio.json(&format!("/api/runs/{id}")).await;
            state = run["state"].clone();
            if state != "queued" && state != "running" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(state, "done", "{request}");
    }
    let found = studio.json("/api/models/mine/evaluations").await;
    let found = &found["evaluations"][0];
    assert_eq!(
        (&found["run"], &found["data"]["name"]),
        (&json!(1), &json!("anna"))
    );
    assert_eq!(found["scores"][0]["model"], "mine");
    let list = studio.json("/api/models").await;
    for model in [&list["models"][0], &studio.json("/api/models/mine").await] {
        assert!(model["published"].as_f64().unwrap() > 1.6e9, "{model}");
    }
}
