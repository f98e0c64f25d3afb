//! The jobs of a plan.

use std::sync::Arc;

use weightsmith_tensors::TensorSource;

use super::error::RunError;
use crate::methods::job::{JobSource, TensorJob};
use crate::methods::{self, OutputTensor};
use crate::plan::{Action, Plan, PlannedTensor, SourceTensor};

/// Makes the jobs of a plan's tensors.
#[derive(Debug)]
pub(super) struct JobMaker {
    /// Names of the inputs, for messages.
    labels: Vec<String>,
    inputs: Vec<Arc<dyn TensorSource>>,
    seed: u64,
}

impl JobMaker {
    /// For the tensors of a plan, from its inputs in the plan's order.
    pub(super) fn new(plan: &Plan, inputs: &[Arc<dyn TensorSource>]) -> Self {
        let labels = plan.inputs.iter().map(|input| input.label.clone());
        Self {
            labels: labels.collect(),
            inputs: inputs.to_vec(),
            seed: plan.seed,
        }
    }

    /// What is read.
    pub(super) fn inputs(&self) -> &[Arc<dyn TensorSource>] {
        &self.inputs
    }

    /// A job for each tensor, in their order; see [`OutputTensor::spare`].
    pub(super) fn jobs(
        &self,
        tensors: &[PlannedTensor],
        spare: u64,
    ) -> Result<Vec<TensorJob>, RunError> {
        tensors
            .iter()
            .map(|tensor| self.job(tensor, spare))
            .collect()
    }

    /// The job of a tensor.
    pub(super) fn job(&self, tensor: &PlannedTensor, spare: u64) -> Result<TensorJob, RunError> {
        let locate = |wanted: &SourceTensor| {
            let source = &self.inputs[wanted.input];
            let model = self.labels[wanted.input].clone();
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
            seed: self.seed,
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
}
