//! Chat templates run in a process of their own, whose end costs one answer.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::serve::Serving;
use crate::world::{FIXTURES, World};

/// Templates that ended or stopped the whole program.
fn bombs() -> Vec<(&'static str, String)> {
    vec![
        (
            "a namespace in itself",
            "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}".to_owned(),
        ),
        (
            "a deep list",
            "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}".to_owned(),
        ),
        (
            "a wide indent",
            "{{ [1] | tojson(indent=100000000000) }}".to_owned(),
        ),
        ("a long list", "{{ [0] * 100000000 }}".to_owned()),
        ("a wide number", "{{ '%1000000000d' | format(1) }}".to_owned()),
        ("minuses", format!("{{{{ {}1 }}}}", "-".repeat(100_000))),
        ("filters", format!("{{{{ 1{} }}}}", "|string".repeat(100_000))),
        (
            "alternatives",
            format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(100_000)),
        ),
        (
            "text that doubles",
            "{% set ns = namespace(s='x' * 1000) %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}".to_owned(),
        ),
    ]
}

/// The fixture with another template, under a name.
fn with_template(world: &World, name: &str, template: &str) {
    let folder = world.path(name);
    fs_err::create_dir(&folder).expect("made");
    for entry in fs_err::read_dir(format!("{FIXTURES}/instruct")).expect("a fixture") {
        let entry = entry.expect("readable");
        fs_err::copy(entry.path(), folder.join(entry.file_name())).expect("copied");
    }
    fs_err::write(folder.join("chat_template.jinja"), template).expect("written");
}

/// Asks a model for a token.
fn chat(serving: &Serving, model: &str) -> String {
    let body = format!(
        r#"{{"model": "{model}", "messages": [{{"role": "user", "content": "Hi"}}], "max_tokens": 1}}"#
    );
    serving.send("POST", "/v1/chat/completions", &body)
}

/// Processes whose parent is this one.
fn children(parent: u32) -> Vec<u32> {
    let threads = fs_err::read_dir(format!("/proc/{parent}/task")).expect("threads");
    threads
        .flat_map(|thread| {
            let path = thread.expect("a thread").path().join("children");
            let list = fs_err::read_to_string(path).unwrap_or_default();
            let list: Vec<u32> = list.split(' ').filter_map(|pid| pid.parse().ok()).collect();
            list
        })
        .collect()
}

fn kill(pid: u32) {
    let killed = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status();
    assert!(killed.expect("kill").success());
}

#[test]
fn no_template_ends_a_check() {
    let world = World::new();
    for (index, (kind, template)) in bombs().into_iter().enumerate() {
        let name = format!("m{index}");
        with_template(&world, &name, &template);
        let run = world.run(&["check", "--host", "--json", &name]);
        run.expect_code(1);
        assert_eq!(run.stderr, "", "{kind}");
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let checks = report["checks"].as_array().expect("a list");
        let outcome = |of: &str| {
            let check = checks.iter().find(|check| check["requirement"] == of);
            check.expect("a check")["outcome"].clone()
        };
        assert_eq!(outcome("chat_template"), "failed", "{kind}: {}", run.stdout);
        assert_eq!(outcome("tokenizer"), "passed", "{kind}: {}", run.stdout);
    }
}

#[test]
fn a_model_whose_template_fails_leaves_the_others_alone() {
    let world = World::new();
    let good = format!("{FIXTURES}/instruct");
    let names: Vec<String> = (0..bombs().len())
        .map(|index| format!("m{index}"))
        .collect();
    for (name, (_, template)) in names.iter().zip(bombs()) {
        with_template(&world, name, &template);
    }
    let mut arguments = vec!["--no-studio", good.as_str()];
    arguments.extend(names.iter().map(String::as_str));
    let serving = Serving::start(&world, &arguments);
    for name in &names {
        // one that is harmless after all may be answered
        assert!(chat(&serving, name).starts_with("HTTP/1.1 "));
        assert!(
            serving
                .send("GET", "/health", "")
                .starts_with("HTTP/1.1 200")
        );
    }
    let answer = chat(&serving, "instruct");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serving.terminate();
    assert_eq!(serving.ended().0.code(), Some(0));
}

#[test]
fn the_studio_survives_what_it_looks_at() {
    let world = World::new();
    fs_err::create_dir(world.path("models")).expect("made");
    let (_, template) = bombs().swap_remove(7);
    with_template(&world, "models/bad", &template);
    let serving = Serving::start(&world, &["--folder", "models"]);
    let report = serving.send("GET", "/api/models/bad/host", "");
    assert!(report.starts_with("HTTP/1.1 200"), "{report}");
    assert!(report.contains(r#""ready":false"#), "{report}");
    let answer = chat(&serving, "bad");
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        serving
            .send("GET", "/api/models", "")
            .starts_with("HTTP/1.1 200")
    );
    serving.terminate();
    assert_eq!(serving.ended().0.code(), Some(0));
}

#[test]
fn the_process_is_bounded_starts_again_and_ends_with_the_program() {
    let world = World::new();
    let serving = Serving::start(&world, &["--no-studio", &format!("{FIXTURES}/instruct")]);
    assert!(chat(&serving, "instruct").starts_with("HTTP/1.1 200"));
    let [first] = children(serving.id())[..] else {
        panic!("one process renders: {:?}", children(serving.id()));
    };
    let proc = |file: &str| PathBuf::from(format!("/proc/{first}/{file}"));
    let limits = fs_err::read_to_string(proc("limits")).expect("limits");
    let limit = |name: &str| -> Option<u64> {
        let line = limits.lines().find(|line| line.starts_with(name))?;
        line[name.len()..].split_whitespace().next()?.parse().ok()
    };
    assert!(
        limit("Max address space").is_some_and(|most| most < 2 << 30),
        "{limits}"
    );
    assert!(
        limit("Max cpu time").is_some_and(|most| most < 30),
        "{limits}"
    );
    assert_eq!(limit("Max core file size"), Some(0));
    assert_eq!(limit("Max file size"), Some(0));
    assert_eq!(fs_err::read(proc("environ")).expect("an environment"), b"");
    let mut files: Vec<String> = fs_err::read_dir(proc("fd"))
        .expect("descriptors")
        .map(|file| {
            file.expect("a descriptor")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    assert_eq!(files, ["0", "1", "2"]);

    // killed by somebody, it is replaced
    kill(first);
    assert!(chat(&serving, "instruct").starts_with("HTTP/1.1 200"));
    let [second] = children(serving.id())[..] else {
        panic!("one process renders: {:?}", children(serving.id()));
    };
    assert_ne!(first, second);

    // and without the program it ends
    kill(serving.id());
    let begun = Instant::now();
    while is_running(second) {
        assert!(begun.elapsed() < Duration::from_secs(20), "it goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is there and no zombie.
fn is_running(pid: u32) -> bool {
    let status = fs_err::read_to_string(format!("/proc/{pid}/status"));
    status.is_ok_and(|status| !status.contains("State:\tZ"))
}
