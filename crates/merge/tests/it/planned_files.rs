//! What a plan says of the files of its result, and what a run writes.

use std::sync::atomic::AtomicBool;

use weightsmith::plan::{FileSource, Plan, PlannedFile};
use weightsmith::run::{RunError, Silent};

use crate::family::{Shape, Workshop};

const RECIPE: &str =
    "models: [{model: a}, {model: b}]\nmerge_method: linear\nparameters: {weight: 1}\n";

fn workshop() -> Workshop {
    let workshop = Workshop::new();
    workshop.model("a", 1, &Shape::default());
    workshop.model("b", 2, &Shape::default());
    let write = |name: &str, text: &str| fs_err::write(workshop.path(name), text).unwrap();
    write("a/tokenizer.json", "{\"a\": 1}");
    write(
        "a/generation_config.json",
        "{\"_name_or_path\": \"/home/me/a\", \"top_k\": 3}",
    );
    fs_err::create_dir(workshop.path("a/1_Pooling")).unwrap();
    write("a/1_Pooling/config.json", "{}");
    workshop
}

/// The files below a folder with their sizes, by name.
fn written(workshop: &Workshop, folder: &str) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(workshop.path(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let below = written(workshop, &format!("{folder}/{name}"));
            found.extend(
                below
                    .into_iter()
                    .map(|(file, size)| (format!("{name}/{file}"), size)),
            );
        } else {
            found.push((name, entry.metadata().unwrap().len()));
        }
    }
    found.sort();
    found
}

fn source<'p>(plan: &'p Plan, name: &str) -> &'p FileSource {
    &plan.file(name).unwrap().source
}

#[test]
fn a_plan_lists_what_the_run_writes() {
    let workshop = workshop();
    let planned = workshop.plan_with(RECIPE, |options| options.shard_size = Some(1_000));
    let plan = &planned.plan;
    let never = AtomicBool::new(false);
    workshop
        .run(&planned, "out", &Silent, &never, |_| {})
        .unwrap();
    let written = written(&workshop, "out");
    let mut names: Vec<&str> = plan.files.iter().map(|file| file.name.as_str()).collect();
    names.sort_unstable();
    let found: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, found);
    for PlannedFile { name, bytes, .. } in &plan.files {
        let (_, size) = written.iter().find(|(found, _)| found == name).unwrap();
        assert!(bytes.is_none_or(|bytes| bytes == *size), "{name}");
    }
    let shards = plan.layout.shards();
    assert!(shards.len() > 1);
    assert_eq!(
        source(plan, &shards[1].file_name),
        &FileSource::Weights { shard: 1 }
    );
    assert!(matches!(
        source(plan, "model.safetensors.index.json"),
        FileSource::Made(_)
    ));
    assert_eq!(plan.recipe(), RECIPE);
    assert_eq!(source(plan, "README.md"), &FileSource::Finished);
    assert_eq!(source(plan, "weightsmith.lock.json"), &FileSource::Lock);
    assert!(matches!(
        source(plan, "1_Pooling/config.json"),
        FileSource::Companion {
            input: 0,
            changed: None,
            ..
        }
    ));
}

#[test]
fn what_differs_from_the_donors_file_is_in_the_plan() {
    let workshop = workshop();
    let planned = workshop.plan(RECIPE);
    let file = planned.plan.file("generation_config.json").unwrap();
    assert_eq!(file.left_out(), ["_name_or_path"]);
    let content = planned.file("generation_config.json").unwrap().unwrap();
    assert_eq!(file.bytes, Some(content.len() as u64));
    assert_eq!(
        String::from_utf8(content.clone()).unwrap().trim(),
        "{\"top_k\": 3}"
    );
    workshop.merge(RECIPE, "out");
    assert_eq!(
        fs_err::read(workshop.path("out/generation_config.json")).unwrap(),
        content
    );
    assert_eq!(
        planned.file("tokenizer.json").unwrap().unwrap(),
        b"{\"a\": 1}"
    );
    assert_eq!(planned.file("vocab.json").unwrap(), None);
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    let plan = workshop().plan(RECIPE).plan;
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
}

#[test]
fn options_decide_which_files_there_are() {
    let workshop = workshop();
    let planned = workshop.plan_with(RECIPE, |options| {
        options.finished = None;
        options.copy_companions = false;
    });
    let files = planned.plan.files.iter();
    assert_eq!(
        files.map(|file| file.name.as_str()).collect::<Vec<_>>(),
        [
            "model.safetensors",
            "config.json",
            "mergekit_config.yml",
            "weightsmith.lock.json"
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_companion_that_is_somebodys_own_file_fails_the_run_and_no_plan() {
    let workshop = workshop();
    fs_err::write(workshop.path("secret"), "mine").unwrap();
    std::os::unix::fs::symlink(workshop.path("secret"), workshop.path("a/merges.txt")).unwrap();
    let planned = workshop.plan(RECIPE);
    let never = AtomicBool::new(false);
    let error = workshop
        .run(&planned, "out", &Silent, &never, |_| {})
        .unwrap_err();
    assert!(matches!(error, RunError::Companion(_)), "{error}");
    assert!(!workshop.path("out").exists());
}
