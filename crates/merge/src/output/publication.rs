//! A merged model's files as they are published: without the paths of somebody's machine.
//!
//! The recipe in `mergekit_config.yml` is what the user wrote, with local folders in it. Where it is published they become the
//! folders' names, in the card's copy too, and the lock says so, so that the published model verifies.

use std::io;
use std::path::{Path, PathBuf};
use weightsmith_tensors::read_companion_text;

use super::published_recipe::without_absolute_paths;
use super::{LOCK_FILE, Lock, LockError, MODEL_CARD};
use crate::recipe;

/// The recipe as it was given.
const RECIPE: &str = "mergekit_config.yml";

/// Deeper folders are not followed.
const DEEPEST: usize = 8;

/// Letters of a proposed name.
const LETTERS: usize = 7;

/// A file to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its path in the repository, with `/` between its parts.
    pub name: String,
    /// The file in the folder.
    pub source: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its content, where it is not that of the file.
    pub content: Option<Vec<u8>>,
}

/// What is published of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The files, sorted by name.
    pub files: Vec<PublishedFile>,
    /// Local paths that are not published, each with what stands in its place.
    pub replaced: Vec<(String, String)>,
    /// `weightsmith-<method>-<seven letters>`, the same for the same model; nothing for a model without a lock.
    pub proposed_name: Option<String>,
}

/// A folder that cannot be published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublicationError {
    /// There is no model in it.
    #[error("{}: no model: expected `config.json` and `.safetensors` files", folder.display())]
    NoModel {
        /// The folder.
        folder: PathBuf,
    },
    /// Its lock cannot be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file cannot be read. The message names it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A link leads to a file that may be somebody's own.
    #[error(
        "`{name}` is a link to `{target}`, outside of the model's folder; put a copy in its place if it is to be published",
        target = target.display()
    )]
    Link {
        /// The file.
        name: String,
        /// Where it leads.
        target: PathBuf,
    },
}

/// Gathers what is published of a model's folder.
///
/// # Errors
/// When there is no model in it, or a file cannot be read.
pub fn publication(folder: &Path) -> Result<Publication, PublicationError> {
    let mut files = Vec::new();
    collect(folder, "", 0, &mut files)?;
    for file in &files {
        refuse_foreign(folder, file)?;
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let has = |wanted: &dyn Fn(&str) -> bool| files.iter().any(|file| wanted(&file.name));
    if !has(&|name| name == "config.json") || !has(&|name| name.ends_with(".safetensors")) {
        return Err(PublicationError::NoModel {
            folder: folder.to_owned(),
        });
    }
    let lock = match Lock::read(folder) {
        Ok(lock) => Some(lock),
        Err(LockError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut publication = Publication {
        files,
        replaced: Vec::new(),
        proposed_name: lock.as_ref().map(proposed_name),
    };
    publication.hide_paths(lock)?;
    Ok(publication)
}

/// Links may lead to other places of the folder, to shards, and from the shared cache's snapshots to its blobs. Elsewhere may lie what
/// nobody meant to publish: a folder that came from somebody else can hold a link to a token.
fn refuse_foreign(folder: &Path, file: &PublishedFile) -> Result<(), PublicationError> {
    let target = file.source.canonicalize()?;
    let folder = folder.canonicalize()?;
    let blobs = folder.ancestors().nth(2).map(|cached| cached.join("blobs"));
    let is_ours = target.starts_with(&folder)
        || blobs.is_some_and(|blobs| target.starts_with(blobs))
        || target.extension().is_some_and(|kind| kind == "safetensors");
    if is_ours {
        return Ok(());
    }
    Err(PublicationError::Link {
        name: file.name.clone(),
        target,
    })
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<PublishedFile>,
) -> io::Result<()> {
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let source = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        // hidden files are somebody's own, but for the hub's form of scores
        if name.starts_with('.') && !(depth == 0 && name == ".eval_results") {
            continue;
        }
        let name = format!("{prefix}{name}");
        let metadata = fs_err::metadata(&source)?;
        if metadata.is_dir() && depth < DEEPEST && !entry.file_type()?.is_symlink() {
            collect(&source, &format!("{name}/"), depth + 1, files)?;
        } else if metadata.is_file() {
            files.push(PublishedFile {
                name,
                source,
                bytes: metadata.len(),
                content: None,
            });
        }
    }
    Ok(())
}

impl Publication {
    /// Puts folders' names in the place of local paths: in the recipe, in the card, and in the lock their new hashes.
    fn hide_paths(&mut self, lock: Option<Lock>) -> Result<(), PublicationError> {
        let Some(recipe) = self.text(RECIPE)? else {
            return Ok(());
        };
        let (published, replaced) = hidden(&recipe, lock.as_ref());
        self.replaced = replaced;
        if published == recipe {
            return Ok(());
        }
        let card = self
            .text(MODEL_CARD)?
            .map(|card| in_card(&card, &recipe, &published));
        let mut lock = lock;
        if let Some(lock) = &mut lock {
            lock.recipe = blake3::hash(published.as_bytes()).to_string();
        }
        self.replace(RECIPE, published, lock.as_mut());
        if let Some(card) = card {
            self.replace(MODEL_CARD, card, lock.as_mut());
        }
        if let Some(lock) = lock {
            self.replace(LOCK_FILE, lock.to_json()?, None);
        }
        Ok(())
    }

    fn text(&self, name: &str) -> io::Result<Option<String>> {
        let file = self.files.iter().find(|file| file.name == name);
        file.map(|file| read_companion_text(&file.source))
            .transpose()
    }

    fn replace(&mut self, name: &str, content: String, lock: Option<&mut Lock>) {
        let bytes = content.len() as u64;
        let locked = lock.and_then(|lock| lock.files.iter_mut().find(|file| file.name == name));
        if let Some(locked) = locked {
            locked.bytes = bytes;
            locked.blake3 = blake3::hash(content.as_bytes()).to_string();
        }
        if let Some(file) = self.files.iter_mut().find(|file| file.name == name) {
            file.bytes = bytes;
            file.content = Some(content.into_bytes());
        }
    }
}

/// A recipe without local paths, and what was replaced by what.
fn hidden(text: &str, lock: Option<&Lock>) -> (String, Vec<(String, String)>) {
    let parsed = recipe::parse(text, &|_| false);
    let mut places: Vec<(usize, usize, String)> = Vec::new();
    let mut replaced: Vec<(String, String)> = Vec::new();
    for reference in parsed.recipes.iter().flat_map(recipe::Recipe::references) {
        let path = &reference.value.path;
        let span = reference.span.start..reference.span.end;
        let Some(at) = text
            .get(span.clone())
            .and_then(|part| part.find(path.as_str()))
        else {
            continue;
        };
        if is_local(path, lock) {
            let name = last_name(path);
            places.push((span.start + at, path.len(), name.clone()));
            if *path != name && replaced.iter().all(|(known, _)| known != path) {
                replaced.push((path.clone(), name));
            }
        }
    }
    places.sort();
    places.dedup();
    let mut published = text.to_owned();
    for (start, length, name) in places.into_iter().rev() {
        published.replace_range(start..start + length, &name);
    }
    (without_absolute_paths(&published), replaced)
}

/// Whether a reference is a folder here: the lock knows which models came from the hub.
fn is_local(path: &str, lock: Option<&Lock>) -> bool {
    let looks_so = path.starts_with(['/', '.', '~', '\\'])
        || path.contains('\\')
        || path.matches('/').count() > 1
        || path.get(1..3) == Some(":/");
    let inputs = lock.map_or(&[][..], |lock| &lock.inputs);
    let from_hub = |label: &str| {
        inputs
            .iter()
            .any(|input| input.revision.is_some() && input.label == label)
    };
    let name = last_name(path);
    let is_input = inputs
        .iter()
        .any(|input| input.revision.is_none() && input.label == name);
    looks_so || (is_input && !from_hub(path))
}

fn last_name(path: &str) -> String {
    let trimmed = path.trim_end_matches(['/', '\\']);
    let name = trimmed.rsplit(['/', '\\']).next().unwrap_or(trimmed);
    if name.is_empty() || name == "." || name == ".." {
        "model".to_owned()
    } else {
        name.to_owned()
    }
}

/// The card with the recipe's lines as they are published: the card's own copy has no absolute paths already.
fn in_card(card: &str, recipe: &str, published: &str) -> String {
    let changed: Vec<(String, &str)> = recipe
        .lines()
        .zip(published.lines())
        .filter(|(old, new)| old != new)
        .map(|(old, new)| (without_absolute_paths(old), new))
        .collect();
    let mut text = String::with_capacity(card.len());
    for line in card.split_inclusive('\n') {
        let (content, end) = match line.strip_suffix('\n') {
            Some(content) => (content, "\n"),
            None => (line, ""),
        };
        let found = changed.iter().find(|(old, _)| old == content);
        text += found.map_or(content, |(_, new)| new);
        text += end;
    }
    text
}

/// A name that says how a model was made, and letters that tell it from others made so.
fn proposed_name(lock: &Lock) -> String {
    let mut seed = lock.recipe.clone().into_bytes();
    for file in lock
        .files
        .iter()
        .filter(|file| file.name.ends_with(".safetensors"))
    {
        seed.extend_from_slice(file.blake3.as_bytes());
    }
    model_name(&lock.method, &seed)
}

/// `weightsmith-<method>-<seven letters>`: the letters are the same for the same seed.
pub fn model_name(method: &str, seed: &[u8]) -> String {
    let hash = blake3::hash(seed);
    let letters: String = hash.as_bytes()[..LETTERS]
        .iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect();
    format!("weightsmith-{}-{letters}", method.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "merge_method: linear\nmodels:\n  - model: ./work/mine\n    parameters: {weight: 1}\n  - model: \"/home/me/other\"\n    parameters: {weight: 1}\n  - model: org/name@v2\n    parameters: {weight: 1}\n  - model: near/by\n    parameters: {weight: 1}\n# see /home/me/notes.md\n";

    fn lock() -> Lock {
        let input = |label: &str, revision: Option<&str>| crate::output::LockedInput {
            label: label.to_owned(),
            base: false,
            revision: revision.map(ToOwned::to_owned),
            files: Vec::new(),
        };
        Lock {
            format: 1,
            weightsmith: "0".to_owned(),
            date: String::new(),
            method: "dare_ties".to_owned(),
            seed: 0,
            recipe: String::new(),
            run: None,
            inputs: vec![
                input("mine", None),
                input("other", None),
                input("org/name", Some("abc")),
                input("by", None),
            ],
            tensors: 0,
            parameters: 0,
            non_finite: 0,
            files: Vec::new(),
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_publish_nothing_from_elsewhere() {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for name in ["token", "weights.safetensors", "model/config.json"] {
            fs_err::create_dir_all(at("model")).unwrap();
            fs_err::write(at(name), "secret").unwrap();
        }
        symlink(at("weights.safetensors"), at("model/model.safetensors")).unwrap();
        symlink(at("model/config.json"), at("model/other.json")).unwrap();
        assert_eq!(publication(&at("model")).unwrap().files.len(), 3);
        symlink(at("token"), at("model/LICENSE")).unwrap();
        let error = publication(&at("model")).unwrap_err().to_string();
        assert!(error.starts_with("`LICENSE` is a link to "), "{error}");
    }

    #[test]
    fn local_folders_become_names_and_the_hubs_names_stay() {
        let (published, replaced) = hidden(TEXT, Some(&lock()));
        let models: Vec<&str> = published
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- model: "))
            .collect();
        assert_eq!(models, ["mine", "\"other\"", "org/name@v2", "by"]);
        assert!(published.ends_with("# see notes.md\n"));
        let pairs = [
            ("./work/mine", "mine"),
            ("/home/me/other", "other"),
            ("near/by", "by"),
        ];
        assert_eq!(replaced, pairs.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert_eq!(published.lines().count(), TEXT.lines().count());
    }

    #[test]
    fn the_card_follows_the_recipe() {
        let (published, _) = hidden(TEXT, Some(&lock()));
        let card = format!("# Card\n```yaml\n{}```\n", without_absolute_paths(TEXT));
        let card = in_card(&card, TEXT, &published);
        assert_eq!(card, format!("# Card\n```yaml\n{published}```\n"));
    }

    #[test]
    fn a_proposed_name_says_the_method() {
        let name = proposed_name(&lock());
        let letters = name.strip_prefix("weightsmith-dare-ties-").unwrap();
        assert!(letters.len() == 7 && letters.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert_eq!(name, proposed_name(&lock()));
    }
}
