//! Plans for tests, made by hand in the shapes of a small Qwen2.

use std::collections::BTreeMap;
use std::path::PathBuf;

use weightsmith_tensors::{
    DType, FormatName, ModelIdentity, OutputFormat as _, Safetensors, TensorEntry, TensorInfo,
};

use crate::plan::{
    Action, Operation, Plan, PlannedInput, PlannedLayer, PlannedTensor, SourceTensor, Value,
};

/// Names within a layer, with the number of elements.
const KINDS: [(&str, u64); 12] = [
    ("input_layernorm.weight", 64),
    ("mlp.down_proj.weight", 64 * 256),
    ("mlp.gate_proj.weight", 64 * 256),
    ("mlp.up_proj.weight", 64 * 256),
    ("post_attention_layernorm.weight", 64),
    ("self_attn.k_proj.bias", 16),
    ("self_attn.k_proj.weight", 64 * 16),
    ("self_attn.o_proj.weight", 64 * 64),
    ("self_attn.q_proj.bias", 64),
    ("self_attn.q_proj.weight", 64 * 64),
    ("self_attn.v_proj.bias", 16),
    ("self_attn.v_proj.weight", 64 * 16),
];

/// The position of a tensor that an operation is wanted for.
#[derive(Debug)]
pub struct TensorPosition<'a> {
    /// Name within the layer, or the whole name.
    pub kind: &'a str,
    /// Position within the layers, 0 to 1; 0 outside of them.
    pub position: f64,
    /// Models and layers that the tensor is made of; the layer is that of the plan outside of layers.
    pub sources: &'a [(usize, u64)],
}

/// A plan for models with labels; the operation of every tensor is given by a function.
pub fn plan(
    method: &str,
    labels: &[&str],
    base: Option<usize>,
    layers: Vec<PlannedLayer>,
    operation: &dyn Fn(&TensorPosition<'_>) -> Operation,
) -> Plan {
    let everyone: Vec<(usize, u64)> = layers
        .first()
        .map_or_else(Vec::new, |layer| layer.sources.clone());
    let outside = |name: &str, elements: u64| {
        let place = TensorPosition {
            kind: name,
            position: 0.0,
            sources: &everyone,
        };
        tensor(name.to_owned(), name, None, elements, operation(&place))
    };
    let mut tensors = vec![outside("model.embed_tokens.weight", 1000 * 64)];
    for (number, layer) in layers.iter().enumerate() {
        for (kind, elements) in KINDS {
            let place = TensorPosition {
                kind,
                position: layer.position,
                sources: &layer.sources,
            };
            let name = format!("model.layers.{number}.{kind}");
            tensors.push(tensor(
                name,
                kind,
                Some(number as u64),
                elements,
                operation(&place),
            ));
        }
    }
    tensors.push(outside("model.norm.weight", 64));
    finish(method, labels, base, layers, tensors)
}

fn finish(
    method: &str,
    labels: &[&str],
    base: Option<usize>,
    layers: Vec<PlannedLayer>,
    tensors: Vec<PlannedTensor>,
) -> Plan {
    let entries: Vec<TensorEntry> = tensors
        .iter()
        .map(|tensor| TensorEntry {
            name: tensor.name.clone(),
            info: tensor.info.clone(),
        })
        .collect();
    let layout = Safetensors
        .layout(&entries, None)
        .expect("small tensors fit");
    Plan {
        method: method.to_owned(),
        inputs: labels
            .iter()
            .map(|label| input(label, layers.len() as u64))
            .collect(),
        base,
        donor: base.unwrap_or(0),
        dropped: Vec::new(),
        bytes_read: 0,
        bytes_written: layout.file_bytes(),
        format: FormatName::Safetensors,
        layout,
        layers,
        tensors,
        config: None,
        seed: 0,
        files: Vec::new(),
    }
}

fn input(label: &str, layers: u64) -> PlannedInput {
    PlannedInput {
        reference: label.to_owned(),
        label: label.to_owned(),
        revision: label
            .contains('/')
            .then(|| "7ae557604adf67be50417f59c2c2f167def9a775".to_owned()),
        identity: ModelIdentity::of_parts([label]),
        path: PathBuf::from("/models").join(label),
        files: Vec::new(),
        tensors: KINDS.len() * layers as usize + 2,
        parameters: KINDS
            .iter()
            .map(|(_, elements)| elements * layers)
            .sum::<u64>()
            + 1001 * 64,
        layers,
    }
}

fn tensor(
    name: String,
    kind: &str,
    layer: Option<u64>,
    elements: u64,
    operation: Operation,
) -> PlannedTensor {
    PlannedTensor {
        name,
        info: TensorInfo {
            dtype: DType::BF16,
            shape: vec![elements],
        },
        layer,
        kind: kind.to_owned(),
        action: Action::Merge(operation),
    }
}

/// Layers of models that are merged in place.
pub fn in_place(models: usize, layers: u64) -> Vec<PlannedLayer> {
    let position = |layer: u64| {
        if layers == 1 {
            1.0
        } else {
            layer as f64 / (layers - 1) as f64
        }
    };
    (0..layers)
        .map(|layer| PlannedLayer {
            slice: 0,
            position: position(layer),
            sources: (0..models).map(|model| (model, layer)).collect(),
        })
        .collect()
}

/// Linear interpolation between equally spaced values.
pub fn gradient(values: &[f64], position: f64) -> f64 {
    let at = position * (values.len() - 1) as f64;
    let before = (at.floor() as usize).min(values.len().saturating_sub(2));
    match values {
        [only] => *only,
        _ => values[before] + (values[before + 1] - values[before]) * (at - before as f64),
    }
}

fn sources(place: &TensorPosition<'_>) -> Vec<SourceTensor> {
    let tensor = |&(input, layer): &(usize, u64)| SourceTensor {
        input,
        tensor: format!("{layer}.{}", place.kind),
    };
    place.sources.iter().map(tensor).collect()
}

/// SLERP between two models.
pub fn slerp(place: &TensorPosition<'_>, base: usize, t: f64) -> Operation {
    Operation {
        method: "slerp".to_owned(),
        sources: sources(place),
        base: Some(base),
        parameters: BTreeMap::from([("t".to_owned(), Value::Number(t))]),
        source_parameters: vec![BTreeMap::new(); place.sources.len()],
    }
}

/// A weighted average.
pub fn linear(place: &TensorPosition<'_>, weights: &[f64], normalize: bool) -> Operation {
    Operation {
        method: "linear".to_owned(),
        sources: sources(place),
        base: None,
        parameters: BTreeMap::from([("normalize".to_owned(), Value::Bool(normalize))]),
        source_parameters: weights
            .iter()
            .map(|weight| BTreeMap::from([("weight".to_owned(), Value::Number(*weight))]))
            .collect(),
    }
}

/// One model's tensor, scaled if asked for.
pub fn passthrough(place: &TensorPosition<'_>, scale: Option<f64>) -> Operation {
    let scale = scale.map(|scale| ("scale".to_owned(), Value::Number(scale)));
    Operation {
        method: "passthrough".to_owned(),
        sources: sources(place),
        base: None,
        parameters: BTreeMap::new(),
        source_parameters: vec![scale.into_iter().collect()],
    }
}

/// The V on 24 layers: the instruct model is the base, both share the middle.
pub fn v() -> Plan {
    slerp_curve(24, &[0.0, 0.25, 0.5, 0.25, 0.0])
}

/// SLERP from `Qwen2.5-0.5B-Instruct` to `Qwen2.5-0.5B` along a curve.
pub fn slerp_curve(layers: u64, t: &[f64]) -> Plan {
    let labels = ["Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B-Instruct"];
    plan("slerp", &labels, Some(1), in_place(2, layers), &|place| {
        slerp(place, 1, gradient(t, place.position))
    })
}

/// Layers 0 to 7 of one model and 4 to 11 of another.
pub fn stack() -> Plan {
    let run = |slice: usize, model: usize, from: u64| {
        (0..8).map(move |layer| PlannedLayer {
            slice,
            position: layer as f64 / 7.0,
            sources: vec![(model, from + layer)],
        })
    };
    let layers = run(0, 0, 0).chain(run(1, 1, 4)).collect();
    plan(
        "passthrough",
        &["tiny-base", "tiny-math"],
        None,
        layers,
        &|place| passthrough(place, None),
    )
}
