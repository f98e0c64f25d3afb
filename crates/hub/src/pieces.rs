//! Files downloaded in pieces by several connections, and put down in order.
//!
//! Pieces are written strictly one after the other, however they arrive. So what is on disk is always the beginning of a
//! file, never one with holes: it can be continued after any end of the process, and is hashed while it is written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::HubError;

/// Bytes of one piece.
pub(crate) const PIECE: u64 = 8 << 20;

/// A range of one of several files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) file: usize,
    pub(crate) range: Range<u64>,
}

/// The pieces of files from where an earlier download stopped, in order; an empty file is one empty piece. They are worked out when they
/// are asked for: a file of any size takes no memory.
#[derive(Debug)]
pub(crate) struct Pieces {
    files: Vec<(Range<u64>, usize)>,
    count: usize,
    size: u64,
}

impl Pieces {
    /// Pieces of that size of files, each from where it stopped to where it ends.
    pub(crate) fn new(files: impl IntoIterator<Item = Range<u64>>, size: u64) -> Self {
        let size = size.max(1);
        let mut count: usize = 0;
        let files = files.into_iter().map(|left| {
            let first = count;
            let pieces = left.end.saturating_sub(left.start).div_ceil(size).max(1);
            count = count.saturating_add(usize::try_from(pieces).unwrap_or(usize::MAX));
            (left, first)
        });
        Self {
            files: files.collect(),
            count,
            size,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The piece with that number.
    pub(crate) fn get(&self, number: usize) -> Piece {
        let file = self.files.partition_point(|(_, first)| *first <= number) - 1;
        let (left, first) = &self.files[file];
        let start = left
            .start
            .saturating_add((number - first) as u64 * self.size);
        let start = start.min(left.end);
        Piece {
            file,
            range: start..start.saturating_add(self.size).min(left.end),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// The next piece that nobody fetches yet.
    next: usize,
    /// The next piece to be put down.
    due: usize,
    /// Pieces that are being fetched.
    under_way: Vec<usize>,
    ready: BTreeMap<usize, Vec<u8>>,
    /// Memory of pieces that were put down, for those to come: new memory costs more time than what is copied into it.
    spare: Vec<Vec<u8>>,
    failed: Option<HubError>,
    stopped: bool,
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece to fetch and memory for it; nothing when there is none, or something went wrong.
    fn take(&self, pieces: usize, ahead: usize) -> Option<(usize, Vec<u8>)> {
        let mut state = self.lock();
        loop {
            if state.stopped || state.failed.is_some() || state.next == pieces {
                return None;
            }
            if state.next < state.due + ahead {
                let piece = state.next;
                state.next += 1;
                state.under_way.push(piece);
                return Some((piece, state.spare.pop().unwrap_or_default()));
            }
            state = self.wait(state);
        }
    }

    fn done(&self, piece: usize, result: Result<Vec<u8>, HubError>) {
        let mut state = self.lock();
        state.under_way.retain(|other| *other != piece);
        match result {
            Ok(bytes) => {
                state.ready.insert(piece, bytes);
            }
            Err(error) => {
                state.failed.get_or_insert(error);
            }
        }
        self.changed.notify_all();
    }

    /// The piece that is due; after a failure those before it still come.
    fn due(&self) -> Result<Vec<u8>, HubError> {
        let mut state = self.lock();
        loop {
            let due = state.due;
            if let Some(bytes) = state.ready.remove(&due) {
                state.due += 1;
                self.changed.notify_all();
                return Ok(bytes);
            }
            if !state.under_way.contains(&due)
                && let Some(error) = state.failed.take()
            {
                state.stopped = true;
                self.changed.notify_all();
                return Err(error);
            }
            state = self.wait(state);
        }
    }

    /// Takes the memory of a piece that was put down.
    fn give_back(&self, memory: Vec<u8>) {
        self.lock().spare.push(memory);
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }
}

/// Says that a piece failed when its thread panics: whoever waits for it would wait for ever.
struct Duty<'a> {
    queue: &'a Queue,
    piece: usize,
}

impl Drop for Duty<'_> {
    fn drop(&mut self) {
        self.queue.done(self.piece, Err(HubError::Stopped));
    }
}

/// Fetches a piece into memory that may be used for it.
pub(crate) type Fetch<'a> = dyn Fn(&Piece, Vec<u8>) -> Result<Vec<u8>, HubError> + Sync + 'a;

/// Takes a piece that is due.
pub(crate) type Put<'a> = dyn FnMut(&Piece, &[u8]) -> Result<(), HubError> + 'a;

/// Fetches pieces with several threads and hands them to `put` in order.
///
/// # Errors
/// The first that `fetch` or `put` gives; what came before it in order was put down.
pub(crate) fn in_order(
    pieces: &Pieces,
    connections: usize,
    fetch: &Fetch<'_>,
    put: &mut Put<'_>,
) -> Result<(), HubError> {
    let queue = Queue {
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
    };
    let threads = connections.clamp(1, pieces.len().max(1));
    let ahead = threads + 4;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((piece, memory)) = queue.take(pieces.len(), ahead) {
                    let duty = Duty {
                        queue: &queue,
                        piece,
                    };
                    let result = fetch(&pieces.get(piece), memory);
                    std::mem::forget(duty);
                    queue.done(piece, result);
                }
            });
        }
        let result = (0..pieces.len()).try_for_each(|piece| {
            let bytes = queue.due()?;
            put(&pieces.get(piece), &bytes)?;
            queue.give_back(bytes);
            Ok(())
        });
        queue.stop();
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(range: Range<u64>) -> Vec<Range<u64>> {
        std::iter::once(range).collect()
    }

    fn ranges(files: &[Range<u64>]) -> Vec<(usize, Range<u64>)> {
        let pieces = Pieces::new(files.iter().cloned(), 4);
        let all = (0..pieces.len()).map(|number| pieces.get(number));
        all.map(|piece| (piece.file, piece.range)).collect()
    }

    #[test]
    fn a_file_is_cut_from_where_it_stopped() {
        assert_eq!(ranges(&one(0..10)), [(0, 0..4), (0, 4..8), (0, 8..10)]);
        assert_eq!(ranges(&one(5..10)), [(0, 5..9), (0, 9..10)]);
        assert_eq!(ranges(&one(0..0)), [(0, 0..0)]);
        assert_eq!(ranges(&one(10..10)), [(0, 10..10)]);
        let several = [(0, 0..4), (0, 4..5), (1, 0..0), (2, 3..7), (2, 7..8)];
        assert_eq!(ranges(&[0..5, 0..0, 3..8]), several);
    }

    #[test]
    fn a_file_of_any_size_is_cut_without_memory() {
        let pieces = Pieces::new([0..u64::MAX, 0..1 << 63], PIECE);
        assert_eq!(pieces.len() as u64, (1 << 41) + (1 << 40));
        let last = pieces.get(pieces.len() - 1);
        assert_eq!((last.file, last.range), (1, (1 << 63) - PIECE..1 << 63));
        let end = pieces.get((1 << 41) - 1);
        assert_eq!((end.file, end.range.end), (0, u64::MAX));
    }

    #[test]
    fn pieces_are_put_down_in_order_and_all_before_a_failure() {
        let pieces = Pieces::new(one(0..100), 1);
        let put_until = |broken: u64| {
            let mut put = Vec::new();
            let fetch = |piece: &Piece, mut memory: Vec<u8>| {
                // later pieces are faster
                std::thread::sleep(std::time::Duration::from_micros(100 - piece.range.start));
                if piece.range.start == broken {
                    return Err(HubError::NotAName {
                        text: String::new(),
                    });
                }
                memory.clear();
                memory.push(piece.range.start as u8);
                Ok(memory)
            };
            let result = in_order(&pieces, 4, &fetch, &mut |_, bytes| {
                put.extend(bytes);
                Ok(())
            });
            (result.is_ok(), put)
        };
        assert_eq!(put_until(1000), (true, (0..100).collect()));
        assert_eq!(put_until(50), (false, (0..50).collect()));
    }

    #[test]
    fn a_fetch_that_panics_leaves_nobody_waiting() {
        let pieces = Pieces::new(one(0..10), 1);
        let fetch = |piece: &Piece, memory: Vec<u8>| {
            assert_ne!(piece.range.start, 3, "a fault that was asked for");
            Ok(memory)
        };
        let run = || in_order(&pieces, 2, &fetch, &mut |_, _| Ok(()));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
