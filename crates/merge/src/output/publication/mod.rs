//! A merged model's files as they are published: those of the model, without paths and keys of somebody's machine.
//!
//! The recipe in `mergekit_config.yml` is what the user wrote, with local folders in it. Where it is published they become the
//! folders' names, in the card's copy too, and the lock says so, so that the published model verifies. What is in the folder and does not
//! belong to the model stays here, and so does everything as long as a text holds what looks like a key.

mod error;
mod recipe;
mod selection;

use std::io;
use std::path::{Path, PathBuf};

use weightsmith_tensors::{foreign_target, read_companion, read_companion_text};

use super::local_paths;
use super::model_files::fits;
use super::secrets::{self, Secret};
use super::{LOCK_FILE, Lock, LockError, MODEL_CARD, RECIPE_FILE};
pub use error::PublicationError;
use recipe::{hidden, in_card};
use selection::{Selection, collect, select};

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

/// What is published besides what a model consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicationOptions {
    /// Patterns of further files.
    pub include: Vec<String>,
    /// Patterns of files that may hold what looks like a key.
    pub allow_secret: Vec<String>,
}

/// What is published of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The files, sorted by name.
    pub files: Vec<PublishedFile>,
    /// Files that stay here, since they are no part of the model; a folder that stays as a whole is one entry, with a `/` at its end.
    pub left_out: Vec<String>,
    /// Local paths of the recipe that are not published, each with what stands in its place.
    pub replaced: Vec<(String, String)>,
    /// Settings with local paths that are not published, each with its file.
    pub dropped: Vec<(String, String)>,
    /// Local paths in texts for readers, which are published as they are.
    pub mentioned: Vec<Mention>,
    /// `weightsmith-<method>-<seven letters>`, the same for the same model; nothing for a model without a lock.
    pub proposed_name: Option<String>,
}

/// A local path in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The file.
    pub name: String,
    /// Its line, from 1.
    pub line: usize,
    /// The path.
    pub path: String,
}

/// Gathers what is published of a model's folder.
///
/// # Errors
/// When there is no model in it, a file cannot be read or leads out of the folder, or a text holds what looks like a key.
pub fn publication(
    folder: &Path,
    options: &PublicationOptions,
) -> Result<Publication, PublicationError> {
    weightsmith_tensors::refuse_unfinished(folder)?;
    let lock = match Lock::read(folder) {
        Ok(lock) => Some(lock),
        Err(LockError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let found = collect(folder)?;
    let Selection { files, left_out } = select(folder, found, lock.as_ref(), &options.include)?;
    for file in &files {
        refuse_foreign(folder, file)?;
    }
    let has = |wanted: &dyn Fn(&str) -> bool| files.iter().any(|file| wanted(&file.name));
    if !has(&|name| name == "config.json") || !has(&|name| name.ends_with(".safetensors")) {
        return Err(PublicationError::NoModel {
            folder: folder.to_owned(),
        });
    }
    let mut publication = Publication {
        files,
        left_out,
        replaced: Vec::new(),
        dropped: Vec::new(),
        mentioned: Vec::new(),
        proposed_name: lock.as_ref().map(proposed_name),
    };
    publication.hide_paths(lock)?;
    publication.refuse_secrets(&options.allow_secret)?;
    publication.mentioned = publication.mentions()?;
    Ok(publication)
}

/// Weights may lie elsewhere: folders of links to them are common, and weights are no secret of another program.
fn refuse_foreign(folder: &Path, file: &PublishedFile) -> Result<(), PublicationError> {
    let Some(target) = foreign_target(folder, &file.source)? else {
        return Ok(());
    };
    let is_weights = target.extension().is_some_and(|kind| kind == "safetensors");
    if is_weights && file.name.ends_with(".safetensors") {
        return Ok(());
    }
    Err(PublicationError::Link {
        name: file.name.clone(),
        target,
    })
}

impl Publication {
    /// Takes local paths out of the recipe, the card and the settings; the lock gets the hashes of what is published.
    fn hide_paths(&mut self, lock: Option<Lock>) -> Result<(), PublicationError> {
        let mut changed: Vec<(String, String)> = Vec::new();
        let mut lock = lock;
        if let Some(recipe) = self.text(RECIPE_FILE)? {
            let (published, replaced) = hidden(&recipe, lock.as_ref());
            self.replaced = replaced;
            if published != recipe {
                if let Some(card) = self.text(MODEL_CARD)? {
                    changed.push((MODEL_CARD.to_owned(), in_card(&card, &recipe, &published)));
                }
                if let Some(lock) = &mut lock {
                    lock.recipe = blake3::hash(published.as_bytes()).to_string();
                }
                changed.push((RECIPE_FILE.to_owned(), published));
            }
        }
        changed.extend(self.settings_without_paths()?);
        if changed.is_empty() {
            return Ok(());
        }
        for (name, content) in changed {
            self.replace(&name, content, lock.as_mut());
        }
        if let Some(lock) = lock {
            self.replace(LOCK_FILE, lock.to_json()?, None);
        }
        Ok(())
    }

    /// JSON files that hold local paths, without them.
    fn settings_without_paths(&mut self) -> Result<Vec<(String, String)>, PublicationError> {
        let mut changed = Vec::new();
        for file in &self.files {
            if file.name == LOCK_FILE || !local_paths::is_searched(&file.name, file.bytes) {
                continue;
            }
            let Ok(text) = String::from_utf8(read_companion(&file.source)?) else {
                continue;
            };
            if let Some((text, keys)) = local_paths::without_local_paths(&text) {
                self.dropped
                    .extend(keys.into_iter().map(|key| (file.name.clone(), key)));
                changed.push((file.name.clone(), text));
            }
        }
        Ok(changed)
    }

    fn refuse_secrets(&self, allowed: &[String]) -> Result<(), PublicationError> {
        let mut found: Vec<Secret> = Vec::new();
        for file in &self.files {
            if allowed.iter().any(|pattern| fits(pattern, &file.name)) {
                continue;
            }
            found.extend(match &file.content {
                Some(content) => secrets::in_bytes(&file.name, content),
                None => secrets::in_file(&file.name, &file.source)?,
            });
        }
        if found.is_empty() {
            return Ok(());
        }
        Err(PublicationError::Secrets { found })
    }

    fn mentions(&self) -> io::Result<Vec<Mention>> {
        let mut mentions = Vec::new();
        for file in &self.files {
            if !local_paths::is_prose(&file.name, file.bytes) {
                continue;
            }
            let content = match &file.content {
                Some(content) => content.clone(),
                None => read_companion(&file.source)?,
            };
            let text = String::from_utf8_lossy(&content);
            let paths = local_paths::in_prose(&text).into_iter();
            mentions.extend(paths.map(|(line, path)| Mention {
                name: file.name.clone(),
                line,
                path: path.to_owned(),
            }));
        }
        Ok(mentions)
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
    use super::recipe::tests::lock;
    use super::*;

    /// A folder with a model of no content, and further files.
    fn model(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("config.json", "{}"), ("model.safetensors", "")]
            .iter()
            .chain(files)
        {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        folder
    }

    fn published(folder: &Path) -> Result<Publication, PublicationError> {
        publication(folder, &PublicationOptions::default())
    }

    fn names(publication: &Publication) -> Vec<&str> {
        publication
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect()
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
        symlink(at("model/config.json"), at("model/other_config.json")).unwrap();
        assert_eq!(published(&at("model")).unwrap().files.len(), 3);
        for (target, link) in [
            ("token", "LICENSE"),
            ("weights.safetensors", "tokenizer.model"),
        ] {
            symlink(at(target), at("model").join(link)).unwrap();
            let error = published(&at("model")).unwrap_err().to_string();
            let start = format!("`{link}` is a link to ");
            assert!(error.starts_with(&start), "{error}");
            fs_err::remove_file(at("model").join(link)).unwrap();
        }
    }

    #[test]
    fn what_is_no_part_of_a_model_stays_and_is_named() {
        let folder = model(&[
            ("tokenizer.json", "{}"),
            ("id_rsa", "x"),
            ("notes/a.txt", "x"),
            ("notes/deep/b.txt", "x"),
            (".env", "x"),
        ]);
        let all = published(folder.path()).unwrap();
        assert_eq!(
            names(&all),
            ["config.json", "model.safetensors", "tokenizer.json"]
        );
        assert_eq!(all.left_out, ["id_rsa", "notes/"]);
        let options = PublicationOptions {
            include: vec!["notes/*.txt".to_owned()],
            ..PublicationOptions::default()
        };
        let more = publication(folder.path(), &options).unwrap();
        assert!(names(&more).contains(&"notes/a.txt"));
        assert_eq!(more.left_out, ["id_rsa", "notes/deep/b.txt"]);
        let none = PublicationOptions {
            include: vec!["*.md".to_owned()],
            ..PublicationOptions::default()
        };
        let error = publication(folder.path(), &none).unwrap_err();
        assert!(
            matches!(error, PublicationError::NothingIncluded { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_lock_says_what_belongs_to_a_merged_model() {
        let folder = model(&[
            ("custom.bin", "listed"),
            ("tokenizer.json", "not listed"),
            ("LICENSE", "mine"),
            ("README.md", "![a](shown.png)"),
            ("shown.png", ""),
            ("other.png", ""),
            (".eval_results/a.yaml", ""),
        ]);
        let mut lock = lock();
        for name in ["config.json", "model.safetensors", "custom.bin"] {
            lock.files.push(crate::output::LockedFile {
                name: name.to_owned(),
                bytes: 0,
                blake3: blake3::hash(b"").to_string(),
            });
        }
        fs_err::write(folder.path().join(LOCK_FILE), lock.to_json().unwrap()).unwrap();
        let found = published(folder.path()).unwrap();
        let expected = [
            ".eval_results/a.yaml",
            "LICENSE",
            "README.md",
            "config.json",
            "custom.bin",
            "model.safetensors",
            "shown.png",
            LOCK_FILE,
        ];
        assert_eq!(names(&found), expected);
        assert_eq!(found.left_out, ["other.png", "tokenizer.json"]);
    }

    #[test]
    fn settings_with_local_paths_are_published_without_them() {
        let folder = model(&[(
            "tokenizer_config.json",
            "{\"tokenizer_file\": \"/data/t/tokenizer.json\", \"a\": 1}",
        )]);
        let found = published(folder.path()).unwrap();
        let dropped = (
            "tokenizer_config.json".to_owned(),
            "tokenizer_file".to_owned(),
        );
        assert_eq!(found.dropped, [dropped]);
        let file = found
            .files
            .iter()
            .find(|file| file.name == "tokenizer_config.json");
        assert_eq!(file.unwrap().content.as_deref(), Some(&b"{\"a\": 1}"[..]));
    }

    #[test]
    fn a_key_stops_it_with_its_place_unless_the_file_is_allowed() {
        let key = format!("x\nhf_{}\n", "a1B2c3D4e5F6g7H8i9J0".repeat(2));
        let folder = model(&[("README.md", &key)]);
        let error = published(folder.path()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`README.md`, line 2: what looks like a Hugging Face token; nothing was sent"
        );
        let options = PublicationOptions {
            allow_secret: vec!["README.md".to_owned()],
            ..PublicationOptions::default()
        };
        assert!(publication(folder.path(), &options).is_ok());
    }

    #[test]
    fn local_paths_in_texts_are_told_and_published() {
        let folder = model(&[
            ("README.md", "# Mine\n\nTrained in /home/kim/runs.\n"),
            ("merges.txt", "/home/kim x\n"),
        ]);
        let publication = published(folder.path()).unwrap();
        let mention = Mention {
            name: "README.md".to_owned(),
            line: 3,
            path: "/home/kim/runs".to_owned(),
        };
        assert_eq!(publication.mentioned, [mention]);
        let file = publication
            .files
            .iter()
            .find(|file| file.name == "README.md");
        assert_eq!(file.unwrap().content, None);
    }

    #[test]
    fn a_folder_whose_files_are_being_moved_is_not_published() {
        let folder = model(&[(".weightsmith-partial/moving", "")]);
        assert!(matches!(
            published(folder.path()),
            Err(PublicationError::Tensors(_))
        ));
    }

    #[test]
    fn a_proposed_name_says_the_method() {
        let name = proposed_name(&lock());
        let letters = name.strip_prefix("weightsmith-dare-ties-").unwrap();
        assert!(letters.len() == 7 && letters.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert_eq!(name, proposed_name(&lock()));
    }
}
