//! Models that are read where they are.

use weightsmith_stores::{Address, StoreError, Stored};
use weightsmith_tensors::testing::{TestTensor, write_checkpoint};
use weightsmith_tensors::{Checkpoint, DType, TensorSource as _};

use crate::world::{CLAIM, World, address};

/// Puts a model of two tensors into the store; gives its copy on the disk.
fn model(world: &World) -> Checkpoint {
    let folder = world.folder.path().join("local");
    let numbers = (0..3000_u16).map(f32::from).collect();
    let tensors: [TestTensor<'_>; 2] = [
        ("a.weight", DType::F32, &[3000], numbers),
        ("b.weight", DType::BF16, &[2, 2], vec![1.0, 2.0, 3.0, 4.0]),
    ];
    write_checkpoint(&folder, &tensors).unwrap();
    for entry in fs_err::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        world.put(&format!("models/out/{name}"), &fs_err::read(&path).unwrap());
    }
    world.put("models/out/config.json", b"{}");
    world.put("models/out/picture.png", b"not needed");
    world.put("models/out/chat_templates/tools.jinja", b"tools");
    world.put("models/out/runs/log.json", b"not needed");
    Checkpoint::open(&folder).unwrap()
}

fn open(world: &World) -> Result<Stored, StoreError> {
    let stores = world.stores();
    stores.open(&stores.look(&address())?)
}

#[test]
fn a_model_in_a_store_has_the_tensors_of_the_one_on_the_disk() {
    let world = World::new();
    let local = model(&world);
    let stored = open(&world).unwrap();
    assert_eq!(stored.checkpoint.tensors(), local.tensors());
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for (tensor, entry) in local.tensors().iter().enumerate() {
        let all = 0..entry.info.elements();
        assert_eq!(
            stored.checkpoint.read(tensor, all.clone(), &mut a).unwrap(),
            local.read(tensor, all, &mut b).unwrap()
        );
    }
    let mut names: Vec<String> = fs_err::read_dir(&stored.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["chat_templates", "config.json"],
        "what a merge needs, but no weights"
    );
}

#[test]
fn another_version_has_another_folder() {
    let world = World::new();
    model(&world);
    let first = open(&world).unwrap();
    assert_eq!(open(&world).unwrap().version, first.version);
    world.put("models/out/config.json", b"[]");
    let second = open(&world).unwrap();
    assert_ne!(second.version, first.version);
    assert_eq!(
        fs_err::read(first.folder.join("config.json")).unwrap(),
        b"{}"
    );
    assert_eq!(
        fs_err::read(second.folder.join("config.json")).unwrap(),
        b"[]"
    );
}

#[test]
fn weights_that_change_while_they_are_read_are_an_error() {
    let world = World::new();
    model(&world);
    let stored = open(&world).unwrap();
    let weights = world.get("models/out/model.safetensors").unwrap();
    world.put("models/out/model.safetensors", &weights);
    let error = stored
        .checkpoint
        .read(0, 0..4, &mut Vec::new())
        .unwrap_err();
    assert!(
        error.to_string().contains("changed while it was in use"),
        "{error}"
    );
}

#[test]
fn what_is_no_model_is_refused_with_the_reason() {
    let world = World::new();
    assert!(matches!(open(&world), Err(StoreError::Nothing { .. })));
    world.put("models/out/config.json", b"{}");
    world.put("models/out/pytorch_model.bin", b"pickle");
    let error = open(&world).unwrap_err();
    assert!(
        matches!(&error, StoreError::NoWeights { found, .. } if found == &["pytorch_model.bin"])
    );
    model(&world);
    world.put(&format!("models/out/{CLAIM}"), b"{}");
    assert!(matches!(open(&world), Err(StoreError::Uploading { .. })));
}

#[test]
fn a_prefix_is_a_folder_not_a_beginning() {
    let world = World::new();
    model(&world);
    let stores = world.stores();
    let nothing: Address = "s3://bucket/models/ou".parse().unwrap();
    assert!(matches!(
        stores.look(&nothing),
        Err(StoreError::Nothing { .. })
    ));
}
