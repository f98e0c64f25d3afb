//! Work on parts of a slice by several threads.

use std::sync::{Mutex, PoisonError};

use crate::Pool;

/// Calls `work` with each piece of `out` (of `chunk` elements, the last may be shorter) and its number.
pub(crate) fn for_chunks<T: Send>(
    pool: &Pool,
    out: &mut [T],
    chunk: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    if out.len() <= chunk {
        if !out.is_empty() {
            work(0, out);
        }
        return;
    }
    // each lock is taken once, by whoever has its part
    let parts: Vec<Mutex<&mut [T]>> = out.chunks_mut(chunk).map(Mutex::new).collect();
    pool.run(parts.len(), &|part| {
        let mut piece = parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        work(part, &mut piece);
    });
}
