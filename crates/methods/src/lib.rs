//! The merge methods, one per file, and what they share: the specification ([`MethodSpec`]), the contract of the arithmetic
//! ([`Kernel`]), and running a kernel on tensors ([`job`]).
//!
//! Methods do no I/O and have no notion of recipes. They get tiles of numbers and resolved parameters.

mod arcee_fusion;
mod delta_sum;
mod family;
mod gram;
pub mod job;
mod karcher;
mod kernel;
mod linear;
mod model_stock;
mod multislerp;
mod nearswap;
mod nuslerp;
mod objection;
mod operation;
mod parameter;
mod passthrough;
mod ram;
mod refusal;
mod sce;
mod slerp;
mod specification;
mod statistic;
mod task_vectors;
#[cfg(test)]
mod testing;
mod words;

pub use kernel::{
    Apply, Kernel, Measure, Memory, OutputTensor, Several, Stage, Tiles, Unit, Workspace,
};
pub use objection::{Objection, Reason};
pub use operation::{Operation, SourceTensor, Value};
pub use parameter::{
    EachModel, Global, Parameter, ParameterScope, ParameterType, PerModel, WholeMerge,
};
pub use passthrough::unchanged;
pub use refusal::Refusal;
pub use specification::{
    BaseRule, Compile, Default, InputCount, Kind, MethodSpec, Missing, MissingRule, ParameterSpec,
    Reference, Scope,
};
pub use statistic::{Pass, Statistic};

/// Every method, in the order in which the documentation lists them.
pub static METHODS: &[&MethodSpec] = &[
    &linear::SPEC,
    &slerp::SPEC,
    &nuslerp::SPEC,
    &multislerp::SPEC,
    &task_vectors::TASK_ARITHMETIC,
    &task_vectors::TIES,
    &task_vectors::DARE_LINEAR,
    &task_vectors::DARE_TIES,
    &task_vectors::BREADCRUMBS,
    &task_vectors::BREADCRUMBS_TIES,
    &task_vectors::DELLA,
    &task_vectors::DELLA_LINEAR,
    &sce::SPEC,
    &karcher::SPEC,
    &ram::SPEC,
    &ram::PLUS,
    &model_stock::SPEC,
    &nearswap::SPEC,
    &arcee_fusion::SPEC,
    &passthrough::SPEC,
];

/// The method of that name.
pub fn find(name: &str) -> Option<&'static MethodSpec> {
    METHODS.iter().copied().find(|method| method.name == name)
}
