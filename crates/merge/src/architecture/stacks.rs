//! Layer stacks, found from the numbers in tensor names.

use std::collections::{BTreeMap, BTreeSet};

use weightsmith_tensors::TensorEntry;

/// Path parts whose number counts something within a layer: experts, codebooks.
const INNER_LISTS: [&str; 5] = [
    "experts",
    "expert",
    "local_experts",
    "shared_experts",
    "codebooks",
];

/// More layers than this come from a damaged or hostile name; nothing goes over them one by one.
pub(crate) const MOST_LAYERS: u64 = 1 << 16;

/// A run of equally named layers, such as everything under `model.layers.N.`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerStack {
    /// What stands before the number, with the dot: `model.layers.`.
    pub prefix: String,
    /// The highest number plus one.
    pub count: u64,
    /// How many different numbers there are; less than `count` when some are missing.
    pub present: u64,
    /// How many different names the layers' tensors have, without prefix and number.
    pub templates: usize,
    /// Tensors in the layer with the fewest and in the one with the most.
    pub tensors_per_layer: (usize, usize),
    /// Elements of all layers together.
    pub elements: u64,
}

impl LayerStack {
    /// Whether every number from 0 on is there.
    pub fn is_complete(&self) -> bool {
        self.present == self.count
    }
}

/// A tensor's place in a layer stack: the parts of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerPosition<'a> {
    /// Index of the stack in [`Architecture::stacks`](super::Architecture::stacks).
    pub stack: usize,
    /// What stands before the number, with the dot.
    pub prefix: &'a str,
    /// The layer's number.
    pub index: u64,
    /// What stands behind the number, without the dot.
    pub rest: &'a str,
}

impl LayerPosition<'_> {
    /// The name of the same tensor in another layer.
    pub fn renamed(&self, index: u64) -> String {
        format!("{}{index}.{}", self.prefix, self.rest)
    }
}

/// A name cut at its layer number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split<'a> {
    pub(super) prefix: &'a str,
    pub(super) index: u64,
    pub(super) rest: &'a str,
}

/// Cuts a name at the first number that can be a layer's: one with a name before it and at least two parts behind it.
///
/// `mlp1.0.weight` is an entry of a sequence of modules rather than a layer, and the number of an expert never counts.
pub(super) fn split(name: &str) -> Option<Split<'_>> {
    let mut start = 0;
    let mut before = "";
    for part in name.split('.') {
        let end = start + part.len();
        if start > 0
            && !INNER_LISTS.contains(&before)
            && !before.bytes().all(|byte| byte.is_ascii_digit())
            && let Some(index) = layer_number(part)
            && let Some(rest) = name.get(end + 1..)
            && rest.contains('.')
        {
            return Some(Split {
                prefix: &name[..start],
                index,
                rest,
            });
        }
        before = part;
        start = end + 1;
    }
    None
}

/// A number as a name would print it again: no sign, no leading zeros.
fn layer_number(part: &str) -> Option<u64> {
    let canonical = part.bytes().all(|byte| byte.is_ascii_digit())
        && (part.len() == 1 || !part.starts_with('0'));
    if !canonical {
        return None;
    }
    // the count must fit as well
    part.parse().ok().filter(|index| *index < u64::MAX)
}

#[derive(Default)]
struct Collected<'a> {
    tensors: BTreeMap<u64, usize>,
    templates: BTreeSet<&'a str>,
    elements: u64,
}

/// Every layer stack, by prefix.
pub(super) fn find(tensors: &[TensorEntry]) -> Vec<LayerStack> {
    let mut collected: BTreeMap<&str, Collected<'_>> = BTreeMap::new();
    for tensor in tensors {
        if let Some(split) = split(&tensor.name) {
            let stack = collected.entry(split.prefix).or_default();
            *stack.tensors.entry(split.index).or_default() += 1;
            stack.templates.insert(split.rest);
            stack.elements = stack.elements.saturating_add(tensor.info.elements());
        }
    }
    collected
        .into_iter()
        .map(|(prefix, stack)| LayerStack {
            prefix: prefix.to_owned(),
            count: stack.tensors.keys().next_back().map_or(0, |last| last + 1),
            present: stack.tensors.len() as u64,
            templates: stack.templates.len(),
            tensors_per_layer: (
                stack.tensors.values().copied().min().unwrap_or(0),
                stack.tensors.values().copied().max().unwrap_or(0),
            ),
            elements: stack.elements,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(name: &str) -> Option<(&str, u64, &str)> {
        split(name).map(|split| (split.prefix, split.index, split.rest))
    }

    #[test]
    fn the_first_number_with_a_name_before_it_is_the_layers() {
        assert_eq!(
            cut("model.layers.12.mlp.up_proj.weight"),
            Some(("model.layers.", 12, "mlp.up_proj.weight"))
        );
        assert_eq!(
            cut("model.layers.3.block_sparse_moe.experts.7.w1.weight"),
            Some(("model.layers.", 3, "block_sparse_moe.experts.7.w1.weight"))
        );
        assert_eq!(
            cut("decoder.block.1.layer.0.SelfAttention.q.weight"),
            Some(("decoder.block.", 1, "layer.0.SelfAttention.q.weight"))
        );
        assert_eq!(cut("h.0.ln_1.weight"), Some(("h.", 0, "ln_1.weight")));
        assert_eq!(
            cut("0.auto_model.encoder.layer.5.output.dense.bias"),
            Some(("0.auto_model.encoder.layer.", 5, "output.dense.bias"))
        );
    }

    #[test]
    fn other_numbers_are_no_layers() {
        for name in [
            "model.norm.weight",
            "mlp1.0.weight",
            "experts.0.w1.weight",
            "layers.01.a.weight",
            "layers.18446744073709551615.a.weight",
            "layers.99999999999999999999999.a.weight",
            "a.0",
            "",
            "..",
        ] {
            assert_eq!(cut(name), None, "{name}");
        }
    }
}
