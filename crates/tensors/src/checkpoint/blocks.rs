//! Weights that are read over a network while they are merged.
//!
//! A merge reads in small tiles, one after the other, at a few places at a time. So files are fetched in blocks, a few
//! ahead of where the last one was asked for, and the blocks that were used longest ago are forgotten.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use super::contents::RangeSource;
use super::remote_files::{RemoteRead, read_exactly};
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

/// The duty to fetch a block. Where it ends without one, by an error or a panic, the next who asks tries again: nobody waits for what
/// does not come.
struct Duty<'a> {
    blocks: &'a BlockCache,
    key: (usize, u64),
    bytes: Option<Arc<Vec<u8>>>,
}

impl Drop for Duty<'_> {
    fn drop(&mut self) {
        self.blocks.put(self.key, self.bytes.as_ref());
    }
}

/// A block that is fetched ahead counts as under way for as long as this is held.
struct UnderWay<'a>(&'a BlockCache);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
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
            let started = Builder::new().spawn(move || {
                let _under_way = UnderWay(&file.blocks);
                // who needs it tries again and hears what is wrong
                let _ = file.fetch(next);
            });
            if started.is_err() {
                drop(UnderWay(blocks));
                blocks.put((self.file.number, next), None);
            }
        }
    }
}

impl<R: RemoteRead> File<R> {
    /// Fetches a block that this thread has the duty to fetch.
    fn fetch(&self, block: u64) -> Result<Arc<Vec<u8>>, R::Error> {
        let mut duty = Duty {
            blocks: &self.blocks,
            key: (self.number, block),
            bytes: None,
        };
        let start = block * BLOCK;
        let range = start..start.saturating_add(BLOCK).min(self.size);
        let bytes = Arc::new(read_exactly(&self.source, range)?);
        duty.bytes = Some(Arc::clone(&bytes));
        Ok(bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of zeros that behaves badly in the block that starts at `bad`, the first so many times.
    #[derive(Debug)]
    struct Odd {
        bad: u64,
        times: AtomicUsize,
        how: How,
    }

    #[derive(Debug)]
    enum How {
        Panics,
        Fails,
        Shorter,
        Longer,
    }

    const SIZE: u64 = 5 * BLOCK + 7;

    impl RemoteRead for Odd {
        type Error = Error;

        fn name(&self) -> &'static str {
            "odd"
        }

        fn size(&self) -> u64 {
            SIZE
        }

        fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
            let left = Ordering::Relaxed;
            let take = |times: usize| times.checked_sub(1);
            let is_bad =
                range.start == self.bad && self.times.fetch_update(left, left, take).is_ok();
            let length = (range.end - range.start) as usize;
            match self.how {
                How::Panics => assert!(!is_bad, "a fault that was asked for"),
                How::Fails if is_bad => return Err(std::io::Error::other("no").into()),
                How::Shorter if is_bad => return Ok(vec![0; length - 1]),
                How::Longer if is_bad => return Ok(vec![0; length + 1]),
                _ => {}
            }
            Ok(vec![0; length])
        }
    }

    fn streamed(bad: u64, times: usize, how: How) -> Streamed<Odd> {
        let times = AtomicUsize::new(times);
        Streamed::new(Odd { bad, times, how }, Arc::default())
    }

    #[test]
    fn a_panic_while_a_block_is_fetched_leaves_no_reader_waiting() {
        // the first in a thread that fetches ahead, the second in a reader's
        let file = streamed(BLOCK, 2, How::Panics);
        let mut bytes = Vec::new();
        let mut panics = 0;
        for _ in 0..10 {
            let read = || file.read(0..SIZE, &mut bytes);
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)) {
                Ok(result) => {
                    result.unwrap();
                    assert_eq!(bytes.len() as u64, SIZE);
                    assert!(panics <= 1, "{panics}");
                    return;
                }
                Err(_) => panics += 1,
            }
        }
        panic!("the file was never read");
    }

    #[test]
    fn threads_that_read_the_same_block_survive_the_one_that_panics() {
        let file = streamed(0, 1, How::Panics);
        let read = || {
            let mut bytes = Vec::new();
            file.read(0..10, &mut bytes).map(|()| bytes.len())
        };
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
            threads
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect()
        });
        let panics = results.iter().filter(|result| result.is_err()).count();
        assert_eq!(panics, 1);
    }

    #[test]
    fn an_answer_of_another_length_is_an_error_and_not_kept() {
        for how in [How::Shorter, How::Longer, How::Fails] {
            let file = streamed(0, 1, how);
            let mut bytes = Vec::new();
            let error = file.read(0..SIZE, &mut bytes).unwrap_err().to_string();
            let how = &file.file.source.how;
            assert!(
                matches!(how, How::Fails) || error.contains("bytes of `odd` came"),
                "{error}"
            );
            file.read(0..SIZE, &mut bytes).unwrap();
            assert_eq!(bytes.len() as u64, SIZE);
        }
    }
}
