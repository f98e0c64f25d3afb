//! The work of runs, without the runs around it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use serde_json::{Value, json};
use weightsmith_hub::testing::Content;
use weightsmith_tensors::DType;
use weightsmith_tensors::testing::{TestTensor, write_checkpoint};

use crate::app::App;
use crate::runs::{RunFailure, RunProgress};
use crate::world::{Told, World, fixtures};
use crate::{difference, evaluation, transfer};

type Work = fn(&Arc<App>, &Value, &dyn RunProgress) -> Result<Value, RunFailure>;

/// Does the work of a run on a thread of its own, as runs do.
async fn work(app: &Arc<App>, run: Work, request: Value) -> (Result<Value, RunFailure>, Told) {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let told = Told::default();
        let result = run(&app, &request, &told);
        (result, told)
    })
    .await
    .unwrap()
}

fn message(result: Result<Value, RunFailure>) -> String {
    match result {
        Err(RunFailure::Failed { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_difference_is_a_map_of_layers_and_kinds() {
    let mut world = World::new();
    world.copy("base", "base");
    world.copy("instruct", "instruct");
    let studio = world.open();
    let app = studio.app();
    let address = "/api/models/instruct/difference?against=base";
    assert_eq!(studio.get(address).await.code(), "not_computed");
    let request = json!({"model": "instruct", "against": "base"});
    let (result, told) = work(app, difference::run, request).await;
    assert_eq!(result.unwrap(), json!({"against": "base"}));
    assert!(told.total.load(Ordering::Relaxed) > 1_000_000);
    assert_eq!(
        told.done.load(Ordering::Relaxed),
        told.total.load(Ordering::Relaxed)
    );
    let found = studio.json(address).await;
    let layers = found["layers"].as_array().unwrap();
    let kinds = found["kinds"].as_array().unwrap();
    let cells = found["cells"].as_array().unwrap();
    assert_eq!(layers[0], "0");
    assert_eq!(cells.len(), layers.len());
    assert!(kinds.contains(&json!("self_attn.q_proj.weight")));
    for row in cells {
        assert_eq!(row.as_array().unwrap().len(), kinds.len());
        for cell in row.as_array().unwrap() {
            assert!(cell["cosine"].as_f64().unwrap() > 0.0, "{cell}");
        }
    }
    let outside: Vec<&Value> = found["outside"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert!(
        outside.contains(&&json!("model.embed_tokens.weight")),
        "{outside:?}"
    );
    assert_eq!(found["summary"]["same"], false);
    // the other way round is another question
    let other = studio
        .get("/api/models/base/difference?against=instruct")
        .await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (StatusCode::NOT_FOUND, "not_computed")
    );
    // it is forgotten when the weights change
    world.copy("math", "instruct");
    app.catalogue.refresh(app);
    assert_eq!(studio.get(address).await.code(), "not_computed");
}

#[tokio::test]
async fn a_comparison_stops_when_it_is_asked_to() {
    let mut world = World::new();
    world.copy("base", "base");
    world.copy("instruct", "instruct");
    let studio = world.open();
    let told = Told::default();
    told.interrupt.store(true, Ordering::Relaxed);
    let request = json!({"model": "instruct", "against": "base"});
    let result = difference::run(studio.app(), &request, &told);
    assert_eq!(result, Err(RunFailure::Stopped));
    let data = json!({"kind": "perplexity", "text": "One day Anna went home."});
    let request = json!({"model": "instruct", "data": data});
    let result = evaluation::run(studio.app(), &request, &told);
    assert_eq!(result, Err(RunFailure::Stopped));
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
    let request = json!({
        "model": "instruct", "against": ["base", "instruct"],
        "data": {"kind": "perplexity", "name": "stories", "text": text},
    });
    let (result, told) = work(app, evaluation::run, request).await;
    let evaluation = result.unwrap()["evaluation"].clone();
    assert_eq!(
        evaluation["data"],
        json!({"name": "stories", "kind": "perplexity"})
    );
    let scores = evaluation["scores"].as_array().unwrap();
    let models: Vec<&Value> = scores.iter().map(|score| &score["model"]).collect();
    assert_eq!(models, ["instruct", "base"]);
    for score in scores {
        assert_eq!(score["metric"], "perplexity");
        assert!(
            (1.0..200.0).contains(&score["value"].as_f64().unwrap()),
            "{score}"
        );
        assert!(score["error"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(
        (
            told.done.load(Ordering::Relaxed),
            told.total.load(Ordering::Relaxed)
        ),
        (2000, 2000)
    );
    let request = json!({
        "model": "instruct", "data": {"kind": "tasks", "file": "questions.jsonl"},
    });
    let (result, _) = work(app, evaluation::run, request).await;
    let evaluation = result.unwrap()["evaluation"].clone();
    assert_eq!(evaluation["data"]["name"], "questions.jsonl");
    let score = evaluation["scores"][0].clone();
    assert_eq!(
        (&score["metric"], &score["count"]),
        (&json!("exact_match"), &json!(4))
    );
    assert!(score["value"].as_f64().unwrap() > 0.4, "{score}");
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
        let request = json!({"model": "base", "data": {"kind": "perplexity", "file": file}});
        let (result, _) = work(studio.app(), evaluation::run, request).await;
        assert!(message(result).contains("is not a file"), "{file}");
    }
    let cases = [
        (json!({"kind": "perplexity"}), "nothing to measure on"),
        (json!({"kind": "other", "text": "x"}), "data.kind"),
        (json!({"kind": "perplexity", "text": ""}), "too short"),
        (json!({"kind": "tasks", "text": "{"}), "line 1"),
    ];
    for (data, expected) in cases {
        let request = json!({"model": "base", "data": data});
        let (result, _) = work(studio.app(), evaluation::run, request).await;
        let message = message(result);
        assert!(message.contains(expected), "{message}");
    }
    let request = json!({"model": "none", "data": {"kind": "perplexity", "text": "x"}});
    let (result, _) = work(studio.app(), evaluation::run, request).await;
    assert_eq!(message(result), "there is no model `none`");
}

fn fixture_files(name: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs_err::read_dir(fixtures().join(name)).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs_err::read(path).unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_pulled_model_is_in_the_list_and_speaks() {
    let mut world = World::new();
    let files = fixture_files("instruct");
    let files = files
        .iter()
        .map(|(name, bytes)| (name.as_str(), Content::from(bytes.clone())));
    world.hub.add_model("org/tiny", files.collect()).unwrap();
    let studio = world.open();
    let app = studio.app();
    let (result, told) = work(app, transfer::pull, json!({"model": "org/tiny"})).await;
    let result = result.unwrap();
    assert_eq!(result["models"], json!(["org/tiny"]));
    assert!(result["bytes"].as_u64().unwrap() > 1_000_000);
    let lines = told.lines.lock().unwrap().clone();
    assert!(
        lines.iter().any(|line| line.contains("model.safetensors")),
        "{lines:?}"
    );
    let found = studio.json("/api/models/org%2Ftiny").await;
    assert_eq!(
        (&found["origin"], &found["task"]),
        (&json!("cache"), &json!("text-generation"))
    );
    assert!(app.registry.state("org/tiny").is_some());
    let (result, _) = work(app, transfer::pull, json!({"model": "org/none"})).await;
    assert!(message(result).contains("org/none"));
    let (result, _) = work(app, transfer::pull, json!({"model": "../x"})).await;
    assert!(message(result).contains("not a model's name"));
}

#[tokio::test]
async fn a_model_is_published_under_the_accounts_name() {
    let mut world = World::new();
    world.copy("instruct", "mine");
    let studio = world.open();
    let app = studio.app();
    let request = json!({"model": "mine", "repository": null, "private": true, "message": null});
    let (result, _) = work(app, transfer::push, request).await;
    assert!(message(result).contains("no proposed name"));
    let request = json!({"model": "mine", "repository": "tiny"});
    let (result, _) = work(app, transfer::push, request).await;
    let result = result.unwrap();
    assert!(
        result["url"].as_str().unwrap().ends_with("/me/tiny"),
        "{result}"
    );
    assert!(result["commit"].is_string());
    assert_eq!(result["model"], "mine");
    assert!(result["at"].as_f64().unwrap() > 1.6e9, "{result}");
    let files = world.hub.files("me/tiny", "main").unwrap();
    assert!(files.contains_key("model.safetensors"));
    let (_, access) = world.hub.summary("me/tiny", "main").unwrap();
    assert_eq!(access, weightsmith_hub::testing::Access::Private);
}

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
        let id = app.runs.add(app, &request).unwrap().id;
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

#[tokio::test]
async fn models_without_a_common_tensor_have_no_difference() {
    let mut world = World::new();
    world.copy("base", "base");
    let other = world.copy("base", "other");
    let tensor: TestTensor<'_> = ("model.norm.weight", DType::F32, &[1], vec![1.0]);
    write_checkpoint(&other, &[tensor]).unwrap();
    let studio = world.open();
    let request = json!({"model": "base", "against": "other"});
    let (result, _) = work(studio.app(), difference::run, request).await;
    assert_eq!(
        message(result),
        "no tensor of `base` has the name and shape of one of `other`"
    );
}
