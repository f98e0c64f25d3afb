//! Kinds of layers that a config does not list, but computes from a period or a threshold.
//!
//! Where the rule gives every new layer the kind of the layer that it comes from, nothing changes. Otherwise the kinds
//! are written out where the family reads a list, and a note says so where it does not.

use serde_json::Value;

use super::config_editor::Editor;
use super::config_file::ConfigError;
use super::json_text;
use super::layer_settings::LayerChange;

/// A rule of the form "every so many layers".
struct Period {
    /// The families that compute it so, and the period of those that do not write it; empty for any family that writes it.
    families: &'static [(&'static str, u64)],
    /// The key of the period.
    key: &'static str,
    /// Which remainder of the layer's number is special.
    phase: Phase,
    /// Where the kinds can be written out.
    list: List,
}

enum Phase {
    /// The first of every period: 0, p, 2p …
    First,
    /// The last of every period: p − 1, 2p − 1 …
    Last,
    /// The layer of this key's number.
    Key(&'static str),
}

enum List {
    /// One text or number per layer: key, entry of the special layers, entry of the others.
    Kinds(&'static str, &'static str, &'static str),
    /// The numbers of the special layers.
    Numbers(&'static str),
    /// Nowhere.
    None,
}

const LAYER_TYPES: &str = "layer_types";

/// From the `configuration_*.py` of transformers 5.
const PERIODS: [Period; 7] = [
    Period {
        families: &[
            ("gemma2", 2),
            ("gemma3_text", 6),
            ("gpt_oss", 2),
            ("cohere2", 4),
            ("exaone4", 4),
            ("olmo3", 4),
        ],
        key: "sliding_window_pattern",
        phase: Phase::Last,
        list: List::Kinds(LAYER_TYPES, "\"full_attention\"", "\"sliding_attention\""),
    },
    Period {
        families: &[
            ("qwen3_next", 4),
            ("qwen3_5_text", 4),
            ("qwen3_5_moe_text", 4),
        ],
        key: "full_attention_interval",
        phase: Phase::Last,
        list: List::Kinds(LAYER_TYPES, "\"full_attention\"", "\"linear_attention\""),
    },
    Period {
        families: &[("modernbert", 3), ("modernbert-decoder", 3)],
        key: "global_attn_every_n_layers",
        phase: Phase::First,
        list: List::Kinds(LAYER_TYPES, "\"full_attention\"", "\"sliding_attention\""),
    },
    Period {
        families: &[("smollm3", 4), ("llama4_text", 4)],
        key: "no_rope_layer_interval",
        phase: Phase::Last,
        list: List::Kinds("no_rope_layers", "0", "1"),
    },
    Period {
        families: &[("llama4_text", 1)],
        key: "interleave_moe_layer_step",
        phase: Phase::Last,
        list: List::Numbers("moe_layers"),
    },
    Period {
        families: &[],
        key: "attn_layer_period",
        phase: Phase::Key("attn_layer_offset"),
        list: List::None,
    },
    Period {
        families: &[],
        key: "expert_layer_period",
        phase: Phase::Key("expert_layer_offset"),
        list: List::None,
    },
];

/// Lets computed kinds follow the layers.
pub(super) fn follow(editor: &mut Editor, change: &LayerChange<'_>) -> Result<(), ConfigError> {
    for period in &PERIODS {
        follow_period(editor, change, period)?;
    }
    follow_sparse_step(editor, change)?;
    follow_window(editor, change)?;
    follow_dense_start(editor, change)
}

fn number(editor: &Editor, change: &LayerChange<'_>, key: &str) -> Option<u64> {
    editor.value(&change.path(key))?.as_u64()
}

fn is_listed(editor: &Editor, change: &LayerChange<'_>, key: &str) -> bool {
    editor
        .value(&change.path(key))
        .is_some_and(|value| !value.is_null())
}

/// `model_type` of the stack's object, else of the config.
fn family(editor: &Editor, change: &LayerChange<'_>) -> String {
    editor
        .value(&change.path("model_type"))
        .or_else(|| editor.value(&["model_type"]))
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn follow_period(
    editor: &mut Editor,
    change: &LayerChange<'_>,
    period: &Period,
) -> Result<(), ConfigError> {
    let family = family(editor, change);
    let default = period
        .families
        .iter()
        .find(|(name, _)| *name == family)
        .map(|&(_, default)| default);
    if !period.families.is_empty() && default.is_none() {
        return Ok(());
    }
    let Some(length) = number(editor, change, period.key)
        .or(default)
        .filter(|&length| length > 0)
    else {
        return Ok(());
    };
    let remainder = match period.phase {
        Phase::First => 0,
        Phase::Last => length - 1,
        Phase::Key(key) => number(editor, change, key).unwrap_or(0),
    };
    let special = |layer: u64| layer % length == remainder;
    match period.list {
        // a list that is there already decides, and follows the layers by itself
        List::Kinds(key, ..) | List::Numbers(key) if is_listed(editor, change, key) => Ok(()),
        _ if change.keeps(special) => Ok(()),
        List::Kinds(key, yes, no) => {
            let entries = change.old_kinds(special, yes, no);
            write_list(editor, change, key, &entries)
        }
        List::Numbers(key) => {
            let numbers: Vec<String> = (0..change.old)
                .filter(|&layer| special(layer))
                .map(|layer| layer.to_string())
                .collect();
            let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
            write_list(editor, change, key, &numbers)
        }
        List::None => {
            cannot_follow(editor, period.key);
            Ok(())
        }
    }
}

/// Qwen's mixtures of experts: dense where listed in `mlp_only_layers`, or not at the end of a `decoder_sparse_step`.
fn follow_sparse_step(editor: &mut Editor, change: &LayerChange<'_>) -> Result<(), ConfigError> {
    let Some(step) = number(editor, change, "decoder_sparse_step").filter(|&step| step > 1) else {
        return Ok(());
    };
    let sparse = |layer: u64| (layer + 1).is_multiple_of(step);
    if change.keeps(sparse) {
        return Ok(());
    }
    let listed: Vec<u64> = editor
        .value(&change.path("mlp_only_layers"))
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_default();
    let dense: Vec<String> = (0..change.old)
        .filter(|layer| !sparse(*layer) || listed.contains(layer))
        .map(|layer| layer.to_string())
        .collect();
    let dense: Vec<&str> = dense.iter().map(String::as_str).collect();
    editor.set(&change.path("decoder_sparse_step"), "1")?;
    write_list(editor, change, "mlp_only_layers", &dense)
}

/// Qwen's `max_window_layers`: with `use_sliding_window`, the layers from that number on see a window.
fn follow_window(editor: &mut Editor, change: &LayerChange<'_>) -> Result<(), ConfigError> {
    let Some(first) = number(editor, change, "max_window_layers") else {
        return Ok(());
    };
    let windows = |layer: u64| layer >= first;
    let used = editor.value(&change.path("use_sliding_window")) == Some(Value::Bool(true));
    let threshold = change.threshold(windows);
    if used && threshold.is_none() && !is_listed(editor, change, LAYER_TYPES) {
        if family(editor, change) == "qwen2_moe" {
            cannot_follow(editor, "max_window_layers");
            return Ok(());
        }
        let entries = change.old_kinds(windows, "\"sliding_attention\"", "\"full_attention\"");
        write_list(editor, change, LAYER_TYPES, &entries)?;
    }
    let full = change
        .layer_map
        .iter()
        .filter(|&&layer| !windows(layer))
        .count() as u64;
    let new = threshold.unwrap_or(full);
    editor.set(&change.path("max_window_layers"), &new.to_string())
}

/// DeepSeek's `first_k_dense_replace`: the layers before that number are dense.
fn follow_dense_start(editor: &mut Editor, change: &LayerChange<'_>) -> Result<(), ConfigError> {
    let Some(dense) = number(editor, change, "first_k_dense_replace") else {
        return Ok(());
    };
    if let Some(new) = change.threshold(|layer| layer >= dense) {
        return editor.set(&change.path("first_k_dense_replace"), &new.to_string());
    }
    cannot_follow(editor, "first_k_dense_replace");
    Ok(())
}

/// Writes a list with one entry per old layer; the lists' own step makes it follow the layers afterwards.
fn write_list(
    editor: &mut Editor,
    change: &LayerChange<'_>,
    key: &'static str,
    entries: &[&str],
) -> Result<(), ConfigError> {
    let root = editor.root();
    let raw = match root.at(change.object) {
        Some(object) => json_text::array_in(&editor.text, object, entries),
        None => format!("[{}]", entries.join(", ")),
    };
    editor.set(&change.path(key), &raw)?;
    editor.notes.push(format!(
        "`{key}` was expanded, because the order of the layers no longer follows the config's pattern"
    ));
    Ok(())
}

fn cannot_follow(editor: &mut Editor, key: &str) {
    editor.notes.push(format!(
        "`{key}` cannot express the order of the layers: the model may not load"
    ));
}

impl LayerChange<'_> {
    /// Whether a rule gives every new layer what the layer has that it comes from.
    fn keeps(&self, special: impl Fn(u64) -> bool) -> bool {
        (0..)
            .zip(self.layer_map)
            .all(|(new, &old)| special(new) == special(old))
    }

    /// The first new layer for which the rule holds, if it holds for all from there on: the number of layers before it.
    fn threshold(&self, holds: impl Fn(u64) -> bool) -> Option<u64> {
        let before = self
            .layer_map
            .iter()
            .take_while(|&&layer| !holds(layer))
            .count();
        self.layer_map[before..]
            .iter()
            .all(|&layer| holds(layer))
            .then_some(before as u64)
    }

    fn old_kinds<'t>(
        &self,
        special: impl Fn(u64) -> bool,
        yes: &'t str,
        no: &'t str,
    ) -> Vec<&'t str> {
        (0..self.old)
            .map(|layer| if special(layer) { yes } else { no })
            .collect()
    }
}
