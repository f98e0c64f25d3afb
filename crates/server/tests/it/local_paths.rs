//! What answers say about this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use weightsmith_infer::{DecoderOptions, Model, Pool};
use weightsmith_server::{ServedModel, Settings};

use crate::world::{World, facts, fixture};

/// A copy of the instruct model.
fn copy(parent: &Path, name: &str) -> PathBuf {
    let folder = parent.join(name);
    fs_err::create_dir_all(&folder).expect("a folder");
    for entry in fs_err::read_dir(fixture("instruct")).expect("the fixture") {
        let file = entry.expect("a file").path();
        let name = file.file_name().expect("a name");
        fs_err::copy(&file, folder.join(name)).expect("a copy");
    }
    folder
}

fn served(folder: &Path) -> ServedModel {
    let name = folder.file_name().expect("a name").to_string_lossy();
    let (folder, pool) = (folder.to_owned(), Arc::new(Pool::new(1)));
    ServedModel::new(&*name, facts(), move |_| {
        Model::open(&folder, Arc::clone(&pool), DecoderOptions::default())
            .map_err(|error| error.to_string())
    })
}

#[tokio::test]
async fn errors_name_files_and_no_folders() {
    let parent = tempfile::tempdir().expect("a folder");
    let refusing = copy(parent.path(), "refusing");
    let template = "{{ raise_exception('roles must alternate user/assistant') }}";
    fs_err::write(refusing.join("chat_template.jinja"), template).expect("a template");
    let bare = copy(parent.path(), "my bare model");
    fs_err::write(bare.join("tokenizer_config.json"), "{}").expect("no template");
    let broken = copy(parent.path(), "broken");
    fs_err::write(broken.join("tokenizer.json"), "{}").expect("a file");
    let models = [&refusing, &bare, &broken].map(|folder| served(folder));
    let world = World::with(models.into(), Settings::default());
    for (model, status, expected) in [
        (
            "refusing",
            400,
            "chat template (chat_template.jinja): it refuses this conversation: roles must alternate user/assistant (line 1)",
        ),
        (
            "my bare model",
            400,
            "chat_template.jinja: missing; chats need a chat template",
        ),
        (
            "broken",
            503,
            "the model could not be loaded: tokenizer.json: not a tokenizer",
        ),
    ] {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]});
        let message = world
            .post("/v1/chat/completions", &body)
            .await
            .refusal(status);
        assert!(message.contains(expected), "{message}");
        assert!(
            !message.contains(&*parent.path().to_string_lossy()),
            "{message}"
        );
    }
    let list = world.get("/v1/models").await.text;
    assert!(list.contains("tokenizer.json: not a tokenizer"), "{list}");
    assert!(!list.contains(&*parent.path().to_string_lossy()), "{list}");
}
