//! Recipes: their mistakes, their plans, the models that they may name, previews.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::sleep;
use weightsmith_hub::testing::Content;

use super::service::{SLERP, Service, merge, world};
use crate::testing::fixtures;

async fn check(service: &Service, recipe: &str) -> Value {
    let (status, body) = service.post("/api/check", &json!({"recipe": recipe})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

fn errors(checked: &Value) -> Vec<String> {
    let all = checked["diagnostics"].as_array().unwrap().iter();
    let errors = all.filter(|one| one["severity"] == "error");
    errors
        .map(|one| one["message"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_recipe_is_planned_and_explained() {
    let mut world = world();
    let service = Service::open(&mut world);
    let checked = check(&service, SLERP).await;
    assert_eq!(checked["diagnostics"], json!([]));
    let plan = &checked["plan"];
    assert_eq!((&plan["tensors"], &plan["layers"]), (&json!(74), &json!(6)));
    assert_eq!(plan["weights_type"], "BF16");
    assert_eq!(plan["inputs"][1]["name"], "instruct");
    assert_eq!(
        (&plan["inputs"][1]["base"], &plan["inputs"][1]["known"]),
        (&json!(true), &json!(true))
    );
    assert!(plan["seconds_expected"].as_f64() > Some(0.0));
    assert_eq!(plan["needs_download"], json!([]));
    assert_eq!(checked["explanation"]["method"], "slerp");
}

#[tokio::test]
async fn ten_mistakes_are_ten_diagnostics() {
    let mut world = world();
    let service = Service::open(&mut world);
    let recipe = "models:\n  - model: base\n    weigth: 1\n    parameters: {weight: a}\n  - modle: instruct\n  - model: \n  - 7\nmerge_method: 3\nbase_modle: base\ndtype: float31\nout_dtype: int3\nparameters: {normalize: [1, b]}\nslizes: []\nname: [1]\nchat_template: [1]\nbase_model: [1]\ntokenizer: 3\n";
    let checked = check(&service, recipe).await;
    let found = errors(&checked);
    assert!(found.len() >= 10, "{found:#?}");
    assert_eq!(checked["plan"], Value::Null);
    for one in checked["diagnostics"].as_array().unwrap() {
        let span = &one["span"];
        assert!(span["start"].as_u64() <= span["end"].as_u64(), "{one}");
        assert!(span["end"].as_u64() <= Some(recipe.len() as u64), "{one}");
    }
    let (status, body) = service.post("/api/runs", &merge(recipe, "x")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(body["error"]["code"], "invalid_recipe");
    assert_eq!(body["diagnostics"], checked["diagnostics"]);
}

#[tokio::test]
async fn paths_inside_of_the_folders_are_taken_and_others_are_not() {
    let mut world = world();
    let elsewhere = world.folder.path().join("elsewhere");
    crate::testing::copy(&fixtures().join("base"), &elsewhere);
    let inside = world.models().join("base").display().to_string();
    let service = Service::open(&mut world);
    let with = |path: &str| SLERP.replace("model: base", &format!("model: {path}"));
    let checked = check(&service, &with(&inside)).await;
    assert_eq!(errors(&checked), Vec::<String>::new());
    let outside = elsewhere.display().to_string();
    let detour = format!("{inside}/../../elsewhere");
    for path in [
        &outside,
        &detour,
        "/etc",
        "/etc/passwd",
        "/nonexistent/folder",
        "../base",
        "~/base",
        ".",
    ] {
        let recipe = with(path);
        let found = errors(&check(&service, &recipe).await);
        assert!(
            found[0].contains("outside the studio's folders"),
            "{path}: {found:?}"
        );
        let (status, _) = service.post("/api/runs", &merge(&recipe, "x")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let (status, _) = service
            .post("/api/previews", &json!({"recipe": recipe}))
            .await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    // what the other mistakes are is told all the same
    let both = with(&outside).replace("slerp", "slurp");
    assert_eq!(errors(&check(&service, &both).await).len(), 2);
}

#[tokio::test]
async fn names_of_the_hub_are_asked_for_once_and_downloaded_for_a_merge() {
    let mut world = world();
    let folder = fixtures().join("base");
    let mut files = Vec::new();
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        files.push((name, Content::file(&folder.join(name)).unwrap()));
    }
    world.hub.add_model("org/tiny", files).unwrap();
    let service = Service::open(&mut world);
    let recipe = SLERP.replace("model: base", "model: org/tiny");
    world.hub.take_seen();
    let checked = check(&service, &recipe).await;
    assert_eq!(checked["pending"], json!(["org/tiny"]));
    assert_eq!(checked["plan"], Value::Null);
    assert!(errors(&checked).is_empty(), "{checked}");
    assert!(
        world.hub.take_seen().is_empty(),
        "no check waits for the Hub"
    );
    let mut checked = checked;
    for _ in 0..600 {
        if checked["pending"] == json!([]) {
            break;
        }
        sleep(Duration::from_millis(20)).await;
        checked = check(&service, &recipe).await;
    }
    let needed = &checked["plan"]["needs_download"];
    assert_eq!(needed[0]["model"], "org/tiny", "{checked}");
    let size = fs_err::metadata(folder.join("model.safetensors"))
        .unwrap()
        .len();
    assert_eq!(needed[0]["bytes"], size);
    world.hub.take_seen();
    check(&service, &recipe).await;
    assert!(world.hub.take_seen().is_empty(), "it is remembered");
    let (status, body) = service
        .post("/api/previews", &json!({"recipe": recipe}))
        .await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::CONFLICT, &json!("needs_download"))
    );
    let id = service.start(&merge(&recipe, "mine")).await;
    service.ended(id, "done").await;
    assert_eq!(
        service.get("/api/models/org%2Ftiny").await["origin"],
        "cache"
    );
    let nobody = SLERP.replace("model: base", "model: org/nobody");
    let (status, body) = service.post("/api/runs", &merge(&nobody, "x")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
}

#[tokio::test]
async fn what_was_found_of_a_preview_is_forgotten_when_a_model_of_it_changes() {
    let mut world = world();
    let service = Service::open(&mut world);
    let mut names = Vec::new();
    for known in [true, false] {
        let (status, made) = service
            .post("/api/previews", &json!({"recipe": SLERP}))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        let name = made["name"].as_str().unwrap().to_owned();
        assert!(!names.contains(&name));
        let path = format!("/api/models/{name}/difference?against=instruct");
        if known {
            let request = json!({"kind": "difference", "model": name, "against": "instruct"});
            let id = service.start(&request).await;
            service.ended(id, "done").await;
            service.get(&path).await;
            world.copy("math", "base");
        } else {
            let (_, body) = service.ask("GET", &path, &Value::Null).await;
            assert_eq!(body["error"]["code"], "not_computed");
        }
        names.push(name);
    }
}

#[tokio::test]
async fn a_preview_speaks_and_the_fifth_takes_the_place_of_the_first() {
    let mut world = world();
    let service = Service::open(&mut world);
    let recipe = |t: u32| SLERP.replace("[0, 0.5, 0]", &format!("0.{t}"));
    let mut names = Vec::new();
    for t in 1..=4 {
        let (status, made) = service
            .post("/api/previews", &json!({"recipe": recipe(t)}))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        assert_eq!(made["model"]["origin"], "preview");
        names.push(made["name"].as_str().unwrap().to_owned());
    }
    let (_, again) = service
        .post("/api/previews", &json!({"recipe": recipe(2)}))
        .await;
    assert_eq!(again["name"], names[1].as_str());
    let request = json!({"model": names[0], "prompt": "Anna lives", "max_tokens": 2});
    let (status, answer) = service.post("/v1/completions", &request).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, _) = service
        .post("/api/previews", &json!({"recipe": recipe(5)}))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let models = service.get("/api/models").await;
    let models = models["models"].as_array().unwrap();
    assert_eq!(
        models
            .iter()
            .filter(|one| one["origin"] == "preview")
            .count(),
        4
    );
    assert!(models.iter().all(|one| one["name"] != names[0].as_str()));
    let path = format!("/api/previews/{}", names[1]);
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
        assert_eq!(service.ask("DELETE", &path, &Value::Null).await.0, status);
    }
    // only previews can be taken away
    let (status, _) = service
        .ask("DELETE", "/api/previews/base", &Value::Null)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_methods_and_examples_are_told() {
    let mut world = world();
    let service = Service::open(&mut world);
    let name = service.get("/api/names?method=dare_ties").await;
    let letters = name["name"]
        .as_str()
        .unwrap()
        .strip_prefix("weightsmith-dare-ties-")
        .unwrap();
    assert!(letters.len() == 7 && letters.bytes().all(|byte| byte.is_ascii_lowercase()));
    let (status, _) = service
        .ask("GET", "/api/names?method=..%2f", &Value::Null)
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let methods = service.get("/api/methods").await;
    assert!(
        methods["methods"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["recipe"].is_string())
    );
    assert!(
        service.get("/api/gallery").await["recipes"]
            .as_array()
            .unwrap()
            .len()
            > 4
    );
    let system = service.get("/api/system").await;
    assert!(system["cores"].as_u64() > Some(0) && system["disk_free"].as_u64() > Some(0));
}
