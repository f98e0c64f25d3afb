//! Models that are read where they are.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use weightsmith_hub::testing::{Content, FaultKind};
use weightsmith_hub::{Hub, Silent};
use weightsmith_tensors::{Checkpoint, TensorSource as _};

use crate::world::{World, files, weights};

fn open(hub: &Hub, name: &str) -> Checkpoint {
    let listing = hub.look(&name.parse().unwrap()).unwrap();
    let folder = hub
        .pull_companions(std::slice::from_ref(&listing), &Silent)
        .unwrap()
        .remove(0);
    hub.open(&listing, &folder).unwrap()
}

#[test]
fn a_remote_model_has_the_tensors_of_the_downloaded_one() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let hub = world.client();
    let remote = open(&hub, "org/name");
    assert_eq!(hub.streamed_bytes(), 0, "headers are no tensors");
    let local = Checkpoint::open(&world.pull("org/name").unwrap()).unwrap();
    assert_eq!(remote.tensors(), local.tensors());
    assert_eq!(remote.files()[0].header_hash, local.files()[0].header_hash);
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (tensor, entry) in local.tensors().iter().enumerate() {
        let all = 0..entry.info.elements();
        for range in [all.clone(), 3..17, 5..5, all.end - 1..all.end] {
            let remote = remote.read(tensor, range.clone(), &mut a).unwrap();
            assert_eq!(remote, local.read(tensor, range, &mut b).unwrap());
        }
    }
    assert!(remote.ensure_unchanged().is_ok());
}

#[test]
fn tensors_larger_than_a_block_are_read_across_blocks_by_several_threads() {
    let world = World::new();
    let numbers = 6_000_000;
    world
        .hub
        .add_model(
            "org/big",
            vec![("model.safetensors", Content::from(weights("w", numbers, 0)))],
        )
        .unwrap();
    let hub = world.client();
    let remote = open(&hub, "org/big");
    world.hub.fault("/cdn/", FaultKind::CutAt(9_000_000), 1);
    std::thread::scope(|scope| {
        for thread in 0..3_u64 {
            let remote = &remote;
            scope.spawn(move || {
                let mut scratch = Vec::new();
                let part = u64::from(numbers) / 3;
                for start in (thread * part..(thread + 1) * part).step_by(2048) {
                    let end = (start + 2048).min((thread + 1) * part);
                    let bytes = remote.read(0, start..end, &mut scratch).unwrap();
                    assert_eq!(bytes[..4], (start as f32).to_le_bytes());
                    assert_eq!(bytes.len() as u64, (end - start) * 4);
                }
            });
        }
    });
    let size = u64::from(numbers) * 4;
    let fetched = hub.streamed_bytes();
    assert!(
        fetched >= size && fetched < size + (2 << 20),
        "{fetched}: every block came once"
    );
}

#[test]
fn an_address_that_has_expired_is_asked_for_again() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let hub = world.client();
    let remote = open(&hub, "org/name");
    world.hub.expire_addresses();
    let mut scratch = Vec::new();
    assert_eq!(
        remote.read(0, 5..6, &mut scratch).unwrap(),
        5_f32.to_le_bytes()
    );
}

#[test]
fn a_tensor_that_cannot_be_had_is_an_error_with_its_reason() {
    let mut world = World::new();
    world.attempts = 1;
    world.hub.add_model("org/name", files()).unwrap();
    let hub = world.client();
    let remote = open(&hub, "org/name");
    world
        .hub
        .fault("model-00001", FaultKind::Status(500, None), 100);
    let mut scratch = Vec::new();
    let error = remote.read(0, 0..10, &mut scratch).unwrap_err();
    assert!(
        error.to_string().contains("the Hub returned 500"),
        "{error}"
    );
    world.hub.clear_faults();
    assert!(
        remote.read(0, 0..10, &mut scratch).is_ok(),
        "the next try is a new one"
    );
}

#[test]
fn two_hundred_shards_are_checked_from_their_headers() {
    let world = World::new();
    let mut index = String::from(r#"{"weight_map":{"#);
    let mut model = Vec::new();
    let names: Vec<String> = (1..=200)
        .map(|n| format!("model-{n:05}-of-00200.safetensors"))
        .collect();
    for (number, name) in names.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        write!(index, r#"{comma}"t{number}":"{name}""#).unwrap();
        let file = weights(&format!("t{number}"), 100_000, 0);
        model.push((name.as_str(), Content::from(file)));
    }
    index.push_str("}}");
    model.push((
        "model.safetensors.index.json",
        Content::from(index.as_str()),
    ));
    world.hub.add_model("org/many", model).unwrap();
    world.hub.take_seen();
    let hub = world.client();
    let start = Instant::now();
    let remote = open(&hub, "org/many");
    let took = start.elapsed();
    assert_eq!(remote.tensors().len(), 200);
    assert!(took < Duration::from_mins(1), "{took:?}");
    println!("200 headers in {took:?}");
    let asked: u64 = world
        .hub
        .take_seen()
        .iter()
        .filter_map(|one| {
            let (start, end) =
                one.range.as_deref().filter(|_| one.status == 206)?[6..].split_once('-')?;
            Some(end.parse::<u64>().ok()? - start.parse::<u64>().ok()? + 1)
        })
        .sum();
    assert!(asked > 0 && asked <= 201 * 16_384, "{asked} bytes of 80 MB");
}
