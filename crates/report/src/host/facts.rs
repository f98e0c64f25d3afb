//! What a model is like, and what it needs on a host.

use serde::Serialize;

use super::weights::main_type;
use super::{Evidence, KvCacheSize};
use crate::inspect::context_length;

/// The context for which memory is told besides the full one.
pub const SHORT_CONTEXT: u64 = 4096;

/// Size, type, context and memory of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostFacts {
    /// The size as people say it, such as `0.5B`.
    pub size_class: String,
    /// Number of elements of all tensors.
    pub parameters: u64,
    /// The type of most weights, such as `BF16`.
    pub weights_type: Option<String>,
    /// The longest text in tokens.
    pub context_length: Option<u64>,
    /// What a model of the size costs at [`CONCURRENCY_SOURCE`]'s host, of the concurrency that is paid for.
    pub concurrency_units: u32,
    /// Whose units they are.
    pub concurrency_source: ConcurrencySource,
    /// What decides about the size of keys and values.
    pub kv_cache: Option<KvCacheSize>,
    /// Memory with weights of 4, 8 and 16 bits.
    pub memory: Vec<MemoryNeed>,
}

/// Memory in bytes: `parameters × bits / 8`, and keys and values of 16 bits for one conversation.
///
/// Real formats of 4 and 8 bits keep scales besides, some 6 to 13 % more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryNeed {
    /// Bits of a weight.
    pub bits: u64,
    /// Weights alone.
    pub weights: u64,
    /// Weights, keys and values of [`SHORT_CONTEXT`] tokens, or of the context where that is shorter.
    pub short_context: Option<u64>,
    /// Weights, keys and values of the full context.
    pub full_context: Option<u64>,
}

impl HostFacts {
    pub(super) fn gather(evidence: &Evidence<'_>) -> Self {
        let tensors = evidence.tensors.iter();
        let parameters = tensors
            .map(|tensor| tensor.info.elements())
            .fold(0, u64::saturating_add);
        let config = evidence.config.as_ref();
        let context = config.and_then(context_length);
        let cache = config.and_then(KvCacheSize::read);
        let need = |bits| {
            let weights = weight_bytes(parameters, bits);
            let with = |tokens: u64| Some(weights.saturating_add(cache?.bytes(tokens)));
            MemoryNeed {
                bits,
                weights,
                short_context: with(context.unwrap_or(SHORT_CONTEXT).min(SHORT_CONTEXT)),
                full_context: context.and_then(with),
            }
        };
        Self {
            size_class: size_class(parameters),
            parameters,
            weights_type: main_type(evidence).map(|dtype| dtype.to_string()),
            context_length: context,
            concurrency_units: concurrency_units(parameters),
            concurrency_source: CONCURRENCY_SOURCE,
            kv_cache: cache,
            memory: [4, 8, 16].map(need).into(),
        }
    }
}

fn weight_bytes(parameters: u64, bits: u64) -> u64 {
    let bytes = (u128::from(parameters) * u128::from(bits)).div_ceil(8);
    bytes.try_into().unwrap_or(u64::MAX)
}

/// Whose price list [`concurrency_units`] follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ConcurrencySource {
    /// The host.
    pub host: &'static str,
    /// The page of its documentation.
    pub page: &'static str,
    /// When the page was read, as year and month.
    pub read: &'static str,
}

/// The source of [`concurrency_units`]; other hosts count otherwise.
pub const CONCURRENCY_SOURCE: ConcurrencySource = ConcurrencySource {
    host: "Featherless.ai",
    page: "docs/concurrency",
    read: "2026-11",
};

/// What a model of the size costs at [`CONCURRENCY_SOURCE`]'s host: 1 unit up to 15 billion parameters, 2 up to 34, 4 above.
pub fn concurrency_units(parameters: u64) -> u32 {
    match parameters {
        0..=15_000_000_000 => 1,
        15_000_000_001..=34_000_000_000 => 2,
        _ => 4,
    }
}

/// The size as people say it: tenths of billions below 10 billion parameters, billions above.
pub fn size_class(parameters: u64) -> String {
    const TENTH: u64 = 100_000_000;
    let tenths = parameters.saturating_add(TENTH / 2) / TENTH;
    match tenths {
        0 => "below 0.1B".to_owned(),
        1..100 if !tenths.is_multiple_of(10) => format!("{}.{}B", tenths / 10, tenths % 10),
        _ => format!("{}B", parameters.saturating_add(TENTH * 5) / (TENTH * 10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_models_cost_more_units() {
        assert_eq!(concurrency_units(494_000_000), 1);
        assert_eq!(concurrency_units(15_000_000_000), 1);
        assert_eq!(concurrency_units(32_800_000_000), 2);
        assert_eq!(concurrency_units(70_600_000_000), 4);
    }

    #[test]
    fn sizes_are_said_as_people_say_them() {
        for (parameters, class) in [
            (0, "below 0.1B"),
            (2_570_000, "below 0.1B"),
            (134_500_000, "0.1B"),
            (494_000_000, "0.5B"),
            (999_000_000, "1B"),
            (1_540_000_000, "1.5B"),
            (7_620_000_000, "7.6B"),
            (9_970_000_000, "10B"),
            (32_800_000_000, "33B"),
            (70_600_000_000, "71B"),
            (u64::MAX, "18446744073B"),
        ] {
            assert_eq!(size_class(parameters), class, "{parameters}");
        }
    }

    #[test]
    fn weights_take_their_bits() {
        assert_eq!(weight_bytes(3, 4), 2);
        assert_eq!(weight_bytes(u64::MAX, 16), u64::MAX);
    }
}
