//! A weight file of the result while it is written.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fs_err::File;
use weightsmith_tensors::{HASH_BLOCK, OutputFormat, Shard};

use super::error::RunError;
use super::journal::FinishedBlock;
use super::positioned::{read_exact_at, write_all_at};
use super::schedule::ShardMap;

/// A weight file that is being written.
///
/// It is open from its first block to its last one, so that a result of any number of files needs few open ones.
#[derive(Debug)]
pub(super) struct OutputShard<'a> {
    path: PathBuf,
    format: &'static dyn OutputFormat,
    shard: &'a Shard,
    /// What stands before the tensors, made when it is first needed.
    preamble: OnceLock<Vec<u8>>,
    pub(super) map: &'a ShardMap,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    file: Option<Arc<File>>,
    /// Blocks that are still to be written.
    left: u64,
}

impl<'a> OutputShard<'a> {
    /// A file that exists in its full size.
    pub(super) fn new(
        path: PathBuf,
        format: &'static dyn OutputFormat,
        shard: &'a Shard,
        map: &'a ShardMap,
    ) -> Self {
        Self {
            path,
            format,
            shard,
            preamble: OnceLock::new(),
            map,
            open: Mutex::default(),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Announces a block that will be written.
    pub(super) fn expect_block(&self) {
        self.open().left += 1;
    }

    /// Puts what stands before the tensors into the bytes of the file from `start` on.
    pub(super) fn fill_preamble(&self, start: u64, bytes: &mut [u8]) {
        if start >= self.shard.preamble_bytes {
            return;
        }
        let preamble = self
            .preamble
            .get_or_init(|| self.format.preamble(self.shard));
        let part = &preamble[start as usize..];
        let length = part.len().min(bytes.len());
        bytes[..length].copy_from_slice(&part[..length]);
    }

    /// Writes a block.
    pub(super) fn write(&self, bytes: &[u8], offset: u64) -> std::io::Result<()> {
        let file = self.file()?;
        write_all_at(&file, bytes, offset)?;
        let mut open = self.open();
        open.left = open.left.saturating_sub(1);
        if open.left == 0 {
            open.file = None;
        }
        Ok(())
    }

    /// Whether the file has what a journal says of a block.
    fn holds(&self, listed: &FinishedBlock, buffer: &mut [u8]) -> bool {
        if listed.block >= self.map.blocks() {
            return false;
        }
        let range = self.map.range(listed.block);
        let bytes = &mut buffer[..(range.end - range.start) as usize];
        let mut read = || read_exact_at(&File::open(&self.path)?, bytes, range.start);
        read().is_ok() && self.map.file().hash(listed.block, bytes) == listed.hash
    }

    fn file(&self) -> std::io::Result<Arc<File>> {
        let mut open = self.open();
        if let Some(file) = &open.file {
            return Ok(Arc::clone(file));
        }
        let file = File::options().write(true).open(&self.path)?;
        Ok(Arc::clone(open.file.insert(Arc::new(file))))
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the blocks that a journal lists and keeps those whose bytes are what it says.
pub(super) fn trusted(
    listed: &[FinishedBlock],
    shards: &[OutputShard<'_>],
    threads: usize,
    interrupt: &AtomicBool,
) -> Result<Vec<FinishedBlock>, RunError> {
    let next = AtomicUsize::new(0);
    let kept = Mutex::new(Vec::new());
    let check = || -> Result<(), RunError> {
        let mut buffer = vec![0; HASH_BLOCK];
        while let Some(listed) = listed.get(next.fetch_add(1, Ordering::Relaxed)) {
            if interrupt.load(Ordering::Relaxed) {
                return Err(RunError::Interrupted);
            }
            let shard = shards.get(listed.shard);
            if shard.is_some_and(|shard| shard.holds(listed, &mut buffer)) {
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(listed.clone());
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(check)).collect();
        for worker in workers {
            match worker.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, RunError>(())
    })?;
    let mut kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    kept.sort_by_key(|block| (block.shard, block.block));
    kept.dedup_by_key(|block| (block.shard, block.block));
    Ok(kept)
}
