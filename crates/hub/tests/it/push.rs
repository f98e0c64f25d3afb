//! Uploads.

use weightsmith_hub::testing::{Access, FaultKind};
use weightsmith_hub::{Content, HubError, ModelName, Publication, PushOptions, Pushed, Silent};

use crate::world::{World, shown, weights};

fn publications() -> Vec<Publication> {
    let files = [
        ("README.md", b"# Merged\n".to_vec()),
        ("config.json", b"{}".to_vec()),
        ("empty.txt", Vec::new()),
        ("model-00001-of-00002.safetensors", weights("a", 3000, 0)),
        ("model-00002-of-00002.safetensors", weights("b", 1000, 9)),
    ];
    files
        .into_iter()
        .map(|(path, bytes)| Publication {
            path: path.to_owned(),
            size: bytes.len() as u64,
            content: Content::Bytes(bytes),
        })
        .collect()
}

fn options() -> PushOptions {
    PushOptions {
        private: false,
        pull_request: false,
        message: "Add the merge".to_owned(),
    }
}

fn world() -> World {
    World {
        token: Some("secret"),
        ..World::new()
    }
}

fn push(world: &World, name: &str, options: &PushOptions) -> Result<Pushed, HubError> {
    let name: ModelName = name.parse()?;
    world
        .client()
        .push(&name, &publications(), options, &Silent)
}

/// The hub has what was published, byte for byte.
fn assert_there(world: &World, name: &str, revision: &str) {
    let files = world.hub.files(name, revision).unwrap();
    for file in publications() {
        let Content::Bytes(expected) = file.content else {
            panic!("bytes");
        };
        assert_eq!(
            files[&file.path].content.bytes().unwrap(),
            expected,
            "{}",
            file.path
        );
        assert_eq!(
            files[&file.path].lfs.is_some(),
            file.path.ends_with("safetensors")
        );
    }
}

#[test]
fn a_model_goes_up_and_a_second_time_nothing_does() {
    let world = world();
    let pushed = push(&world, "me/merged", &options()).unwrap();
    assert_there(&world, "me/merged", "main");
    assert_eq!(pushed.page, format!("{}/me/merged", world.hub.url()));
    assert_eq!(
        (pushed.unchanged, pushed.commits, pushed.pull_request),
        (0, 1, None)
    );
    let (summary, access) = world.hub.summary("me/merged", "main").unwrap();
    assert_eq!(
        (summary.as_str(), access),
        ("Add the merge", Access::Public)
    );
    world.hub.take_seen();
    let again = push(&world, "me/merged", &options()).unwrap();
    assert_eq!((again.unchanged, again.commit), (5, None));
    let seen = world.hub.take_seen();
    assert!(
        seen.iter()
            .all(|one| !one.path.contains("/commit/") && one.method != "PUT"),
        "{seen:?}"
    );
}

#[test]
fn a_repository_is_private_when_it_is_asked_for() {
    let world = world();
    let private = PushOptions {
        private: true,
        ..options()
    };
    push(&world, "me/merged", &private).unwrap();
    let (_, access) = world.hub.summary("me/merged", "main").unwrap();
    assert_eq!(access, Access::Private);
    assert_eq!(world.client().account().unwrap(), "me");
}

#[test]
fn a_pull_request_leaves_main_as_it_is() {
    let world = world();
    let commit = world
        .hub
        .add_model("me/merged", crate::world::files())
        .unwrap();
    let request = PushOptions {
        pull_request: true,
        ..options()
    };
    let pushed = push(&world, "me/merged", &request).unwrap();
    assert_eq!(
        pushed.pull_request,
        Some(format!("{}/me/merged/discussions/1", world.hub.url()))
    );
    assert_there(&world, "me/merged", "refs/pr/1");
    let main = world.hub.files("me/merged", &commit).unwrap();
    assert_eq!(main["README.md"].content.bytes().unwrap(), b"# A model\n");
}

#[test]
fn large_files_go_up_in_parts_where_the_hub_wants_it() {
    let world = world();
    world.hub.set_part_size(5000);
    push(&world, "me/merged", &options()).unwrap();
    assert_there(&world, "me/merged", "main");
    let seen = world.hub.take_seen();
    let parts = seen
        .iter()
        .filter(|one| one.path.starts_with("/lfs/part/"))
        .count();
    assert_eq!(parts, 3 + 1);
}

#[test]
fn many_files_are_several_commits() {
    let world = world();
    let files: Vec<Publication> = (0..230)
        .map(|number| Publication {
            path: format!("notes/{number:03}.txt"),
            size: 3,
            content: Content::Bytes(format!("{number:03}").into_bytes()),
        })
        .collect();
    let name: ModelName = "me/many".parse().unwrap();
    let pushed = world
        .client()
        .push(&name, &files, &options(), &Silent)
        .unwrap();
    assert_eq!(pushed.commits, 3);
    // and `.gitattributes`, which the hub makes
    assert_eq!(world.hub.files("me/many", "main").unwrap().len(), 231);
    let (summary, _) = world.hub.summary("me/many", "main").unwrap();
    assert_eq!(summary, "Add the merge (part 3 of 3)");
}

#[test]
fn an_upload_that_broke_off_is_continued() {
    let mut world = world();
    world.attempts = 1;
    world.hub.fault("/commit/", FaultKind::Status(500, None), 1);
    let error = push(&world, "me/merged", &options()).unwrap_err();
    assert!(
        matches!(error, HubError::Status { status: 500, .. }),
        "{error}"
    );
    world.hub.take_seen();
    push(&world, "me/merged", &options()).unwrap();
    assert_there(&world, "me/merged", "main");
    let seen = world.hub.take_seen();
    assert!(
        seen.iter().all(|one| one.method != "PUT"),
        "what was uploaded is not uploaded again"
    );
}

#[test]
fn passing_errors_pass() {
    let world = world();
    for path in [
        "/api/repos/create",
        "/preupload/",
        "/objects/batch",
        "/lfs/whole/",
        "/lfs/verify/",
        "/commit/",
    ] {
        world.hub.fault(path, FaultKind::Status(503, None), 1);
    }
    push(&world, "me/merged", &options()).unwrap();
    assert_there(&world, "me/merged", "main");
}

#[test]
fn refusals_say_what_is_missing() {
    let mut world = world();
    let mut errors = vec![shown(
        &world,
        &push(&world, "other/merged", &options()).unwrap_err(),
    )];
    world.token = None;
    errors.push(shown(
        &world,
        &push(&world, "me/merged", &options()).unwrap_err(),
    ));
    errors.push(shown(&world, &world.client().account().unwrap_err()));
    insta::assert_snapshot!(errors.join("\n\n"), @r#"
    create `other/merged`: denied by the Hub: You don't have the rights to write under the namespace "other", me
    the token needs write access to that account or organization

    create `me/merged`: denied by the Hub: Invalid username or password.
    set `HF_TOKEN` to a token from https://huggingface.co/settings/tokens, or run `hf auth login`

    look up the token's account: denied by the Hub: Invalid username or password.
    set `HF_TOKEN` to a token from https://huggingface.co/settings/tokens, or run `hf auth login`
    "#);
}
