//! Weights that are read over a network while they are merged.
//!
//! A merge reads in small tiles, one after the other, at a few places at a time. So files are fetched in blocks, a few
//! ahead of where the last one was asked for, and the blocks that were used longest ago are forgotten.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::contents::RangeSource;
use super::remote_files::RemoteRead;
use crate::Error;

/// Bytes of a block.
const BLOCK: u64 = 4 << 20;
/// Blocks that are fetched ahead of the one that was asked for.
const AHEAD: u64 = 3;
/// Blocks that are kept: 96 MiB, for what several workers read of several files.
const KEPT: usize = 24;
/// Blocks that may be fetched ahead at the same time.
const UNDER_WAY: usize = 8;

/// Blocks of remote files that are in memory: at most 96 MiB for all files that share it.
#[derive(Debug, Default)]
pub struct BlockCache {
    state: Mutex<State>,
    changed: Condvar,
    files: AtomicUsize,
    under_way: AtomicUsize,
    /// Bytes that came over the network, for reports.
    fetched: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    blocks: HashMap<(usize, u64), Slot>,
    clock: u64,
}

#[derive(Debug)]
enum Slot {
    /// Somebody fetches it.
    Coming,
    Here {
        bytes: Arc<Vec<u8>>,
        used: u64,
    },
}

impl BlockCache {
    /// Bytes that were fetched so far.
    pub fn fetched(&self) -> u64 {
        self.fetched.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block that is here, or nothing and the duty to fetch it.
    fn get(&self, key: (usize, u64)) -> Option<Arc<Vec<u8>>> {
        let mut state = self.lock();
        loop {
            state.clock += 1;
            let now = state.clock;
            match state.blocks.get_mut(&key) {
                Some(Slot::Here { bytes, used }) => {
                    *used = now;
                    return Some(Arc::clone(bytes));
                }
                Some(Slot::Coming) => {
                    state = self
                        .changed
                        .wait(state)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                None => {
                    state.blocks.insert(key, Slot::Coming);
                    return None;
                }
            }
        }
    }

    /// Takes the duty to fetch a block, unless somebody has it or the block is here.
    fn reserve(&self, key: (usize, u64)) -> bool {
        let mut state = self.lock();
        if state.blocks.contains_key(&key) {
            return false;
        }
        state.blocks.insert(key, Slot::Coming);
        true
    }

    /// Ends the duty; without bytes the next who asks tries again.
    fn put(&self, key: (usize, u64), bytes: Option<&Arc<Vec<u8>>>) {
        let mut state = self.lock();
        state.clock += 1;
        let used = state.clock;
        match bytes {
            Some(bytes) => {
                self.fetched
                    .fetch_add(bytes.len() as u64, Ordering::Relaxed);
                let bytes = Arc::clone(bytes);
                state.blocks.insert(key, Slot::Here { bytes, used });
                state.forget();
            }
            None => {
                state.blocks.remove(&key);
            }
        }
        self.changed.notify_all();
    }
}

impl State {
    /// Forgets the blocks that were used longest ago.
    #[expect(
        clippy::iter_over_hash_type,
        reason = "the times of use are all different"
    )]
    fn forget(&mut self) {
        while self.blocks.len() > KEPT {
            let mut oldest: Option<((usize, u64), u64)> = None;
            for (key, slot) in &self.blocks {
                if let Slot::Here { used, .. } = slot
                    && oldest.is_none_or(|(_, time)| *used < time)
                {
                    oldest = Some((*key, *used));
                }
            }
            match oldest {
                Some((key, _)) => self.blocks.remove(&key),
                None => return,
            };
        }
    }
}

/// A file that is read block by block.
#[derive(Debug)]
pub(super) struct Streamed<R> {
    file: Arc<File<R>>,
}

#[derive(Debug)]
struct File<R> {
    source: R,
    size: u64,
    blocks: Arc<BlockCache>,
    number: usize,
}

impl<R: RemoteRead> Streamed<R> {
    pub(super) fn new(source: R, blocks: Arc<BlockCache>) -> Self {
        let number = blocks.files.fetch_add(1, Ordering::Relaxed);
        let file = Arc::new(File {
            size: source.size(),
            source,
            blocks,
            number,
        });
        Self { file }
    }

    /// Lets other threads fetch what comes next.
    fn fetch_ahead(&self, block: u64) {
        let blocks = &self.file.blocks;
        for next in block + 1..=block + AHEAD {
            if next * BLOCK >= self.file.size
                || blocks.under_way.load(Ordering::Relaxed) >= UNDER_WAY
                || !blocks.reserve((self.file.number, next))
            {
                continue;
            }
            blocks.under_way.fetch_add(1, Ordering::Relaxed);
            let file = Arc::clone(&self.file);
            std::thread::spawn(move || {
                // who needs it tries again and hears what is wrong
                let _ = file.fetch(next);
                file.blocks.under_way.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
}

impl<R: RemoteRead> File<R> {
    /// Fetches a block that this thread has the duty to fetch.
    fn fetch(&self, block: u64) -> Result<Arc<Vec<u8>>, R::Error> {
        let start = block * BLOCK;
        let result = self.source.read(start..(start + BLOCK).min(self.size));
        let result = result.map(Arc::new);
        self.blocks.put((self.number, block), result.as_ref().ok());
        result
    }

    fn block(&self, block: u64) -> Result<Arc<Vec<u8>>, R::Error> {
        match self.blocks.get((self.number, block)) {
            Some(bytes) => Ok(bytes),
            None => self.fetch(block),
        }
    }
}

impl<R: RemoteRead> RangeSource for Streamed<R> {
    fn read(&self, range: Range<u64>, into: &mut Vec<u8>) -> Result<(), Error> {
        into.clear();
        into.reserve((range.end - range.start) as usize);
        let mut position = range.start;
        while position < range.end {
            let block = position / BLOCK;
            self.fetch_ahead(block);
            let bytes = self
                .file
                .block(block)
                .map_err(|error| Error::Source(Box::new(error)))?;
            let start = (position - block * BLOCK) as usize;
            let end = bytes.len().min((range.end - block * BLOCK) as usize);
            into.extend_from_slice(&bytes[start..end]);
            position = block * BLOCK + end as u64;
        }
        Ok(())
    }
}
