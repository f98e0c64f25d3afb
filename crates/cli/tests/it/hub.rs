//! Models from the hub and back, against a hub on loopback.

use std::process::Command;

use weightsmith_hub::testing::{Access, Content, FaultKind, TestHub};

use crate::world::{FIXTURES, Run, World};

const RECIPE: &str = "\
merge_method: slerp
base_model: org/base
models:
  - model: org/base
  - model: org/instruct
parameters:
  t: 0.4
dtype: bfloat16
";

struct Online {
    world: World,
    hub: TestHub,
}

impl Online {
    /// A hub with the trained models `org/base` and `org/instruct`, and a recipe that names them.
    fn new() -> Self {
        let hub = TestHub::start().expect("a hub");
        hub.add_token("secret", "me");
        for name in ["base", "instruct"] {
            let folder = std::path::Path::new(FIXTURES).join(name);
            let files: Vec<(String, Content)> = fs_err::read_dir(folder)
                .expect("a fixture")
                .map(|entry| {
                    let entry = entry.expect("readable");
                    let name = entry.file_name().to_string_lossy().into_owned();
                    (name, Content::file(&entry.path()).expect("readable"))
                })
                .collect();
            let files = files
                .iter()
                .map(|(name, content)| (name.as_str(), content.clone()));
            hub.add_model(&format!("org/{name}"), files.collect())
                .expect("added");
        }
        let world = World::new();
        world.write("recipe.yml", RECIPE);
        Self { world, hub }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env("HF_ENDPOINT", self.hub.url());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.finish(&mut self.command(arguments))
    }

    fn done(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run
    }

    fn run_as_me(&self, arguments: &[&str]) -> Run {
        self.finish(self.command(arguments).env("HF_TOKEN", "secret"))
    }

    fn finish(&self, command: &mut Command) -> Run {
        self.world
            .outcome(&command.output().expect("the command starts"))
    }

    /// Bytes of weights that lie in the cache.
    fn cached_weights(&self) -> u64 {
        let mut bytes = 0;
        for name in ["base", "instruct"] {
            let blobs = self
                .world
                .path(&format!("no-cache/hub/models--org--{name}/blobs"));
            let Ok(entries) = fs_err::read_dir(blobs) else {
                continue;
            };
            for entry in entries {
                let entry = entry.expect("readable");
                // large files are called by their SHA-256
                if entry.file_name().len() == 64 {
                    bytes += entry.metadata().expect("readable").len();
                }
            }
        }
        bytes
    }

    /// The weights of a result.
    fn weights(&self, out: &str) -> Vec<u8> {
        fs_err::read(self.world.path(out).join("model.safetensors")).expect("merged")
    }
}

#[test]
fn a_recipe_with_the_hubs_names_is_checked_from_headers_alone() {
    let online = Online::new();
    let run = online.done(&["check", "recipe.yml"]);
    assert!(run.stdout.contains("slerp of 2 models"), "{}", run.stdout);
    online.done(&["explain", "recipe.yml"]);
    online.done(&["merge", "--dry-run", "recipe.yml", "out"]);
    let run = online.done(&["inspect", "org/base"]);
    assert!(
        run.stdout.contains("qwen2") || run.stdout.contains("Qwen2"),
        "{}",
        run.stdout
    );
    assert_eq!(online.cached_weights(), 0);
}

#[test]
fn merging_downloads_what_is_not_there_and_streaming_does_not() {
    let online = Online::new();
    online.done(&["merge", "--stream", "recipe.yml", "streamed"]);
    assert_eq!(online.cached_weights(), 0);
    online.done(&["merge", "recipe.yml", "merged"]);
    assert!(online.cached_weights() > 0);
    assert_eq!(online.weights("streamed"), online.weights("merged"));
    online.done(&["verify", "streamed"]);
    online.hub.stop();
    // what is in the cache needs no hub
    online.done(&["merge", "recipe.yml", "again"]);
    assert_eq!(online.weights("again"), online.weights("merged"));
}

#[test]
fn a_streamed_merge_survives_connections_that_break() {
    let online = Online::new();
    for byte in [100_000, 200_000, 300_000] {
        online.hub.fault("/cdn/", FaultKind::CutAt(byte), 1);
    }
    online.done(&["merge", "--stream", "recipe.yml", "streamed"]);
    online.done(&["merge", "recipe.yml", "merged"]);
    assert_eq!(online.weights("streamed"), online.weights("merged"));
}

#[test]
fn pull_prints_the_folders_and_takes_recipes() {
    let online = Online::new();
    let run = online.done(&["pull", "--dry-run", "recipe.yml"]);
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.stdout);
    assert_eq!(online.cached_weights(), 0);
    let run = online.done(&["pull", "recipe.yml", "org/base"]);
    let folders: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(folders.len(), 2, "{}", run.stdout);
    assert!(folders[0].contains("models--org--base"));
    online.done(&["pull", "org/base@main"]);
    online.hub.stop();
    online.done(&["inspect", "org/base"]);
}

#[test]
fn what_the_hub_refuses_is_shown_where_the_recipe_names_it() {
    let online = Online::new();
    online
        .hub
        .set_access("org/instruct", Access::Gated(Vec::new()));
    let run = online.run(&["merge", "recipe.yml", "out"]);
    assert_eq!(run.code, Some(2));
    let shown = run.stderr.replace(&online.hub.url(), "HUB");
    insta::assert_snapshot!(shown, @r"
    error: `org/instruct` is gated, and there is no token
     --> recipe.yml:5:12
      |
    5 |   - model: org/instruct
      |            ^^^^^^^^^^^^
      |
      = help: open HUB/org/instruct, log in and accept the licence
      = help: set `HF_TOKEN` to a token of https://huggingface.co/settings/tokens, or run `hf auth login`
      = help: if `org/instruct` is a folder, write its full path

    1 error in recipe.yml
    ");
    assert!(
        !online.world.path("no-cache").exists(),
        "nothing is downloaded before all is looked at"
    );
}

#[test]
fn a_merge_is_published_under_its_proposed_name_without_local_paths() {
    let online = Online::new();
    let mine = online.world.path("my models/mine");
    fs_err::create_dir_all(&mine).expect("made");
    for entry in fs_err::read_dir(std::path::Path::new(FIXTURES).join("math")).expect("a fixture") {
        let entry = entry.expect("readable");
        fs_err::copy(entry.path(), mine.join(entry.file_name())).expect("copied");
    }
    let recipe = RECIPE.replace(
        "  - model: org/instruct",
        &format!("  - model: \"{}\"", mine.display()),
    );
    online.world.write("recipe.yml", &recipe);
    online.done(&["merge", "--stream", "recipe.yml", "out"]);

    let run = online.done(&["push", "--dry-run", "out"]);
    let name = run.stdout.lines().next().expect("a name").to_owned();
    assert!(
        name.starts_with("weightsmith-slerp-") && name.len() == 25,
        "{name}"
    );
    assert!(
        run.stderr.contains("`mine` is published in its place"),
        "{}",
        run.stderr
    );

    let run = online.run(&["push", "out", "me/name"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("HF_TOKEN"), "{}", run.stderr);

    let run = online.run_as_me(&["push", "--private", "out"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.stdout.trim(), format!("{}/me/{name}", online.hub.url()));
    let files = online
        .hub
        .files(&format!("me/{name}"), "main")
        .expect("published");
    let secret = online.world.path("").display().to_string();
    for (path, file) in &files {
        let bytes = file.content.bytes().expect("there");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(secret.trim_end_matches('/')), "{path}");
    }
    assert_eq!(
        files["model.safetensors"].content.bytes().expect("there"),
        online.weights("out")
    );

    // what was published is a whole model, and its lock agrees with it
    let down = online.world.path("down");
    fs_err::create_dir_all(&down).expect("made");
    for (path, file) in files.iter().filter(|(path, _)| *path != ".gitattributes") {
        fs_err::write(down.join(path), file.content.bytes().expect("there")).expect("written");
    }
    online.done(&["verify", "down"]);
}

#[test]
fn a_merge_goes_to_the_hub_in_one_go_and_over_a_model_only_by_force() {
    let online = Online::new();
    let recipe = RECIPE.replace("org/", "hf://org/");
    online.world.write("recipe.yml", &recipe);
    // a folder of that name is not what `hf://` means
    online.world.write("org", "no folder");
    let merge = |arguments: &[&str]| {
        let mut command = online.command(&[&["merge"], arguments].concat());
        command.env("XDG_CACHE_HOME", online.world.path("cache"));
        online.finish(command.env("HF_TOKEN", "secret"))
    };
    let run = merge(&["recipe.yml", "hf://me/merged"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let files = online.hub.files("me/merged", "main").expect("published");
    assert!(files.contains_key("model.safetensors") && files.contains_key("weightsmith.lock.json"));
    let staging = online.world.path("cache/weightsmith/staging");
    assert_eq!(fs_err::read_dir(&staging).expect("there").count(), 0);

    let run = merge(&["recipe.yml", "hf://me/merged"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("there is a model at `hf://me/merged`"),
        "{}",
        run.stderr
    );
    let run = merge(&["--force", "recipe.yml", "hf://me/merged"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = online.finish(&mut online.command(&["merge", "recipe.yml", "hf://me/other"]));
    assert_eq!(run.code, Some(1), "without a token: {}", run.stderr);
}
