//! A planned merge that is read like a checkpoint, without ever being written.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::{Error, TensorEntry, TensorSource};

use super::error::RunError;
use crate::methods::job::{JobSource, Scratch, TensorJob};
use crate::methods::{self, OutputTensor};
use crate::plan::{Action, Plan, PlannedTensor, SourceTensor};

/// The tensors of an unwritten merge. Reading one gives the bytes that a run would write.
///
/// Statistics over a whole tensor are computed when it is first read, and kept.
#[derive(Debug)]
pub struct MergedSource {
    entries: Vec<TensorEntry>,
    by_name: HashMap<String, usize>,
    jobs: Vec<TensorJob>,
    inputs: Vec<Arc<dyn TensorSource>>,
    allow_non_finite: bool,
}

impl MergedSource {
    /// Reads the plan's tensors from its inputs, given in the plan's order.
    ///
    /// # Errors
    /// When an input lacks a tensor that the plan names.
    pub fn new(plan: &Plan, inputs: &[Arc<dyn TensorSource>]) -> Result<Self, RunError> {
        // what is remembered of a tensor would stay as long as the source does
        let jobs = jobs(plan, inputs, 0)?;
        let entries = plan.entries();
        let by_name = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (entry.name.clone(), index))
            .collect();
        Ok(Self {
            entries,
            by_name,
            jobs,
            inputs: inputs.to_vec(),
            allow_non_finite: false,
        })
    }

    /// Hands NaN and infinite values out instead of failing at them.
    #[must_use]
    pub fn allow_non_finite(mut self, allow: bool) -> Self {
        self.allow_non_finite = allow;
        self
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
        let job = &self.jobs[tensor];
        let mut room = Scratch::default();
        job.measure_all(&mut room)?;
        if let Some(refusal) = job.refusal() {
            let error = RunError::refused(&self.entries[tensor].name, refusal);
            return Err(Error::Source(Box::new(error)));
        }
        let bits = (elements.end - elements.start) * job.info().dtype.bits();
        scratch.clear();
        scratch.resize((bits / 8) as usize, 0);
        let findings = job.compute(elements, scratch, &mut room)?;
        if findings.unequal.is_some() || (!findings.is_clean() && !self.allow_non_finite) {
            let name = &self.entries[tensor].name;
            let error = RunError::values(name, job, &findings, &mut room)?;
            return Err(Error::Source(Box::new(error)));
        }
        Ok(scratch)
    }

    fn ensure_intact(&self) -> Result<(), Error> {
        let mut inputs = self.inputs.iter();
        inputs.try_for_each(|input| input.ensure_intact())
    }

    fn ensure_not_rewritten(&self) -> Result<(), Error> {
        let mut inputs = self.inputs.iter();
        inputs.try_for_each(|input| input.ensure_not_rewritten())
    }
}

/// The jobs of a plan, in the order of its tensors; see [`OutputTensor::spare`].
pub(super) fn jobs(
    plan: &Plan,
    inputs: &[Arc<dyn TensorSource>],
    spare: u64,
) -> Result<Vec<TensorJob>, RunError> {
    plan.tensors
        .iter()
        .map(|tensor| job(plan, tensor, inputs, spare))
        .collect()
}

fn job(
    plan: &Plan,
    tensor: &PlannedTensor,
    inputs: &[Arc<dyn TensorSource>],
    spare: u64,
) -> Result<TensorJob, RunError> {
    let locate = |wanted: &SourceTensor| {
        let source = &inputs[wanted.input];
        let model = plan.inputs[wanted.input].label.clone();
        match source.find(&wanted.tensor) {
            Some(tensor) => Ok(JobSource {
                model,
                source: Arc::clone(source),
                tensor,
            }),
            None => Err(RunError::InputChanged {
                input: model,
                tensor: wanted.tensor.clone(),
            }),
        }
    };
    let info = &tensor.info;
    let output = OutputTensor {
        name: &tensor.name,
        info,
        seed: plan.seed,
        spare,
    };
    match &tensor.action {
        Action::Copy { source, equal, .. } => {
            let sources = std::iter::once(source)
                .chain(equal)
                .map(locate)
                .collect::<Result<Vec<_>, _>>()?;
            if sources[0].info().dtype == info.dtype {
                return Ok(TensorJob::copy(info.clone(), sources));
            }
            Ok(TensorJob::merge(
                &output,
                sources,
                methods::unchanged,
                methods::unchanged,
            ))
        }
        Action::Merge(operation) => {
            let sources = operation
                .sources
                .iter()
                .map(locate)
                .collect::<Result<Vec<_>, _>>()?;
            let method =
                methods::find(&operation.method).ok_or_else(|| RunError::UnknownMethod {
                    method: operation.method.clone(),
                })?;
            let checked = method.check(operation);
            checked.map_err(|objection| RunError::Objection {
                tensor: tensor.name.clone(),
                objection,
            })?;
            Ok(TensorJob::merge(
                &output,
                sources,
                || (method.compile.single)(operation),
                || (method.compile.double)(operation),
            ))
        }
    }
}
