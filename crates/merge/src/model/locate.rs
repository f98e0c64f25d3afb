//! Finds the folder of a model from what a recipe calls it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith_tensors::ModelSource;

use super::address::{hub_name, is_in_store};
use super::cache::{
    CachedRepo, DEFAULT_REVISION, Resolution, cached_repo, is_repo_name, is_revision,
};
use super::hub_environment::HubEnvironment;
use super::snapshot_path::hub_kind;
use super::web_address::{WebAddress, web_address};
use super::{LocateError, RemoteModels};
use crate::recipe::closest;

/// Where to look for models.
#[derive(Debug, Clone)]
pub struct LocateOptions {
    /// The folder that relative paths start from; empty for the process's own.
    pub current_dir: PathBuf,
    /// The recipe's folder: the second place where relative paths are looked up.
    pub recipe_dir: Option<PathBuf>,
    /// The Hugging Face cache: the folder that holds `models--org--name`.
    pub hub_cache: PathBuf,
    /// What `~` stands for.
    pub home: Option<PathBuf>,
    /// Whether the hub must not be asked. It never is here; the hints of errors depend on it.
    pub offline: bool,
    /// Why the hub could not be asked, where somebody tried.
    pub away: Option<String>,
    /// Where models come from that are not on this machine; nowhere without it.
    pub remote: Option<Arc<dyn RemoteModels>>,
    /// Names that stand for folders, whatever else is called like that.
    pub named: BTreeMap<String, PathBuf>,
    /// Models that are open, such as merges that were never written, by their names. They come before everything else.
    pub given: BTreeMap<String, Arc<dyn ModelSource>>,
}

/// A model that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// What to call it where paths must not appear: the name on the hub, or the local folder's or file's name.
    pub label: String,
    /// The folder with `config.json`, tokenizer and weights.
    pub folder: PathBuf,
    /// The weights, where the recipe names a single `.safetensors` file; `folder` is the one that it lies in.
    pub file: Option<PathBuf>,
    /// Where it was found.
    pub kind: LocatedKind,
}

/// Where a model was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocatedKind {
    /// At a path.
    Local,
    /// It was given, by its name.
    Given,
    /// In the Hugging Face cache.
    HubCache {
        /// The name on the hub, such as `Qwen/Qwen2.5-0.5B`.
        repo: String,
        /// The revision that was asked for, `main` when none was.
        revision: String,
        /// The commit that it stands for.
        commit: String,
    },
    /// In an object store.
    Store {
        /// The address, such as `s3://bucket/models/a`.
        address: String,
        /// A hash of the objects' tags: another one when any of them is written again.
        version: String,
    },
}

impl LocatedKind {
    /// The commit or version that was found, for a model from elsewhere.
    pub fn revision(&self) -> Option<&str> {
        match self {
            Self::Local | Self::Given => None,
            Self::HubCache { commit, .. } => Some(commit),
            Self::Store { version, .. } => Some(version),
        }
    }
}

impl LocateOptions {
    /// Options from environment variables, each asked for through `get`, with the meaning that huggingface_hub gives them.
    ///
    /// The cache is `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `$HF_HOME/hub`, else `TRANSFORMERS_CACHE`
    /// (which old versions of transformers filled), else `$XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`.
    /// `HF_HUB_OFFLINE` (or `TRANSFORMERS_OFFLINE`) is on for `1`, `ON`, `YES` and `TRUE` in any case. An empty variable counts as unset.
    pub fn from_env(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let variables = HubEnvironment::new(get);
        let hub_cache = variables
            .path("HF_HUB_CACHE")
            .or_else(|| variables.path("HUGGINGFACE_HUB_CACHE"))
            .or_else(|| Some(variables.path("HF_HOME")?.join("hub")))
            .or_else(|| variables.path("TRANSFORMERS_CACHE"))
            .unwrap_or_else(|| variables.usual_home().join("hub"));
        let offline = variables
            .set("HF_HUB_OFFLINE")
            .or_else(|| variables.set("TRANSFORMERS_OFFLINE"))
            .is_some_and(|value| is_true(&value));
        Self {
            current_dir: PathBuf::new(),
            recipe_dir: None,
            hub_cache,
            home: variables.home,
            offline,
            away: None,
            remote: None,
            named: BTreeMap::new(),
            given: BTreeMap::new(),
        }
    }

    /// Whether a text of a recipe is a name of [`Self::given`] or [`Self::named`], or the path of something that is there, seen from the current
    /// folder or the recipe's.
    pub fn exists(&self, path: &str) -> bool {
        self.given.contains_key(path)
            || self.named.contains_key(path)
            || local_candidates(path, self)
                .iter()
                .any(|candidate| candidate.exists())
    }
}

/// Finds a model and checks that its weights are there.
///
/// An existing local path wins: absolute, else in the current folder, else beside the recipe. Otherwise a text of the
/// form `org/name` or `org/name@revision` is looked up in the Hugging Face cache. `revision`, when given, is the one
/// that counts. `hf://org/name` is that name whatever local paths there are, and so is the address of the model's page.
/// A path to a snapshot in a cache is the model that the cache says.
///
/// # Errors
/// [`LocateError`] with every place where the model was looked for, or with the weights that it lacks.
pub fn locate(
    path: &str,
    revision: Option<&str>,
    options: &LocateOptions,
) -> Result<Located, LocateError> {
    let located = locate_folder(path, revision, options)?;
    match located.require_weights() {
        Ok(()) => Ok(located),
        Err(mut error) => {
            if let Some(elsewhere) = error.elsewhere_mut() {
                elsewhere.away.clone_from(&options.away);
            }
            Err(error)
        }
    }
}

/// As [`locate`], but a folder without weights will do, as for a tokenizer.
///
/// # Errors
/// [`LocateError`] with every place where the model was looked for.
pub fn locate_folder(
    path: &str,
    revision: Option<&str>,
    options: &LocateOptions,
) -> Result<Located, LocateError> {
    if path.is_empty() {
        return Err(LocateError::Empty);
    }
    if let Some(folder) = options.named.get(path) {
        return Ok(Located {
            label: path.to_owned(),
            folder: folder.clone(),
            file: None,
            kind: LocatedKind::Local,
        });
    }
    if is_in_store(path) {
        return Err(LocateError::InStore {
            address: path.to_owned(),
        });
    }
    let (page, page_revision) = match web_address(path) {
        None => (None, None),
        Some(WebAddress::Model { name, revision }) => (Some(name), revision),
        Some(WebAddress::Other) => {
            return Err(LocateError::WebAddress {
                address: path.to_owned(),
            });
        }
    };
    let revision = revision.or(page_revision.as_deref());
    let hub_name = page.as_deref().or_else(|| hub_name(path));
    let candidates = match hub_name {
        Some(_) => Vec::new(),
        None => local_candidates(path, options),
    };
    let path = hub_name.unwrap_or(path);
    for candidate in &candidates {
        if let Some(repo) = cached_repo(candidate) {
            return locate_repo(&repo, revision, candidate, options);
        }
        if candidate.is_dir() {
            return Ok(local_folder(candidate));
        }
        if candidate.is_file() {
            return local_file(candidate);
        }
    }
    let (name, named_revision) = match path.split_once('@') {
        Some((name, revision)) => (name, Some(revision)),
        None => (path, None),
    };
    if !is_repo_name(name) {
        return Err(LocateError::NotFound {
            path: path.to_owned(),
            meant: similar_folder(path, options),
            looked: candidates,
        });
    }
    let revision = revision.or(named_revision).unwrap_or(DEFAULT_REVISION);
    locate_cached(name, revision, candidates, options)
}

/// A folder beside the one that a path names, with a name so close that it may be meant.
pub fn similar_folder(path: &str, options: &LocateOptions) -> Option<String> {
    const MOST_LOOKED_AT: usize = 1000;
    let wanted = Path::new(path).file_name()?.to_str()?;
    for candidate in local_candidates(path, options) {
        let Some(entries) = candidate.parent().and_then(|folder| {
            let folder = if folder == Path::new("") {
                Path::new(".")
            } else {
                folder
            };
            fs_err::read_dir(folder).ok()
        }) else {
            continue;
        };
        let folders = entries.take(MOST_LOOKED_AT).flatten();
        let mut names: Vec<String> = folders
            .filter(|entry| entry.path().join("config.json").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        if let Some(near) = closest(wanted, names.iter().map(String::as_str)) {
            return Some(Path::new(path).with_file_name(near).display().to_string());
        }
    }
    None
}

/// A local model by its path, which need not be UTF-8.
///
/// # Errors
/// When there is none, or it lacks weights.
pub(super) fn locate_path(path: &Path) -> Result<Located, LocateError> {
    let located = if fs_err::metadata(path)?.is_dir() {
        local_folder(path)
    } else {
        local_file(path)?
    };
    located.require_weights()?;
    Ok(located)
}

fn local_candidates(path: &str, options: &LocateOptions) -> Vec<PathBuf> {
    let path = expand_home(Path::new(path), options.home.as_deref());
    if path.is_absolute() {
        return vec![path];
    }
    let mut candidates = vec![options.current_dir.join(&path)];
    if let Some(recipe_dir) = &options.recipe_dir {
        let beside = recipe_dir.join(&path);
        if !candidates.contains(&beside) {
            candidates.push(beside);
        }
    }
    candidates
}

fn local_folder(folder: &Path) -> Located {
    let (label, kind) = match hub_kind(folder) {
        Some(LocatedKind::HubCache {
            repo,
            revision,
            commit,
        }) => {
            let kind = LocatedKind::HubCache {
                repo: repo.clone(),
                revision,
                commit,
            };
            (repo, kind)
        }
        _ => (folder_name(folder), LocatedKind::Local),
    };
    Located {
        label,
        folder: folder.to_owned(),
        file: None,
        kind,
    }
}

fn local_file(file: &Path) -> Result<Located, LocateError> {
    let is_weights = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("safetensors"));
    if !is_weights {
        return Err(LocateError::NotAModel {
            path: file.to_owned(),
        });
    }
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok(Located {
        label: folder_name(file),
        folder,
        file: Some(file.to_owned()),
        kind: LocatedKind::Local,
    })
}

fn locate_cached(
    repo: &str,
    revision: &str,
    mut looked: Vec<PathBuf>,
    options: &LocateOptions,
) -> Result<Located, LocateError> {
    if !is_revision(revision) {
        return Err(LocateError::InvalidRevision {
            revision: revision.to_owned(),
        });
    }
    let cached = CachedRepo::new(&options.hub_cache, repo);
    if !cached.exists() {
        looked.push(cached.folder().to_owned());
        // only a few old models have no organisation: far more likely a folder's name
        if !repo.contains('/') {
            return Err(LocateError::NotFound {
                path: repo.to_owned(),
                meant: similar_folder(repo, options),
                looked,
            });
        }
        return Err(LocateError::NotCached {
            repo: repo.to_owned(),
            revision: revision.to_owned(),
            meant: similar_folder(repo, options),
            looked,
            offline: options.offline,
            away: options.away.as_deref().map(Into::into),
        });
    }
    in_repo(&cached, repo, revision, looked, options)
}

/// The model in a repository's folder of some cache: at the revision, else at the only commit that is there.
fn locate_repo(
    repo: &str,
    revision: Option<&str>,
    folder: &Path,
    options: &LocateOptions,
) -> Result<Located, LocateError> {
    let cached = CachedRepo::at(folder);
    let only = match revision {
        None => cached.only_commit()?,
        Some(_) => None,
    };
    let revision = revision.or(only.as_deref()).unwrap_or(DEFAULT_REVISION);
    in_repo(&cached, repo, revision, Vec::new(), options)
}

fn in_repo(
    cached: &CachedRepo,
    repo: &str,
    revision: &str,
    mut looked: Vec<PathBuf>,
    options: &LocateOptions,
) -> Result<Located, LocateError> {
    match cached.resolve(revision)? {
        Resolution::Snapshot { commit, folder } => Ok(Located {
            label: repo.to_owned(),
            folder,
            file: None,
            kind: LocatedKind::HubCache {
                repo: repo.to_owned(),
                revision: revision.to_owned(),
                commit,
            },
        }),
        Resolution::Ambiguous(commits) => Err(LocateError::AmbiguousRevision {
            repo: repo.to_owned(),
            revision: revision.to_owned(),
            commits,
        }),
        Resolution::Missing(places) => {
            looked.extend(places);
            Err(LocateError::RevisionNotCached {
                repo: repo.to_owned(),
                revision: revision.to_owned(),
                looked,
                cached: cached.revisions()?,
                offline: options.offline,
                away: options.away.as_deref().map(Into::into),
            })
        }
    }
}

/// The last part of a path; of the real path where the last part is `.` or `..`.
fn folder_name(path: &Path) -> String {
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    name(path)
        .or_else(|| fs_err::canonicalize(path).ok().as_deref().and_then(name))
        .unwrap_or_else(|| "model".to_owned())
}

pub(super) fn expand_home(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn is_true(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| {
        matches!(
            text.to_ascii_uppercase().as_str(),
            "1" | "ON" | "YES" | "TRUE"
        )
    })
}
