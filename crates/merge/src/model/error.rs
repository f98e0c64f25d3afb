//! Why a model was not found, and what to do about it.

use std::path::PathBuf;

/// A model that a recipe names cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// A merge is about to take its place in the folder.
    #[error(transparent)]
    Unfinished(Box<weightsmith_tensors::Error>),

    /// The recipe names no model at all.
    #[error("the model's path is empty")]
    Empty,

    /// A local path that does not exist, and that cannot be a name on the hub either.
    #[error("no model at `{path}`; looked for {}", list_paths(looked))]
    NotFound {
        /// The path as the recipe has it.
        path: String,
        /// A folder with a similar name.
        meant: Option<String>,
        /// Every place where it was looked for, in order.
        looked: Vec<PathBuf>,
    },

    /// The path exists, but is a file that holds no safetensors weights.
    #[error("`{}` is a file, expected a folder or a `.safetensors` file", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
    },

    /// An address in an object store, for something that does not read there.
    #[error("`{address}` is in an object store, which is not supported here")]
    InStore {
        /// The address.
        address: String,
    },

    /// A web address that is no model's page on the hub.
    #[error("`{address}` is a web address, expected a folder or a name on the Hub")]
    WebAddress {
        /// The address.
        address: String,
    },

    /// A LoRA adapter, which is no model by itself.
    #[error("`{label}` is a LoRA adapter, not a model")]
    Adapter {
        /// The adapter's name.
        label: String,
        /// The model that it was trained on, as it says itself.
        base: Option<String>,
    },

    /// A name on the hub of which nothing is in the cache.
    #[error(
        "`{repo}` is not in the Hugging Face cache; looked for {}",
        list_paths(looked)
    )]
    NotCached {
        /// The name on the hub.
        repo: String,
        /// The revision that was asked for.
        revision: String,
        /// A folder with a similar name.
        meant: Option<String>,
        /// Every place where it was looked for: local paths first, then the folder in the cache.
        looked: Vec<PathBuf>,
        /// Whether the hub must not be asked (`HF_HUB_OFFLINE`).
        offline: bool,
        /// Why the hub could not be asked, where somebody tried.
        away: Option<Box<str>>,
    },

    /// A name on the hub that is cached in other revisions only.
    #[error(
        "revision `{revision}` of `{repo}` is not in the Hugging Face cache; looked for {}",
        list_paths(looked)
    )]
    RevisionNotCached {
        /// The name on the hub.
        repo: String,
        /// The revision that was asked for.
        revision: String,
        /// Every place where it was looked for.
        looked: Vec<PathBuf>,
        /// Branches, tags and commits that are cached.
        cached: Vec<String>,
        /// Whether the hub must not be asked (`HF_HUB_OFFLINE`).
        offline: bool,
        /// Why the hub could not be asked, where somebody tried.
        away: Option<Box<str>>,
    },

    /// A short commit hash that more than one cached snapshot begins with.
    #[error("`{revision}` matches {} cached commits of `{repo}`: {}", commits.len(), commits.join(", "))]
    AmbiguousRevision {
        /// The name on the hub.
        repo: String,
        /// The short hash.
        revision: String,
        /// The commits that begin with it.
        commits: Vec<String>,
    },

    /// The revision is no name that git allows, such as one that leaves the cache's folder.
    #[error("`{revision}` is not a revision")]
    InvalidRevision {
        /// The revision as the recipe has it.
        revision: String,
    },

    /// The model's folder holds no weights that can be read.
    #[error("`{label}` has no weights: {} in {}", lacking(broken_links), folder.display())]
    NoWeights {
        /// The model's name.
        label: String,
        /// Its folder.
        folder: PathBuf,
        /// Weights in formats that are not read, such as `pytorch_model.bin`.
        other_weights: Box<[String]>,
        /// Links to weights that are not there.
        broken_links: Box<[String]>,
        /// Where they may come from.
        elsewhere: Box<Elsewhere>,
    },

    /// The index names weight files that are not there.
    #[error("`{label}` lacks {} of the {total} weight files of its index: {}", missing.len(), missing.join(", "))]
    MissingShards {
        /// The model's name.
        label: String,
        /// Its folder.
        folder: PathBuf,
        /// The files that are not there.
        missing: Vec<String>,
        /// How many files the index names.
        total: usize,
        /// Where they may come from.
        elsewhere: Box<Elsewhere>,
    },

    /// The index of the weights is not what it should be.
    #[error(transparent)]
    InvalidIndex(Box<weightsmith_tensors::Error>),

    /// A file or folder could not be read. The message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl LocateError {
    /// What to do about it, most helpful first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::NotFound { path, meant, .. } => {
                let mut hints = meant_hints(meant.as_ref());
                hints.extend(not_found_hints(path));
                hints
            }
            Self::NotCached {
                repo,
                revision,
                meant,
                offline,
                away,
                ..
            } => {
                let mut hints = meant_hints(meant.as_ref());
                hints.extend(download_hints(repo, revision, *offline, away.as_deref()));
                hints.push(format!("if `{repo}` is a folder, write its full path"));
                hints
            }
            Self::RevisionNotCached {
                repo,
                revision,
                cached,
                offline,
                away,
                ..
            } => {
                let mut hints = Vec::new();
                if let Some(last) = cached.last() {
                    hints.push(format!(
                        "cached revisions of `{repo}`: {}; write `{repo}@{}` to use one of them",
                        cached.join(", "),
                        last.get(..12).unwrap_or(last),
                    ));
                }
                hints.extend(download_hints(repo, revision, *offline, away.as_deref()));
                hints
            }
            Self::AmbiguousRevision { .. } => {
                vec!["use more digits of the commit hash".to_owned()]
            }
            Self::NoWeights {
                label,
                other_weights,
                elsewhere,
                ..
            } => {
                let mut hints = Vec::from_iter(elsewhere.complete_hints(label));
                if !other_weights.is_empty() {
                    hints.push(format!(
                        "found {}: only safetensors weights are supported; convert them first",
                        other_weights.join(", ")
                    ));
                }
                hints.extend(elsewhere.download_hints(label));
                hints
            }
            Self::MissingShards {
                label, elsewhere, ..
            } => {
                let mut hints = Vec::from_iter(elsewhere.complete_hints(label));
                hints.extend(elsewhere.download_hints(label));
                if elsewhere.revision.is_none() {
                    hints.push("copy or download the missing files into the folder".to_owned());
                }
                hints
            }
            Self::InStore { .. } => vec![
                "`verify`, `push` and `check --host` need a local folder: copy the model first"
                    .to_owned(),
            ],
            Self::WebAddress { .. } => {
                vec!["Hub models are written `organization/name`".to_owned()]
            }
            Self::Adapter { base, .. } => {
                let base = base.as_deref().unwrap_or("its base");
                vec![format!(
                    "adapters are not supported yet: merge it into `{base}` first, for example with PEFT's `merge_and_unload`, and use the result"
                )]
            }
            Self::NotAModel { .. } => {
                vec!["use the folder that contains `config.json` and the weights".to_owned()]
            }
            Self::Empty
            | Self::InvalidRevision { .. }
            | Self::InvalidIndex(_)
            | Self::Unfinished(_)
            | Self::Io(_) => Vec::new(),
        }
    }
}

impl LocateError {
    /// Where weights that are missing may come from.
    pub(super) fn elsewhere_mut(&mut self) -> Option<&mut Elsewhere> {
        match self {
            Self::NoWeights { elsewhere, .. } | Self::MissingShards { elsewhere, .. } => {
                Some(elsewhere)
            }
            _ => None,
        }
    }
}

/// Where the weights may come from that a model lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Elsewhere {
    /// The revision where the model is on the hub.
    pub revision: Option<String>,
    /// Other commits in the cache whose weights are there.
    pub complete: Vec<String>,
    /// Why the hub could not be asked, where somebody tried.
    pub away: Option<String>,
}

impl Elsewhere {
    fn complete_hints(&self, repo: &str) -> Option<String> {
        let commits = self.complete.iter();
        let names: Vec<String> = commits
            .map(|commit| format!("`{repo}@{}`", commit.get(..12).unwrap_or(commit)))
            .collect();
        let names = (!names.is_empty()).then(|| names.join(", "))?;
        Some(format!("the cache has weights of another commit: {names}"))
    }

    fn download_hints(&self, repo: &str) -> Vec<String> {
        let Some(revision) = &self.revision else {
            return Vec::new();
        };
        download_hints(repo, revision, false, self.away.as_deref())
    }
}

/// What is wrong with a folder that has no weights.
fn lacking(broken_links: &[String]) -> String {
    match broken_links {
        [] => "no `.safetensors` file".to_owned(),
        links => format!(
            "`{}` links to a file that does not exist",
            links.join("`, `")
        ),
    }
}

fn meant_hints(meant: Option<&String>) -> Vec<String> {
    let hint = |meant| format!("did you mean `{meant}`?");
    meant.map(hint).into_iter().collect()
}

fn not_found_hints(path: &str) -> Vec<String> {
    let mut hints = vec![
        "relative paths start from the current folder, then from the recipe's folder".to_owned(),
    ];
    if !path.contains(['/', '\\']) {
        hints.push(format!("Hub models are written `organization/{path}`"));
    }
    hints
}

fn download_hints(repo: &str, revision: &str, offline: bool, away: Option<&str>) -> Vec<String> {
    if let Some(reason) = away {
        return vec![format!("{reason}; are you online?")];
    }
    let mut command = format!("weightsmith pull {repo}");
    if revision != "main" {
        command.push('@');
        command.push_str(revision);
    }
    let mut hints = vec![format!("download it first: `{command}`")];
    if offline {
        hints.push("`HF_HUB_OFFLINE` is set: unset it for the download".to_owned());
    }
    hints
}

fn list_paths(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_cached_says_how_to_download_it() {
        let error = LocateError::NotCached {
            repo: "org/name".into(),
            revision: "v2".into(),
            meant: None,
            looked: vec!["/a/org/name".into(), "/hub/models--org--name".into()],
            offline: true,
            away: None,
        };
        insta::assert_snapshot!(error, @"`org/name` is not in the Hugging Face cache; looked for `/a/org/name`, `/hub/models--org--name`");
        assert_eq!(
            error.hints(),
            [
                "download it first: `weightsmith pull org/name@v2`",
                "`HF_HUB_OFFLINE` is set: unset it for the download",
                "if `org/name` is a folder, write its full path",
            ]
        );
    }
    #[test]
    fn a_hub_that_is_out_of_reach_is_no_reason_to_advise_a_download() {
        let error = LocateError::NotCached {
            repo: "tiny/bsae".into(),
            revision: "main".into(),
            meant: Some("tiny/base".into()),
            looked: Vec::new(),
            offline: false,
            away: Some("can't reach huggingface.co: connection refused".into()),
        };
        assert_eq!(
            error.hints(),
            [
                "did you mean `tiny/base`?",
                "can't reach huggingface.co: connection refused; are you online?",
                "if `tiny/bsae` is a folder, write its full path",
            ]
        );
    }
}
