//! Settings of `config.json` that go by layer: they follow the layers of a stack.

use serde_json::Value;

use super::config_editor::Editor;
use super::config_file::ConfigError;
use super::json_text::{self, Kind, Node};
use super::layer_patterns;

/// Lists with one entry per layer.
const LISTS: [&str; 20] = [
    "layer_types",
    "mlp_layer_types",
    "layers_block_type",
    "no_rope_layers",
    "activation_sparsity_pattern",
    "indexer_types",
    "layer_rope_theta",
    "attention_layers",
    "attn_type_list",
    "block_configs",
    "hybrid_layer_pattern",
    "num_query_heads",
    "num_kv_heads",
    "ffn_multipliers",
    "moe_layer_freq",
    "intermediate_size",
    "num_attention_heads",
    "num_attention_heads_per_layer",
    "num_key_value_heads",
    "head_dim",
];

/// Lists of the numbers of those layers that have something.
const INDEX_LISTS: [&str; 9] = [
    "mlp_only_layers",
    "attn_layer_indices",
    "attn_layers",
    "full_attn_idxs",
    "moe_layers",
    "hybrid_layer_ids",
    "cross_attention_layers",
    "full_attention_layers",
    "rope_scaling_layers",
];

/// Lists that repeat themselves until every layer has an entry.
const CYCLES: [&str; 1] = ["block_types"];

/// Texts with one letter per layer.
const LETTERS: [&str; 1] = ["hybrid_override_pattern"];

/// Parts of keys whose lists may be as long as the layers by chance.
const UNRELATED: [&str; 10] = [
    "token",
    "factor",
    "_ids",
    "size",
    "section",
    "architectures",
    "label",
    "kernel",
    "stride",
    "channels",
];

/// Shorter lists may be as long as the layers by chance.
const SHORTEST_UNKNOWN_LIST: u64 = 8;

/// How the layers of a stack changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct LayerChange<'a> {
    /// Path of the object that describes the stack.
    pub(super) object: &'a [&'a str],
    /// Layers that the config counted.
    pub(super) old: u64,
    /// Layers that the checkpoint has: more than `old` where some predict further tokens.
    pub(super) stored: u64,
    /// The old layer of every new one.
    pub(super) layer_map: &'a [u64],
}

impl<'a> LayerChange<'a> {
    /// The path of one of the object's keys.
    pub(super) fn path<'k>(&self, key: &'k str) -> Vec<&'k str>
    where
        'a: 'k,
    {
        self.object.iter().copied().chain([key]).collect()
    }
}

/// Lets the settings of the stack's object follow its layers.
pub(super) fn follow(editor: &mut Editor, change: &LayerChange<'_>) -> Result<(), ConfigError> {
    // what is computed from periods is written out before the lists that it may depend on are renumbered
    layer_patterns::follow(editor, change)?;
    for key in LISTS {
        rewrite(editor, change, key, |text, node| {
            reindexed(text, node, change)
        })?;
    }
    for key in INDEX_LISTS {
        rewrite(editor, change, key, |text, node| {
            renumbered(text, node, change)
        })?;
    }
    for key in CYCLES {
        rewrite(editor, change, key, |text, node| {
            unrolled(text, node, change)
        })?;
    }
    for key in LETTERS {
        rewrite(editor, change, key, |_, node| respelled(node, change))?;
    }
    rewrite(editor, change, "attention_types", |_, node| {
        redistributed(node, change)
    })?;
    unknown_lists(editor, change)
}

/// Rewrites a key's value with what `new` makes of it; notes a value that `new` cannot make sense of.
fn rewrite(
    editor: &mut Editor,
    change: &LayerChange<'_>,
    key: &str,
    new: impl Fn(&str, &Node) -> Rewritten,
) -> Result<(), ConfigError> {
    let path = change.path(key);
    let root = editor.root();
    let Some(node) = root.at(&path) else {
        return Ok(());
    };
    match new(&editor.text, node) {
        Rewritten::To(raw) => editor.set(&path, &raw),
        Rewritten::NotByLayer => Ok(()),
        Rewritten::Length(length) => {
            editor.notes.push(format!(
                "`{key}` has {length} entries for {} layers: not changed",
                change.old
            ));
            Ok(())
        }
    }
}

/// What became of a setting.
enum Rewritten {
    /// New JSON text.
    To(String),
    /// One value for all layers.
    NotByLayer,
    /// A list of the wrong length.
    Length(usize),
}

/// The entries of the old layers that the new ones come from, then those beyond the layers that the config counts.
fn pick<'a, T>(items: &'a [T], change: &LayerChange<'a>) -> Option<impl Iterator<Item = &'a T>> {
    let old = usize::try_from(change.old).ok()?;
    let length = items.len() as u64;
    if length != change.old && (length < change.old || length != change.stored) {
        return None;
    }
    let layers = items.get(..old)?;
    let beyond = items.get(old..)?;
    Some(
        change
            .layer_map
            .iter()
            .map(|&layer| &layers[layer as usize])
            .chain(beyond),
    )
}

fn reindexed(text: &str, node: &Node, change: &LayerChange<'_>) -> Rewritten {
    let Kind::Array(items) = &node.kind else {
        return Rewritten::NotByLayer;
    };
    match pick(items, change) {
        Some(picked) => {
            let raw: Vec<&str> = picked.map(|item| &text[item.span.clone()]).collect();
            Rewritten::To(json_text::array_like(text, node, &raw))
        }
        None => Rewritten::Length(items.len()),
    }
}

fn renumbered(text: &str, node: &Node, change: &LayerChange<'_>) -> Rewritten {
    let Ok(numbers) = serde_json::from_value::<Vec<u64>>(node.to_value()) else {
        return Rewritten::NotByLayer;
    };
    let new: Vec<String> = (0_u64..)
        .zip(change.layer_map)
        .filter(|(_, layer)| numbers.contains(layer))
        .map(|(index, _)| index.to_string())
        .collect();
    let raw: Vec<&str> = new.iter().map(String::as_str).collect();
    Rewritten::To(json_text::array_like(text, node, &raw))
}

fn unrolled(text: &str, node: &Node, change: &LayerChange<'_>) -> Rewritten {
    let Kind::Array(items) = &node.kind else {
        return Rewritten::NotByLayer;
    };
    if items.is_empty() {
        return Rewritten::NotByLayer;
    }
    let entry = |layer: u64| &text[items[(layer % items.len() as u64) as usize].span.clone()];
    let wanted: Vec<&str> = change.layer_map.iter().map(|&layer| entry(layer)).collect();
    let repeats = (0_u64..)
        .zip(&wanted)
        .all(|(index, raw)| entry(index) == *raw);
    if repeats {
        return Rewritten::NotByLayer;
    }
    Rewritten::To(json_text::array_like(text, node, &wanted))
}

fn respelled(node: &Node, change: &LayerChange<'_>) -> Rewritten {
    let Kind::Scalar(Value::String(letters)) = &node.kind else {
        return Rewritten::NotByLayer;
    };
    let letters: Vec<char> = letters.chars().collect();
    match pick(&letters, change) {
        Some(picked) => Rewritten::To(Value::from(picked.collect::<String>()).to_string()),
        None => Rewritten::Length(letters.len()),
    }
}

/// GPT-Neo's `[[["global", "local"], 12]]`: kinds and how often they repeat.
fn redistributed(node: &Node, change: &LayerChange<'_>) -> Rewritten {
    let Ok(groups) = serde_json::from_value::<Vec<(Vec<String>, u64)>>(node.to_value()) else {
        return Rewritten::NotByLayer;
    };
    let length: u64 = groups.iter().fold(0, |sum: u64, (kinds, times)| {
        sum.saturating_add(times.saturating_mul(kinds.len() as u64))
    });
    if length != change.old {
        return Rewritten::Length(length as usize);
    }
    let kinds: Vec<&String> = groups
        .iter()
        .flat_map(|(kinds, times)| (0..*times).flat_map(move |_| kinds))
        .collect();
    match pick(&kinds, change) {
        Some(picked) => {
            let kinds: Vec<Value> = picked.map(|kind| Value::from(kind.as_str())).collect();
            Rewritten::To(serde_json::json!([[kinds, 1]]).to_string())
        }
        None => Rewritten::Length(kinds.len()),
    }
}

/// Lists of families that came after this was written: as long as the layers, and long enough not to be so by chance.
fn unknown_lists(editor: &mut Editor, change: &LayerChange<'_>) -> Result<(), ConfigError> {
    if change.old < SHORTEST_UNKNOWN_LIST {
        return Ok(());
    }
    let root = editor.root();
    let Some(Kind::Object(members)) = root.at(change.object).map(|node| &node.kind) else {
        return Ok(());
    };
    for member in members {
        let key = member.key.as_str();
        let known = LISTS.contains(&key)
            || INDEX_LISTS.contains(&key)
            || CYCLES.contains(&key)
            || key == "attention_types";
        let Kind::Array(items) = &member.value.kind else {
            continue;
        };
        if known
            || items.len() as u64 != change.old
            || UNRELATED.iter().any(|part| key.contains(part))
        {
            continue;
        }
        // entries that name other layers would have to be renumbered in a way that only the family knows
        if key.contains("source") {
            editor
                .notes
                .push(format!("`{key}` may contain layer numbers: not changed"));
            continue;
        }
        rewrite(editor, change, key, |text, node| {
            reindexed(text, node, change)
        })?;
        editor.notes.push(format!(
            "`{key}` has one entry per layer and was treated as a per-layer setting"
        ));
    }
    Ok(())
}
