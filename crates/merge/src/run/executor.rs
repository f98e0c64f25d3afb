//! Workers that fill the output files.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use weightsmith_tensors::{BlockHash, HASH_BLOCK, OutputFormat};

use super::encoding::stored_bytes;
use super::error::RunError;
use super::journal::{FinishedBlock, Journal};
use super::memory::Peak;
use super::output_shard::OutputShard;
use super::readers::Readers;
use super::reporter::Reporter;
use super::schedule::{Placed, Schedule, ShardMap, Task};
use crate::methods::job::{Findings, Scratch, TensorJob};
use crate::plan::PlannedTensor;

/// All that workers share.
pub(super) struct Executor<'a> {
    pub(super) format: &'static dyn OutputFormat,
    pub(super) jobs: &'a [TensorJob],
    pub(super) tensors: &'a [PlannedTensor],
    pub(super) shards: &'a [OutputShard<'a>],
    pub(super) tasks: &'a Schedule,
    pub(super) journal: &'a Mutex<Journal>,
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
    /// Of inputs that are computed when they are read.
    readers: Readers,
}

impl Executor<'_> {
    /// Does all tasks with that many threads; returns the blocks that were written.
    ///
    /// # Errors
    /// What stopped the work; blocks that were finished before are in the journal.
    ///
    /// # Panics
    /// When a worker does; the others stop first.
    pub(super) fn run(&self, threads: usize) -> Result<Vec<FinishedBlock>, RunError> {
        let mut written = BTreeSet::new();
        for task in self.tasks.iter() {
            if let Task::Write { shard, block } = task {
                self.shards[shard].expect_block();
                for tensor in self.tensors_in(shard, block) {
                    self.jobs[tensor].expect_block();
                    written.insert(tensor);
                }
            }
        }
        let shared = Shared {
            readers: Readers::of(written.into_iter().map(|tensor| &self.jobs[tensor])),
            ..Shared::default()
        };
        let work = || {
            let _stop = StopOnPanic(&shared);
            if let Err(error) = self.work(&shared) {
                shared.fail(error);
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let panics = workers.into_iter().filter_map(|worker| worker.join().err());
            if let Some(panic) = panics.last() {
                std::panic::resume_unwind(panic);
            }
        });
        let failure = shared.failure.into_inner();
        match failure.unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(shared
                .finished
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// The tensors that have bytes in a block of a shard.
    fn tensors_in(&self, shard: usize, block: u64) -> impl Iterator<Item = usize> {
        let map = self.shards[shard].map;
        let placed = map.overlapping(&map.range(block));
        placed.iter().map(|placed| placed.tensor)
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
            let Some(task) = self.tasks.get(shared.next.fetch_add(1, Ordering::Relaxed)) else {
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
        open.write(bytes, range.start)?;
        self.finish(
            shared,
            FinishedBlock {
                shard,
                block,
                hash,
                non_finite,
            },
        )?;
        for tensor in self.tensors_in(shard, block) {
            if self.jobs[tensor].finish_block() {
                shared.readers.finished(&self.jobs[tensor]);
            }
        }
        self.reporter.written(range.end - range.start);
        self.peak.sample();
        Ok(())
    }

    /// Computes all that lies in a range of a shard file; returns the non-finite values that were allowed.
    fn fill(
        &self,
        open: &OutputShard<'_>,
        range: &Range<u64>,
        tensors: &[Placed],
        bytes: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Vec<(usize, u64)>, RunError> {
        open.fill_preamble(range.start, bytes);
        let mut non_finite = Vec::new();
        for placed in tensors {
            let start = range.start.max(placed.offset);
            let end = range.end.min(placed.offset + placed.bytes);
            let out = &mut bytes[(start - range.start) as usize..(end - range.start) as usize];
            let job = &self.jobs[placed.tensor];
            if let Some(refusal) = job.refusal() {
                return Err(RunError::refused(
                    &self.tensors[placed.tensor].name,
                    refusal,
                ));
            }
            let part = start - placed.offset..end - placed.offset;
            let findings = stored_bytes(self.format, job, part, out, scratch)?;
            self.judge(placed.tensor, &findings, scratch)?;
            if findings.non_finite > 0 {
                non_finite.push((placed.tensor, findings.non_finite));
            }
        }
        Ok(non_finite)
    }

    fn judge(
        &self,
        tensor: usize,
        findings: &Findings,
        scratch: &mut Scratch,
    ) -> Result<(), RunError> {
        if findings.is_clean() || (self.allow_non_finite && findings.unequal.is_none()) {
            return Ok(());
        }
        let name = &self.tensors[tensor].name;
        Err(RunError::values(
            name,
            &self.jobs[tensor],
            findings,
            scratch,
        )?)
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

/// Lets the other workers stop when one panics, who would wait for its work for ever.
struct StopOnPanic<'a>(&'a Shared);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

impl Shared {
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.notify();
    }

    fn fail(&self, error: RunError) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
        self.stop();
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use weightsmith_tensors::{DType, Error, Safetensors, TensorEntry, TensorInfo, TensorSource};

    use super::super::keys::RunKeys;
    use super::super::reporter::Silent;
    use super::*;
    use crate::methods::job::JobSource;
    use crate::plan::{Operation, SourceTensor, Value};

    /// A tensor whose reading takes a while and fails in a way that nobody foresaw.
    #[derive(Debug)]
    struct Panicking(Vec<TensorEntry>);

    impl TensorSource for Panicking {
        fn tensors(&self) -> &[TensorEntry] {
            &self.0
        }

        fn find(&self, _: &str) -> Option<usize> {
            Some(0)
        }

        fn read<'a>(
            &'a self,
            _: usize,
            _: Range<u64>,
            _: &'a mut Vec<u8>,
        ) -> Result<&'a [u8], Error> {
            std::thread::sleep(Duration::from_millis(50));
            panic!("nobody foresaw this")
        }
    }

    fn job(entry: &TensorEntry) -> TensorJob {
        let source = JobSource {
            model: "a".into(),
            source: Arc::new(Panicking(vec![entry.clone()])),
            tensor: 0,
        };
        let tensor = SourceTensor {
            input: 0,
            tensor: "x".into(),
        };
        let operation = Operation {
            method: "slerp".into(),
            sources: vec![tensor.clone(), tensor],
            base: Some(0),
            parameters: BTreeMap::from([("t".to_owned(), Value::Number(0.5))]),
            source_parameters: vec![BTreeMap::new(); 2],
        };
        let compile = crate::methods::find("slerp").unwrap().compile;
        let output = crate::methods::OutputTensor {
            name: &entry.name,
            info: &entry.info,
            seed: 0,
            spare: 0,
        };
        TensorJob::merge(
            &output,
            vec![source.clone(), source],
            || (compile.single)(&operation),
            || (compile.double)(&operation),
        )
    }

    #[test]
    #[should_panic(expected = "nobody foresaw this")]
    fn a_worker_that_panics_leaves_no_other_waiting_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let entry = TensorEntry {
            name: "x".into(),
            info: TensorInfo {
                dtype: DType::F32,
                shape: vec![4],
            },
        };
        let layout = Safetensors
            .layout(std::slice::from_ref(&entry), None)
            .unwrap();
        let shard = &layout.shards()[0];
        let map = ShardMap {
            bytes: shard.file_size,
            tensors: vec![Placed {
                tensor: 0,
                offset: shard.preamble_bytes,
                bytes: 16,
            }],
        };
        let measure = Task::Measure {
            tensor: 0,
            pass: 0,
            block: 0,
        };
        let keys = RunKeys {
            work: "work".into(),
            inputs: "inputs".into(),
        };
        let executor = Executor {
            format: &Safetensors,
            jobs: &[job(&entry)],
            tensors: &[],
            shards: &[OutputShard::new(
                folder.path().join("x"),
                &Safetensors,
                shard,
                &map,
            )],
            tasks: &[measure, Task::Write { shard: 0, block: 0 }]
                .into_iter()
                .collect(),
            journal: &Mutex::new(Journal::create(&folder.path().join("j"), &keys).unwrap()),
            allow_non_finite: false,
            interrupt: &AtomicBool::new(false),
            reporter: &Silent,
            peak: &Peak::default(),
        };
        let _ = executor.run(2);
    }
}
