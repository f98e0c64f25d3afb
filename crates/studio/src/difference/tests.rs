//! Comparisons, made and shown.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use serde_json::{Value, json};
use weightsmith_tensors::DType;
use weightsmith_tensors::testing::{TestTensor, write_checkpoint};

use crate::app::App;
use crate::progress::RunFailure;
use crate::testing::{Told, World, message, work};
use crate::wire::{DifferenceRequest, DifferenceResult};

fn request(model: &str, against: &str) -> DifferenceRequest {
    DifferenceRequest {
        model: model.to_owned(),
        against: against.to_owned(),
    }
}

fn run(
    app: &App,
    request: &DifferenceRequest,
    told: &Told,
) -> Result<DifferenceResult, RunFailure> {
    super::run(&app.settings, &app.catalogue, &app.planner, request, told)
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
    let request = request("instruct", "base");
    let (result, told) = work(app, move |app, told| run(app, &request, told)).await;
    assert_eq!(result.unwrap().against, "base");
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
    app.catalogue.refresh();
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
    let request = request("instruct", "base");
    let result = run(studio.app(), &request, &told);
    assert_eq!(result, Err(RunFailure::Stopped));
}

#[tokio::test]
async fn models_without_a_common_tensor_have_no_difference() {
    let mut world = World::new();
    world.copy("base", "base");
    let other = world.copy("base", "other");
    let tensor: TestTensor<'_> = ("model.norm.weight", DType::F32, &[1], vec![1.0]);
    write_checkpoint(&other, &[tensor]).unwrap();
    let studio = world.open();
    let request = request("base", "other");
    let (result, _) = work(studio.app(), move |app, told| run(app, &request, told)).await;
    assert_eq!(
        message(result),
        "`base` and `other` have no tensors with the same name and shape"
    );
}
