//! The files of a model's folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use super::companion::{Companion, CompanionError};
use super::files::ModelFiles;
use super::links::foreign_target;
use crate::checkpoint::{open_regular, read_companion};

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

/// A model's folder, as far as its files besides the weights go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFolder {
    path: PathBuf,
}

impl ModelFolder {
    /// A folder. Nothing is looked at yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file of it; an error where that would lead out of the folder.
    fn inside(&self, relative: &Path) -> io::Result<PathBuf> {
        let stays = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if relative.components().all(stays) {
            return Ok(self.path.join(relative));
        }
        let problem = format!("`{}` is no file of a model", relative.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
    }
}

impl ModelFiles for ModelFolder {
    fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match read_companion(&self.inside(Path::new(name))?) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn companions(&self) -> Result<Vec<Companion>, CompanionError> {
        companions(&self.path)
    }

    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(open_regular(&self.inside(relative)?)?))
    }
}

/// The files of a model's folder that come along to what is made of it, sorted by path.
///
/// # Errors
/// When the folder cannot be listed, or a companion is a link to nothing, or to a file that is not the model's.
fn companions(folder: &Path) -> Result<Vec<Companion>, CompanionError> {
    let mut found = BTreeSet::new();
    collect(folder, folder, Path::new(""), 0, &mut found)?;
    Ok(found.into_iter().collect())
}

fn collect(
    root: &Path,
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
                collect(root, &source, &relative, depth + 1, found)?;
            }
            continue;
        }
        if !comes_along(&relative) {
            continue;
        }
        let metadata = match fs_err::metadata(&source) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(CompanionError::BrokenLink { path: source });
            }
            result => result?,
        };
        // a link to a folder could lead anywhere, also back to where it stands
        if metadata.is_file() {
            if entry.file_type()?.is_symlink()
                && let Some(target) = foreign_target(root, &source)?
            {
                return Err(CompanionError::ForeignLink {
                    path: source,
                    target,
                });
            }
            found.insert(Companion {
                relative,
                source,
                bytes: metadata.len(),
                modified: metadata.modified().ok(),
            });
        }
    }
    Ok(())
}

/// Whether a file comes along to what is made of its model, by its path below the model's folder.
pub fn comes_along(relative: &Path) -> bool {
    let Some(name) = relative.file_name() else {
        return false;
    };
    let mut folders = relative.parent().into_iter().flat_map(Path::iter);
    let depth = folders.clone().count();
    depth <= DEEPEST
        && !folders.any(is_other_folder)
        && (!is_other_file(name)
            || (is_module_part(name)
                && relative
                    .parent()
                    .is_some_and(|at| is_module_folder(at, depth))))
}

/// Whether a folder is a module of a sentence-transformers model, such as `2_Dense/`: its weights are no part of a merge.
fn is_module_folder(folder: &Path, depth: usize) -> bool {
    depth == 1
        && folder
            .file_name()
            .and_then(OsStr::to_str)
            .and_then(|name| name.split_once('_'))
            .is_some_and(|(number, _)| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
}

/// The weights of such a module.
fn is_module_part(name: &OsStr) -> bool {
    name == "model.safetensors" || name == "pytorch_model.bin"
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
        || name.contains(".onnx")
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn folder(files: &[&str]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, file).unwrap();
        }
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        companions(folder)
            .unwrap()
            .iter()
            .map(|companion| companion.relative.to_str().unwrap().replace('\\', "/"))
            .collect()
    }

    #[test]
    fn everything_but_the_weights_comes_along() {
        let folder = folder(&[
            "config.json",
            "tokenizer.json",
            "tokenizer.model",
            "merges.txt",
            "qwen.tiktoken",
            "chat_template.jinja",
            "modeling_new.py",
            "LICENSE",
            "added_tokens.json",
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "2_Dense/model.onnx",
            "model.safetensors",
            "model-00001-of-00002.safetensors",
            "model.safetensors.index.json",
            "model.safetensors.index.fp32.json",
            "pytorch_model.bin",
            "pytorch_model.bin.index.json",
            "training_args.bin",
            "model.onnx_data",
            "model.onnx.data",
            "model.Q8_0.GGUF",
            "consolidated.00.pth",
            "consolidated.safetensors.index.json",
            "README.md",
            "mergekit_config.yml",
            "weightsmith.lock.json",
            "original/params.json",
            "onnx/config.json",
            ".gitattributes",
            ".git/HEAD",
            ".cache/huggingface/x",
            "checkpoint-500/config.json",
        ]);
        assert_eq!(
            names(folder.path()),
            [
                "1_Pooling/config.json",
                "2_Dense/config.json",
                "2_Dense/model.safetensors",
                "LICENSE",
                "added_tokens.json",
                "chat_template.jinja",
                "config.json",
                "merges.txt",
                "modeling_new.py",
                "qwen.tiktoken",
                "tokenizer.json",
                "tokenizer.model",
            ]
        );
    }

    #[test]
    fn sizes_are_those_of_the_files() {
        let folder = folder(&["config.json"]);
        let companion = companions(folder.path()).unwrap().remove(0);
        assert_eq!(companion.bytes, 11);
        assert_eq!(companion.source, folder.path().join("config.json"));
    }

    #[test]
    fn an_index_of_something_else_comes_along() {
        let folder = folder(&["retrieval.index.json", "index.json"]);
        assert_eq!(names(folder.path()), ["index.json", "retrieval.index.json"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(matches!(
            companions(Path::new("/nowhere/at/all")),
            Err(CompanionError::Io(_))
        ));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_to_files_and_never_to_folders() {
        use std::os::unix::fs::symlink;
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let blob = format!("models--o--n/blobs/{hash}");
        let folder = folder(&[
            &blob,
            "models--o--n/snapshots/c/tokenizer.json",
            "elsewhere/secret.json",
        ]);
        let snapshot = folder.path().join("models--o--n/snapshots/c");
        symlink(format!("../../blobs/{hash}"), snapshot.join("config.json")).unwrap();
        symlink("..", snapshot.join("loop")).unwrap();
        symlink("../../../elsewhere", snapshot.join("assets")).unwrap();
        let found = companions(&snapshot).unwrap();
        let names: Vec<&Path> = found
            .iter()
            .map(|companion| companion.relative.as_path())
            .collect();
        assert_eq!(
            names,
            [Path::new("config.json"), Path::new("tokenizer.json")]
        );
        assert_eq!(found[0].bytes, blob.len() as u64);

        // the weights do not come along, wherever they lie
        let secret = folder.path().join("elsewhere/secret.json");
        symlink(&secret, snapshot.join("model.safetensors")).unwrap();
        assert_eq!(companions(&snapshot).unwrap().len(), 2);
        symlink(&secret, snapshot.join("merges.txt")).unwrap();
        let error = companions(&snapshot).unwrap_err();
        assert!(
            matches!(&error, CompanionError::ForeignLink { target, .. } if target.ends_with("secret.json")),
            "{error}"
        );
        fs_err::remove_file(snapshot.join("merges.txt")).unwrap();

        symlink("../blobs/gone", snapshot.join("vocab.json")).unwrap();
        let error = companions(&snapshot).unwrap_err().to_string();
        assert!(
            error.ends_with("vocab.json` is a link to a file that does not exist"),
            "{error}"
        );
    }
}
