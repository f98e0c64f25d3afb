//! Files that come or go in a run.

use std::collections::BTreeMap;

/// Which of them are complete, and how much was there before.
#[derive(Debug, Default)]
pub(super) struct Files {
    total: u64,
    /// Bytes that were there before, as long as nothing else came.
    before: u64,
    /// Of files that are not complete: name, size, bytes.
    open: BTreeMap<usize, (String, u64, u64)>,
}

impl Files {
    /// Other files begin.
    pub(super) fn begin(&mut self, files: &[(String, u64)]) {
        let open = files.iter().enumerate();
        *self = Self {
            total: files.iter().map(|(_, size)| size).sum(),
            before: 0,
            open: open
                .map(|(index, (name, size))| (index, (name.clone(), *size, 0)))
                .collect(),
        };
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn before(&self) -> u64 {
        self.before
    }

    /// Notes bytes that were there before; gives name and size of a file that is complete.
    pub(super) fn found(&mut self, file: usize, bytes: u64) -> Option<(String, u64)> {
        self.before += bytes;
        self.advanced(file, bytes)
    }

    /// Notes bytes that came or went.
    pub(super) fn advanced(&mut self, file: usize, bytes: u64) -> Option<(String, u64)> {
        let (_, size, done) = self.open.get_mut(&file)?;
        *done += bytes;
        if *done < *size {
            return None;
        }
        let (name, size, _) = self.open.remove(&file)?;
        Some((name, size))
    }
}
