//! The donor's files that come along: everything but the weights.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

/// Weights and what belongs to them, by extension.
const WEIGHT_EXTENSIONS: [&str; 16] = [
    "safetensors",
    "bin",
    "pt",
    "pth",
    "ckpt",
    "gguf",
    "ggml",
    "h5",
    "msgpack",
    "onnx",
    "onnx_data",
    "nemo",
    "mlmodel",
    "tflite",
    "npz",
    "ot",
];

/// Folders that do not belong to the model in its main format.
const OTHER_FOLDERS: [&str; 9] = [
    "original",
    "onnx",
    "openvino",
    "coreml",
    "gguf",
    "metal",
    "eval_results",
    "runs",
    "__pycache__",
];

/// Files that are about the donor rather than part of the model, and those that a merge writes itself.
const OTHER_FILES: [&str; 8] = [
    "readme.md",
    "mergekit_config.yml",
    "mergekit_config.yaml",
    "weightsmith.lock.json",
    "eval_results.json",
    "all_results.json",
    "train_results.json",
    "trainer_state.json",
];

/// Deeper folders are not followed.
const DEEPEST: usize = 8;

/// A file that comes along.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Companion {
    /// Its path below the model's folder.
    pub relative: PathBuf,
    /// The file itself.
    pub source: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// The donor's folder cannot be listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompanionError {
    /// A file or folder could not be read. The message names the path.
    #[error(transparent)]
    Io(#[from] io::Error),

    /// A link to a file that is not there.
    #[error("`{}` is a link to a file that does not exist", path.display())]
    BrokenLink {
        /// The link.
        path: PathBuf,
    },
}

/// The files of a donor's folder that come along to the result, sorted by path.
///
/// # Errors
/// When the folder cannot be listed, or a companion is a link to nothing.
pub fn companions(folder: &Path) -> Result<Vec<Companion>, CompanionError> {
    let mut found = BTreeSet::new();
    collect(folder, Path::new(""), 0, &mut found)?;
    Ok(found.into_iter().collect())
}

fn collect(
    folder: &Path,
    relative: &Path,
    depth: usize,
    found: &mut BTreeSet<Companion>,
) -> Result<(), CompanionError> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let source = entry.path();
        let relative = relative.join(&name);
        if entry.file_type()?.is_dir() {
            if depth < DEEPEST && !is_other_folder(&name) {
                collect(&source, &relative, depth + 1, found)?;
            }
            continue;
        }
        if is_other_file(&name) {
            continue;
        }
        let Ok(metadata) = source.metadata() else {
            return Err(CompanionError::BrokenLink { path: source });
        };
        // a link to a folder could lead anywhere, also back to where it stands
        if metadata.is_file() {
            found.insert(Companion {
                relative,
                source,
                bytes: metadata.len(),
            });
        }
    }
    Ok(())
}

fn is_other_folder(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    name.starts_with('.')
        || name.starts_with("checkpoint-")
        || name.starts_with("global_step")
        || OTHER_FOLDERS.contains(&name.as_str())
}

fn is_other_file(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    name.starts_with('.')
        || name.starts_with("consolidated")
        || OTHER_FILES.contains(&name.as_str())
        || WEIGHT_EXTENSIONS.contains(&extension)
        || is_index_of_weights(&name)
}

/// `model.safetensors.index.json`, `pytorch_model.bin.index.json`, `model.safetensors.index.fp32.json`.
fn is_index_of_weights(name: &str) -> bool {
    name.strip_suffix(".json")
        .and_then(|name| {
            format!("{name}.")
                .split_once(".index.")
                .map(|(before, _)| is_weights_name(before))
        })
        .unwrap_or(false)
}

fn is_weights_name(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| WEIGHT_EXTENSIONS.contains(&extension))
}
