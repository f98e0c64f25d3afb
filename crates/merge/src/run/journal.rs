//! The record of finished blocks that lets an interrupted run go on.
//!
//! One JSON line a block, appended after the block's bytes were handed to the system. The first line names what is being
//! written; a journal of anything else is not used. A torn last line, as a killed process leaves it, is ignored. A
//! line says only what to expect: the block is read and hashed again before it is trusted.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use fs_err::{File, OpenOptions};
use serde::{Deserialize, Serialize};
use weightsmith_tensors::BlockHash;

use super::keys::RunKeys;

/// A block of an output file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FinishedBlock {
    /// Index of the shard.
    pub(super) shard: usize,
    /// Index of the block in the shard.
    pub(super) block: u64,
    /// Its hash.
    pub(super) hash: BlockHash,
    /// NaN and infinite values in it that were allowed, by index of the tensor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) non_finite: Vec<(usize, u64)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    key: String,
    /// Of the machine that wrote it.
    #[serde(default)]
    inputs: String,
}

impl Head {
    fn of(keys: &RunKeys) -> Self {
        Self {
            key: keys.work.clone(),
            inputs: keys.inputs.clone(),
        }
    }
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
}

impl Journal {
    /// Begins a journal.
    pub(super) fn create(path: &Path, keys: &RunKeys) -> std::io::Result<Self> {
        let mut journal = Self {
            file: File::create(path)?,
        };
        journal.append(&Head::of(keys))?;
        Ok(journal)
    }

    /// Goes on with a journal: the blocks it lists, or nothing when it is not the journal of these keys.
    pub(super) fn resume(
        path: &Path,
        keys: &RunKeys,
    ) -> std::io::Result<Option<(Self, Vec<FinishedBlock>)>> {
        if !path.exists() {
            return Ok(None);
        }
        let Some(blocks) = listed(BufReader::new(File::open(path)?), keys)? else {
            return Ok(None);
        };
        let mut file = OpenOptions::new().append(true).open(path)?;
        // ends a torn last line, so that it cannot swallow the next one
        file.write_all(b"\n")?;
        Ok(Some((Self { file }, blocks)))
    }

    /// Whether there is no journal at a path but that of these keys.
    pub(super) fn is_of(path: &Path, keys: &RunKeys) -> bool {
        let Ok(file) = File::open(path) else {
            return !path.exists();
        };
        let head = BufReader::new(file).split(b'\n').next();
        matches!(head, Some(Ok(head)) if is_head(&head, keys))
    }

    /// Whether the journal at a path lists any block.
    pub(super) fn lists_blocks(path: &Path) -> bool {
        let Ok(file) = File::open(path) else {
            return false;
        };
        let mut lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
        lines.any(|line| serde_json::from_slice::<FinishedBlock>(&line).is_ok())
    }

    /// Records a finished block.
    pub(super) fn finished(&mut self, block: &FinishedBlock) -> std::io::Result<()> {
        self.append(block)
    }

    fn append(&mut self, line: &impl Serialize) -> std::io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)
    }
}

/// The blocks that a journal lists, or nothing when it is not the journal of these keys.
fn listed(journal: impl BufRead, keys: &RunKeys) -> std::io::Result<Option<Vec<FinishedBlock>>> {
    let mut lines = journal.split(b'\n');
    let head = lines.next().transpose()?.unwrap_or_default();
    if !is_head(&head, keys) {
        return Ok(None);
    }
    let mut blocks = Vec::new();
    for line in lines {
        if let Ok(block) = serde_json::from_slice(&line?) {
            blocks.push(block);
        }
    }
    Ok(Some(blocks))
}

/// The number of blocks that a journal of the key `key` lists.
#[cfg(feature = "testing")]
pub(crate) fn journal_blocks(journal: &[u8]) -> usize {
    let keys = RunKeys {
        work: "key".to_owned(),
        inputs: String::new(),
    };
    let listed = listed(journal, &keys).ok().flatten();
    listed.map_or(0, |blocks| blocks.len())
}

fn is_head(line: &[u8], keys: &RunKeys) -> bool {
    serde_json::from_slice::<Head>(line)
        .is_ok_and(|head| head.key == keys.work && head.inputs == keys.inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(block: u64) -> FinishedBlock {
        FinishedBlock {
            shard: 0,
            block,
            hash: BlockHash::from_bytes([block as u8; 32]),
            non_finite: Vec::new(),
        }
    }

    fn keys(work: &str, inputs: &str) -> RunKeys {
        RunKeys {
            work: work.into(),
            inputs: inputs.into(),
        }
    }

    #[test]
    fn a_torn_last_line_costs_only_its_own_block() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::create(&path, &keys("key", "here")).unwrap();
        journal.finished(&block(0)).unwrap();
        journal.finished(&block(1)).unwrap();
        drop(journal);
        let length = fs_err::metadata(&path).unwrap().len();
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(length - 5)
            .unwrap();

        assert!(Journal::lists_blocks(&path));
        let (mut journal, blocks) = Journal::resume(&path, &keys("key", "here"))
            .unwrap()
            .unwrap();
        assert_eq!(blocks, [block(0)]);
        journal.finished(&block(2)).unwrap();
        let (_, blocks) = Journal::resume(&path, &keys("key", "here"))
            .unwrap()
            .unwrap();
        assert_eq!(blocks, [block(0), block(2)]);
    }

    #[test]
    fn the_journal_of_another_merge_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        drop(Journal::create(&path, &keys("key", "here")).unwrap());
        assert!(!Journal::lists_blocks(&path));
        for other in [keys("another", "here"), keys("key", "there")] {
            assert!(Journal::resume(&path, &other).unwrap().is_none());
            assert!(!Journal::is_of(&path, &other));
        }
        assert!(
            Journal::resume(&folder.path().join("none"), &keys("key", "here"))
                .unwrap()
                .is_none()
        );
    }
}
