//! Models from the hub and back, against a hub on loopback.

use std::process::Command;

use weightsmith_hub::testing::{Access, Content, FaultKind, TestHub};

use crate::world::{FIXTURES, Run, World};

pub(crate) const RECIPE: &str = "\
merge_method: slerp
base_model: org/base
models:
  - model: org/base
  - model: org/instruct
parameters:
  t: 0.4
dtype: bfloat16
";

pub(crate) struct Online {
    pub(crate) world: World,
    pub(crate) hub: TestHub,
}

impl Online {
    /// A hub with the trained models `org/base` and `org/instruct`, and a recipe that names them.
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// The same, with more files in both models.
    pub(crate) fn with(more: &[(&str, &str)]) -> Self {
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
                .map(|(name, content)| (name.as_str(), content.clone()))
                .chain(
                    more.iter()
                        .map(|(name, text)| (*name, Content::from(*text))),
                );
            hub.add_model(&format!("org/{name}"), files.collect())
                .expect("added");
        }
        let world = World::new();
        world.write("recipe.yml", RECIPE);
        Self { world, hub }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env("HF_ENDPOINT", self.hub.url());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.finish(&mut self.command(arguments))
    }

    pub(crate) fn done(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run
    }

    fn run_as_me(&self, arguments: &[&str]) -> Run {
        self.finish(self.command(arguments).env("HF_TOKEN", "secret"))
    }

    pub(crate) fn finish(&self, command: &mut Command) -> Run {
        self.world
            .outcome(&command.output().expect("the command starts"))
    }

    /// Bytes of weights that lie in the cache.
    pub(crate) fn cached_weights(&self) -> u64 {
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
      = help: open HUB/org/instruct, log in and accept the license
      = help: set `HF_TOKEN` to a token from https://huggingface.co/settings/tokens, or run `hf auth login`
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
        run.stderr.contains("publishing `mine` instead"),
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
fn models_that_speak_are_downloaded_when_they_are_not_here() {
    let online = Online::new();
    let speak = |model: &str| online.run(&["generate", model, "-p", "Hello", "--max-tokens", "2"]);
    let offline = online
        .command(&["generate", "org/base", "-p", "Hello"])
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .expect("it starts");
    let run = online.world.outcome(&offline);
    run.expect_code(1).expect_error("org/base");
    assert_eq!(online.cached_weights(), 0, "offline is offline");
    speak("recipe.yml").expect_code(0);
    assert_eq!(online.cached_weights(), 2 * weight_file());
    online.hub.stop();
    // what is in the cache needs no hub
    speak("org/instruct").expect_code(0);
}

/// Bytes of a fixture's weights.
fn weight_file() -> u64 {
    let path = std::path::Path::new(FIXTURES).join("base/model.safetensors");
    fs_err::metadata(path).expect("a fixture").len()
}

#[test]
fn models_that_are_compared_are_downloaded_after_a_look_at_all_of_them() {
    let online = Online::new();
    online.world.write("text.txt", "Anna lives in Rome.\n");
    let run = online.run(&["diff", "org/base", "org/missing"]);
    run.expect_code(1).expect_error("no model `org/missing`");
    let eval = ["eval", "org/base", "--data", "text.txt", "--against"];
    let run = online.run(&[&eval[..], &["org/missing"]].concat());
    run.expect_code(1).expect_error("no model `org/missing`");
    assert!(!online.world.path("no-cache").exists());
    let run = online.run(&["diff", "org/base", "org/instruct"]);
    run.expect_code(1);
    assert!(run.stdout.contains("Tensors that differ"), "{}", run.stdout);
    assert_eq!(online.cached_weights(), 2 * weight_file());
    online.done(&[&eval[..], &["org/instruct"]].concat());
}

#[test]
fn a_sweep_downloads_the_models_of_its_recipe() {
    let online = Online::new();
    online.world.write("text.txt", "Anna lives in Rome.\n");
    let sweep = [
        "eval",
        "recipe.yml",
        "--data",
        "text.txt",
        "--sweep",
        "t=0:1:1",
    ];
    online.done(&sweep);
    online
        .hub
        .set_access("org/instruct", Access::Gated(Vec::new()));
    fs_err::remove_dir_all(online.world.path("no-cache")).expect("removed");
    let run = online.run(&sweep);
    run.expect_code(2)
        .expect_error("`org/instruct` is gated, and there is no token")
        .expect_error("--> recipe.yml:5:12");
}

#[cfg(unix)]
#[test]
fn a_server_downloads_its_models_before_it_listens() {
    let online = Online::new();
    let line = [
        "serve",
        "--port",
        "0",
        "-j",
        "1",
        "i=org/instruct",
        "recipe.yml",
    ];
    let serving = crate::serve::Serving::spawn(&mut online.command(&line));
    assert_eq!(online.cached_weights(), 2 * weight_file());
    for model in ["i", "recipe"] {
        let body = format!(r#"{{"model": "{model}", "prompt": "Anna", "max_tokens": 2}}"#);
        let answer = serving.ask(&body);
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    }
    serving.terminate();
    assert!(serving.ended().0.success());
}

#[test]
fn a_published_merge_is_verified_with_all_files_that_its_lock_lists() {
    let online = Online::new();
    online.done(&["merge", "recipe.yml", "out"]);
    let run = online.run_as_me(&["push", "out", "me/merged"]);
    run.expect_code(0);
    let run = online.done(&["verify", "me/merged"]);
    assert!(run.stdout.contains("me/merged is intact"), "{}", run.stdout);
    assert!(!run.stdout.contains("not in the lock"), "{}", run.stdout);
    let offline = online
        .command(&["verify", "me/other"])
        .env("HF_HUB_OFFLINE", "1")
        .output();
    let run = online.world.outcome(&offline.expect("it starts"));
    run.expect_code(1).expect_error("me/other");
    online
        .run(&["verify", "me/other"])
        .expect_code(1)
        .expect_error("no model `me/other`");
    online.hub.stop();
    online.done(&["verify", "me/merged"]);
}

#[cfg(unix)]
#[test]
fn on_a_terminal_each_file_on_its_way_has_a_bar_and_all_have_one() {
    let online = Online::new();
    // the connection breaks within the weights: the bars stand while the next attempt waits
    online.hub.fault("/cdn/", FaultKind::CutAt(3_000_000), 1);
    let pull = online.command(&["pull", "org/base"]);
    let Some(mut terminal) = crate::speech_terminal::Terminal::run(&pull) else {
        return;
    };
    terminal.expect("org/base model.safetensors");
    terminal.expect("of 5.14 MB");
    terminal.expect("downloading");
    let screen = {
        terminal.expect("models--org--base");
        terminal.screen()
    };
    assert!(terminal.end().success(), "{screen}");
    let shown_at_the_end = screen
        .rsplit("models--org--base")
        .next()
        .unwrap_or_default();
    assert!(!shown_at_the_end.contains("downloading"), "{screen:?}");

    // no bars where nobody watches, nothing at all when quiet
    let run = online.done(&["pull", "org/instruct"]);
    assert!(!run.stderr.contains(['\u{1b}', '━']), "{:?}", run.stderr);
    assert!(run.stderr.contains(" came"), "{:?}", run.stderr);
    fs_err::remove_dir_all(online.world.path("no-cache")).expect("removed");
    let run = online.done(&["-q", "pull", "org/instruct"]);
    assert_eq!(run.stderr, "");
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
        run.stderr
            .contains("there is already a model at `hf://me/merged`"),
        "{}",
        run.stderr
    );
    let run = merge(&["--force", "recipe.yml", "hf://me/merged"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = online.finish(&mut online.command(&["merge", "recipe.yml", "hf://me/other"]));
    assert_eq!(run.code, Some(1), "without a token: {}", run.stderr);
}
