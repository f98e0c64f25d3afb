//! Models in object stores, which recipes name by their addresses.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutPayload};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::sleep;
use weightsmith_session::StoreAccess;
use weightsmith_stores::{Scheme, StoreSettings, Stores};

use super::service::{SLERP, Service, merge, world};
use crate::testing::{World, fixtures};

/// Stores whose bucket `s3://bucket` is in memory, with a model `models/base` in it.
async fn stores(world: &World) -> StoreAccess {
    let memory = InMemory::new();
    for file in fs_err::read_dir(fixtures().join("base")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs_err::read(&path).unwrap();
        let place = Path::from(format!("models/base/{name}"));
        memory.put(&place, PutPayload::from(bytes)).await.unwrap();
    }
    let settings = StoreSettings::new(world.folder.path().join("cache"));
    let stores = Stores::new(settings).unwrap();
    let stores = stores.with_memory(Scheme::S3, "bucket", Arc::new(memory));
    StoreAccess::Given(Arc::new(stores))
}

fn recipe() -> String {
    SLERP.replace("model: base", "model: s3://bucket/models/base")
}

async fn check(service: &Service, recipe: &str) -> Value {
    let (status, body) = service.post("/api/check", &json!({"recipe": recipe})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

#[test]
fn a_recipe_takes_a_model_of_a_store() {
    // stores end their own threads, which must not happen within another runtime
    let runtime = Runtime::new().unwrap();
    let mut world = world();
    world.stores = runtime.block_on(stores(&world));
    runtime.block_on(async {
        let service = Service::open(&mut world);
        let mut checked = check(&service, &recipe()).await;
        assert_eq!(checked["pending"], json!(["s3://bucket/models/base"]));
        for _ in 0..600 {
            if checked["pending"] == json!([]) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
            checked = check(&service, &recipe()).await;
        }
        assert_eq!(checked["plan"]["tensors"], 74, "{checked}");
        assert_eq!(checked["plan"]["needs_download"], json!([]));
        for (recipe, name) in [(recipe(), "of-the-store"), (SLERP.to_owned(), "of-folders")] {
            let id = service.start(&merge(&recipe, name)).await;
            service.ended(id, "done").await;
        }
        // the same weights, wherever they are read
        let made = world.folder.path().join("data/models");
        let weights = |name: &str| fs_err::read(made.join(name).join("model.safetensors")).unwrap();
        assert!(weights("of-the-store") == weights("of-folders"));
        let preview = json!({"recipe": recipe()});
        let (status, body) = service.post("/api/previews", &preview).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
        let nobody = recipe().replace("models/base", "models/nobody");
        let (status, body) = service.post("/api/runs", &merge(&nobody, "x")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    });
    drop(runtime);
}

#[tokio::test]
async fn stores_that_are_not_enabled_are_refused_before_they_are_asked() {
    let mut world = world();
    let service = Service::open(&mut world);
    let checked = check(&service, &recipe()).await;
    assert_eq!(checked["pending"], json!([]));
    let found = &checked["diagnostics"][0];
    assert_eq!(
        found["message"], "object stores are not enabled on this server",
        "{checked}"
    );
    let (status, _) = service.post("/api/runs", &merge(&recipe(), "x")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}
