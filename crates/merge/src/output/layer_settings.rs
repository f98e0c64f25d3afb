//! Settings of `config.json` that go by layer: they follow the layers of a stack.

use super::config_editor::Editor;
use super::json_text::{self, Kind, Node};
use super::model_config::ConfigError;

/// Lists with one entry per layer.
const LISTS: [&str; 20] = [
    "layer_types",
    "mlp_layer_types",
    "layers_block_type",
    "no_rope_layers",
    "activation_sparsity_pattern",
    "attention_layers",
    "attn_type_list",
    "block_configs",
    "hybrid_layer_pattern",
    "sliding_window_layers",
    "num_query_heads",
    "num_kv_heads",
    "ffn_multipliers",
    "moe_layer_freq",
    "intermediate_size",
    "num_key_value_heads",
    "num_attention_heads",
    "block_types",
    "head_dim",
    "layer_window_sizes",
];

/// Lists of the numbers of those layers that have something.
const INDEX_LISTS: [&str; 9] = [
    "mlp_only_layers",
    "attn_layer_indices",
    "full_attn_idxs",
    "moe_layers",
    "hybrid_layer_ids",
    "cross_attention_layers",
    "global_attention_layers",
    "full_attention_layers",
    "attn_layer_idx",
];

/// Lets the settings of an object follow its layers: `layer_map` has the old layer of every new one, out of `old`.
pub(super) fn follow(
    editor: &mut Editor,
    object: &[&str],
    old: u64,
    layer_map: &[u64],
) -> Result<(), ConfigError> {
    for key in LISTS {
        let path: Vec<&str> = object.iter().copied().chain([key]).collect();
        let root = editor.root();
        let Some(node) = root.at(&path) else { continue };
        if let Some(raw) = reindexed(&editor.text, node, old, layer_map) {
            editor.set(&path, &raw)?;
        }
    }
    for key in INDEX_LISTS {
        let path: Vec<&str> = object.iter().copied().chain([key]).collect();
        let root = editor.root();
        let Some(node) = root.at(&path) else { continue };
        if let Some(raw) = renumbered(&editor.text, node, layer_map) {
            editor.set(&path, &raw)?;
        }
    }
    Ok(())
}

/// A list with the entries of the layers that the new ones come from; `None` for one that is not as long as the layers.
fn reindexed(text: &str, node: &Node, old: u64, layer_map: &[u64]) -> Option<String> {
    let Kind::Array(items) = &node.kind else {
        return None;
    };
    if items.len() as u64 != old {
        return None;
    }
    let raw: Vec<&str> = layer_map
        .iter()
        .map(|&layer| &text[items[layer as usize].span.clone()])
        .collect();
    Some(json_text::array_like(text, node, &raw))
}

/// A list of layer numbers with the numbers of the new layers that come from those.
fn renumbered(text: &str, node: &Node, layer_map: &[u64]) -> Option<String> {
    let Kind::Array(_) = &node.kind else {
        return None;
    };
    let numbers: Vec<u64> = serde_json::from_value(node.to_value()).ok()?;
    let new: Vec<String> = layer_map
        .iter()
        .enumerate()
        .filter(|(_, layer)| numbers.contains(layer))
        .map(|(index, _)| index.to_string())
        .collect();
    let raw: Vec<&str> = new.iter().map(String::as_str).collect();
    Some(json_text::array_like(text, node, &raw))
}
