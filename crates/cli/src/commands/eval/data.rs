//! What is measured on.

use std::path::{Path, PathBuf};

use weightsmith_infer::evaluate::{Tasks, read_tasks};
use weightsmith_tensors::read_given_text;

use crate::failure::Failure;

/// The largest file to measure on. It is read as a whole.
const MAX_DATA_BYTES: u64 = 1 << 30;

/// A file to measure on.
#[derive(Debug)]
pub(super) struct Data<'a> {
    pub(super) path: &'a Path,
    /// Its name: without the folder, where no other has the same.
    pub(super) name: String,
    pub(super) content: Content,
}

/// What a file holds.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Tasks(Tasks),
}

impl<'a> Data<'a> {
    /// Reads files; of the questions of each no more than `limit`.
    pub(super) fn read_all(
        paths: &'a [PathBuf],
        limit: Option<usize>,
    ) -> Result<Vec<Self>, Failure> {
        let mut all = paths
            .iter()
            .map(|path| Self::read(path, limit))
            .collect::<Result<Vec<_>, _>>()?;
        let names: Vec<String> = all.iter().map(|data| data.name.clone()).collect();
        for data in &mut all {
            if names.iter().filter(|name| **name == data.name).count() > 1 {
                data.name = data.path.display().to_string();
            }
        }
        Ok(all)
    }

    fn read(path: &'a PathBuf, limit: Option<usize>) -> Result<Self, Failure> {
        let text = read_given_text(path, MAX_DATA_BYTES)?;
        let is_jsonl = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"));
        let content = if is_jsonl {
            let mut tasks = read_tasks(&text, path)?;
            tasks.questions.truncate(limit.unwrap_or(usize::MAX).max(1));
            Content::Tasks(tasks)
        } else {
            Content::Text(text)
        };
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        Ok(Self {
            path,
            name,
            content,
        })
    }
}
