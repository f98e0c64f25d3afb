//! Runs: made, queued, stopped, gone on with.

use std::path::Path;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::service::{SLERP, Service, merge, world};
use crate::testing::World;
use crate::{Studio, StudioError};

/// Layers of a model whose merge takes a moment.
const LAYERS: usize = 48;

/// A recipe of such models.
const SLOW: &str = "models:\n  - model: large-a\n  - model: large-b\nmerge_method: slerp\nbase_model: large-a\nparameters: {t: 0.5}\n";

/// A model of zeros: its file is sparse.
fn large(folder: &Path) {
    fs_err::create_dir_all(folder).unwrap();
    let config = json!({
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "num_hidden_layers": LAYERS,
        "tie_word_embeddings": true, "vocab_size": 8,
    });
    fs_err::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for layer in 0..LAYERS {
        let begin = end;
        end += 1024 * 2048 * 2;
        header.insert(
            format!("model.layers.{layer}.mlp.up_proj.weight"),
            json!({"dtype": "BF16", "shape": [1024, 2048], "data_offsets": [begin, end]}),
        );
    }
    let mut text = Value::Object(header).to_string();
    text.push_str(&" ".repeat(8 - text.len() % 8));
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    let path = folder.join("model.safetensors");
    fs_err::write(&path, &bytes).unwrap();
    let file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(bytes.len() as u64 + end).unwrap();
}

fn slow_world() -> World {
    let world = world();
    large(&world.models().join("large-a"));
    large(&world.models().join("large-b"));
    world
}

fn is_in_the_middle(run: &Value) -> bool {
    assert_ne!(run["state"], "done", "it was too fast");
    run["done"].as_u64() > Some(0)
}

#[tokio::test]
async fn a_merge_is_made_and_kept() {
    let mut world = world();
    let service = Service::open(&mut world);
    let (_, begun) = service.post("/api/runs", &merge(SLERP, "mine")).await;
    let id = begun["id"].as_i64().unwrap();
    let run = service.ended(id, "done").await;
    assert!(run["version"].as_u64() > begun["version"].as_u64());
    assert_eq!(
        (&run["title"], &run["model"]),
        (&json!("Merge mine"), &json!("mine"))
    );
    assert_eq!(run["done"], run["total"]);
    assert_eq!(run["tensors_done"], run["tensors"]);
    assert_eq!(run["result"]["name"], "mine");
    assert!(
        run["result"]["words"][0]
            .as_str()
            .unwrap()
            .contains("instruct")
    );
    assert!(run["result"]["report"]["bytes_written"].as_u64() > Some(1_000_000));
    assert!(!run["log"].as_array().unwrap().is_empty());
    assert!(run["started"].as_f64() <= run["ended"].as_f64());
    let model = service.get("/api/models/mine").await;
    assert_eq!(
        (&model["origin"], &model["method"]),
        (&json!("made"), &json!("slerp"))
    );
    assert_eq!(model["recipe"], SLERP);
    // the list shows it, and filters
    let found = service.get("/api/runs?kind=merge&state=done").await;
    assert_eq!(found["runs"][0]["id"], id);
    assert_eq!(found["more"], false);
    assert_eq!(service.get("/api/runs?kind=pull").await["runs"], json!([]));
    // forgotten is only the run
    let path = format!("/api/runs/{id}");
    let (status, _) = service.ask("DELETE", &path, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = service.ask("GET", &path, &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    service.get("/api/models/mine").await;
}

#[tokio::test]
async fn a_name_is_given_once() {
    let mut world = world();
    let service = Service::open(&mut world);
    let request = merge(SLERP, "mine");
    let (first, second) = tokio::join!(
        service.post("/api/runs", &request),
        service.post("/api/runs", &request)
    );
    let mut statuses = [first.0.as_u16(), second.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{first:?} {second:?}");
    let made = if first.0 == StatusCode::CREATED {
        &first.1
    } else {
        &second.1
    };
    let id = made["id"].as_i64().unwrap();
    service.ended(id, "done").await;
    for (name, code) in [
        ("mine", "name_taken"),
        ("base", "name_taken"),
        ("../x", "invalid_name"),
    ] {
        let (status, body) = service.post("/api/runs", &merge(SLERP, name)).await;
        assert!(status.is_client_error(), "{name}");
        assert_eq!(body["error"]["code"], code, "{name}");
    }
    // what was made here can be replaced, and nothing else
    let mut replacing = merge(&SLERP.replace("[0, 0.5, 0]", "0.3"), "mine");
    replacing["options"] = json!({"replace": true});
    let replaced = service.start(&replacing).await;
    service.ended(replaced, "done").await;
    assert!(
        service.get("/api/models/mine").await["recipe"]
            .as_str()
            .unwrap()
            .contains("0.3")
    );
    replacing["name"] = "base".into();
    let (status, _) = service.post("/api/runs", &replacing).await;
    assert_eq!(status, StatusCode::CONFLICT);
    // the same again takes another name, even where it replaced a model: that may have been replaced since
    for (id, name) in [(id, "mine-2"), (replaced, "mine-3")] {
        let path = format!("/api/runs/{id}/rerun");
        let (status, again) = service.post(&path, &Value::Null).await;
        assert_eq!(
            (status, &again["model"]),
            (StatusCode::CREATED, &json!(name))
        );
        service.ended(again["id"].as_i64().unwrap(), "done").await;
    }
}

#[tokio::test]
async fn what_was_done_with_a_replaced_model_is_not_shown_with_the_new_one() {
    let mut world = world();
    let service = Service::open(&mut world);
    let mut request = merge(SLERP, "mine");
    let id = service.start(&request).await;
    service.ended(id, "done").await;
    let data = json!({"kind": "perplexity", "text": "Anna lives in a house."});
    let measuring = json!({"kind": "evaluate", "model": "mine", "data": data});
    let shown = async || {
        let found = service.get("/api/models/mine/evaluations").await;
        let found = found["evaluations"].as_array().unwrap().clone();
        let runs = found.iter().filter_map(|one| one["run"].as_i64());
        runs.collect::<Vec<_>>()
    };
    let first = service.start(&measuring).await;
    service.ended(first, "done").await;
    assert_eq!(shown().await, [first]);
    let publishing = json!({"kind": "push", "model": "mine", "repository": "me/mine"});
    let id = service.start(&publishing).await;
    service.ended(id, "done").await;
    assert!(service.get("/api/models/mine").await["published"].is_number());
    request["recipe"] = SLERP.replace("[0, 0.5, 0]", "0.3").into();
    request["options"] = json!({"replace": true});
    let id = service.start(&request).await;
    service.ended(id, "done").await;
    assert!(shown().await.is_empty());
    assert!(service.get("/api/models/mine").await["published"].is_null());
    let second = service.start(&measuring).await;
    service.ended(second, "done").await;
    assert_eq!(shown().await, [second]);
}

#[tokio::test]
async fn what_was_interrupted_is_gone_on_with_after_a_restart() {
    let mut world = slow_world();
    let service = Service::open(&mut world);
    let id = service.start(&merge(SLOW, "survivor")).await;
    let waiting = service.start(&merge(SLERP, "next")).await;
    service.until(id, is_in_the_middle).await;
    assert_eq!(service.run(waiting).await["queue_position"], 1);
    // another studio would take what runs here for interrupted
    let registry = service.opened.app().registry.clone();
    let other = Studio::open(world.settings(), registry);
    assert!(matches!(other, Err(StudioError::InUse { .. })));
    let opened = service.opened;
    tokio::task::spawn_blocking(move || opened.studio().close())
        .await
        .unwrap();

    let service = Service::open(&mut world);
    let run = service.run(id).await;
    assert_eq!(run["state"], "interrupted", "{run}");
    assert!(run["done"].as_u64() > Some(0) && run["done"].as_u64() < run["total"].as_u64());
    assert!(!world.settings().made().join("survivor").exists());
    let (status, body) = service
        .post(&format!("/api/runs/{id}/resume"), &Value::Null)
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let run = service.ended(id, "done").await;
    assert!(
        run["result"]["report"]["resumed_bytes"].as_u64() > Some(0),
        "{run}"
    );
    // what waited then has had its turn
    service.ended(waiting, "done").await;
}

#[tokio::test]
async fn a_merge_whose_result_was_complete_when_the_studio_was_killed_is_done_when_resumed() {
    let mut world = world();
    let service = Service::open(&mut world);
    let id = service.start(&merge(SLERP, "survivor")).await;
    service.ended(id, "done").await;
    let opened = service.opened;
    tokio::task::spawn_blocking(move || opened.studio().close())
        .await
        .unwrap();
    let history = rusqlite::Connection::open(world.settings().data.join("studio.db")).unwrap();
    history
        .execute(
            "UPDATE runs SET state = 'running', ended = NULL, result = NULL",
            [],
        )
        .unwrap();
    drop(history);
    let service = Service::open(&mut world);
    assert_eq!(service.run(id).await["state"], "interrupted");
    let path = format!("/api/runs/{id}/resume");
    let (status, body) = service.post(&path, &Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let run = service.ended(id, "done").await;
    assert_eq!(run["result"]["report"]["already_there"], true, "{run}");
}

#[tokio::test]
async fn a_run_is_cancelled_once_and_can_be_resumed() {
    let mut world = slow_world();
    let service = Service::open(&mut world);
    let id = service.start(&merge(SLOW, "unwanted")).await;
    let waiting = service.start(&merge(SLERP, "never")).await;
    let cancel = |id: i64| format!("/api/runs/{id}/cancel");
    let (status, run) = service.post(&cancel(waiting), &Value::Null).await;
    assert_eq!(
        (status, &run["state"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    service.until(id, is_in_the_middle).await;
    for path in [format!("/api/runs/{id}/resume"), format!("/api/runs/{id}")] {
        let method = if path.ends_with("resume") {
            "POST"
        } else {
            "DELETE"
        };
        let (status, body) = service.ask(method, &path, &Value::Null).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
    }
    let path = cancel(id);
    let both = tokio::join!(
        service.post(&path, &Value::Null),
        service.post(&path, &Value::Null)
    );
    assert_eq!((both.0.0, both.1.0), (StatusCode::OK, StatusCode::OK));
    service.ended(id, "cancelled").await;
    let (status, _) = service.post(&path, &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    service
        .post(&format!("/api/runs/{id}/resume"), &Value::Null)
        .await;
    let run = service.ended(id, "done").await;
    assert!(
        run["result"]["report"]["resumed_bytes"].as_u64() > Some(0),
        "{run}"
    );
    let (status, body) = service.post(&path, &Value::Null).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::CONFLICT, &json!("wrong_state"))
    );
}

#[tokio::test]
async fn what_a_forgotten_merge_left_goes_with_the_last_that_could_go_on_with_it() {
    let mut world = slow_world();
    let made = world.settings().made();
    let service = Service::open(&mut world);
    let mut stopped = Vec::new();
    for _ in 0..2 {
        let id = service.start(&merge(SLOW, "unwanted")).await;
        service.until(id, is_in_the_middle).await;
        let path = format!("/api/runs/{id}/cancel");
        service.post(&path, &Value::Null).await;
        service.ended(id, "cancelled").await;
        stopped.push(id);
    }
    let partial = made.join(".unwanted.weightsmith-partial");
    for (id, is_left) in stopped.into_iter().zip([true, false]) {
        assert!(partial.exists());
        let path = format!("/api/runs/{id}");
        let (status, body) = service.ask("DELETE", &path, &Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
        assert_eq!(partial.exists(), is_left);
    }
    assert!(!made.join("unwanted").exists());
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_before_they_wait() {
    let mut world = world();
    let service = Service::open(&mut world);
    for request in [
        json!({}),
        json!({"kind": "bake"}),
        json!({"kind": "merge", "name": "x"}),
        json!({"kind": "merge", "name": "x", "recipe": "merge_method: slurp"}),
        json!({"kind": "difference", "model": "base", "against": "base"}),
        json!({"kind": "difference", "model": "base", "against": "nobody"}),
        json!({"kind": "evaluate", "model": "base", "data": {}}),
        json!({"kind": "evaluate", "model": "base", "data": {"kind": "tasks", "name": "x"}}),
        json!({"kind": "pull", "model": "../.."}),
        json!({"kind": "push", "model": "nobody"}),
    ] {
        let (status, body) = service.post("/api/runs", &request).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{request}: {body}"
        );
    }
    assert_eq!(service.get("/api/runs").await["runs"], json!([]));
    let id = service
        .start(&json!({"kind": "difference", "model": "instruct", "against": "base"}))
        .await;
    service.ended(id, "done").await;
    service
        .get("/api/models/instruct/difference?against=base")
        .await;
}
