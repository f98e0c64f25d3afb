//! A cache that others can write to, and caches without links.

use weightsmith_hub::Silent;
use weightsmith_tensors::Checkpoint;

use crate::world::{World, files};

/// The name of a shard's blob.
fn blob() -> String {
    let mut files = files().into_iter();
    let shard = files.find(|(path, _)| path.starts_with("model-00001"));
    let (_, content) = shard.unwrap();
    content.sha256().unwrap()
}

#[cfg(unix)]
#[test]
fn planted_links_lead_nowhere() {
    use fs_err::os::unix::fs::symlink;

    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let victim = world.folder.path().join("victim");
    fs_err::write(&victim, "precious").unwrap();
    let repo = world.repo("org/name");
    let blobs = repo.join("blobs");
    fs_err::create_dir_all(&blobs).unwrap();
    fs_err::create_dir_all(repo.join("refs")).unwrap();
    symlink(&victim, blobs.join(format!("{}.incomplete", blob()))).unwrap();
    symlink(&victim, repo.join("refs/main")).unwrap();
    let folder = world.pull("org/name").unwrap();
    Checkpoint::open(&folder).unwrap();
    assert_eq!(fs_err::read_to_string(&victim).unwrap(), "precious");
    assert!(!blobs.join(blob()).is_symlink());
    assert!(!repo.join("refs/main").is_symlink());
}

#[cfg(unix)]
#[test]
fn a_beginning_that_has_a_second_name_is_not_written_to() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let victim = world.folder.path().join("victim");
    fs_err::write(&victim, "precious").unwrap();
    let blobs = world.repo("org/name").join("blobs");
    fs_err::create_dir_all(&blobs).unwrap();
    let begun = blobs.join(format!("{}.incomplete", blob()));
    fs_err::hard_link(&victim, begun).unwrap();
    world.pull("org/name").unwrap();
    assert_eq!(fs_err::read_to_string(&victim).unwrap(), "precious");
}

#[cfg(unix)]
#[test]
fn a_planted_lock_is_an_error_in_words() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let victim = world.folder.path().join("victim");
    let locks = world.cache().join(".locks/models--org--name");
    fs_err::create_dir_all(&locks).unwrap();
    let lock = locks.join(format!("{}.lock", blob()));
    fs_err::os::unix::fs::symlink(&victim, lock).unwrap();
    let error = world.pull("org/name").unwrap_err().to_string();
    assert!(error.contains(".lock"), "{error}");
    assert!(!victim.exists());
}

#[cfg(unix)]
#[test]
fn a_cache_that_is_a_link_and_models_that_are_links_are_the_users() {
    use fs_err::os::unix::fs::symlink;

    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let (disk, model) = (
        world.folder.path().join("disk"),
        world.folder.path().join("model"),
    );
    fs_err::create_dir_all(&disk).unwrap();
    fs_err::create_dir_all(&model).unwrap();
    symlink(&disk, world.cache()).unwrap();
    symlink(&model, disk.join("models--org--name")).unwrap();
    let folder = world.pull("org/name").unwrap();
    Checkpoint::open(&folder).unwrap();
    assert!(model.join("blobs").is_dir());
}

#[cfg(unix)]
#[test]
fn a_blob_in_the_store_that_all_models_share_is_there() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    world.pull("org/name").unwrap();
    let shared = world.cache().join("blobs/ab");
    fs_err::create_dir_all(&shared).unwrap();
    let path = world.repo("org/name").join("blobs").join(blob());
    fs_err::rename(&path, shared.join("abcd")).unwrap();
    fs_err::os::unix::fs::symlink("../../blobs/ab/abcd", &path).unwrap();
    world.hub.take_seen();
    Checkpoint::open(&world.pull("org/name").unwrap()).unwrap();
    assert!(path.is_symlink());
    let seen = world.hub.take_seen();
    assert!(
        seen.iter().all(|one| !one.path.starts_with("/cdn/")),
        "{seen:?}"
    );
}

#[test]
fn a_cache_without_links_has_copies_and_nothing_comes_twice() {
    let mut world = World::new();
    world.change = |settings| settings.links = false;
    world.hub.add_model("org/name", files()).unwrap();
    let folder = world.pull("org/name").unwrap();
    Checkpoint::open(&folder).unwrap();
    assert!(!folder.join("model-00001-of-00002.safetensors").is_symlink());
    world.hub.take_seen();
    world.pull("org/name").unwrap();
    let seen = world.hub.take_seen();
    let is_question = |path: &str| path.starts_with("/api/");
    assert!(
        seen.iter()
            .all(|one| one.method == "HEAD" || is_question(&one.path)),
        "{seen:?}"
    );
    let hub = world.client();
    let listing = hub.look(&"org/name".parse().unwrap()).unwrap();
    assert_eq!(hub.pull(&[listing], &Silent).unwrap(), [folder]);
}
