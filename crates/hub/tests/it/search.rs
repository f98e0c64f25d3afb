//! Models by parts of their names.

use weightsmith_hub::testing::Access;
use weightsmith_hub::{HubError, Progress};

use crate::world::World;

#[test]
fn models_are_found_with_what_the_hub_tells_of_them() {
    let world = World::new();
    for name in ["a/tiny-qwen", "b/tiny-qwen", "c/other"] {
        world.hub.add_model(name, Vec::new()).unwrap();
    }
    world
        .hub
        .set_access("b/tiny-qwen", Access::Gated(Vec::new()));
    let found = world.client().search("Tiny", 10).unwrap();
    let names: Vec<(&str, bool)> = found
        .iter()
        .map(|model| (model.name.as_str(), model.gated))
        .collect();
    assert_eq!(names, [("a/tiny-qwen", false), ("b/tiny-qwen", true)]);
    assert_eq!(found[0].license.as_deref(), Some("apache-2.0"));
    assert_eq!(found[0].task.as_deref(), Some("text-generation"));
    assert_eq!(found[0].updated, Some(1_727_267_577));
    assert_eq!((found[0].downloads, found[0].likes), (11_000, 11));
    assert_eq!(world.client().search("tiny", 1).unwrap().len(), 1);
    // what is searched is never a part of the address
    assert!(
        world
            .client()
            .search("tiny&limit=0#", 10)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn offline_nobody_is_asked() {
    let mut world = World::new();
    world.offline = true;
    let refused = world.client().search("x", 10);
    assert!(matches!(refused, Err(HubError::Offline { .. })));
    assert!(world.hub.take_seen().is_empty());
}

/// Wants to stop from the start.
struct Stopped;

impl Progress for Stopped {
    fn is_stopped(&self) -> bool {
        true
    }
}

#[test]
fn a_download_that_is_stopped_goes_on_later() {
    let world = World::new();
    let weights = vec![7; 5000];
    world
        .hub
        .add_model(
            "a/b",
            vec![
                ("config.json", "{}".into()),
                ("model.safetensors", weights.into()),
            ],
        )
        .unwrap();
    let hub = world.client();
    let listing = hub.look(&"a/b".parse().unwrap()).unwrap();
    let stopped = hub.pull(std::slice::from_ref(&listing), &Stopped);
    assert!(matches!(stopped, Err(HubError::Stopped)), "{stopped:?}");
    let folder = world.pull("a/b").unwrap();
    assert_eq!(
        fs_err::read(folder.join("model.safetensors"))
            .unwrap()
            .len(),
        5000
    );
}
