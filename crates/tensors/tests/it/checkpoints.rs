//! Model folders: which files count, and what is said when they do not fit together.

use std::path::{Path, PathBuf};

use serde_json::json;
use weightsmith_tensors::{Checkpoint, Error, TensorSource, indexed_files};

use crate::malformed::file;

/// A file with U8 tensors, each of two bytes.
fn weights(names: &[&str]) -> Vec<u8> {
    let entries: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let (begin, end) = (2 * index, 2 * index + 2);
            format!(r#""{name}":{{"dtype":"U8","shape":[2],"data_offsets":[{begin},{end}]}}"#)
        })
        .collect();
    file(&format!("{{{}}}", entries.join(",")), 2 * names.len())
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, bytes) in files {
            folder.write(name, bytes);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs_err::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs_err::write(self.path(name), bytes).unwrap();
    }

    fn index(&self, name: &str, weight_map: &serde_json::Value) {
        let index = json!({"metadata": {"total_size": 1}, "weight_map": weight_map});
        self.write(name, index.to_string().as_bytes());
    }

    fn open(&self) -> Result<Checkpoint, Error> {
        Checkpoint::open(self.0.path())
    }

    fn names(&self) -> Vec<String> {
        names(&self.open().unwrap())
    }
}

fn names(checkpoint: &Checkpoint) -> Vec<String> {
    checkpoint
        .tensors()
        .iter()
        .map(|tensor| tensor.name.clone())
        .collect()
}

const INDEX: &str = "model.safetensors.index.json";

#[test]
fn tensors_are_found_and_lent() {
    let json = r#"{"b":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]},"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]},"__metadata__":{"format":"pt"}}"#;
    let mut bytes = file(json, 0);
    bytes.extend(0..12);
    let folder = Folder::new(&[("model.safetensors", &bytes)]);
    let checkpoint = folder.open().unwrap();
    assert_eq!(names(&checkpoint), ["a", "b"]);
    assert_eq!(checkpoint.find("b"), Some(1));
    assert_eq!(checkpoint.find("c"), None);
    assert_eq!(checkpoint.bytes(), 12);
    assert_eq!(checkpoint.offset_of(1), 8 + json.len() as u64 + 4);
    assert_eq!(checkpoint.file_of(1), 0);

    let mut scratch = Vec::new();
    assert_eq!(
        checkpoint.read(1, 0..2, &mut scratch).unwrap(),
        [4, 5, 6, 7, 8, 9, 10, 11]
    );
    assert_eq!(
        checkpoint.read(1, 1..2, &mut scratch).unwrap(),
        [8, 9, 10, 11]
    );
    assert_eq!(checkpoint.read(0, 2..6, &mut scratch).unwrap(), [1, 2]);
    assert!(checkpoint.read(0, 8..8, &mut scratch).unwrap().is_empty());
    checkpoint.will_need(1, 0..2);
    checkpoint.will_need(0, 8..8);

    let [shard] = checkpoint.files() else {
        panic!("one file");
    };
    assert_eq!(shard.name, "model.safetensors");
    assert_eq!(shard.path, folder.path("model.safetensors"));
    assert_eq!(shard.size, bytes.len() as u64);
    assert_eq!(shard.metadata, [("format".to_owned(), "pt".to_owned())]);
    assert_eq!(shard.header_hash, blake3::hash(json.as_bytes()).to_string());
}

#[test]
#[should_panic(expected = "do not begin and end on a byte")]
fn half_a_byte_cannot_be_read() {
    let bytes = file(
        r#"{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}"#,
        4,
    );
    let folder = Folder::new(&[("model.safetensors", &bytes)]);
    let _ = folder.open().unwrap().read(0, 1..4, &mut Vec::new());
}

#[test]
#[should_panic(expected = "elements 1..3 of a tensor that has 2")]
fn nothing_beyond_a_tensor_can_be_read() {
    let folder = Folder::new(&[("model.safetensors", &weights(&["a", "b"]))]);
    let _ = folder.open().unwrap().read(0, 1..3, &mut Vec::new());
}

#[test]
fn a_single_file_of_any_name_is_a_checkpoint() {
    let folder = Folder::new(&[
        ("some.safetensors", &weights(&["a"])),
        ("blob", &weights(&["b"])),
    ]);
    let open = |name: &str| names(&Checkpoint::open(&folder.path(name)).unwrap());
    assert_eq!(open("some.safetensors"), ["a"]);
    assert_eq!(open("blob"), ["b"]);
}

#[test]
fn shards_come_in_the_order_of_their_names() {
    let folder = Folder::new(&[
        ("model-00002-of-00002.safetensors", &weights(&["a", "b"])),
        ("model-00001-of-00002.safetensors", &weights(&["z", "y"])),
    ]);
    assert_eq!(folder.names(), ["z", "y", "a", "b"]);
    let map = json!({
        "a": "model-00002-of-00002.safetensors", "b": "model-00002-of-00002.safetensors",
        "y": "model-00001-of-00002.safetensors", "z": "model-00001-of-00002.safetensors",
    });
    folder.index(INDEX, &map);
    assert_eq!(folder.names(), ["z", "y", "a", "b"]);
    let checkpoint = Checkpoint::open(&folder.path(INDEX)).unwrap();
    assert_eq!(names(&checkpoint), ["z", "y", "a", "b"]);
    assert_eq!(checkpoint.file_of(2), 1);
}

#[test]
fn the_index_rules_and_what_it_leaves_out_is_told() {
    let folder = Folder::new(&[
        ("model.safetensors", &weights(&["stale"])),
        ("x.safetensors", &weights(&["a", "b", "c"])),
        ("sub/y.safetensors", &weights(&["c", "d"])),
    ]);
    folder.index(
        INDEX,
        &json!({"a": "x.safetensors", "c": "sub/y.safetensors"}),
    );
    folder.index("other.safetensors.index.json", &json!({}));
    let checkpoint = folder.open().unwrap();
    assert_eq!(names(&checkpoint), ["c", "a"]);
    let left_out: Vec<(&str, usize)> = checkpoint
        .unindexed()
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor.file))
        .collect();
    assert_eq!(left_out, [("d", 0), ("b", 1), ("c", 1)]);
}

#[test]
fn the_only_index_rules_under_any_name() {
    let folder = Folder::new(&[
        ("model.safetensors", &weights(&["stale"])),
        ("x.safetensors", &weights(&["a"])),
    ]);
    folder.index("x.safetensors.index.json", &json!({"a": "x.safetensors"}));
    assert_eq!(folder.names(), ["a"]);
    folder.index("y.safetensors.index.json", &json!({}));
    let error = folder.open().unwrap_err();
    assert!(
        matches!(&error, Error::SeveralIndexes { found, .. }
        if *found == ["x.safetensors.index.json", "y.safetensors.index.json"]),
        "{error}"
    );
}

#[test]
fn copies_and_adapters_are_no_weights() {
    let folder = Folder::new(&[
        ("consolidated.00.safetensors", &weights(&["old"])),
        ("adapter_model.safetensors", &weights(&["lora"])),
        ("._x.safetensors", b"resource fork"),
    ]);
    assert_eq!(folder.names(), ["old"]);
    folder.write("x.safetensors", &weights(&["a"]));
    assert_eq!(folder.names(), ["a"]);
    folder.write("model.safetensors", &weights(&["b"]));
    assert_eq!(folder.names(), ["b"]);
}

#[test]
fn a_folder_without_weights_says_what_else_is_there() {
    let folder = Folder::new(&[
        ("config.json", b"{}"),
        ("training_args.bin", b""),
        ("pytorch_model.bin", b""),
        ("q4.gguf", b""),
        ("adapter_model.safetensors", &weights(&["lora"])),
    ]);
    let error = folder.open().unwrap_err();
    assert!(matches!(&error, Error::NoWeights { found, .. }
        if *found == ["adapter_model.safetensors", "pytorch_model.bin", "q4.gguf"]));
    assert_eq!(
        error.to_string(),
        format!(
            "{}: no safetensors weights; found `adapter_model.safetensors`, `pytorch_model.bin`, `q4.gguf`",
            folder.0.path().display()
        )
    );
    let error = Checkpoint::open(&folder.path("q4.gguf")).unwrap_err();
    assert!(matches!(error, Error::NoWeights { found, .. } if found == ["q4.gguf"]));
    let error = Folder::new(&[]).open().unwrap_err();
    assert!(matches!(error, Error::NoWeights { found, .. } if found.is_empty()));
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let error = Checkpoint::open(Path::new("/nowhere/model")).unwrap_err();
    assert!(matches!(error, Error::Io(_)));
    assert!(error.to_string().contains("/nowhere/model"), "{error}");
}

#[test]
fn a_missing_shard_is_named_with_who_asks_for_it() {
    let folder = Folder::new(&[("x.safetensors", &weights(&["a"]))]);
    folder.index(INDEX, &json!({"a": "x.safetensors", "b": "y.safetensors"}));
    let error = folder.open().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: missing; {} lists it",
            folder.path("y.safetensors").display(),
            folder.path(INDEX).display()
        )
    );

    let folder = Folder::new(&[
        ("model-00001-of-00003.safetensors", &weights(&["a"])),
        ("model-00003-of-00003.safetensors", &weights(&["c"])),
    ]);
    let error = folder.open().unwrap_err();
    assert!(matches!(error, Error::MissingShard { path, .. }
        if path == folder.path("model-00002-of-00003.safetensors")));
}

#[test]
fn an_index_never_leads_out_of_the_folder() {
    let folder = Folder::new(&[
        ("model/x.safetensors", &weights(&["a"])),
        ("x.safetensors", &weights(&["a"])),
    ]);
    let absolute = folder.path("x.safetensors");
    for outside in [
        "../x.safetensors",
        "sub/../../x.safetensors",
        absolute.to_str().unwrap(),
        "..",
        "",
        "..\\x.safetensors",
        "C:\\x.safetensors",
        "C:x.safetensors",
        "\\x.safetensors",
        "./..",
        ".",
    ] {
        folder.index(&format!("model/{INDEX}"), &json!({"a": outside}));
        let error = Checkpoint::open(&folder.path("model")).unwrap_err();
        assert!(
            matches!(&error, Error::IndexOutside { tensor, file, .. }
            if tensor == "a" && file == outside),
            "{outside}: {error}"
        );
    }
}

#[test]
fn the_paths_of_an_index_are_read_in_every_spelling() {
    let folder = Folder::new(&[
        ("x.safetensors", &weights(&["a", "b", "c", "d"])),
        ("sub/y.safetensors", &weights(&["e", "f", "g"])),
    ]);
    let map = json!({
        "a": "./x.safetensors", "b": "x.safetensors", "c": ".//x.safetensors", "d": ".\\x.safetensors",
        "e": "sub\\y.safetensors", "f": "./sub/./y.safetensors", "g": "sub/y.safetensors",
    });
    folder.index(INDEX, &map);
    let checkpoint = folder.open().unwrap();
    assert_eq!(names(&checkpoint), ["e", "f", "g", "a", "b", "c", "d"]);
    assert!(checkpoint.unindexed().is_empty());
    assert_eq!(
        indexed_files(&folder.path(INDEX)).unwrap(),
        ["sub/y.safetensors", "x.safetensors"]
    );
}

#[test]
fn an_index_may_begin_with_a_byte_order_mark() {
    let folder = Folder::new(&[("x.safetensors", &weights(&["a"]))]);
    let index = "\u{feff}{\"weight_map\": {\"a\": \"x.safetensors\"}}";
    folder.write(INDEX, index.as_bytes());
    assert_eq!(folder.names(), ["a"]);
}

#[test]
fn an_index_has_a_bounded_number_of_tensors() {
    let folder = Folder::new(&[("x.safetensors", &weights(&["a"]))]);
    let pairs: Vec<String> = (0..1_000_001)
        .map(|number| format!("\"{number}\":\"x\""))
        .collect();
    let index = format!("{{\"weight_map\":{{{}}}}}", pairs.join(","));
    folder.write(INDEX, index.as_bytes());
    let error = folder.open().unwrap_err().to_string();
    assert!(error.contains("more than 1000000 tensors"), "{error}");
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_waited_for() {
    let folder = Folder::new(&[("model/config.json", b"{}")]);
    let mkfifo = |name: &str| {
        let made = std::process::Command::new("mkfifo")
            .arg(folder.path(name))
            .status()
            .unwrap();
        assert!(made.success());
    };
    mkfifo("model/model.safetensors");
    let open = || {
        Checkpoint::open(&folder.path("model"))
            .unwrap_err()
            .to_string()
    };
    let problem = "a named pipe, not a regular file";
    assert!(open().ends_with(&format!("model.safetensors: {problem}")));
    mkfifo(&format!("model/{INDEX}"));
    assert!(open().ends_with(&format!("{INDEX}: {problem}")));
    fs_err::remove_file(folder.path(&format!("model/{INDEX}"))).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path(&format!("model/{INDEX}"))).unwrap();
    assert!(open().ends_with("a device, not a regular file"));
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_the_hugging_face_cache_needs_it() {
    let folder = Folder::new(&[
        ("blobs/0123", &weights(&["a"])),
        ("snapshots/rev/config.json", b"{}"),
    ]);
    let link = folder.path("snapshots/rev/model.safetensors");
    std::os::unix::fs::symlink("../../blobs/0123", link).unwrap();
    let checkpoint = Checkpoint::open(&folder.path("snapshots/rev")).unwrap();
    assert_eq!(names(&checkpoint), ["a"]);
}

#[test]
fn an_index_that_does_not_fit_the_shards_is_refused() {
    let folder = Folder::new(&[
        ("x.safetensors", &weights(&["a"])),
        ("y.safetensors", &weights(&["b"])),
    ]);
    folder.index(INDEX, &json!({"a": "x.safetensors", "b": "x.safetensors"}));
    let error = folder.open().unwrap_err();
    assert!(
        matches!(&error, Error::NotInShard { path, tensor, index }
        if *path == folder.path("x.safetensors") && tensor == "b" && *index == folder.path(INDEX)),
        "{error}"
    );

    folder.write(
        INDEX,
        br#"{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}"#,
    );
    let error = folder.open().unwrap_err();
    assert!(matches!(error, Error::IndexDuplicate { tensor, .. } if tensor == "a"));

    for text in [
        "",
        "[]",
        "{}",
        r#"{"weight_map":{"a":1}}"#,
        r#"{"weight_map":["#,
    ] {
        folder.write(INDEX, text.as_bytes());
        let error = folder.open().unwrap_err();
        assert!(matches!(error, Error::Index { .. }), "{text}: {error}");
    }
}

#[test]
fn a_tensor_in_two_files_is_refused() {
    let folder = Folder::new(&[
        ("x.safetensors", &weights(&["a", "b"])),
        ("y.safetensors", &weights(&["c", "b"])),
    ]);
    let error = folder.open().unwrap_err();
    assert!(
        matches!(&error, Error::DuplicateTensor { tensor, first, second }
        if tensor == "b" && *first == folder.path("x.safetensors") && *second == folder.path("y.safetensors")),
        "{error}"
    );
}

#[test]
fn a_folder_in_place_of_a_file_is_refused() {
    let folder = Folder::new(&[("model.safetensors/x", b"")]);
    let error = folder.open().unwrap_err().to_string();
    assert!(
        error.ends_with("model.safetensors: a folder, not a regular file"),
        "{error}"
    );
}

#[test]
fn a_file_that_changes_is_noticed() {
    let folder = Folder::new(&[("model.safetensors", &weights(&["a"]))]);
    let checkpoint = folder.open().unwrap();
    checkpoint.ensure_unchanged().unwrap();
    let file = folder.path("model.safetensors");
    let size = fs_err::metadata(&file).unwrap().len();
    let longer = fs_err::OpenOptions::new().append(true).open(&file).unwrap();
    longer.set_len(size + 1).unwrap();
    let error = checkpoint.ensure_unchanged().unwrap_err();
    assert!(
        matches!(error, Error::Changed { found, expected, .. } if (found, expected) == (size + 1, size))
    );
}

#[test]
fn names_are_read_without_what_wrappers_of_the_model_add() {
    let folder = Folder::new(&[
        ("x.safetensors", &weights(&["module._orig_mod.a"])),
        ("y.safetensors", &weights(&["module._orig_mod.b.weight"])),
    ]);
    folder.index(
        INDEX,
        &json!({"module._orig_mod.a": "x.safetensors", "module._orig_mod.b.weight": "y.safetensors"}),
    );
    let checkpoint = folder.open().unwrap();
    assert_eq!(names(&checkpoint), ["a", "b.weight"]);
    assert_eq!(checkpoint.wrappers(), ["_orig_mod", "module"]);
    assert_eq!(checkpoint.find("b.weight"), Some(1));
    assert_eq!(checkpoint.find("module._orig_mod.b.weight"), None);

    let twice = Folder::new(&[("model.safetensors", &weights(&["a", "_orig_mod.a"]))]);
    assert_eq!(twice.names(), ["a", "_orig_mod.a"]);
    assert!(twice.open().unwrap().wrappers().is_empty());
}

/// A file of one tensor of 1 MiB of zeros and one of two bytes before it.
#[cfg(unix)]
fn sparse(folder: &Folder) -> (Checkpoint, fs_err::File) {
    let size = 1 << 20;
    let json = format!(
        r#"{{"a":{{"dtype":"U8","shape":[2],"data_offsets":[0,2]}},"b":{{"dtype":"U8","shape":[{size}],"data_offsets":[2,{}]}}}}"#,
        size + 2
    );
    let mut bytes = file(&json, 0);
    bytes.extend([7, 8]);
    folder.write("model.safetensors", &bytes);
    let sparse = fs_err::OpenOptions::new()
        .write(true)
        .open(folder.path("model.safetensors"))
        .unwrap();
    sparse.set_len(bytes.len() as u64 + size).unwrap();
    (folder.open().unwrap(), sparse)
}

#[cfg(unix)]
#[test]
fn a_file_that_becomes_shorter_is_an_error_that_names_it() {
    let folder = Folder::new(&[]);
    let (checkpoint, sparse) = sparse(&folder);
    let before = sparse.metadata().unwrap().len();
    let mut scratch = Vec::new();
    // lent before, looked at after
    let lent = checkpoint.read(1, 0..1 << 20, &mut scratch).unwrap();
    checkpoint.ensure_intact().unwrap();
    sparse.set_len(5000).unwrap();
    assert!(lent.iter().all(|&byte| byte == 0));
    let error = checkpoint.ensure_intact().unwrap_err();
    assert!(
        matches!(&error, Error::Shortened { path, found: 5000, expected }
        if *path == folder.path("model.safetensors") && *expected == before),
        "{error}"
    );
    let error = checkpoint.read(0, 0..2, &mut scratch).unwrap_err();
    assert!(matches!(error, Error::Shortened { .. }), "{error}");
    // restored, it is still not what was read
    sparse.set_len(before).unwrap();
    sparse.set_modified(std::time::UNIX_EPOCH).unwrap();
    let error = checkpoint.ensure_intact().unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    assert!(error.to_string().ends_with("in use: it was written to"));
    assert!(folder.open().unwrap().ensure_intact().is_ok());
}

#[cfg(unix)]
#[test]
fn a_file_that_is_deleted_or_replaced_stays_readable_for_who_opened_it() {
    let folder = Folder::new(&[]);
    let (checkpoint, sparse) = sparse(&folder);
    let path = folder.path("model.safetensors");
    checkpoint.ensure_not_rewritten().unwrap();
    folder.write("new", &weights(&["a"]));
    fs_err::rename(folder.path("new"), &path).unwrap();
    checkpoint.ensure_not_rewritten().unwrap();
    assert!(
        checkpoint.ensure_unchanged().is_err(),
        "for a merge it is another"
    );
    fs_err::remove_file(&path).unwrap();
    checkpoint.ensure_not_rewritten().unwrap();
    let mut scratch = Vec::new();
    assert_eq!(checkpoint.read(0, 0..2, &mut scratch).unwrap(), [7, 8]);
    // cut by who has it open still
    sparse.set_len(0).unwrap();
    let lent = checkpoint.read(0, 0..2, &mut scratch).unwrap();
    assert_eq!(lent, [0, 0]);
    let error = checkpoint.ensure_intact().unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_written_to_in_place_is_noticed() {
    let folder = Folder::new(&[]);
    let (checkpoint, sparse) = sparse(&folder);
    sparse.set_modified(std::time::UNIX_EPOCH).unwrap();
    let error = checkpoint.ensure_not_rewritten().unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    checkpoint.ensure_intact().unwrap();
}

/// 64 GiB that take no room: whoever read them at opening would be noticed.
#[cfg(unix)]
#[test]
fn opening_reads_no_tensor_data() {
    let size = 1_u64 << 36;
    let json = format!(r#"{{"a":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}"#);
    let start = file(&json, 0);
    let folder = Folder::new(&[("model.safetensors", &start)]);
    let sparse = fs_err::OpenOptions::new()
        .write(true)
        .open(folder.path("model.safetensors"))
        .unwrap();
    sparse.set_len(start.len() as u64 + size).unwrap();
    let before = std::time::Instant::now();
    let checkpoint = folder.open().unwrap();
    assert!(before.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!(
        checkpoint.read(0, size - 3..size, &mut Vec::new()).unwrap(),
        [0, 0, 0]
    );
}
