//! Checkpoints: headers, the index, the configuration.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use weightsmith::architecture::Architecture;
use weightsmith::output::ConfigFile;
use weightsmith_infer::{DecoderConfig, GenerationDefaults};
use weightsmith_tensors::{Checkpoint, Header, TensorSource};

/// The header of a safetensors file.
pub fn header(input: &[u8]) {
    for size in [input.len() as u64, input.len() as u64 + (1 << 20), u64::MAX] {
        let _ = Header::json_length(input, size);
        if let Ok(header) = Header::parse(input, size) {
            // what a sound header names lies within the file
            for tensor in &header.tensors {
                let end = tensor.offset.checked_add(tensor.info.bytes());
                assert!(
                    end.is_some_and(|end| end <= size),
                    "`{}` leads out",
                    tensor.name
                );
            }
        }
    }
}

/// An index, in a folder with one small shard.
pub fn index(input: &[u8]) {
    thread_local! {
        static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
    }
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(small_model);
        let index = folder.path().join("model.safetensors.index.json");
        // a file that is cut to nothing and written again is flushed to the disk by some file systems
        let _ = fs_err::remove_file(&index);
        if fs_err::write(&index, input).is_err() {
            return;
        }
        if let Ok(checkpoint) = Checkpoint::open(folder.path()) {
            let inside = |path: &Path| path.starts_with(folder.path());
            assert!(checkpoint.files().iter().all(|file| inside(&file.path)));
            let _ = Architecture::infer(None, checkpoint.tensors());
        }
    });
}

/// A folder with a shard of two tensors.
fn small_model() -> TempDir {
    let json = br#"{"model.layers.0.a.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[0],"data_offsets":[8,8]}}"#;
    let bytes = [&(json.len() as u64).to_le_bytes()[..], json, &[0; 8]].concat();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["model.safetensors", "model-00001-of-00002.safetensors"] {
        fs_err::write(folder.path().join(name), &bytes).expect("a small file");
    }
    folder
}

/// A configuration: as the decoder reads it, as a merge edits it, and as generation defaults.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let _ = DecoderConfig::parse(text);
    if let Ok(config) = ConfigFile::parse(text.to_owned(), &PathBuf::from("config.json")) {
        let value = config.value();
        let _ = Architecture::infer(Some(value), &[]);
        let _ = GenerationDefaults::from_json(value, value).settings();
    }
}
