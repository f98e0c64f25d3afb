//! Models from the hub and onto it.

use serde_json::json;
use weightsmith_hub::testing::Content;

use super::{pull, push};
use crate::testing::{World, fixtures, message, work};
use crate::wire::{PullRequest, PushRequest};

fn request(model: &str) -> PullRequest {
    PullRequest {
        model: model.to_owned(),
    }
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
    let (result, told) = work(app, |app, told| {
        let request = request("org/tiny");
        pull(&app.hub, &app.catalogue, &request, told)
    })
    .await;
    let result = result.unwrap();
    assert_eq!(result.models, ["org/tiny"]);
    assert!(result.bytes > 1_000_000);
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
    let (result, _) = work(app, |app, told| {
        let request = request("org/none");
        pull(&app.hub, &app.catalogue, &request, told)
    })
    .await;
    assert!(message(result).contains("org/none"));
    let (result, _) = work(app, |app, told| {
        let request = request("../x");
        pull(&app.hub, &app.catalogue, &request, told)
    })
    .await;
    assert!(message(result).contains("not a model name"));
}

#[tokio::test]
async fn a_model_is_published_under_the_accounts_name() {
    let mut world = World::new();
    world.copy("instruct", "mine");
    let studio = world.open();
    let app = studio.app();
    let request = PushRequest {
        model: "mine".to_owned(),
        private: Some(true),
        ..PushRequest::default()
    };
    let (result, _) = work(app, move |app, told| {
        push(&app.hub, &app.catalogue, &request, told)
    })
    .await;
    assert!(message(result).contains("no default name"));
    let request = PushRequest {
        model: "mine".to_owned(),
        repository: Some("tiny".to_owned()),
        ..PushRequest::default()
    };
    let (result, _) = work(app, move |app, told| {
        push(&app.hub, &app.catalogue, &request, told)
    })
    .await;
    let result = result.unwrap();
    assert!(result.url.ends_with("/me/tiny"), "{result:?}");
    assert!(result.commit.is_some());
    assert_eq!(result.model, "mine");
    assert!(result.at > 1.6e9, "{result:?}");
    let files = world.hub.files("me/tiny", "main").unwrap();
    assert!(files.contains_key("model.safetensors"));
    let (_, access) = world.hub.summary("me/tiny", "main").unwrap();
    assert_eq!(access, weightsmith_hub::testing::Access::Private);
}
