//! Models in folders laid out like a user's disk and the Hugging Face cache.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

const COMMIT: &str = "060db6499f32faf8b98477b0a26969ef7d8b9987";
const OTHER_COMMIT: &str = "060dffff9f32faf8b98477b0a26969ef7d8b9987";

struct Disk {
    root: TempDir,
}

impl Disk {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        for folder in ["work", "recipes", "hub", "home"] {
            fs_err::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.path().join(relative)
    }

    fn file(&self, relative: &str, text: &str) -> PathBuf {
        let path = self.path(relative);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, text).unwrap();
        path
    }

    fn model(&self, folder: &str) -> PathBuf {
        self.file(&format!("{folder}/config.json"), "{}");
        self.file(&format!("{folder}/model.safetensors"), "");
        self.path(folder)
    }

    /// A file as the cache keeps it: a blob, and a link to it in the snapshot.
    fn cached(&self, repo: &str, commit: &str, name: &str, text: &str) {
        let folder = format!("hub/models--{}", repo.replace('/', "--"));
        let blob = self.file(
            &format!("{folder}/blobs/{}", blake3::hash(text.as_bytes())),
            text,
        );
        let link = self.path(&format!("{folder}/snapshots/{commit}/{name}"));
        fs_err::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(blob, link).unwrap();
    }

    fn reference(&self, repo: &str, name: &str, commit: &str) {
        let folder = format!("hub/models--{}", repo.replace('/', "--"));
        self.file(&format!("{folder}/refs/{name}"), commit);
    }

    fn options(&self) -> LocateOptions {
        LocateOptions {
            current_dir: self.path("work"),
            recipe_dir: Some(self.path("recipes")),
            hub_cache: self.path("hub"),
            home: Some(self.path("home")),
            offline: false,
            away: None,
            remote: None,
            named: std::collections::BTreeMap::new(),
            given: std::collections::BTreeMap::new(),
        }
    }

    fn locate(&self, path: &str) -> Result<Located, LocateError> {
        locate(path, None, &self.options())
    }

    /// An error's text without the temporary folder's name.
    fn shown(&self, error: &LocateError) -> String {
        let text = format!("{error}\n{}", error.hints().join("\n"));
        text.replace(self.root.path().to_str().unwrap(), "")
    }
}

#[test]
fn a_relative_path_is_looked_up_in_the_current_folder_then_beside_the_recipe() {
    let disk = Disk::new();
    let beside = disk.model("recipes/tiny");
    let located = disk.locate("tiny").unwrap();
    assert_eq!(located.folder, beside);
    assert_eq!(located.label, "tiny");
    assert_eq!(located.kind, LocatedKind::Local);

    let current = disk.model("work/tiny");
    assert_eq!(disk.locate("tiny").unwrap().folder, current);
    assert_eq!(
        disk.locate("./tiny/").unwrap().folder,
        disk.path("work/./tiny/")
    );
}

#[test]
fn an_existing_path_wins_over_the_hub_whatever_it_is_called() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "model.safetensors", "hub");
    disk.reference("org/name", "main", COMMIT);
    for name in ["org/name", "a@b", "a+b", "with space"] {
        let folder = disk.model(&format!("work/{name}"));
        assert_eq!(disk.locate(name).unwrap().folder, folder, "{name}");
    }
}

#[test]
fn a_name_that_stands_for_a_folder_comes_before_all() {
    let disk = Disk::new();
    let folder = disk.model("a/deep");
    disk.model("work/name");
    let mut options = disk.options();
    assert!(!options.exists("the base"));
    for name in ["name", "org/name", "the base"] {
        options.named.insert(name.to_owned(), folder.clone());
        let found = locate(name, None, &options).unwrap();
        assert_eq!((found.label.as_str(), &found.folder), (name, &folder));
        assert!(options.exists(name), "{name}");
    }
}

#[test]
fn absolute_paths_and_the_home_folder_are_found() {
    let disk = Disk::new();
    let folder = disk.model("home/models/a");
    assert_eq!(disk.locate("~/models/a").unwrap().folder, folder);
    assert_eq!(
        disk.locate(folder.to_str().unwrap()).unwrap().folder,
        folder
    );
}

#[test]
fn the_folder_that_the_user_is_in_is_called_by_its_name() {
    let disk = Disk::new();
    disk.model("work");
    assert_eq!(disk.locate(".").unwrap().label, "work");
}

#[test]
fn a_single_weight_file_is_a_model() {
    let disk = Disk::new();
    let file = disk.file("work/a/some.safetensors", "");
    let located = disk.locate("a/some.safetensors").unwrap();
    assert_eq!(located.file, Some(file));
    assert_eq!(located.folder, disk.path("work/a"));
    assert_eq!(located.label, "some.safetensors");
}

#[test]
fn another_file_is_not_a_model() {
    let disk = Disk::new();
    disk.file("work/config.json", "{}");
    let error = disk.locate("config.json").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    `/work/config.json` is a file, expected a folder or a `.safetensors` file
    use the folder that contains `config.json` and the weights
    ");
}

#[test]
fn a_name_in_the_cache_is_found_by_branch_tag_pull_request_and_commit() {
    let disk = Disk::new();
    disk.cached("Org/Name", COMMIT, "config.json", "{}");
    disk.cached("Org/Name", COMMIT, "model.safetensors", "weights");
    for name in ["main", "v1.0", "refs/pr/1", "feature/x"] {
        disk.reference("Org/Name", name, COMMIT);
    }
    let folder = disk.path("hub/models--Org--Name/snapshots").join(COMMIT);
    for path in [
        "Org/Name",
        "Org/Name@main",
        "Org/Name@v1.0",
        "Org/Name@refs/pr/1",
        "Org/Name@feature/x",
        "Org/Name@060db6499f32faf8b98477b0a26969ef7d8b9987",
        "Org/Name@060db64",
        "Org/Name@060DB64",
    ] {
        let located = disk.locate(path).unwrap();
        assert_eq!(located.folder, folder, "{path}");
        assert_eq!(located.label, "Org/Name");
        let (_, revision) = path.split_once('@').unwrap_or((path, "main"));
        assert_eq!(
            located.kind,
            LocatedKind::HubCache {
                repo: "Org/Name".into(),
                revision: revision.into(),
                commit: COMMIT.into()
            }
        );
    }
    let by_argument = locate("Org/Name", Some("v1.0"), &disk.options()).unwrap();
    assert_eq!(by_argument.folder, folder);
}

#[test]
fn a_reference_may_end_in_a_line_break() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "model.safetensors", "weights");
    disk.reference("org/name", "main", &format!("{COMMIT}\n"));
    assert!(disk.locate("org/name").is_ok());
}

#[test]
fn a_short_hash_of_two_commits_is_an_error() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "model.safetensors", "a");
    disk.cached("org/name", OTHER_COMMIT, "model.safetensors", "b");
    assert!(disk.locate("org/name@060db").is_ok());
    let error = disk.locate("org/name@060d").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    `060d` matches 2 cached commits of `org/name`: 060db6499f32faf8b98477b0a26969ef7d8b9987, 060dffff9f32faf8b98477b0a26969ef7d8b9987
    use more digits of the commit hash
    ");
}

#[test]
fn a_name_that_is_nowhere_lists_every_place() {
    let disk = Disk::new();
    let error = disk.locate("org/name").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    `org/name` is not in the Hugging Face cache; looked for `/work/org/name`, `/recipes/org/name`, `/hub/models--org--name`
    download it first: `weightsmith pull org/name`
    if `org/name` is a folder, write its full path
    ");
}

#[test]
fn a_path_that_cannot_be_a_name_is_not_looked_up_in_the_cache() {
    let disk = Disk::new();
    let error = disk.locate("./models/a").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    no model at `./models/a`; looked for `/work/./models/a`, `/recipes/./models/a`
    relative paths start from the current folder, then from the recipe's folder
    ");
    assert!(matches!(disk.locate(""), Err(LocateError::Empty)));
}

#[test]
fn a_name_without_an_organisation_is_a_folder_or_cached() {
    let disk = Disk::new();
    let error = disk.locate("gpt2").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    no model at `gpt2`; looked for `/work/gpt2`, `/recipes/gpt2`, `/hub/models--gpt2`
    relative paths start from the current folder, then from the recipe's folder
    Hub models are written `organization/gpt2`
    ");
    disk.cached("gpt2", COMMIT, "model.safetensors", "weights");
    disk.reference("gpt2", "main", COMMIT);
    assert_eq!(disk.locate("gpt2").unwrap().label, "gpt2");
}

#[test]
fn another_revision_than_the_cached_ones_says_which_there_are() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "model.safetensors", "weights");
    disk.reference("org/name", "v1.0", COMMIT);
    let mut options = disk.options();
    options.offline = true;
    let error = locate("org/name", None, &options).unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    revision `main` of `org/name` is not in the Hugging Face cache; looked for `/work/org/name`, `/recipes/org/name`, `/hub/models--org--name/refs/main`, `/hub/models--org--name/snapshots/main`
    cached revisions of `org/name`: v1.0, 060db6499f32faf8b98477b0a26969ef7d8b9987; write `org/name@060db6499f32` to use one of them
    download it first: `weightsmith pull org/name`
    `HF_HUB_OFFLINE` is set: unset it for the download
    ");
}

#[test]
fn a_reference_to_a_snapshot_that_is_gone_is_not_cached() {
    let disk = Disk::new();
    disk.reference("org/name", "main", COMMIT);
    let error = disk.locate("org/name").unwrap_err();
    assert!(
        matches!(&error, LocateError::RevisionNotCached { looked, .. }
        if looked.last().unwrap().ends_with(Path::new("snapshots").join(COMMIT)))
    );
}

#[test]
fn a_revision_cannot_lead_out_of_the_cache() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "model.safetensors", "weights");
    let error = disk.locate("org/name@../../../work").unwrap_err();
    assert!(matches!(error, LocateError::InvalidRevision { .. }));
}

#[test]
fn a_snapshot_without_weights_says_how_to_get_them() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "config.json", "{}");
    disk.cached("org/name", COMMIT, "pytorch_model.bin", "pickle");
    disk.reference("org/name", "main", COMMIT);
    let error = disk.locate("org/name").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    `org/name` has no weights: no `.safetensors` file in /hub/models--org--name/snapshots/060db6499f32faf8b98477b0a26969ef7d8b9987
    found pytorch_model.bin: only safetensors weights are supported; convert them first
    download it first: `weightsmith pull org/name`
    ");
    let folder_alone = locate_folder("org/name", None, &disk.options());
    assert!(folder_alone.is_ok(), "a tokenizer needs no weights");
}

#[test]
fn the_commit_that_has_the_weights_is_named() {
    let disk = Disk::new();
    let (other, half) = ("89ab".repeat(10), "abcd".repeat(10));
    disk.cached("org/name", COMMIT, "config.json", "{}");
    disk.cached("org/name", &other, "model.safetensors", "weights");
    let index = r#"{"weight_map": {"a": "model-1.safetensors"}}"#;
    disk.cached("org/name", &half, "model.safetensors.index.json", index);
    disk.reference("org/name", "main", COMMIT);
    let error = disk.locate("org/name").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    `org/name` has no weights: no `.safetensors` file in /hub/models--org--name/snapshots/060db6499f32faf8b98477b0a26969ef7d8b9987
    the cache has weights of another commit: `org/name@89ab89ab89ab`
    download it first: `weightsmith pull org/name`
    ");
    let error = disk.locate(&format!("org/name@{half}")).unwrap_err();
    assert!(
        matches!(error, LocateError::MissingShards { elsewhere, .. } if elsewhere.complete == [other])
    );
}

#[test]
fn a_weight_file_whose_blob_is_gone_counts_as_missing() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "model.safetensors", "weights");
    disk.reference("org/name", "main", COMMIT);
    fs_err::remove_dir_all(disk.path("hub/models--org--name/blobs")).unwrap();
    assert!(matches!(
        disk.locate("org/name"),
        Err(LocateError::NoWeights { .. })
    ));
}

#[test]
fn missing_files_of_the_index_are_named() {
    let disk = Disk::new();
    let index = r#"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-3.safetensors"}}"#;
    disk.cached("org/name", COMMIT, "model.safetensors.index.json", index);
    disk.cached("org/name", COMMIT, "model-2.safetensors", "weights");
    disk.reference("org/name", "v2", COMMIT);
    let error = disk.locate("org/name@v2").unwrap_err();
    insta::assert_snapshot!(disk.shown(&error), @r"
    `org/name` lacks 2 of the 3 weight files of its index: model-1.safetensors, model-3.safetensors
    download it first: `weightsmith pull org/name@v2`
    ");
}

#[test]
fn a_damaged_index_is_named() {
    let disk = Disk::new();
    for (text, problem) in [
        ("{}", "missing field `weight_map`"),
        (
            r#"{"weight_map": {"a": 1}}"#,
            "invalid type: integer `1`, expected a file name",
        ),
        (
            r#"{"weight_map": {"a": "../b"}}"#,
            "tensor `a` is listed in `../b`, outside the model's folder",
        ),
    ] {
        disk.file("work/m/model.safetensors.index.json", text);
        let error = disk.locate("m").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("model.safetensors.index.json: "), "{text}");
        assert!(text.contains(problem), "{text}");
    }
}

fn from_env(variables: &[(&str, &str)]) -> LocateOptions {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    LocateOptions::from_env(|name| variables.get(name).map(OsString::from))
}

#[test]
fn the_cache_is_where_huggingface_hub_has_it() {
    let home = ("HOME", "/home/me");
    for (variables, expected) in [
        (&[home][..], "/home/me/.cache/huggingface/hub"),
        (&[home, ("XDG_CACHE_HOME", "/xdg")], "/xdg/huggingface/hub"),
        (&[home, ("HF_HOME", "~/hf")], "/home/me/hf/hub"),
        (
            &[home, ("HF_HOME", "$HOME/a/${HOME}")],
            "/home/me/a//home/me/hub",
        ),
        (&[home, ("HF_HOME", "/a/$UNSET")], "/a/$UNSET/hub"),
        (&[home, ("HF_HOME", "")], "/home/me/.cache/huggingface/hub"),
        (
            &[home, ("HF_HOME", "/hf"), ("HUGGINGFACE_HUB_CACHE", "/old")],
            "/old",
        ),
        (
            &[
                home,
                ("HF_HUB_CACHE", "/new"),
                ("HUGGINGFACE_HUB_CACHE", "/old"),
            ],
            "/new",
        ),
        (
            &[home, ("TRANSFORMERS_CACHE", "/t"), ("HF_HOME", "/hf")],
            "/hf/hub",
        ),
        (&[home, ("TRANSFORMERS_CACHE", "/t")], "/t"),
    ] {
        assert_eq!(
            from_env(variables).hub_cache,
            Path::new(expected),
            "{variables:?}"
        );
    }
}

#[test]
fn offline_is_a_switch_in_the_words_of_huggingface_hub() {
    for on in ["1", "true", "YES", "On"] {
        assert!(from_env(&[("HF_HUB_OFFLINE", on)]).offline, "{on}");
    }
    for off in ["0", "false", "", "2"] {
        assert!(!from_env(&[("HF_HUB_OFFLINE", off)]).offline, "{off}");
    }
}

#[test]
fn a_repositorys_folder_is_the_model_in_it() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "model.safetensors", "weights");
    let folder = disk.path("hub/models--org--name");
    let path = folder.to_str().unwrap();
    let expected = |revision: &str| LocatedKind::HubCache {
        repo: "org/name".into(),
        revision: revision.into(),
        commit: COMMIT.into(),
    };
    // without refs the only commit counts
    let located = disk.locate(path).unwrap();
    assert_eq!(located.label, "org/name");
    assert_eq!(located.folder, folder.join("snapshots").join(COMMIT));
    assert_eq!(located.kind, expected(COMMIT));
    disk.reference("org/name", "main", COMMIT);
    assert_eq!(disk.locate(path).unwrap().kind, expected("main"));
    // several commits and nothing that says which
    fs_err::remove_file(folder.join("refs/main")).unwrap();
    disk.cached("org/name", &"a".repeat(40), "model.safetensors", "others");
    let error = disk.locate(path).unwrap_err();
    assert!(matches!(&error, LocateError::RevisionNotCached { cached, .. } if cached.len() == 2));
    let options = disk.options();
    assert_eq!(
        locate(path, Some(&COMMIT[..8]), &options).unwrap().label,
        "org/name"
    );
}

#[cfg(unix)]
#[test]
fn links_to_weights_that_are_gone_are_named() {
    let disk = Disk::new();
    disk.cached("org/name", COMMIT, "config.json", "{}");
    disk.reference("org/name", "main", COMMIT);
    let snapshot = disk.path("hub/models--org--name/snapshots").join(COMMIT);
    let link = snapshot.join("model.safetensors");
    fs_err::os::unix::fs::symlink("/nowhere/blobs/x", link).unwrap();
    let mut options = disk.options();
    options.away = Some("can't reach huggingface.co: no network".into());
    let error = locate("org/name", None, &options).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`model.safetensors` links to a file that does not exist"),
        "{text}"
    );
    assert_eq!(
        error.hints(),
        ["can't reach huggingface.co: no network; are you online?"]
    );
}

#[test]
fn a_typo_beside_a_folder_is_recognised() {
    let disk = Disk::new();
    disk.model("work/tiny/base");
    disk.model("work/tiny/instruct");
    for (path, meant) in [
        ("tiny/bsae", Some("did you mean `tiny/base`?")),
        ("./tiny/instrukt", Some("did you mean `./tiny/instruct`?")),
        ("tiny/something", None),
        ("other/base", None),
    ] {
        let hints = disk.locate(path).unwrap_err().hints();
        let found = hints.first().filter(|hint| hint.starts_with("did you"));
        assert_eq!(found.map(String::as_str), meant, "{path}");
    }
}
