//! The studio beside the protocol: when it is there, and what it does where the disk is full.
#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

use crate::serve::Serving;
use crate::world::{FIXTURES, World};

fn is_ok(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200 OK\r\n") || answer.starts_with("HTTP/1.1 201 Created\r\n")
}

#[test]
fn without_models_the_folders_models_are_shown() {
    let world = World::new();
    let serving = Serving::start(&world, &["--folder", FIXTURES]);
    assert!(is_ok(&serving.send("GET", "/", "")));
    let models = serving.send("GET", "/api/models", "");
    assert!(
        is_ok(&models) && models.contains(r#""name":"instruct""#),
        "{models}"
    );
    // the default is the user's folder for data
    assert!(world.path("data/weightsmith/studio.db").is_file());
    // a page that listens does not hold up the end
    let page = serving.listen();
    let begin = Instant::now();
    serving.terminate();
    let (status, log) = serving.ended();
    assert_eq!(
        (status.code(), log.as_str()),
        (Some(0), "shutting down; finishing active requests\n")
    );
    assert!(
        begin.elapsed() < Duration::from_secs(9),
        "{:?}",
        begin.elapsed()
    );
    drop(page);
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    let world = World::new();
    let serving = Serving::start(&world, &["--folder", "nowhere"]);
    assert!(
        serving
            .said
            .contains("`--folder nowhere`: folder not found"),
        "{}",
        serving.said
    );
    serving.terminate();
    assert_eq!(serving.ended().0.code(), Some(0));
}

#[test]
fn one_studio_uses_a_folder_at_a_time() {
    let world = World::new();
    let model = format!("{FIXTURES}/instruct");
    let first = Serving::start(&world, &[]);
    let second = Serving::spawn(&mut world.command(&["serve", "--port", "0", "-j", "1", &model]));
    let said = &second.said;
    assert!(
        said.contains("warning: another studio uses the folder"),
        "{said}"
    );
    assert!(
        second
            .send("GET", "/api/models", "")
            .starts_with("HTTP/1.1 404")
    );
    assert!(is_ok(&second.send("GET", "/v1/models", "")));
    let run = world.run(&["serve", "--port", "0"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("--data-dir DIR"), "{}", run.stderr);
    for serving in [first, second] {
        serving.terminate();
        assert_eq!(serving.ended().0.code(), Some(0));
    }
}

#[test]
fn without_a_studio_there_is_only_the_protocol() {
    let world = World::new();
    let model = format!("{FIXTURES}/instruct");
    let serving = Serving::start(&world, &[&model, "--no-studio"]);
    assert!(
        serving
            .send("GET", "/api/models", "")
            .starts_with("HTTP/1.1 404")
    );
    serving.terminate();
    serving.ended();
    assert!(!world.path("data").exists());
    let run = world.run(&["serve", "--no-studio"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("nothing to serve"), "{}", run.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_fails_a_merge_that_can_be_resumed() {
    let world = World::new();
    fs_err::create_dir(world.path("small")).expect("created");
    let mount = [
        "-rm", "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", "small",
    ];
    let mounted = Command::new("unshare")
        .args(mount)
        .current_dir(world.path("."))
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no mounting in a namespace of one's own here");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c"]).arg(
        "mount -t tmpfs -o size=2m tmpfs small && exec \"$0\" serve --port 0 -j 1 --data-dir small --folder \"$1\"",
    );
    command.args([env!("CARGO_BIN_EXE_weightsmith"), FIXTURES]);
    command.current_dir(world.path("."));
    let serving = Serving::spawn(&mut command);
    let recipe = r"models: [{model: base}, {model: instruct}]\nmerge_method: slerp\nbase_model: base\nparameters: {t: 0.5}\n";
    let request = format!(r#"{{"kind": "merge", "name": "large", "recipe": "{recipe}"}}"#);
    let begun = serving.send("POST", "/api/runs", &request);
    assert!(is_ok(&begun), "{begun}");
    for _ in 0..2 {
        let run = until_failed(&serving);
        assert!(run.contains("free some space"), "{run}");
        let resumed = serving.send("POST", "/api/runs/1/resume", "");
        assert!(is_ok(&resumed), "{resumed}");
    }
    until_failed(&serving);
    serving.terminate();
    serving.ended();
}

#[cfg(target_os = "linux")]
fn until_failed(serving: &Serving) -> String {
    let begin = Instant::now();
    loop {
        let run = serving.send("GET", "/api/runs/1", "");
        if run.contains(r#""state":"failed""#) {
            return run;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{run}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
