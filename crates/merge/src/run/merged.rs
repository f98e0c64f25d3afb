//! A planned merge that is read like a checkpoint, without ever being written.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use weightsmith_tensors::{ComputedSource, Error, ReadMemory, TensorEntry, TensorSource};

use super::budget;
use super::error::RunError;
use super::jobs::JobMaker;
use super::readers::Readers;
use super::shared_job::SharedJob;
use crate::methods::job::{Scratch, TensorJob};
use crate::plan::{Plan, PlannedTensor};

/// The tensors of an unwritten merge. Reading one gives the bytes that a run would write.
///
/// Statistics over a whole tensor are computed when it is first read, by all threads that want to read it, and kept until
/// somebody says that they are not needed any more.
#[derive(Debug)]
pub struct MergedSource {
    entries: Vec<TensorEntry>,
    by_name: HashMap<String, usize>,
    tensors: Vec<PlannedTensor>,
    maker: JobMaker,
    jobs: Vec<Mutex<Arc<SharedJob>>>,
    readers: Readers,
    /// What readers work with, when none of them does.
    scratch: Mutex<Vec<Scratch>>,
    fixed_memory: u64,
    allow_non_finite: bool,
}

impl MergedSource {
    /// Reads the plan's tensors from its inputs, given in the plan's order.
    ///
    /// # Errors
    /// When an input lacks a tensor that the plan names.
    pub fn new(plan: &Plan, inputs: &[Arc<dyn TensorSource>]) -> Result<Self, RunError> {
        let maker = JobMaker::new(plan, inputs);
        // what is remembered of a tensor would stay as long as the source does
        let jobs = maker.jobs(&plan.tensors, 0)?;
        let entries = plan.entries();
        let by_name = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry.name.clone(), index))
            .collect();
        Ok(Self {
            entries,
            by_name,
            tensors: plan.tensors.clone(),
            readers: Readers::of(&jobs),
            jobs: jobs
                .into_iter()
                .map(|job| Mutex::new(Arc::new(SharedJob::new(job))))
                .collect(),
            fixed_memory: budget::of_plan(plan) + budget::of_inputs(inputs),
            maker,
            scratch: Mutex::default(),
            allow_non_finite: false,
        })
    }

    /// Hands NaN and infinite values out instead of failing at them.
    #[must_use]
    pub fn allow_non_finite(mut self, allow: bool) -> Self {
        self.allow_non_finite = allow;
        self
    }

    fn job(&self, tensor: usize) -> Arc<SharedJob> {
        let job = self.jobs[tensor].lock();
        Arc::clone(&job.unwrap_or_else(PoisonError::into_inner))
    }

    /// Computes a range of a tensor that is measured.
    fn compute(
        &self,
        tensor: usize,
        job: &TensorJob,
        elements: Range<u64>,
        out: &mut Vec<u8>,
        room: &mut Scratch,
    ) -> Result<(), Error> {
        let name = &self.entries[tensor].name;
        if let Some(refusal) = job.refusal() {
            return Err(Error::Source(Box::new(RunError::refused(name, refusal))));
        }
        let bits = (elements.end - elements.start) * job.info().dtype.bits();
        out.clear();
        out.resize((bits / 8) as usize, 0);
        let findings = job.compute(elements, out, room)?;
        if findings.unequal.is_some() || (!findings.is_clean() && !self.allow_non_finite) {
            let error = RunError::values(name, job, &findings, room)?;
            return Err(Error::Source(Box::new(error)));
        }
        Ok(())
    }
}

impl TensorSource for MergedSource {
    fn tensors(&self) -> &[TensorEntry] {
        &self.entries
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    fn read<'a>(
        &'a self,
        tensor: usize,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        let shared = self.job(tensor);
        let pool = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room = pool().pop().unwrap_or_default();
        let read = shared
            .measure(&mut room)
            .and_then(|()| self.compute(tensor, shared.job(), elements, scratch, &mut room));
        pool().push(room);
        read.map(|()| &scratch[..])
    }

    fn ensure_intact(&self) -> Result<(), Error> {
        let mut inputs = self.maker.inputs().iter();
        inputs.try_for_each(|input| input.ensure_intact())
    }

    fn ensure_not_rewritten(&self) -> Result<(), Error> {
        let mut inputs = self.maker.inputs().iter();
        inputs.try_for_each(|input| input.ensure_not_rewritten())
    }

    fn computed(&self) -> Option<&dyn ComputedSource> {
        Some(self)
    }
}

impl ComputedSource for MergedSource {
    fn fixed_memory(&self) -> u64 {
        self.fixed_memory
    }

    fn read_memory(&self, tensor: usize, elements: u64) -> ReadMemory {
        let shared = self.job(tensor);
        let own = shared.job().memory();
        let of_sources = budget::of_sources(shared.job(), elements);
        ReadMemory {
            worker: own.worker + of_sources.worker,
            shared: own.shared + of_sources.shared,
        }
    }

    fn forget(&self, tensor: usize) {
        // it could be made before, from the same inputs
        let Ok(job) = self.maker.job(&self.tensors[tensor], 0) else {
            return;
        };
        let new = Arc::new(SharedJob::new(job));
        let mut job = self.jobs[tensor]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *job, new);
        drop(job);
        self.readers.finished(old.job());
    }
}
