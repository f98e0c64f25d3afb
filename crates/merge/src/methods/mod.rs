//! The merge methods, one per file, and the table that names them.

mod arcee_fusion;
mod delta_sum;
mod family;
mod gram;
mod karcher;
mod kernel;
mod linear;
mod lookup;
mod minimal_recipe;
mod model_stock;
mod multislerp;
mod nearswap;
mod nuslerp;
#[cfg(test)]
mod oracle;
mod passthrough;
mod ram;
mod reference_page;
mod sce;
mod slerp;
mod specification;
mod task_vectors;
mod words;

pub use kernel::{
    Apply, ColumnSums, Gathered, Gathers, Kernel, Measure, Memory, Stage, Statistic, Subject,
    Tiles, Unit, Workspace,
};
pub(crate) use lookup::find_or_explain;
pub(crate) use passthrough::unchanged;
pub use reference_page::reference_page;
pub(crate) use specification::Missing;
pub use specification::{
    BaseRule, Compile, Default, InputCount, Kind, MethodSpec, MissingRule, ParameterSpec,
    Reference, Scope,
};

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

/// Methods of mergekit that are not here yet; a recipe that asks for one is told so.
pub const PLANNED: &[&str] = &[];

/// Parameters that mergekit accepts everywhere and that have no effect here, with the reason.
pub(crate) const WITHOUT_EFFECT: &[(&str, &str)] = &[(
    "int8_mask",
    "it saves mergekit memory; here masks are not kept, and memory is bounded without it",
)];

/// The method of that name.
pub fn find(name: &str) -> Option<&'static MethodSpec> {
    METHODS.iter().copied().find(|method| method.name == name)
}
