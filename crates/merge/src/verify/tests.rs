use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use weightsmith_tensors::DType;
use weightsmith_tensors::testing::{write_checkpoint, write_sharded_checkpoint};

use super::*;
use crate::output::{LOCK_FILE, LockFacts, LockedFile};
use crate::run::Silent;
use crate::testing::example_plans::v;

/// More than two hash blocks, so that blocks are put together and one ends within a tensor.
const LARGE: u64 = 1500 * 1500;

fn model(values: &dyn Fn(usize) -> f32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let large = (0..LARGE as usize).map(values).collect();
    let tensors = [
        (
            "model.embed_tokens.weight",
            DType::F32,
            &[1500u64, 1500][..],
            large,
        ),
        (
            "model.norm.weight",
            DType::BF16,
            &[3][..],
            vec![1.0, 2.0, 3.0],
        ),
    ];
    write_checkpoint(folder.path(), &tensors).unwrap();
    fs_err::write(folder.path().join("config.json"), "{}").unwrap();
    fs_err::write(folder.path().join("README.md"), "# A merge\n").unwrap();
    fs_err::create_dir_all(folder.path().join("1_Pooling")).unwrap();
    fs_err::write(folder.path().join("1_Pooling/config.json"), "").unwrap();
    lock(folder.path(), 2, LARGE + 3, 0);
    folder
}

/// Writes a lock of all files in the folder.
fn lock(folder: &Path, tensors: u64, parameters: u64, non_finite: u64) {
    let names = [
        "1_Pooling/config.json",
        "README.md",
        "config.json",
        "model.safetensors",
    ];
    let mut files: Vec<LockedFile> = Vec::new();
    for name in names.iter().filter(|name| folder.join(name).exists()) {
        let content = fs_err::read(folder.join(name)).unwrap();
        let blake3 = blake3::hash(&content).to_string();
        files.push(LockedFile {
            name: (*name).to_owned(),
            bytes: content.len() as u64,
            blake3,
        });
    }
    let date = "2026-11-24T01:02:03Z".parse().unwrap();
    let lock = Lock::new(
        &v(),
        &LockFacts {
            recipe: "",
            run: None,
            run_inputs: None,
            date,
            non_finite,
            files: &files,
        },
    );
    let lock = Lock {
        tensors,
        parameters,
        ..lock
    };
    fs_err::write(folder.join(LOCK_FILE), lock.to_json().unwrap()).unwrap();
}

fn sound() -> tempfile::TempDir {
    model(&|index| index as f32)
}

fn change(folder: &Path, name: &str, change: impl Fn(&mut Vec<u8>)) {
    let mut content = fs_err::read(folder.join(name)).unwrap();
    change(&mut content);
    fs_err::write(folder.join(name), content).unwrap();
}

/// The findings as text, `damage` or `note` first.
fn findings(folder: &Path) -> Vec<String> {
    let verification = verify(folder, &Silent).unwrap();
    assert_eq!(
        verification.intact,
        verification
            .findings
            .iter()
            .all(|finding| finding.weight == Weight::Note)
    );
    let text = |finding: &Finding| {
        format!("{:?}: {finding}", finding.weight).replace(&*folder.to_string_lossy(), "OUT")
    };
    verification.findings.iter().map(text).collect()
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Reporter for Counting {
    fn written(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[test]
fn an_untouched_model_is_intact_and_read_once() {
    let folder = sound();
    let reporter = Counting::default();
    let verification = verify(folder.path(), &reporter).unwrap();
    assert!(verification.intact, "{verification:?}");
    assert_eq!(verification.findings, []);
    assert_eq!(
        (
            verification.tensors,
            verification.parameters,
            verification.files
        ),
        (2, LARGE + 3, 4)
    );
    assert_eq!(verification.bytes, reporter.0.load(Ordering::Relaxed));
    assert!(verification.bytes > 2 * HASH_BLOCK);
}

const HASH_BLOCK: u64 = weightsmith_tensors::HASH_BLOCK as u64;

#[test]
fn one_flipped_bit_in_any_block_is_found() {
    for offset in [9, HASH_BLOCK as usize + 5, 2 * HASH_BLOCK as usize + 7] {
        let folder = sound();
        change(folder.path(), "model.safetensors", |content| {
            content[offset] ^= 1;
        });
        let found = findings(folder.path());
        assert!(
            found.contains(&"Damage: `model.safetensors`: the content has changed".to_owned()),
            "{found:?}"
        );
    }
}

#[test]
fn a_changed_config_is_damage_and_an_edited_card_is_not() {
    let folder = sound();
    change(folder.path(), "README.md", |content| content.push(b'!'));
    assert_eq!(
        findings(folder.path()),
        ["Note: `README.md`: 11 bytes, the lock says 10"]
    );
    change(folder.path(), "config.json", |content| content.reverse());
    assert_eq!(
        findings(folder.path()),
        [
            "Damage: `config.json`: the content has changed",
            "Note: `README.md`: 11 bytes, the lock says 10"
        ]
    );
}

#[test]
fn truncated_weights_are_told_by_size_and_header() {
    let folder = sound();
    change(folder.path(), "model.safetensors", |content| {
        content.truncate(5000);
    });
    let found = findings(folder.path());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("Damage: `model.safetensors`: 5000 bytes, the lock says 9"),
        "{found:?}"
    );
    assert!(
        found[1]
            .starts_with("Damage: the weights cannot be opened: OUT/model.safetensors: truncated"),
        "{found:?}"
    );
}

#[test]
fn missing_files_are_damage() {
    let folder = sound();
    fs_err::remove_file(folder.path().join("1_Pooling/config.json")).unwrap();
    assert_eq!(
        findings(folder.path()),
        ["Damage: `1_Pooling/config.json`: missing"]
    );
    fs_err::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert_eq!(
        findings(folder.path())[1],
        "Damage: `model.safetensors`: missing"
    );
}

#[test]
fn files_that_are_not_listed_are_notes_and_hidden_ones_are_left_alone() {
    let folder = sound();
    fs_err::write(folder.path().join("notes.txt"), "x").unwrap();
    fs_err::create_dir_all(folder.path().join(".git")).unwrap();
    fs_err::write(folder.path().join(".git/HEAD"), "x").unwrap();
    assert_eq!(
        findings(folder.path()),
        ["Note: `notes.txt`: not in the lock"]
    );
    assert!(verify(folder.path(), &Silent).unwrap().intact);
}

#[test]
fn counts_that_differ_from_the_lock_are_damage() {
    let folder = sound();
    lock(folder.path(), 3, LARGE, 0);
    assert_eq!(
        findings(folder.path()),
        [
            "Damage: 2 tensors, the lock says 3",
            &format!("Damage: {} parameters, the lock says {LARGE}", LARGE + 3)
        ]
    );
}

#[test]
fn nan_is_damage_unless_the_run_allowed_it() {
    let folder = model(&|index| if index == 700_000 { f32::NAN } else { 0.0 });
    assert_eq!(
        findings(folder.path()),
        ["Damage: tensor `model.embed_tokens.weight` holds 1 NaN or infinite value"]
    );
    lock(folder.path(), 2, LARGE + 3, 1);
    assert!(verify(folder.path(), &Silent).unwrap().intact);
}

#[test]
fn every_shard_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = [
        (
            "a",
            DType::F16,
            &[4u64][..],
            vec![1.0, 2.0, 3.0, f32::INFINITY],
        ),
        ("b", DType::F32, &[2][..], vec![1.0, f32::NAN]),
    ];
    write_sharded_checkpoint(folder.path(), &tensors, Some(8)).unwrap();
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let content = fs_err::read(entry.path()).unwrap();
        let blake3 = blake3::hash(&content).to_string();
        files.push(LockedFile {
            name: entry.file_name().into_string().unwrap(),
            bytes: content.len() as u64,
            blake3,
        });
    }
    assert_eq!(files.len(), 3, "two shards and an index");
    lock(folder.path(), 2, 6, 2);
    let lock = Lock {
        files,
        ..Lock::read(folder.path()).unwrap()
    };
    fs_err::write(folder.path().join(LOCK_FILE), lock.to_json().unwrap()).unwrap();
    let verification = verify(folder.path(), &Silent).unwrap();
    assert!(verification.intact, "{verification:?}");
    assert_eq!(verification.non_finite, 2);
}

#[test]
fn without_a_sound_lock_there_is_nothing_to_compare_with() {
    let folder = sound();
    fs_err::write(folder.path().join(LOCK_FILE), "{").unwrap();
    assert!(matches!(
        verify(folder.path(), &Silent),
        Err(VerifyError::Lock(LockError::Json { .. }))
    ));
    fs_err::remove_file(folder.path().join(LOCK_FILE)).unwrap();
    assert!(matches!(
        verify(folder.path(), &Silent),
        Err(VerifyError::Lock(LockError::Missing { .. }))
    ));
    let file = folder.path().join("config.json");
    assert!(matches!(
        verify(&file, &Silent),
        Err(VerifyError::NotAFolder { .. })
    ));
}

#[test]
fn the_verification_is_json() {
    let folder = sound();
    change(folder.path(), "config.json", Vec::clear);
    let json = serde_json::to_value(verify(folder.path(), &Silent).unwrap()).unwrap();
    assert_eq!(json["intact"], false);
    assert_eq!(
        json["findings"],
        serde_json::json!([{ "weight": "damage", "file": "config.json", "problem": { "kind": "size", "found": 0, "expected": 2 } }])
    );
}
