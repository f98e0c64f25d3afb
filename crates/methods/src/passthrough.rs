//! One model's tensors, unchanged or scaled.

use weightsmith_tensors::Real;

use super::linear::WeightedSum;
use super::{BaseRule, Compile, InputCount, Kernel, MethodSpec, MissingRule, PerModel};
use crate::Operation;

const SCALE: PerModel<Option<f64>> = PerModel::optional(
    "scale",
    "Factor for the tensor; copied unchanged if not set.",
);

/// What recipes, the planner and the documentation know of it.
pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "passthrough",
    title: "Passthrough",
    summary: "Copies one model's tensors; with `slices`, stacks layers of several models.",
    documentation: "\
Each output tensor is `scale` × its only source, byte for byte if `scale` is not set.

Use it with `slices` to stack layers of one or several models into a deeper one (\"frankenmerge\"), or
to remove layers. Layers are renumbered, and the layer count and per-layer lists in `config.json`
follow. A stacked model usually needs training before it is better than its parts. With a filtered
`scale` of 0 for `o_proj` and `down_proj`, a duplicated layer initially does nothing.",
    reference: None,
    base: BaseRule::Ignored,
    inputs: InputCount::exactly(1),
    parameters: &[SCALE.spec()],
    missing: MissingRule::MergeRest,
    identity: |operation| (scale(operation) == 1.0).then_some(0),
    shares: |_| Some(vec![1.0]),
    validate: |_| Ok(()),
    compile: Compile {
        single: |operation| Box::new(WeightedSum::<f32>::of(&[scale(operation)])),
        double: |operation| Box::new(WeightedSum::<f64>::of(&[scale(operation)])),
    },
};

/// The kernel that changes nothing but the type.
pub fn unchanged<T: Real>() -> Box<dyn Kernel<T>> {
    Box::new(WeightedSum::<T>::of(&[1.0]))
}

fn scale(operation: &Operation) -> f64 {
    operation.of_source(0, SCALE).unwrap_or(1.0)
}
