//! A model's files and tensors.

use std::path::Path;
use std::time::UNIX_EPOCH;

use weightsmith::output::{LOCK_FILE, Lock, LockedFile, MODEL_CARD};
use weightsmith_report::inspect::{Inspection as Found, inspect};
use weightsmith_tensors::read_regular;

use super::Entry;
use super::facts::{LARGEST_TEXT, RECIPE};
use crate::error::Refusal;
use crate::wire::{FileKind, FileList, Inspection, ModelFile, Origin, Tensor, TensorList};

/// Folders in a model's folder are shown as deep as this.
const DEEPEST: usize = 3;

/// A picture of a model's card.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Every file of a model's folder; hashes are the lock's, of files that have the size that it lists.
pub(crate) fn files(entry: &Entry) -> Result<FileList, Refusal> {
    let folder = folder(entry)?;
    let locked = Lock::read(folder).map_or_else(|_| Vec::new(), |lock| lock.files);
    let mut files = Vec::new();
    collect(folder, "", 0, &locked, &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(FileList { files })
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    locked: &[LockedFile],
    files: &mut Vec<ModelFile>,
) -> Result<(), Refusal> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let Ok(metadata) = fs_err::metadata(entry.path()) else {
            continue;
        };
        if metadata.is_dir() {
            if depth < DEEPEST && !entry.file_type()?.is_symlink() {
                let prefix = format!("{name}/");
                collect(&entry.path(), &prefix, depth + 1, locked, files)?;
            }
            continue;
        }
        let bytes = metadata.len();
        let known = locked
            .iter()
            .find(|file| file.name == name && file.bytes == bytes);
        let changed = metadata.modified().ok();
        let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        files.push(ModelFile {
            bytes,
            modified: changed.map(|since| since.as_secs()),
            blake3: known.map(|file| file.blake3.clone()),
            kind: kind(&name),
            name,
        });
    }
    Ok(())
}

/// What a file is for.
fn kind(name: &str) -> FileKind {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    match (name, end) {
        (MODEL_CARD, _) => FileKind::Card,
        (LOCK_FILE, _) => FileKind::Lock,
        (RECIPE, _) => FileKind::Recipe,
        ("vocab.json" | "merges.txt" | "vocab.txt" | "tokenizer.model" | "spiece.model", _)
        | (_, "jinja") => FileKind::Tokenizer,
        (_, "safetensors") => FileKind::Weights,
        (_, "png" | "jpg" | "jpeg" | "svg" | "gif" | "webp") => FileKind::Picture,
        (name, "json") if name.ends_with(".safetensors.index.json") => FileKind::Weights,
        (name, "json")
            if name.starts_with("tokenizer")
                || name.starts_with("special_tokens")
                || name.starts_with("added_tokens")
                || name.starts_with("chat_template") =>
        {
            FileKind::Tokenizer
        }
        (_, "json") => FileKind::Config,
        _ => FileKind::Other,
    }
}

/// What is in a checkpoint, and every tensor of it.
pub(crate) fn tensors(entry: &Entry) -> Result<TensorList, Refusal> {
    let located = entry.located.as_ref().ok_or_else(|| not_written(entry))?;
    let unreadable =
        |problem: String| Refusal::new(axum::http::StatusCode::CONFLICT, "broken_model", problem);
    let opened = located
        .open()
        .map_err(|error| unreadable(error.to_string()))?;
    let mut found = inspect(&opened).map_err(|error| unreadable(error.to_string()))?;
    let rows = std::mem::take(&mut found.tensors).into_iter();
    let tensors = rows.zip(opened.source.tensors());
    let tensors = tensors.map(|(row, tensor)| Tensor {
        name: row.name,
        dtype: row.dtype.to_string(),
        shape: row.shape,
        elements: tensor.info.elements(),
        bytes: tensor.info.bytes(),
        file: row.file,
    });
    Ok(TensorList {
        tensors: tensors.collect(),
        inspection: shown(found),
    })
}

/// What is in a checkpoint, without its tensors one by one.
fn shown(found: Found) -> Inspection {
    let Found {
        label,
        revision,
        description,
        model_type,
        parameters,
        tensor_count,
        bytes,
        layers,
        stacks,
        types,
        files,
        unindexed,
        wrappers,
        tied_embeddings,
        vocabulary,
        config,
        chat_template,
        templates,
        tensors: _,
    } = found;
    Inspection {
        label,
        revision,
        description,
        model_type,
        parameters,
        tensor_count,
        bytes,
        layers,
        stacks,
        types,
        files,
        unindexed,
        wrappers: wrappers.into_iter().map(str::to_owned).collect(),
        tied_embeddings,
        vocabulary,
        config,
        chat_template,
        templates,
    }
}

/// A picture that lies in a model's folder. Its name is looked up among the folder's files, and a link does not lead out of it.
pub(crate) fn picture(entry: &Entry, name: &str) -> Result<Picture, Refusal> {
    let none = || Refusal::not_found("no_file", format!("there is no picture `{name}`"));
    let kind = picture_kind(name).ok_or_else(none)?;
    let folder = folder(entry)?;
    let found = fs_err::read_dir(folder)?
        .filter_map(Result::ok)
        .find(|file| file.file_name() == name)
        .ok_or_else(none)?;
    let real = found.path().canonicalize().map_err(|_| none())?;
    let home = folder.canonicalize()?;
    // a file of the cache is a link to a blob of the same model
    let home = match entry.origin {
        Origin::Cache => home.ancestors().nth(2).unwrap_or(&home),
        _ => &home,
    };
    let metadata = fs_err::metadata(&real).map_err(|_| none())?;
    if !real.starts_with(home) || !metadata.is_file() || metadata.len() > LARGEST_TEXT {
        return Err(none());
    }
    Ok(Picture {
        kind,
        bytes: read_regular(&real, LARGEST_TEXT)?,
    })
}

/// The type of a picture that may be shown, by its name.
pub(super) fn picture_kind(name: &str) -> Option<&'static str> {
    if name.contains(['/', '\\', '\0']) || name.starts_with('.') {
        return None;
    }
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}

fn folder(entry: &Entry) -> Result<&Path, Refusal> {
    entry.folder.as_deref().ok_or_else(|| not_written(entry))
}

fn not_written(entry: &Entry) -> Refusal {
    let message = format!(
        "`{}` is not written to disk, so it has no files",
        entry.name
    );
    Refusal::not_found("not_written", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_of_the_folder_itself_are_shown() {
        for name in [
            "config.json",
            "../x.png",
            "a/x.png",
            ".x.png",
            "x.html",
            "png",
            "x.svg.html",
            "..\\x.png",
        ] {
            assert_eq!(picture_kind(name), None, "{name}");
        }
        assert_eq!(picture_kind("shares.SVG"), Some("image/svg+xml"));
    }

    #[test]
    fn files_are_told_apart() {
        for (name, expected) in [
            ("model-00001-of-00002.safetensors", FileKind::Weights),
            ("model.safetensors.index.json", FileKind::Weights),
            ("tokenizer_config.json", FileKind::Tokenizer),
            ("chat_template.jinja", FileKind::Tokenizer),
            ("generation_config.json", FileKind::Config),
            ("README.md", FileKind::Card),
            ("mergekit_config.yml", FileKind::Recipe),
            ("weightsmith.lock.json", FileKind::Lock),
            ("shares.svg", FileKind::Picture),
            ("LICENSE", FileKind::Other),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
