//! A model's files and tensors.

use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use weightsmith::output::{LOCK_FILE, Lock, LockedFile, MODEL_CARD};
use weightsmith_report::inspect::inspect;
use weightsmith_tensors::read_regular;

use super::facts::{LARGEST_TEXT, RECIPE};
use super::{Entry, Origin};
use crate::error::Refusal;

/// Folders in a model's folder are shown as deep as this.
const DEEPEST: usize = 3;

/// A picture of a model's card.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Every file of a model's folder; hashes are the lock's, of files that have the size that it lists.
pub(crate) fn files(entry: &Entry) -> Result<Value, Refusal> {
    let folder = folder(entry)?;
    let locked = Lock::read(folder).map_or_else(|_| Vec::new(), |lock| lock.files);
    let mut files = Vec::new();
    collect(folder, "", 0, &locked, &mut files)?;
    files.sort_by(|a, b| a.0.cmp(&b.0));
    let files: Vec<Value> = files.into_iter().map(|(_, file)| file).collect();
    Ok(json!({"files": files, "verified": null}))
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    locked: &[LockedFile],
    files: &mut Vec<(String, Value)>,
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
        let file = json!({
            "name": name,
            "bytes": bytes,
            "modified": changed.map(|since| since.as_secs()),
            "blake3": known.map(|file| &file.blake3),
            "kind": kind(&name),
        });
        files.push((name, file));
    }
    Ok(())
}

/// What a file is for.
fn kind(name: &str) -> &'static str {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    match (name, end) {
        (MODEL_CARD, _) => "card",
        (LOCK_FILE, _) => "lock",
        (RECIPE, _) => "recipe",
        ("vocab.json" | "merges.txt" | "vocab.txt" | "tokenizer.model" | "spiece.model", _)
        | (_, "jinja") => "tokenizer",
        (_, "safetensors") => "weights",
        (_, "png" | "jpg" | "jpeg" | "svg" | "gif" | "webp") => "picture",
        (name, "json") if name.ends_with(".safetensors.index.json") => "weights",
        (name, "json")
            if name.starts_with("tokenizer")
                || name.starts_with("special_tokens")
                || name.starts_with("added_tokens")
                || name.starts_with("chat_template") =>
        {
            "tokenizer"
        }
        (_, "json") => "config",
        _ => "other",
    }
}

/// What is in a checkpoint, and every tensor of it.
pub(crate) fn tensors(entry: &Entry) -> Result<Value, Refusal> {
    let located = entry.located.as_ref().ok_or_else(|| not_written(entry))?;
    let unreadable =
        |problem: String| Refusal::new(axum::http::StatusCode::CONFLICT, "broken_model", problem);
    let opened = located
        .open()
        .map_err(|error| unreadable(error.to_string()))?;
    let mut found = inspect(&opened).map_err(|error| unreadable(error.to_string()))?;
    let tensors: Vec<Value> = std::mem::take(&mut found.tensors)
        .into_iter()
        .zip(opened.source.tensors())
        .map(|(row, tensor)| {
            json!({
                "name": row.name,
                "dtype": row.dtype,
                "shape": row.shape,
                "elements": tensor.info.elements(),
                "bytes": tensor.info.bytes(),
                "file": row.file,
            })
        })
        .collect();
    let mut inspection =
        serde_json::to_value(&found).map_err(|error| Refusal::internal(error.to_string()))?;
    if let Value::Object(inspection) = &mut inspection {
        // they stand beside it
        inspection.remove("tensors");
    }
    Ok(json!({"inspection": inspection, "tensors": tensors}))
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
    let message = format!("`{}` is not written to disk, so it has no files", entry.name);
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
            ("model-00001-of-00002.safetensors", "weights"),
            ("model.safetensors.index.json", "weights"),
            ("tokenizer_config.json", "tokenizer"),
            ("chat_template.jinja", "tokenizer"),
            ("generation_config.json", "config"),
            ("README.md", "card"),
            ("mergekit_config.yml", "recipe"),
            ("weightsmith.lock.json", "lock"),
            ("shares.svg", "picture"),
            ("LICENSE", "other"),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
