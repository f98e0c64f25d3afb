//! The interface about models, as pages use it.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use weightsmith::output::{LOCK_FILE, LOCK_FORMAT};
use weightsmith_server::{ModelFacts, ServedModel};
use weightsmith_tensors::Checkpoint;

use super::{ParentName, Preview};
use crate::testing::{Opened, World, fixtures};

fn model<'a>(list: &'a Value, name: &str) -> &'a Value {
    let models = list["models"].as_array().expect("a list");
    let mut models = models.iter();
    models
        .find(|model| model["name"] == name)
        .unwrap_or_else(|| panic!("no {name} in {list}"))
}

const RECIPE: &str = "merge_method: slerp\nbase_model: base\nmodels:\n  - model: base\n  - model: instruct\n\
                      parameters:\n  t: [0, 0.5, 0]\ndtype: float32\n";

#[tokio::test]
async fn a_model_is_listed_with_its_facts() {
    let mut world = World::new();
    world.copy("base", "base");
    world.copy("instruct", "org/instruct");
    world.write(
        "base/README.md",
        "---\nlicense: apache-2.0\nbase_model: org/instruct\ntags: [merge, tiny]\n---\n# Base\n",
    );
    let studio = world.open();
    let list = studio.json("/api/models").await;
    let base = model(&list, "base");
    let expected = json!({
        "origin": "folder", "task": "text-generation", "architecture": "Qwen2ForCausalLM", "model_type": "qwen2",
        "context_served": 512, "concurrency_units": 1, "license": "apache-2.0", "tags": ["merge", "tiny"],
        "state": "cold", "error": null, "published": null,
        "parents": [{"name": "org/instruct", "label": "org/instruct", "known": true}],
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&base[key], value, "{key}");
    }
    assert!(base["size"].as_str().unwrap().ends_with('M'), "{base}");
    assert!(base["parameters"].as_u64().unwrap() > 1_000_000);
    assert!(base["created"].as_u64().unwrap() > 1_600_000_000);
    let one = studio.json("/api/models/org%2Finstruct").await;
    assert_eq!(one["name"], "org/instruct");
    assert_eq!(one["has_card"], false);
    assert!(one["vocabulary"].as_u64().unwrap() > 100);
    assert!(one["layers"].as_u64().unwrap() > 1);
    assert_eq!(one["usage"].as_array().unwrap().len(), 5);
    assert_eq!(list["folders"][0]["error"], Value::Null);
}

#[tokio::test]
async fn a_broken_folder_is_listed_with_its_error_and_disturbs_nobody() {
    let mut world = World::new();
    world.copy("base", "base");
    let damaged = world.copy("math", "damaged");
    fs_err::write(damaged.join("model.safetensors"), b"\xff\xff\xff\xff").unwrap();
    world.write("no-weights/config.json", "{}");
    world.write("no-json/config.json", "{");
    world.write("no-json/model.safetensors", "");
    let silent = world.copy("math", "silent");
    fs_err::remove_file(silent.join("tokenizer.json")).unwrap();
    let studio = world.open();
    let list = studio.json("/api/models").await;
    for name in ["damaged", "no-weights", "no-json"] {
        let broken = model(&list, name);
        assert_eq!(broken["state"], "broken", "{name}");
        assert_eq!(broken["task"], Value::Null, "{name}");
        assert!(!broken["error"].as_str().unwrap().is_empty(), "{name}");
        let load = studio
            .ask("POST", &format!("/api/models/{name}/load"))
            .await;
        assert_eq!(
            (load.status, load.code().as_str()),
            (StatusCode::CONFLICT, "cannot_speak")
        );
    }
    let silent = model(&list, "silent");
    assert_eq!(
        (&silent["state"], &silent["task"]),
        (&json!("failed"), &Value::Null)
    );
    assert!(silent["error"].as_str().unwrap().contains("tokenizer.json"));
    assert_eq!(model(&list, "base")["state"], "cold");
    let speaking: Vec<String> = studio
        .app()
        .registry
        .models()
        .iter()
        .map(|model| model.name.clone())
        .collect();
    assert_eq!(speaking, ["base"]);
    for part in ["files", "host", "tensors", "card", ""] {
        let answer = studio.get(&format!("/api/models/damaged/{part}")).await;
        assert!(
            answer.status != StatusCode::INTERNAL_SERVER_ERROR,
            "{part}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn models_come_and_go_with_their_folders_and_keep_their_own_names() {
    let mut world = World::new();
    world.copy("base", "a/base");
    let served = ServedModel::new("a/base", ModelFacts::default(), |_| Err("no".to_owned()));
    world
        .given
        .push(served.in_folder(fixtures().join("instruct")));
    let studio = world.open();
    let app = studio.app();
    let names = || -> Vec<String> {
        let list = app.catalogue.list();
        list.iter().map(|entry| entry.name.clone()).collect()
    };
    assert_eq!(names(), ["a/base", "a/base-2"]);
    let given = studio.json("/api/models/a%2Fbase").await;
    assert_eq!(
        (&given["origin"], &given["layers"]),
        (
            &json!("given"),
            &studio.json("/api/models/a%2Fbase-2").await["layers"]
        )
    );
    world.copy("math", "math");
    app.catalogue.refresh();
    assert_eq!(names(), ["a/base", "a/base-2", "math"]);
    assert!(app.registry.state("math").is_some());
    fs_err::remove_dir_all(world.models().join("math")).unwrap();
    app.catalogue.refresh();
    assert_eq!(names(), ["a/base", "a/base-2"]);
    assert!(app.registry.state("math").is_none());
    // what was given is not taken away
    assert!(app.registry.state("a/base").is_some());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_of_its_own() {
    let mut world = World::new();
    world.copy("base", "base");
    let mut settings = world.settings();
    settings.folders.push(world.folder.path().join("none"));
    let registry = weightsmith_server::ModelRegistry::new(
        Vec::new(),
        weightsmith_server::EngineSettings::default(),
        None,
    );
    let studio = crate::Studio::open(settings, registry).unwrap();
    let folders = studio.app().catalogue.folders();
    assert_eq!(folders.len(), 2);
    assert!(folders[0].error.is_none() && folders[1].error.is_some());
    world.offline = true;
    assert_eq!(studio.app().catalogue.list().len(), 1);
}

#[tokio::test]
async fn names_in_addresses_are_looked_up_and_never_followed() {
    let mut world = World::new();
    world.copy("base", "base");
    world.write("base/README.md", "# Base");
    let studio = world.open();
    for name in [
        "..%2Fbase",
        "%2e%2e%2fbase",
        "base%2F..%2Fbase",
        "%2Fetc",
        "base%00",
        ".",
        "base%2F",
        "%ff",
    ] {
        for part in [
            "",
            "/card",
            "/files",
            "/tensors",
            "/explanation",
            "/host",
            "/difference?against=base",
            "/evaluations",
        ] {
            let answer = studio.get(&format!("/api/models/{name}{part}")).await;
            assert!(answer.status.is_client_error(), "{name}{part}");
            assert!(
                answer.json()["error"]["message"].is_string(),
                "{name}{part}"
            );
        }
        for action in ["load", "unload"] {
            let answer = studio
                .ask("POST", &format!("/api/models/{name}/{action}"))
                .await;
            assert!(answer.status.is_client_error(), "{name}/{action}");
        }
    }
    let against = studio
        .get("/api/models/base/difference?against=..%2Fbase")
        .await;
    assert_eq!(against.code(), "unknown_model");
    assert_eq!(
        studio.get("/api/models/base/difference").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn pictures_are_those_of_the_models_own_folder() {
    let mut world = World::new();
    let base = world.copy("base", "base");
    world.write(
        "base/shares.svg",
        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    );
    world.write("base/sub/inner.png", "x");
    let outside = world.write("outside.png", "secret");
    std::os::unix::fs::symlink(&outside, base.join("link.png")).unwrap();
    let studio = world.open();
    let picture = studio.get("/api/models/base/files/shares.svg").await;
    assert_eq!(picture.status, StatusCode::OK);
    let said = |name: &str| picture.headers[name].to_str().unwrap().to_owned();
    assert_eq!(said("content-type"), "image/svg+xml");
    assert_eq!(said("x-content-type-options"), "nosniff");
    let policy = said("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox"),
        "{policy}"
    );
    assert!(!policy.contains("script-src"), "{policy}");
    for name in [
        "link.png",
        "inner.png",
        "sub%2Finner.png",
        "..%2Foutside.png",
        "%2e%2e%2foutside.png",
        "..%5Coutside.png",
        "config.json",
        "README.md",
        "model.safetensors",
        "none.png",
        "shares.svg%00",
    ] {
        let answer = studio.get(&format!("/api/models/base/files/{name}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
}

#[tokio::test]
async fn a_card_is_shown_without_what_acts_and_with_links_to_its_parents() {
    let mut world = World::new();
    world.copy("base", "base");
    world.copy("math", "made");
    world.write("made/shares.svg", "<svg/>");
    world.write("made/mergekit_config.yml", RECIPE);
    world.write(
        "made/README.md",
        "---\nlicense: mit\n---\n# Made\n\nOf `base`.\n\n![Shares](shares.svg)\n\n<script>alert(1)</script><img src=x onerror=alert(2)>\n",
    );
    let studio = world.open();
    let card = studio.json("/api/models/made/card").await;
    let html = card["html"].as_str().unwrap();
    assert!(html.contains("<a href=\"/models/base\""), "{html}");
    assert!(
        html.contains("src=\"/api/models/made/files/shares.svg\""),
        "{html}"
    );
    assert!(
        !html.contains("script") && !html.contains("onerror"),
        "{html}"
    );
    assert!(!html.contains("license") && card["markdown"].as_str().unwrap().starts_with("# Made"));
    assert_eq!(studio.get("/api/models/base/card").await.code(), "no_card");
    let made = studio.json("/api/models/made").await;
    assert_eq!(made["method"], "slerp");
    assert_eq!(made["recipe"], RECIPE);
    assert_eq!(
        made["parents"],
        json!([{"name": "base", "label": "base", "known": true}, {"name": "instruct", "label": "instruct", "known": false}])
    );
}

#[tokio::test]
async fn a_stored_recipe_is_explained_when_its_models_are_there() {
    let mut world = World::new();
    world.copy("base", "base");
    world.copy("math", "made");
    world.write("made/mergekit_config.yml", RECIPE);
    let studio = world.open();
    assert_eq!(
        studio.get("/api/models/base/explanation").await.code(),
        "no_recipe"
    );
    let refused = studio.get("/api/models/made/explanation").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::CONFLICT, "cannot_plan")
    );
    assert!(
        refused.json()["diagnostics"][0]["message"]
            .as_str()
            .unwrap()
            .contains("instruct")
    );
    world.copy("instruct", "instruct");
    studio.app().catalogue.refresh();
    let found = studio.json("/api/models/made/explanation").await;
    assert_eq!(found["explanation"]["method"], "slerp");
    assert_eq!(found["explanation"]["models"][1]["label"], "instruct");
}

#[tokio::test]
async fn files_and_tensors_are_listed() {
    let mut world = World::new();
    world.copy("base", "base");
    world.write("base/README.md", "# Base");
    let studio = world.open();
    let files = studio.json("/api/models/base/files").await;
    let files = files["files"].as_array().unwrap().clone();
    let kinds: Vec<(&str, &str)> = files
        .iter()
        .map(|file| {
            (
                file["name"].as_str().unwrap(),
                file["kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("README.md", "card"),
            ("config.json", "config"),
            ("generation_config.json", "config"),
            ("merges.txt", "tokenizer"),
            ("model.safetensors", "weights"),
            ("tokenizer.json", "tokenizer"),
            ("tokenizer_config.json", "tokenizer"),
            ("vocab.json", "tokenizer"),
        ]
    );
    assert_eq!(files[0]["bytes"], 6);
    let tensors = studio.json("/api/models/base/tensors").await;
    let list = tensors["tensors"].as_array().unwrap();
    assert_eq!(tensors["inspection"]["tensor_count"], list.len());
    assert!(tensors["inspection"].get("tensors").is_none());
    let embedding = list
        .iter()
        .find(|one| one["name"] == "model.embed_tokens.weight")
        .unwrap();
    let shape: u64 = embedding["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(|side| side.as_u64().unwrap())
        .product();
    assert_eq!(embedding["elements"], shape);
    assert_eq!(embedding["file"], "model.safetensors");
    let host = studio.json("/api/models/base/host").await;
    assert_eq!(host["ready"], false);
    assert_eq!(host["checks"].as_array().unwrap().len(), 8);
    assert_eq!(host["memory"][0]["bits"], 4);
}

async fn until(studio: &Opened, name: &str, state: &str) -> Value {
    for _ in 0..600 {
        let model = studio.json(&format!("/api/models/{name}")).await;
        if model["state"] == state {
            return model;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} did not become {state}");
}

#[tokio::test]
async fn models_are_loaded_and_unloaded_on_request() {
    let mut world = World::new();
    world.copy("instruct", "instruct");
    let studio = world.open();
    let load = studio.ask("POST", "/api/models/instruct/load").await;
    assert_eq!(load.status, StatusCode::ACCEPTED);
    until(&studio, "instruct", "warm").await;
    // a card that is written meanwhile does not unload it, new weights do
    world.write("instruct/README.md", "# New");
    studio.app().catalogue.refresh();
    assert_eq!(until(&studio, "instruct", "warm").await["has_card"], true);
    let unload = studio.ask("POST", "/api/models/instruct/unload").await;
    assert_eq!(
        (unload.status, unload.json()),
        (StatusCode::ACCEPTED, json!({"state": "cold"}))
    );
    studio.ask("POST", "/api/models/instruct/load").await;
    until(&studio, "instruct", "warm").await;
    world.copy("math", "instruct");
    studio.app().catalogue.refresh();
    until(&studio, "instruct", "cold").await;
    let wrong = studio.get("/api/models/instruct/load").await;
    assert_eq!(
        (wrong.status, wrong.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
}

#[tokio::test]
async fn previews_are_models_until_they_are_taken_away() {
    let mut world = World::new();
    world.copy("base", "base");
    world.copy("instruct", "instruct");
    let studio = world.open();
    let app = studio.app();
    let preview = |name: &str| Preview {
        recipe: RECIPE.to_owned(),
        method: "slerp".to_owned(),
        parents: vec![ParentName::of("base")],
        served: ServedModel::new(name, ModelFacts::default(), |_| Err("no".to_owned())),
    };
    assert!(app.catalogue.add_preview(preview("base")).is_none());
    assert!(app.catalogue.add_preview(preview("preview-1")).is_some());
    let found = studio.json("/api/models/preview-1").await;
    assert_eq!(
        (&found["origin"], &found["method"], &found["recipe"]),
        (&json!("preview"), &json!("slerp"), &json!(RECIPE))
    );
    assert_eq!(found["parents"][0]["known"], true);
    let explained = studio.json("/api/models/preview-1/explanation").await;
    assert_eq!(explained["explanation"]["method"], "slerp");
    assert_eq!(
        studio.get("/api/models/preview-1/files").await.code(),
        "not_written"
    );
    app.catalogue.refresh();
    assert!(app.registry.state("preview-1").is_some());
    assert!(app.catalogue.remove_preview("preview-1"));
    assert!(!app.catalogue.remove_preview("base"));
    assert!(app.registry.state("preview-1").is_none());
    assert_eq!(
        studio.get("/api/models/preview-1").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn answers_are_never_kept_and_unknown_addresses_are_told() {
    let mut world = World::new();
    let studio = world.open();
    for (path, status) in [
        ("/api/models", 200),
        ("/api/nothing", 404),
        ("/api/models/x", 404),
    ] {
        let answer = studio.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
    }
    assert_eq!(studio.get("/api/nothing").await.code(), "unknown_url");
}

#[tokio::test]
async fn a_name_that_went_over_to_another_model_is_no_parent_any_more() {
    let mut world = World::new();
    for name in ["base", "instruct", "made"] {
        world.copy(if name == "made" { "base" } else { name }, name);
    }
    let checkpoint = Checkpoint::open(&world.models().join("base")).unwrap();
    let header = checkpoint.files()[0].header_hash.clone();
    let input = |label: &str, header: &str| {
        let files = json!([{"name": "model.safetensors", "bytes": 1, "header": header}]);
        json!({"label": label, "base": false, "revision": null, "files": files})
    };
    let mut lock = json!({
        "format": LOCK_FORMAT, "weightsmith": "0.1.0", "date": "2026-01-02T03:04:05Z", "method": "slerp", "seed": 0,
        "recipe": "", "tensors": 74, "parameters": 2_567_040, "non_finite": 0, "files": [],
        "inputs": [input("base", &header), input("instruct", &header)],
    });
    world.write("made/mergekit_config.yml", RECIPE);
    world.write(&format!("made/{LOCK_FILE}"), lock.to_string());
    let studio = world.open();
    let known = |list: &Value| -> Vec<Value> {
        let parents = model(list, "made")["parents"].as_array().unwrap();
        parents.iter().map(|one| one["known"].clone()).collect()
    };
    assert_eq!(known(&studio.json("/api/models").await), [true, true]);
    studio.json("/api/models/made/explanation").await;
    drop(studio);

    lock["inputs"][1] = input("instruct", "of larger tensors");
    world.write(&format!("made/{LOCK_FILE}"), lock.to_string());
    let studio = world.open();
    assert_eq!(known(&studio.json("/api/models").await), [true, false]);
    let refused = studio.get("/api/models/made/explanation").await;
    assert_eq!(refused.code(), "cannot_plan");
    assert!(refused.text().contains("`instruct` is no longer the model"));
}
