//! What goes wrong on the way: nothing damaged stays in the cache, and the next run goes on.

use std::time::{Duration, Instant};

use weightsmith_hub::HubError;
use weightsmith_hub::testing::{Content, FaultKind};
use weightsmith_tensors::Checkpoint;

use crate::world::{World, files, shown, weights};

const SHARD: &str = "model-00001-of-00002";

/// No blob may have bytes that its name does not promise.
fn assert_sound(world: &World) {
    for name in world.blobs("org/name").keys() {
        let bytes = fs_err::read(world.repo("org/name").join("blobs").join(name)).unwrap();
        let content = Content::from(bytes);
        match name.len() {
            40 => assert_eq!(&content.git_oid().unwrap(), name),
            64 => assert_eq!(&content.sha256().unwrap(), name),
            _ => assert!(name.ends_with(".incomplete"), "{name}"),
        }
    }
}

#[test]
fn a_connection_cut_anywhere_is_continued_by_the_next_run() {
    let size = weights("a", 2000, 0).len() as u64;
    for tenth in 0..10 {
        let mut world = World::new();
        world.attempts = 1;
        world.hub.add_model("org/name", files()).unwrap();
        let byte = size * tenth / 10;
        world.hub.fault(SHARD, FaultKind::CutAt(byte), 1);
        let error = world.pull("org/name").unwrap_err();
        assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
        assert_sound(&world);
        let snapshots = world.repo("org/name").join("snapshots");
        let snapshot = fs_err::read_dir(snapshots)
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert!(
            Checkpoint::open(&snapshot.path()).is_err(),
            "half a model is none"
        );

        let begun: u64 = world
            .blobs("org/name")
            .iter()
            .filter_map(|(name, bytes)| name.ends_with(".incomplete").then_some(*bytes))
            .sum();
        assert_eq!(
            begun,
            byte / 1000 * 1000,
            "whole pieces before byte {byte} stay"
        );
        world.hub.take_seen();
        let folder = world.pull("org/name").unwrap();
        assert_sound(&world);
        Checkpoint::open(&folder).unwrap();
        let seen = world.hub.take_seen();
        let first = format!("bytes={begun}-");
        let again = seen
            .iter()
            .filter(|one| one.path.contains(SHARD) && one.path.starts_with("/cdn"));
        assert!(again.clone().count() > 0);
        let from = |range: &str| -> u64 { range[6..].split('-').next().unwrap().parse().unwrap() };
        let ranges: Vec<&str> = again.filter_map(|one| one.range.as_deref()).collect();
        assert!(
            ranges.iter().any(|range| range.starts_with(&first)),
            "{ranges:?}"
        );
        assert!(
            ranges.iter().all(|range| from(range) >= begun),
            "{ranges:?}"
        );
    }
}

#[test]
fn a_connection_that_is_cut_is_taken_up_again_within_a_run() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    for byte in [0, 1, 999, 1000, 4500, 8000] {
        world.hub.fault(SHARD, FaultKind::CutAt(byte), 1);
    }
    let folder = world.pull("org/name").unwrap();
    assert_sound(&world);
    Checkpoint::open(&folder).unwrap();
}

#[test]
fn wrong_bytes_are_not_kept() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    world.hub.fault(SHARD, FaultKind::FlipAt(4321), 1);
    let error = world.pull("org/name").unwrap_err();
    assert!(
        matches!(&error, HubError::WrongHash { file, .. } if file.starts_with(SHARD)),
        "{error}"
    );
    assert_sound(&world);
    assert!(
        !world
            .blobs("org/name")
            .keys()
            .any(|name| name.ends_with(".incomplete"))
    );
    world.pull("org/name").unwrap();
    assert_sound(&world);
}

#[test]
fn a_damaged_beginning_is_found_out() {
    let mut world = World::new();
    world.attempts = 1;
    world.hub.add_model("org/name", files()).unwrap();
    world.hub.fault(SHARD, FaultKind::CutAt(5500), 1);
    world.pull("org/name").unwrap_err();
    let blobs = world.repo("org/name").join("blobs");
    let begun = world
        .blobs("org/name")
        .into_keys()
        .find(|name| name.ends_with(".incomplete"))
        .unwrap();
    let path = blobs.join(begun);
    let mut bytes = fs_err::read(&path).unwrap();
    bytes[17] ^= 1;
    fs_err::write(&path, bytes).unwrap();
    let error = world.pull("org/name").unwrap_err();
    assert!(matches!(error, HubError::WrongHash { .. }), "{error}");
    world.pull("org/name").unwrap();
    assert_sound(&world);
}

#[test]
fn who_asks_too_often_waits_as_long_as_the_hub_says() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    world.hub.fault(
        "/api/models/org/name/tree",
        FaultKind::Status(429, Some(1)),
        1,
    );
    let start = Instant::now();
    world.pull("org/name").unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));

    world
        .hub
        .fault("/api/models", FaultKind::Status(429, Some(4000)), 1);
    let error = world.pull("org/name").unwrap_err();
    insta::assert_snapshot!(shown(&world, &error), @r"
    the Hub asks to wait 4000 seconds before the next request to HUB/api/models/org/name/revision/main
    run the same command again later; a token raises the rate limit
    ");
}

#[test]
fn passing_errors_of_the_server_pass_and_lasting_ones_are_named() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    world.hub.fault("/cdn/", FaultKind::Status(503, None), 2);
    world.hub.fault("/api/", FaultKind::Status(500, None), 2);
    world.pull("org/name").unwrap();
    world.hub.fault("/api/", FaultKind::Status(500, None), 3);
    let error = world.pull("org/name").unwrap_err();
    insta::assert_snapshot!(shown(&world, &error), @r"
    HUB/api/models/org/name/revision/main: the Hub returned 500: a fault that was asked for
    run the same command again to resume
    use `HF_ENDPOINT` to set another hub and `HTTPS_PROXY` to set a proxy
    ");
}

#[test]
fn a_server_without_ranges_is_no_reason_for_wrong_bytes() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    world.hub.fault("/cdn/", FaultKind::NoRanges, 100);
    let error = world.pull("org/name").unwrap_err();
    assert!(
        error.to_string().contains("received the whole file"),
        "{error}"
    );
    assert_sound(&world);
}

#[test]
fn a_hub_that_is_gone_leaves_what_has_come() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let client = world.client();
    let listing = client.look(&"org/name".parse().unwrap()).unwrap();
    client
        .pull_companions(std::slice::from_ref(&listing), &weightsmith_hub::Silent)
        .unwrap();
    world.hub.stop();
    let error = client
        .pull(&[listing], &weightsmith_hub::Silent)
        .unwrap_err();
    assert!(matches!(error, HubError::NoConnection { .. }), "{error}");
    assert_sound(&world);
}
