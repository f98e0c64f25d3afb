//! Which files of a folder are the weights.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::Error;

/// Which files among a folder's names are the weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightFiles {
    /// Those that this index names.
    Indexed(String),
    /// These, sorted.
    Files(Vec<String>),
}

/// The weights that a path stands for.
#[derive(Debug)]
pub(super) enum Weights {
    /// An index and what lies beside it.
    Indexed(PathBuf),
    /// Files whose tensors all belong to the model, by name.
    Files(Vec<PathBuf>),
}

const SUFFIX: &str = ".safetensors";
const INDEX_SUFFIX: &str = ".safetensors.index.json";
/// Extensions of other weights, for the hint of [`Error::NoWeights`].
const OTHER_WEIGHTS: [&str; 9] = [
    ".bin",
    ".bin.index.json",
    ".pt",
    ".pth",
    ".ckpt",
    ".gguf",
    ".h5",
    ".msgpack",
    ".onnx",
];

/// Finds the weights of a folder or file.
pub(super) fn find(path: &Path) -> Result<Weights, Error> {
    let metadata = fs_err::metadata(path)?;
    if metadata.is_dir() {
        return in_folder(path);
    }
    if !metadata.is_file() {
        return Err(Error::NotAFile {
            path: path.to_owned(),
        });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(INDEX_SUFFIX) {
        Ok(Weights::Indexed(path.to_owned()))
    } else if looks_like_other_weights(&name) {
        Err(Error::NoWeights {
            path: path.to_owned(),
            found: vec![name.into_owned()],
        })
    } else {
        Ok(Weights::Files(vec![path.to_owned()]))
    }
}

fn in_folder(folder: &Path) -> Result<Weights, Error> {
    Ok(match choose(folder, &file_names(folder)?)? {
        WeightFiles::Indexed(index) => Weights::Indexed(folder.join(index)),
        WeightFiles::Files(files) => {
            Weights::Files(files.iter().map(|name| folder.join(name)).collect())
        }
    })
}

impl WeightFiles {
    /// Finds the weights among the names of a folder's files, as [`Checkpoint::open`](super::Checkpoint::open) does.
    ///
    /// The folder is named in errors and need not be there.
    ///
    /// # Errors
    /// When there are none, several indexes, or a numbered file is missing.
    pub fn choose(folder: &Path, names: &[String]) -> Result<Self, Error> {
        let mut names: Vec<String> = names
            .iter()
            .filter(|name| !name.starts_with('.'))
            .cloned()
            .collect();
        names.sort();
        choose(folder, &names)
    }
}

fn choose(folder: &Path, names: &[String]) -> Result<WeightFiles, Error> {
    const INDEX: &str = "model.safetensors.index.json";
    let indexes: Vec<&String> = names
        .iter()
        .filter(|name| name.ends_with(INDEX_SUFFIX))
        .collect();
    let has = |wanted: &str| names.iter().any(|name| name == wanted);

    if has(INDEX) {
        return Ok(WeightFiles::Indexed(INDEX.to_owned()));
    }
    match indexes[..] {
        [] => {}
        [only] => return Ok(WeightFiles::Indexed(only.clone())),
        _ => {
            return Err(Error::SeveralIndexes {
                path: folder.to_owned(),
                found: indexes.into_iter().cloned().collect(),
            });
        }
    }
    if has("model.safetensors") {
        return Ok(WeightFiles::Files(vec!["model.safetensors".to_owned()]));
    }

    let weights = without_copies(names);
    if weights.is_empty() {
        return Err(Error::NoWeights {
            path: folder.to_owned(),
            found: names
                .iter()
                .filter(|name| name.ends_with(SUFFIX) || looks_like_other_weights(name))
                .cloned()
                .collect(),
        });
    }
    ensure_complete(folder, &weights)?;
    Ok(WeightFiles::Files(weights.into_iter().cloned().collect()))
}

/// Names of the folder's files, sorted, hidden ones left out (macOS leaves `._model.safetensors` behind).
fn file_names(folder: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The safetensors files that are weights of their own: no adapters, and no `consolidated` copy beside the real ones.
fn without_copies(names: &[String]) -> Vec<&String> {
    let weights = || {
        names
            .iter()
            .filter(|name| name.ends_with(SUFFIX) && !name.starts_with("adapter_model"))
    };
    let real: Vec<&String> = weights()
        .filter(|name| !name.starts_with("consolidated"))
        .collect();
    if real.is_empty() {
        weights().collect()
    } else {
        real
    }
}

/// Files numbered `00001-of-00003` must all be there: without an index nothing else tells that one is missing.
fn ensure_complete(folder: &Path, names: &[&String]) -> Result<(), Error> {
    let mut complete = BTreeSet::new();
    for name in names {
        let Some(numbering) = Numbering::of(name) else {
            continue;
        };
        // every file of a set implies all the others
        if !complete.insert((numbering.stem, numbering.width, numbering.total_text)) {
            continue;
        }
        for number in 1..=numbering.total {
            let wanted = numbering.name(number);
            if names.binary_search(&&wanted).is_err() {
                return Err(Error::MissingShard {
                    path: folder.join(wanted),
                    wanted_by: folder.join(name),
                });
            }
        }
    }
    Ok(())
}

/// The parts of `model-00001-of-00003.safetensors`.
struct Numbering<'a> {
    stem: &'a str,
    width: usize,
    total: u32,
    total_text: &'a str,
}

impl<'a> Numbering<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let (start, total_text) = name.strip_suffix(SUFFIX)?.rsplit_once("-of-")?;
        let (stem, number) = start.rsplit_once('-')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(number) || !is_number(total_text) || total_text.len() > 6 {
            return None;
        }
        Some(Self {
            stem,
            width: number.len(),
            total: total_text.parse().ok()?,
            total_text,
        })
    }

    fn name(&self, number: u32) -> String {
        let (stem, width, total) = (self.stem, self.width, self.total_text);
        format!("{stem}-{number:0width$}-of-{total}{SUFFIX}")
    }
}

fn looks_like_other_weights(name: &str) -> bool {
    // training leftovers and settings of trainers, not weights
    const NO_WEIGHTS: [&str; 4] = ["training_args.bin", "optimizer.", "scheduler.", "rng_state"];
    OTHER_WEIGHTS.iter().any(|suffix| name.ends_with(suffix))
        && !NO_WEIGHTS.iter().any(|start| name.starts_with(start))
}
