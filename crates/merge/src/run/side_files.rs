//! Everything of a result that is not weights.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use weightsmith_tensors::{Companion, ModelSource, json};

use super::error::RunError;
use super::execute::{OutputFile, Report, RunOptions};
use super::finished::run_key;
use super::finished_files::{FinishedFiles, RunFacts};
use super::work_folder::WorkFolder;
use crate::output::{LOCK_FILE, Lock, LockFacts, SHARE_PICTURE, is_searched, without_local_paths};
use crate::plan::Planned;

/// The recipe as it was given.
const RECIPE: &str = "mergekit_config.yml";

/// Memory that a file is copied through.
const COPY_BUFFER: usize = 1 << 20;

/// A file of the donor.
#[derive(Debug)]
struct Copied {
    companion: Companion,
    /// What is written in the place of its content.
    content: Option<Vec<u8>>,
}

/// Files that come from the donor or follow from the plan, known before the run.
#[derive(Debug)]
pub(super) struct SideFiles {
    copied: Vec<Copied>,
    /// Stands for all that the result depends on.
    run: String,
    /// Path in the result and content.
    made: Vec<(PathBuf, Vec<u8>)>,
    /// Files and keys of settings that are left out.
    dropped: Vec<(String, String)>,
}

impl SideFiles {
    /// Finds the donor's files and makes those that the plan determines.
    pub(super) fn gather(planned: &Planned, options: &RunOptions<'_>) -> Result<Self, RunError> {
        let plan = &planned.plan;
        let donor = &planned.models.as_slice()[plan.donor];
        let mut made = vec![(RECIPE.into(), options.recipe.as_bytes().to_vec())];
        let mut dropped = Vec::new();
        if let Some(config) = &plan.config {
            let (config, keys) =
                without_local_paths(config).unwrap_or((config.clone(), Vec::new()));
            dropped.extend(keys.into_iter().map(|key| ("config.json".to_owned(), key)));
            made.push(("config.json".into(), config.into_bytes()));
        }
        if plan.layout.shards().len() > 1 {
            made.push((
                weightsmith_tensors::INDEX_FILE_NAME.into(),
                plan.layout.index_json(),
            ));
        }
        let mut found = if options.copy_companions {
            donor.source.companions()?
        } else {
            Vec::new()
        };
        found.retain(|companion| {
            companion.relative != Path::new(SHARE_PICTURE)
                && !made.iter().any(|(path, _)| *path == companion.relative)
        });
        let run = run_key(planned, options, &found)?;
        let mut copied = Vec::new();
        for companion in found {
            let (content, keys) = changed_content(donor.source.as_ref(), &companion)?.unzip();
            let keys = keys.into_iter().flatten();
            dropped.extend(keys.map(|key| (published_name(&companion.relative), key)));
            copied.push(Copied { companion, content });
        }
        Ok(Self {
            copied,
            run,
            made,
            dropped,
        })
    }

    /// Settings of the donor that hold local paths and are left out, each with its file.
    pub(super) fn dropped(&self) -> &[(String, String)] {
        &self.dropped
    }

    /// Stands for all that the result depends on.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Their size.
    pub(super) fn bytes(&self) -> u64 {
        let copied: u64 = self.copied.iter().map(|file| file.companion.bytes).sum();
        let made = self.made.iter().map(|(_, content)| content.len() as u64);
        copied + made.sum::<u64>()
    }

    /// Writes them into the working folder, the card and the lock last.
    pub(super) fn write(
        mut self,
        planned: &Planned,
        folder: &WorkFolder,
        report: &Report,
        options: &RunOptions<'_>,
    ) -> Result<(), RunError> {
        let date = Timestamp::now();
        let non_finite = report.non_finite.iter().map(|(_, count)| count).sum();
        if let Some(card) = options.card {
            let facts = (date, non_finite, options.recipe);
            self.card(card, planned, &folder.name(), facts)?;
        }
        let donor = &planned.models.as_slice()[planned.plan.donor];
        let mut files = report.files.clone();
        for Copied { companion, content } in &self.copied {
            files.push(match content {
                Some(content) => write_file(folder, &companion.relative, content)?,
                None => copy_file(donor.source.as_ref(), folder, companion)?,
            });
        }
        for (path, content) in &self.made {
            files.push(write_file(folder, path, content)?);
        }
        let facts = LockFacts {
            recipe: options.recipe,
            run: Some(&self.run),
            date,
            non_finite,
            files: &files,
        };
        let lock = Lock::new(&planned.plan, &facts).to_json()?;
        write_file(folder, Path::new(LOCK_FILE), lock.as_bytes())?;
        Ok(())
    }

    /// Adds the model card and what belongs to it.
    fn card(
        &mut self,
        card: &dyn FinishedFiles,
        planned: &Planned,
        title: &str,
        (date, non_finite, recipe): (Timestamp, u64, &str),
    ) -> Result<(), RunError> {
        let donor = &planned.models.as_slice()[planned.plan.donor];
        let facts = RunFacts {
            planned,
            title,
            recipe,
            date,
            non_finite,
            has_chat_template: self.has_chat_template(donor.source.as_ref())?,
            has_modules: self.companion("modules.json").is_some(),
        };
        let files = card.files(&facts)?.into_iter();
        self.made
            .extend(files.map(|file| (file.name.into(), file.content)));
        Ok(())
    }

    fn companion(&self, name: &str) -> Option<&Companion> {
        let mut companions = self.copied.iter().map(|copied| &copied.companion);
        companions.find(|companion| companion.relative == Path::new(name))
    }

    /// Whether a chat template comes along, as a file of its own or in the tokenizer's configuration.
    fn has_chat_template(&self, donor: &dyn ModelSource) -> std::io::Result<bool> {
        let own_file = ["chat_template.jinja", "chat_template.json"];
        if own_file.iter().any(|name| self.companion(name).is_some()) {
            return Ok(true);
        }
        let name = "tokenizer_config.json";
        if self.companion(name).is_none() {
            return Ok(false);
        }
        let config = donor.file(name)?.unwrap_or_default();
        let config: Option<Value> = json::read(&config).ok();
        Ok(config.is_some_and(|config| config.get("chat_template").is_some()))
    }
}

/// A companion's content without the settings that hold local paths, which lead nowhere for whoever gets the result, and their keys.
fn changed_content(
    donor: &dyn ModelSource,
    companion: &Companion,
) -> std::io::Result<Option<(Vec<u8>, Vec<String>)>> {
    let name = published_name(&companion.relative);
    if !is_searched(&name, companion.bytes) {
        return Ok(None);
    }
    let text = String::from_utf8(donor.file(&name)?.unwrap_or_default()).ok();
    let changed = text.as_deref().and_then(without_local_paths);
    Ok(changed.map(|(text, keys)| (text.into_bytes(), keys)))
}

fn write_file(folder: &WorkFolder, path: &Path, content: &[u8]) -> Result<OutputFile, RunError> {
    create(folder, path)?.write_all(content)?;
    Ok(OutputFile {
        name: published_name(path),
        bytes: content.len() as u64,
        blake3: blake3::hash(content).to_string(),
    })
}

fn copy_file(
    donor: &dyn ModelSource,
    folder: &WorkFolder,
    companion: &Companion,
) -> Result<OutputFile, RunError> {
    let mut from = donor.open_companion(&companion.relative)?;
    let mut to = create(folder, &companion.relative)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; COPY_BUFFER];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
    }
    Ok(OutputFile {
        name: published_name(&companion.relative),
        bytes,
        blake3: hasher.finalize().to_string(),
    })
}

fn create(folder: &WorkFolder, path: &Path) -> std::io::Result<fs_err::File> {
    let target = folder.path().join(path);
    if let Some(parent) = target.parent() {
        fs_err::create_dir_all(parent)?;
    }
    fs_err::File::create(target)
}

fn published_name(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}
