//! Files that come or go in a run.

use std::collections::BTreeMap;

/// Which of them are complete, and how much was there before.
#[derive(Debug, Default)]
pub(super) struct MovingFiles {
    total: u64,
    /// Bytes that were there before, as long as nothing else came.
    before: u64,
    /// Of files that are not complete: name, size, bytes.
    open: BTreeMap<usize, (String, u64, u64)>,
}

/// Name and size of a file that is complete.
type Complete = Option<(String, u64)>;

impl MovingFiles {
    /// Other files begin; gives their size.
    pub(super) fn begin(&mut self, files: &[(String, u64)]) -> u64 {
        let open = files.iter().enumerate();
        *self = Self {
            total: files.iter().map(|(_, size)| size).sum(),
            before: 0,
            open: open
                .map(|(index, (name, size))| (index, (name.clone(), *size, 0)))
                .collect(),
        };
        self.total
    }

    /// Notes bytes that were there before; gives the size of all files, and how much of it was there.
    pub(super) fn found(&mut self, file: usize, bytes: u64) -> (Complete, u64, u64) {
        self.before += bytes;
        (self.advanced(file, bytes), self.total, self.before)
    }

    /// Notes bytes that came or went.
    pub(super) fn advanced(&mut self, file: usize, bytes: u64) -> Complete {
        let (_, size, done) = self.open.get_mut(&file)?;
        *done += bytes;
        if *done < *size {
            return None;
        }
        let (name, size, _) = self.open.remove(&file)?;
        Some((name, size))
    }
}
