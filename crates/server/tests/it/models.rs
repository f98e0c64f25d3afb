//! Cold, loading, warm, failed, and unloaded again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde_json::json;
use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_server::{ModelState, ServedModel, Settings};
use weightsmith_tensors::Checkpoint;

use crate::world::{World, facts, fixture, post, served};

const PATH: &str = "/v1/completions";

fn ask(model: &str) -> serde_json::Value {
    json!({"model": model, "prompt": "Anna", "max_tokens": 2})
}

#[tokio::test]
async fn a_model_is_loaded_once_when_it_is_first_asked_for() {
    let loads = Arc::new(AtomicUsize::new(0));
    let (open, gate) = channel::<()>();
    let (counted, gate) = (Arc::clone(&loads), Mutex::new(gate));
    let model = ServedModel::new("slow", facts(), move |progress| {
        counted.fetch_add(1, Ordering::Relaxed);
        progress.expect(100);
        progress.add(40);
        let waiting = gate.lock().expect("not poisoned");
        waiting.recv().expect("it is opened");
        let pool = Arc::new(Pool::new(1));
        Model::open(&fixture("base"), pool, DecoderOptions::default())
            .map_err(|error| error.to_string())
    });
    let world = Arc::new(World::with(
        vec![model, served("base")],
        Settings::default(),
    ));
    let entry = world.get("/v1/models/slow").await.json();
    assert_eq!(entry["state"], "cold");
    assert_eq!(entry["concurrency_units"], 1);
    assert_eq!(entry["context_served"], 131_072);
    let asked: Vec<_> = (0..3)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.ask(PATH, &ask("slow")).await })
        })
        .collect();
    while world.registry.state("slow") != Some(ModelState::Loading(0.4)) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let entry = world.get("/v1/models/slow").await.json();
    assert_eq!(
        (&entry["state"], &entry["progress"]),
        (&json!("loading"), &json!(0.4))
    );
    // another model answers meanwhile
    world.ask(PATH, &ask("base")).await;
    open.send(()).expect("somebody waits");
    for one in asked {
        one.await.expect("answered");
    }
    assert_eq!(loads.load(Ordering::Relaxed), 1);
    let list = world.get("/v1/models").await.json();
    assert_eq!(list["data"][0]["state"], "warm");
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.get("/health").await.json()["warm"], 2);
}

#[tokio::test]
async fn a_model_that_fails_does_not_take_the_others_down() {
    let bad = ServedModel::new("bad", facts(), |_| Err("no tensor `x`".to_owned()));
    let worse = ServedModel::new("worse", facts(), |_| panic!("a bug"));
    let models = vec![bad, worse, served("instruct")];
    let world = World::with(models, Settings::default());
    let message = world.post(PATH, &ask("bad")).await.refusal(503);
    assert_eq!(message, "the model could not be loaded: no tensor `x`");
    let message = world.post(PATH, &ask("worse")).await.refusal(503);
    assert!(message.contains("please report it"), "{message}");
    world.ask(PATH, &ask("instruct")).await;
    let entry = world.get("/v1/models/bad").await.json();
    assert_eq!(
        (&entry["state"], &entry["error"]),
        (&json!("failed"), &json!("no tensor `x`"))
    );
    world.get("/v1/models/none").await.refusal(404);
}

#[tokio::test]
async fn idle_models_make_room_and_busy_ones_do_not() {
    let settings = Settings {
        // room for two of them
        memory_budget: Some(12_000_000),
        timeout: Duration::from_secs(20),
        ..Settings::default()
    };
    let models = ["base", "instruct", "math"].map(served);
    let world = World::with(models.into(), settings);
    let states = |world: &World| -> Vec<bool> {
        ["base", "instruct", "math"]
            .map(|name| world.registry.state(name) == Some(ModelState::Warm))
            .to_vec()
    };
    world.ask(PATH, &ask("base")).await;
    world.ask(PATH, &ask("instruct")).await;
    assert_eq!(states(&world), [true, true, false]);
    let busy = json!({"model": "base", "prompt": "Anna", "max_tokens": 100_000, "ignore_eos": true, "stream": true});
    let busy = world.open(post(PATH, &busy)).await;
    // base is older, but in use
    world.ask(PATH, &ask("math")).await;
    assert_eq!(states(&world), [true, false, true]);
    drop(busy);
    world.ask(PATH, &ask("instruct")).await;
    assert_eq!(states(&world).iter().filter(|&&warm| warm).count(), 2);
}

#[tokio::test]
async fn what_makes_room_is_gone_before_the_other_model_comes() {
    let settings = Settings {
        // room for one
        memory_budget: Some(6_000_000),
        ..Settings::default()
    };
    // the weights of the model that was loaded last
    let loaded: Arc<Mutex<Weak<Checkpoint>>> = Arc::default();
    let models = ["base", "math"].map(|name| {
        let (folder, facts) = (fixture(name), facts());
        let (pool, loaded) = (Arc::new(Pool::new(1)), Arc::clone(&loaded));
        ServedModel::new(name, facts, move |_| {
            let mut loaded = loaded.lock().expect("nobody panicked");
            if loaded.upgrade().is_some() {
                return Err("both are in memory".to_owned());
            }
            let source = Arc::new(Checkpoint::open(&folder).map_err(|error| error.to_string())?);
            *loaded = Arc::downgrade(&source);
            Model::open_source(source, Arc::clone(&pool), DecoderOptions::default())
                .map_err(|error| error.to_string())
        })
    });
    let world = World::with(models.into(), settings);
    for name in ["base", "math", "base", "math", "base", "math"] {
        let answer = world.ask(PATH, &ask(name)).await;
        assert_eq!(answer["model"], name);
    }
}

#[tokio::test]
async fn a_model_beyond_the_budget_is_refused() {
    let settings = Settings {
        memory_budget: Some(1_000_000),
        ..Settings::default()
    };
    let world = World::with(vec![served("base")], settings);
    let message = world.post(PATH, &ask("base")).await.refusal(503);
    assert_eq!(
        message,
        "the model needs 5134080 bytes; the memory budget is 1000000"
    );
}

#[tokio::test]
async fn the_document_describes_what_there_is() {
    let world = World::with(vec![served("base"), served("math")], Settings::default());
    let document = world.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = &document["components"]["schemas"];
    let model = &schemas["CompletionRequest"]["properties"]["model"];
    assert_eq!(model["enum"], json!(["base", "math", null]));
    assert_eq!(
        schemas["DetokenizeRequest"]["properties"]["tokens"]["items"]["maximum"],
        1058
    );
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let name = reference
            .strip_prefix("#/components/schemas/")
            .expect("a schema");
        assert!(schemas[name].is_object(), "{name}");
    }
    // it follows when models go
    assert!(world.registry.remove("math"));
    let document = world.get("/openapi.json").await.json();
    let schemas = &document["components"]["schemas"];
    let model = &schemas["CompletionRequest"]["properties"]["model"];
    assert_eq!(model["enum"], json!(["base", null]));
}

fn collect<'a>(value: &'a serde_json::Value, references: &mut Vec<&'a str>) {
    match value {
        serde_json::Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(serde_json::Value::as_str));
            fields.values().for_each(|value| collect(value, references));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn models_come_and_go_while_the_server_runs() {
    let world = World::with(Vec::new(), Settings::default());
    let request = || post(PATH, &json!({"prompt": "Anna", "max_tokens": 2}));
    let answer = world.send(request()).await;
    assert_eq!(answer.refusal(404), "no model is served");
    assert!(world.registry.add(served("base")));
    assert!(!world.registry.add(served("base")), "one of a name");
    world.ask(PATH, &ask("base")).await;
    assert_eq!(world.registry.state("base"), Some(ModelState::Warm));
    assert!(world.registry.cool("base"));
    assert_eq!(world.registry.state("base"), Some(ModelState::Cold));
    assert!(world.registry.warm("base"));
    assert!(world.registry.remove("base"), "while it is loading");
    assert!(!world.registry.remove("base"));
    let answer = world.send(post(PATH, &ask("base"))).await;
    answer.refusal(404);
    assert_eq!(world.get("/health").await.json()["models"], 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_model_whose_file_is_cut_refuses_and_comes_back_while_others_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in fs_err::read_dir(fixture("base")).expect("readable") {
        let file = file.expect("readable");
        fs_err::copy(file.path(), folder.path().join(file.file_name())).expect("copied");
    }
    let weights = folder.path().join("model.safetensors");
    let (path, pool) = (folder.path().to_owned(), Arc::new(Pool::new(1)));
    let cut = ServedModel::new("cut", facts(), move |_| {
        Model::open(&path, Arc::clone(&pool), DecoderOptions::default())
            .map_err(|error| error.to_string())
    });
    let world = World::with(vec![cut, served("math")], Settings::default());
    let before = world.ask(PATH, &ask("cut")).await;
    let file = fs_err::OpenOptions::new().write(true).open(&weights);
    file.expect("open").set_len(1000).expect("cut");
    // another prompt: the first is in the cache
    let other = json!({"model": "cut", "prompt": "Once upon a time", "max_tokens": 2});
    let message = world.post(PATH, &other).await.refusal(500);
    let size = fs_err::metadata(fixture("base").join("model.safetensors"));
    let expected = format!(
        "model.safetensors: shrank while it was read: {} bytes when opened, now 1000",
        size.expect("there").len()
    );
    assert_eq!(message, expected);
    assert_eq!(world.registry.state("cut"), Some(ModelState::Cold));
    world.ask(PATH, &ask("math")).await;
    fs_err::copy(fixture("base").join("model.safetensors"), &weights).expect("restored");
    let after = world.ask(PATH, &ask("cut")).await;
    assert_eq!(before["choices"], after["choices"]);
}
