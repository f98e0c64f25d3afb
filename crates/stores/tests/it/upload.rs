//! Models on their way into a store.

use std::sync::atomic::{AtomicU64, Ordering};

use weightsmith_stores::{StoreError, Uploaded};

use crate::world::{After, AtEnd, CLAIM, LOCK, Nothing, World};

const OUT: &str = "models/out";

fn at(name: &str) -> String {
    format!("{OUT}/{name}")
}

#[test]
fn a_model_goes_up_whole_and_the_claim_goes_away() {
    let world = World::new();
    world.put("models/output/other.txt", b"not below it");
    let uploaded = world.upload(1, false).unwrap();
    assert_eq!(
        uploaded,
        Uploaded {
            sent: 4,
            resumed: 0
        }
    );
    let names = [
        at("config.json"),
        at("model-00001-of-00002.safetensors"),
        at("model-00002-of-00002.safetensors"),
        at(LOCK),
        "models/output/other.txt".to_owned(),
    ];
    assert_eq!(world.names(), names);
    for file in world.model(1) {
        let expected = fs_err::read(&file.path).unwrap();
        assert_eq!(
            world.get(&at(&file.name)).unwrap(),
            expected,
            "{}",
            file.name
        );
    }
}

#[test]
fn the_lock_is_seen_only_when_all_else_is_there() {
    let world = World::new();
    world.upload(1, false).unwrap();
    for (seed, seen) in [(2, 1), (3, 5000)] {
        let look = After(AtomicU64::new(seen), || {
            assert_eq!(world.get(&at(LOCK)), None, "after {seen} bytes");
            assert!(world.get(&at(CLAIM)).is_some());
        });
        let files = world.model(seed);
        world
            .upload_to(&world.survey(), &files, seed, true, &[], &look)
            .unwrap();
        assert_eq!(look.0.load(Ordering::Relaxed), 0, "it was looked at");
    }
}

#[test]
fn a_result_is_replaced_only_by_force_and_leaves_nothing_behind() {
    let world = World::new();
    world.upload(1, false).unwrap();
    let refused = world.upload(2, false).unwrap_err();
    assert!(
        matches!(refused, StoreError::ResultThere { .. }),
        "{refused}"
    );
    assert_eq!(world.get(&at("config.json")).unwrap(), [1]);
    let one = [world.file("model.safetensors", &[7; 10])];
    let refused = world.upload_to(&world.survey(), &one, 2, true, &[], &Nothing);
    assert!(matches!(refused, Err(StoreError::ForeignWeights { .. })));
    let old = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "config.json",
    ];
    world
        .upload_to(&world.survey(), &one, 2, true, &old, &Nothing)
        .unwrap();
    assert_eq!(world.names(), [at("model.safetensors"), at(LOCK)]);
    assert_eq!(world.get(&at(LOCK)).unwrap(), b"lock 2");
}

#[test]
fn a_folder_with_other_things_is_refused() {
    let world = World::new();
    world.put(&at("notes.txt"), b"mine");
    let refused = world.upload(1, false).unwrap_err();
    assert!(matches!(refused, StoreError::Occupied { .. }), "{refused}");
    world.upload(1, true).unwrap();
    assert_eq!(world.get(&at("notes.txt")).unwrap(), b"mine");
}

#[test]
fn an_interrupted_upload_goes_on_and_nobody_comes_between() {
    let world = World::new();
    let stop = After(AtomicU64::new(5000), || {
        world.interrupt.store(true, Ordering::Relaxed);
    });
    let stopped = world.upload_to(&world.survey(), &world.model(1), 1, false, &[], &stop);
    assert!(
        matches!(stopped, Err(StoreError::Interrupted)),
        "{stopped:?}"
    );
    let first = at("model-00001-of-00002.safetensors");
    assert_eq!(
        world.names(),
        [first, at(CLAIM)],
        "the parts of the second were given up"
    );
    world.interrupt.store(false, Ordering::Relaxed);

    let other = World {
        memory: world.memory.clone(),
        ..World::new()
    };
    let refused = other.upload(2, false).unwrap_err();
    assert!(matches!(refused, StoreError::Claimed { .. }), "{refused}");

    let uploaded = world.upload(1, false).unwrap();
    assert_eq!(
        uploaded,
        Uploaded {
            sent: 3,
            resumed: 1
        }
    );
    assert!(!world.names().contains(&at(CLAIM)));
}

#[test]
fn what_was_changed_in_the_store_or_here_is_sent_again() {
    let world = World::new();
    let stop = After(AtomicU64::new(5000), || {
        world.interrupt.store(true, Ordering::Relaxed);
    });
    assert!(
        world
            .upload_to(&world.survey(), &world.model(1), 1, false, &[], &stop)
            .is_err()
    );
    world.interrupt.store(false, Ordering::Relaxed);
    let first = at("model-00001-of-00002.safetensors");
    let bytes = world.get(&first).unwrap();
    world.put(&first, &bytes);
    assert_eq!(
        world.upload(1, false).unwrap().resumed,
        0,
        "it has another tag"
    );

    let world = World::new();
    let stop = After(AtomicU64::new(5000), || {
        world.interrupt.store(true, Ordering::Relaxed);
    });
    let _ = world.upload_to(&world.survey(), &world.model(1), 1, false, &[], &stop);
    world.interrupt.store(false, Ordering::Relaxed);
    assert_eq!(world.upload(9, false).unwrap().resumed, 0, "other weights");
    assert_eq!(world.get(&at("config.json")).unwrap(), [9]);
}

#[test]
fn a_lock_that_comes_between_stays() {
    let world = World::new();
    let between = After(AtomicU64::new(5000), || world.put(&at(LOCK), b"somebody's"));
    let refused = world.upload_to(&world.survey(), &world.model(1), 1, false, &[], &between);
    assert!(
        matches!(refused, Err(StoreError::Overtaken { .. })),
        "{refused:?}"
    );
    assert_eq!(world.get(&at(LOCK)).unwrap(), b"somebody's");
    // the same command does not replace it either
    let refused = world.upload(1, false).unwrap_err();
    assert!(
        matches!(refused, StoreError::ResultThere { .. }),
        "{refused}"
    );
    world.upload(1, true).unwrap();
    assert_eq!(world.get(&at(LOCK)).unwrap(), b"lock 1");
}

#[test]
fn force_replaces_the_result_that_was_seen_and_no_other() {
    let world = World::new();
    world.upload(1, false).unwrap();
    let survey = world.survey();
    world.put(&at(LOCK), b"newer");
    let refused = world.upload_to(&survey, &world.model(2), 2, true, &[], &Nothing);
    assert!(
        matches!(refused, Err(StoreError::Overtaken { .. })),
        "{refused:?}"
    );
    assert_eq!(world.get(&at(LOCK)).unwrap(), b"newer");
    assert_eq!(
        world.get(&at("config.json")).unwrap(),
        [1],
        "nothing was written"
    );
}

#[test]
fn an_upload_whose_place_was_taken_ends_without_a_lock() {
    let world = World::new();
    let taken = After(AtomicU64::new(5000), || {
        world.put(&at(CLAIM), br#"{"upload":"another","by":"x"}"#);
    });
    let refused = world.upload_to(&world.survey(), &world.model(1), 1, false, &[], &taken);
    assert!(
        matches!(refused, Err(StoreError::Overtaken { .. })),
        "{refused:?}"
    );
    assert_eq!(world.get(&at(LOCK)), None);
    let refused = world.upload(1, false).unwrap_err();
    assert!(matches!(refused, StoreError::Claimed { .. }), "{refused}");
}

#[test]
fn files_that_somebody_writes_over_are_noticed() {
    let world = World::new();
    let name = at("model-00001-of-00002.safetensors");
    let over = After(AtomicU64::new(7000), || world.put(&name, b"other weights"));
    let refused = world.upload_to(&world.survey(), &world.model(1), 1, false, &[], &over);
    assert!(
        matches!(refused, Err(StoreError::Overtaken { .. })),
        "{refused:?}"
    );
    assert_eq!(world.get(&at(LOCK)), None);
}

#[test]
fn a_run_that_was_killed_behind_the_lock_is_complete() {
    let world = World::new();
    // what such a run leaves: everything, its claim and its record
    let saved = AtEnd(&|| {
        let record = fs_err::read_to_string(world.record()).unwrap();
        let known: serde_json::Value = serde_json::from_str(&record).unwrap();
        let claim = serde_json::json!({"upload": known["upload"], "by": "x"});
        fs_err::write(world.folder.path().join("record"), record).unwrap();
        fs_err::write(world.folder.path().join("claim"), claim.to_string()).unwrap();
    });
    world
        .upload_to(&world.survey(), &world.model(1), 1, false, &[], &saved)
        .unwrap();
    let saved = |name: &str| fs_err::read(world.folder.path().join(name)).unwrap();
    world.put(&at(CLAIM), &saved("claim"));
    fs_err::write(world.record(), saved("record")).unwrap();
    assert_eq!(
        world.upload(1, false).unwrap(),
        Uploaded {
            sent: 0,
            resumed: 4
        }
    );
    assert_eq!(world.get(&at(CLAIM)), None);
    assert!(!world.record().exists());
}
