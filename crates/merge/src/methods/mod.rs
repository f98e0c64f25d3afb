//! The merge methods, one per file, and the table that names them.

mod arcee_fusion;
mod delta_sum;
mod family;
mod gram;
mod karcher;
mod kernel;
mod linear;
mod model_stock;
mod multislerp;
mod nearswap;
mod nuslerp;
#[cfg(test)]
mod oracle;
mod order_statistic;
mod passthrough;
mod ram;
mod sce;
mod slerp;
mod specification;

pub use kernel::{
    Apply, ColumnSums, Gathered, Gathers, Kernel, Measure, Stage, Statistic, Tiles, Unit, Workspace,
};
pub(crate) use passthrough::unchanged;
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
pub const PLANNED: &[&str] = &[
    "task_arithmetic",
    "ties",
    "dare_linear",
    "dare_ties",
    "breadcrumbs",
    "breadcrumbs_ties",
    "della",
    "della_linear",
];

/// The method of that name.
pub fn find(name: &str) -> Option<&'static MethodSpec> {
    METHODS.iter().copied().find(|method| method.name == name)
}
