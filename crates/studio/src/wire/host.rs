//! Host checks of a model.

use schemars::JsonSchema;
use serde::Serialize;
use weightsmith_report::host::Outcome;

/// Whether inference hosts will accept a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Host {
    /// Whether all requirements pass.
    pub(crate) ready: bool,
    /// What was looked at.
    pub(crate) checks: Vec<HostCheck>,
    /// The memory it needs.
    pub(crate) memory: Vec<HostMemory>,
}

/// A requirement of hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HostCheck {
    /// What it is.
    pub(crate) name: String,
    /// Whether the model has it.
    pub(crate) state: Outcome,
    /// Why.
    pub(crate) message: String,
    /// A hint.
    pub(crate) hint: Option<String>,
}

/// The memory that a model needs with weights of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HostMemory {
    /// Bits of a weight.
    pub(crate) bits: u64,
    /// Bytes of the weights.
    pub(crate) bytes: u64,
    /// With a KV cache for a short context.
    pub(crate) short_context: Option<u64>,
    /// With a KV cache for the full context.
    pub(crate) full_context: Option<u64>,
}
