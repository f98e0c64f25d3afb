//! Workers that fill the output files.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use weightsmith_tensors::{BlockHash, HASH_BLOCK};

use super::error::RunError;
use super::findings::Findings;
use super::journal::{FinishedBlock, Journal};
use super::memory::Peak;
use super::positioned::write_all_at;
use super::reporter::Reporter;
use super::schedule::{Placed, ShardMap, Task};
use super::tensor_job::{Scratch, TensorJob};

/// A shard file that is being written.
#[derive(Debug)]
pub(super) struct OpenShard<'a> {
    pub(super) file: fs_err::File,
    pub(super) header: &'a [u8],
    pub(super) map: &'a ShardMap,
}

/// All that workers share.
pub(super) struct Executor<'a> {
    pub(super) jobs: &'a [TensorJob],
    pub(super) names: Vec<&'a str>,
    pub(super) shards: &'a [OpenShard<'a>],
    pub(super) tasks: &'a [Task],
    pub(super) journal: Mutex<Journal>,
    pub(super) allow_non_finite: bool,
    pub(super) interrupt: &'a AtomicBool,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) peak: &'a Peak,
}

/// What workers tell each other.
#[derive(Default)]
struct Shared {
    next: AtomicUsize,
    stop: AtomicBool,
    failure: Mutex<Option<RunError>>,
    measured: Mutex<()>,
    wake: Condvar,
    finished: Mutex<Vec<FinishedBlock>>,
}

impl Executor<'_> {
    /// Does all tasks with that many threads; returns the blocks that were written, and what stopped the work.
    pub(super) fn run(&self, threads: usize) -> (Vec<FinishedBlock>, Option<RunError>) {
        let shared = Shared::default();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    if let Err(error) = self.work(&shared) {
                        shared.fail(error);
                    }
                });
            }
        });
        let finished = shared
            .finished
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (
            finished,
            shared
                .failure
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn work(&self, shared: &Shared) -> Result<(), RunError> {
        let mut scratch = Scratch::default();
        let mut buffer = vec![0; HASH_BLOCK];
        loop {
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(RunError::Interrupted);
            }
            if shared.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(&task) = self.tasks.get(shared.next.fetch_add(1, Ordering::Relaxed)) else {
                return Ok(());
            };
            match task {
                Task::Measure {
                    tensor,
                    pass,
                    block,
                } => self.measure(shared, tensor, pass, block, &mut scratch)?,
                Task::Write { shard, block } => {
                    self.write(shared, shard, block, &mut buffer, &mut scratch)?;
                }
            }
        }
    }

    fn measure(
        &self,
        shared: &Shared,
        tensor: usize,
        pass: usize,
        block: u64,
        scratch: &mut Scratch,
    ) -> Result<(), RunError> {
        let job = &self.jobs[tensor];
        if pass > 0 && !shared.wait_until(|| job.is_measured(pass - 1)) {
            return Ok(());
        }
        job.measure(pass, block, scratch)?;
        if job.is_measured(pass) {
            shared.notify();
        }
        Ok(())
    }

    fn write(
        &self,
        shared: &Shared,
        shard: usize,
        block: u64,
        buffer: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<(), RunError> {
        let open = &self.shards[shard];
        let range = open.map.range(block);
        let tensors = open.map.overlapping(&range);
        if !shared.wait_until(|| {
            tensors
                .iter()
                .all(|placed| self.jobs[placed.tensor].is_ready())
        }) {
            return Ok(());
        }
        let bytes = &mut buffer[..(range.end - range.start) as usize];
        let non_finite = self.fill(open, &range, tensors, bytes, scratch)?;
        let hash = open.map.file().hash(block, bytes);
        write_all_at(&open.file, bytes, range.start)?;
        self.finish(
            shared,
            FinishedBlock {
                shard,
                block,
                hash,
                non_finite,
            },
        )?;
        self.reporter.written(range.end - range.start);
        self.peak.sample();
        Ok(())
    }

    /// Computes all that lies in a range of a shard file; returns the non-finite values that were allowed.
    fn fill(
        &self,
        open: &OpenShard<'_>,
        range: &Range<u64>,
        tensors: &[Placed],
        bytes: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Vec<(usize, u64)>, RunError> {
        if let Some(header) = open.header.get(range.start as usize..) {
            let len = header.len().min(bytes.len());
            bytes[..len].copy_from_slice(&header[..len]);
        }
        let mut non_finite = Vec::new();
        for placed in tensors {
            let start = range.start.max(placed.offset);
            let end = range.end.min(placed.offset + placed.bytes);
            let out = &mut bytes[(start - range.start) as usize..(end - range.start) as usize];
            let job = &self.jobs[placed.tensor];
            let findings =
                job.compute_bytes(start - placed.offset..end - placed.offset, out, scratch)?;
            self.judge(placed.tensor, &findings)?;
            if findings.non_finite > 0 {
                non_finite.push((placed.tensor, findings.non_finite));
            }
        }
        Ok(non_finite)
    }

    fn judge(&self, tensor: usize, findings: &Findings) -> Result<(), RunError> {
        if findings.is_clean() || (self.allow_non_finite && findings.unequal.is_none()) {
            return Ok(());
        }
        Err(RunError::values(
            self.names[tensor],
            &self.jobs[tensor],
            findings,
        ))
    }

    fn finish(&self, shared: &Shared, block: FinishedBlock) -> Result<(), RunError> {
        self.journal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .finished(&block)?;
        shared
            .finished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(block);
        Ok(())
    }
}

impl Shared {
    fn fail(&self, error: RunError) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
        self.stop.store(true, Ordering::Relaxed);
        self.notify();
    }

    fn notify(&self) {
        drop(self.measured.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_all();
    }

    /// Waits for statistics that another worker is measuring; false when the run stops meanwhile.
    fn wait_until(&self, ready: impl Fn() -> bool) -> bool {
        if ready() {
            return true;
        }
        let mut guard = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        while !ready() {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            // the time-out only bounds how late a stop is seen
            guard = self
                .wake
                .wait_timeout(guard, Duration::from_millis(50))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// Reads the blocks that a journal lists and keeps those whose bytes are what it says.
pub(super) fn trusted(
    listed: &[FinishedBlock],
    shards: &[OpenShard<'_>],
    threads: usize,
) -> Result<Vec<FinishedBlock>, RunError> {
    let next = AtomicUsize::new(0);
    let kept = Mutex::new(Vec::new());
    let check = || -> Result<(), RunError> {
        let mut buffer = vec![0; HASH_BLOCK];
        while let Some(listed) = listed.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(open) = shards.get(listed.shard) else {
                continue;
            };
            if listed.block >= open.map.blocks() {
                continue;
            }
            let range = open.map.range(listed.block);
            let bytes = &mut buffer[..(range.end - range.start) as usize];
            if super::positioned::read_exact_at(&open.file, bytes, range.start).is_ok()
                && open.map.file().hash(listed.block, bytes) == listed.hash
            {
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

/// The hashes of a shard's finished blocks in order.
pub(super) fn hashes_in_order(
    shard: usize,
    map: &ShardMap,
    finished: &[FinishedBlock],
) -> Vec<BlockHash> {
    let mut hashes = vec![None; map.blocks() as usize];
    for block in finished.iter().filter(|block| block.shard == shard) {
        hashes[block.block as usize] = Some(block.hash);
    }
    hashes.into_iter().flatten().collect()
}
