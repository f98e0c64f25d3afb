//! Downloads into the shared cache.

use weightsmith_hub::testing::Access;
use weightsmith_hub::{HubError, ModelName, Silent};
use weightsmith_tensors::{Checkpoint, TensorSource as _};

use crate::world::{World, files, names, shown};

#[test]
fn a_model_lands_in_the_layout_of_the_shared_cache() {
    let world = World::new();
    let commit = world.hub.add_model("org/name", files()).unwrap();
    let folder = world.pull("org/name").unwrap();

    let repo = world.repo("org/name");
    assert_eq!(folder, repo.join("snapshots").join(&commit));
    assert_eq!(
        fs_err::read_to_string(repo.join("refs/main")).unwrap(),
        commit
    );
    assert_eq!(
        names(&folder),
        [
            "README.md",
            "config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json",
        ]
    );
    for (path, content) in files() {
        if let Ok(bytes) = fs_err::read(folder.join(path)) {
            assert_eq!(bytes, content.bytes().unwrap(), "{path}");
        }
    }
    // `config.json` and `tokenizer.json` have the same bytes, so they are one blob
    assert_eq!(world.blobs("org/name").len(), 5);
    assert!(
        world
            .blobs("org/name")
            .keys()
            .all(|name| name.len() == 40 || name.len() == 64)
    );
    #[cfg(unix)]
    {
        let link = fs_err::read_link(folder.join("config.json")).unwrap();
        assert!(link.starts_with("../../blobs"), "{}", link.display());
    }
    let checkpoint = Checkpoint::open(&folder).unwrap();
    assert_eq!(checkpoint.tensors().len(), 2);
}

#[test]
fn what_is_there_does_not_come_again() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    world.pull("org/name").unwrap();
    world.hub.take_seen();
    world.pull("org/name").unwrap();
    let seen = world.hub.take_seen();
    assert!(
        seen.iter()
            .all(|one| one.method == "HEAD" || one.path.starts_with("/api/")),
        "{seen:?}"
    );
}

#[test]
fn large_files_come_in_ranges_from_where_the_hub_redirects_to_and_the_token_stays_at_home() {
    let mut world = World::new();
    world.token = Some("secret");
    world.hub.add_model("org/name", files()).unwrap();
    world.pull("org/name").unwrap();
    let seen = world.hub.take_seen();
    let stored: Vec<_> = seen
        .iter()
        .filter(|one| one.path.starts_with("/cdn/"))
        .collect();
    // 8,000 and 2,000 bytes with their headers in pieces of 1,000
    assert_eq!(stored.len(), 9 + 3);
    assert!(
        stored
            .iter()
            .all(|one| one.range.is_some() && !one.with_token)
    );
    let asked = seen.iter().filter(|one| !one.path.starts_with("/cdn/"));
    assert!(asked.clone().count() > 5 && asked.into_iter().all(|one| one.with_token));
}

#[test]
fn a_tree_of_several_pages_is_read_to_its_end() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    world.hub.set_page(3);
    let folder = world.pull("org/name").unwrap();
    assert_eq!(names(&folder).len(), 6);
}

#[test]
fn a_revision_is_a_branch_a_pull_request_or_a_commit() {
    let world = World::new();
    let first = world.hub.add_model("org/name", files()).unwrap();
    let change = world
        .hub
        .add_commit("org/name", "refs/pr/1", files())
        .unwrap();
    let folder = world.pull("org/name@refs/pr/1").unwrap();
    assert!(folder.ends_with(&change));
    let known = fs_err::read_to_string(world.repo("org/name").join("refs/refs/pr/1")).unwrap();
    assert_eq!(known, change);
    let folder = world.pull(&format!("org/name@{first}")).unwrap();
    assert!(folder.ends_with(&first));
    assert!(!world.repo("org/name").join("refs").join(first).exists());
}

#[test]
fn refusals_say_what_to_do() {
    let mut world = World::new();
    world.hub.add_model("org/gated", files()).unwrap();
    world
        .hub
        .set_access("org/gated", Access::Gated(vec!["accepted".into()]));
    world.hub.add_model("org/private", files()).unwrap();
    world.hub.set_access("org/private", Access::Private);
    let mut errors = Vec::new();
    for name in ["org/gated", "org/private", "org/nothing"] {
        errors.push(shown(&world, &world.pull(name).unwrap_err()));
    }
    world.token = Some("secret");
    for name in ["org/gated", "org/nothing", "org/private@v9"] {
        errors.push(shown(&world, &world.pull(name).unwrap_err()));
    }
    world.token = Some("revoked");
    errors.push(shown(&world, &world.pull("org/gated").unwrap_err()));
    insta::assert_snapshot!(errors.join("\n\n"), @r"
    `org/gated` is gated, and there is no token
    open HUB/org/gated, log in and accept the license
    set `HF_TOKEN` to a token from https://huggingface.co/settings/tokens, or run `hf auth login`

    there is no model `org/private` at HUB, or it is private
    check the spelling and case
    if it is private: set `HF_TOKEN` to a token from https://huggingface.co/settings/tokens, or run `hf auth login`

    there is no model `org/nothing` at HUB, or it is private
    check the spelling and case
    if it is private: set `HF_TOKEN` to a token from https://huggingface.co/settings/tokens, or run `hf auth login`

    `org/gated` is gated, and this account has no access to it yet
    open HUB/org/gated with the token's account and accept the license
    a fine-grained token also needs read access to gated repositories

    there is no model `org/nothing` at HUB, or it is private
    check the spelling and case, and that the token's account has access

    `org/private` has no revision `v9`
    a revision is a branch, a tag, a commit or `refs/pr/N`

    the Hub at HUB does not accept the token
    it may have been revoked: set `HF_TOKEN` to a valid one, or run `hf auth login` again
    ");
    assert!(world.blobs("org/gated").is_empty());
    world.hub.add_token("accepted", "you");
    world.token = Some("accepted");
    assert!(world.pull("org/gated").is_ok());
}

#[test]
fn all_models_are_looked_at_before_the_first_byte() {
    let world = World::new();
    world.hub.add_model("org/good", files()).unwrap();
    let hub = world.client();
    let names = ["org/good", "org/missing"].map(|name| name.parse::<ModelName>().unwrap());
    let looked: Result<Vec<_>, _> = names.iter().map(|name| hub.look(name)).collect();
    assert!(matches!(looked, Err(HubError::NoModel { .. })));
    assert!(!world.cache().exists());
}

#[test]
fn a_model_without_safetensors_says_what_it_has_instead() {
    let world = World::new();
    let others = files()
        .into_iter()
        .filter(|(path, _)| !path.contains("safetensors"));
    world.hub.add_model("org/name", others.collect()).unwrap();
    let error = world.pull("org/name").unwrap_err();
    insta::assert_snapshot!(shown(&world, &error), @r"
    `org/name` has no safetensors weights; found `pytorch_model.bin`
    only safetensors weights are read; convert them first
    ");
}

#[test]
fn offline_nothing_is_asked() {
    let mut world = World::new();
    world.offline = true;
    world.hub.add_model("org/name", files()).unwrap();
    let error = world.pull("org/name").unwrap_err();
    insta::assert_snapshot!(shown(&world, &error), @r"
    `org/name` is not on this machine, and `HF_HUB_OFFLINE` is set
    unset `HF_HUB_OFFLINE` to download it
    ");
    assert_eq!(world.hub.take_seen(), []);
}

#[test]
fn two_pulls_at_once_do_not_disturb_each_other() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| world.pull("org/name")))
            .collect();
        for pull in pulls {
            pull.join().unwrap().unwrap();
        }
    });
    let seen = world.hub.take_seen();
    let stored = seen
        .iter()
        .filter(|one| one.path.starts_with("/cdn/"))
        .count();
    assert_eq!(stored, 9 + 3, "who waited found the files there");
}

#[test]
fn small_files_alone_make_a_folder_that_no_one_takes_for_a_model() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let hub = world.client();
    let listing = hub.look(&"org/name".parse().unwrap()).unwrap();
    let folder = hub.pull_companions(&[listing], &Silent).unwrap().remove(0);
    assert!(folder.join("config.json").is_file());
    assert!(Checkpoint::open(&folder).is_err());
}

#[test]
fn files_come_by_their_names_when_they_are_asked_for() {
    let world = World::new();
    world.hub.add_model("org/name", files()).unwrap();
    let hub = world.client();
    let listing = hub.look(&"org/name".parse().unwrap()).unwrap();
    let names = ["modeling_custom.py", "missing.svg"].map(str::to_owned);
    hub.pull_named(&listing, &names, &Silent).unwrap();
    let folder = hub.pull(&[listing], &Silent).unwrap().remove(0);
    let code = fs_err::read_to_string(folder.join("modeling_custom.py")).unwrap();
    assert_eq!(code, "import os");
    assert!(!folder.join("missing.svg").exists());
}
