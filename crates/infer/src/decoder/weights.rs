//! The tensors of a decoder: found, checked against `config.json`, opened.

use std::sync::Arc;

use weightsmith_tensors::{DType, TensorSource, can_widen, widen_f32};

use crate::config::DecoderConfig;
use crate::{Error, Linear, Pool};

/// A decoder's weights.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) embedding: Arc<Linear>,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Vec<f32>,
    pub(super) head: Arc<Linear>,
    /// Indices of the tensors in use, in the order of the graph: embedding, layers, norm and head.
    pub(super) used: Used,
}

/// Which tensors belong to which part of the graph.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub(super) embedding: Vec<usize>,
    pub(super) layers: Vec<Vec<usize>>,
    pub(super) head: Vec<usize>,
}

/// A layer's weights.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) attention_norm: Vec<f32>,
    pub(super) post_attention_norm: Option<Vec<f32>>,
    pub(super) qkv: Projections<3>,
    pub(super) query_norm: Option<Vec<f32>>,
    pub(super) key_norm: Option<Vec<f32>>,
    pub(super) output: Biased,
    pub(super) mlp_norm: Vec<f32>,
    pub(super) post_mlp_norm: Option<Vec<f32>>,
    pub(super) gate_up: Projections<2>,
    pub(super) down: Biased,
}

/// A matrix and perhaps a bias.
#[derive(Debug)]
pub(super) struct Biased {
    pub(super) matrix: Linear,
    pub(super) bias: Option<Vec<f32>>,
}

/// Several projections of the same vector: matrices of their own, or one whose rows follow each other.
#[derive(Debug)]
pub(super) enum Projections<const N: usize> {
    Split([Biased; N]),
    Fused(Linear),
}

impl Biased {
    /// Rows of `inputs` through the matrix.
    pub(super) fn forward(&self, pool: &Pool, inputs: &[f32], out: &mut [f32]) {
        self.matrix.forward(pool, inputs, out);
        if let Some(bias) = &self.bias {
            crate::activation::add_bias(out, bias);
        }
    }
}

impl<const N: usize> Projections<N> {
    /// Rows of `inputs` through all of them. `scratch` is for the fused form.
    pub(super) fn forward(
        &self,
        pool: &Pool,
        inputs: &[f32],
        scratch: &mut Vec<f32>,
        outs: [&mut [f32]; N],
    ) {
        match self {
            Self::Split(each) => {
                for (each, out) in each.iter().zip(outs) {
                    each.forward(pool, inputs, out);
                }
            }
            Self::Fused(matrix) => {
                let count = inputs.len() / matrix.cols();
                scratch.resize(count * matrix.rows(), 0.0);
                matrix.forward(pool, inputs, scratch);
                let mut first = 0;
                for out in outs {
                    let width = out.len() / count;
                    let rows = scratch.chunks_exact(matrix.rows());
                    for (out, row) in out.chunks_exact_mut(width).zip(rows) {
                        out.copy_from_slice(&row[first..first + width]);
                    }
                    first += width;
                }
            }
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Split(each) => each.iter().map(|each| each.matrix.bytes()).sum(),
            Self::Fused(matrix) => matrix.bytes(),
        }
    }
}

impl Weights {
    /// Finds and opens all tensors; with `quantize`, matrices are kept in Q8_0.
    pub(super) fn open(
        source: &Arc<dyn TensorSource>,
        config: &DecoderConfig,
        pool: &Pool,
        quantize: bool,
    ) -> Result<Self, Error> {
        let mut reader = Reader {
            source,
            config,
            pool,
            quantize,
            prefix: prefix(source.as_ref()),
            used: Vec::new(),
        };
        reader.check()?;
        let (hidden, vocabulary) = (config.hidden, config.vocabulary);
        let embedding = Arc::new(reader.matrix("embed_tokens.weight", vocabulary, hidden)?);
        let mut used = Used {
            embedding: std::mem::take(&mut reader.used),
            ..Used::default()
        };
        let mut layers = Vec::with_capacity(config.layers.len());
        for index in 0..config.layers.len() {
            layers.push(reader.layer(index)?);
            used.layers.push(std::mem::take(&mut reader.used));
        }
        let norm = reader.norm("norm.weight", hidden)?;
        let head = if config.tied {
            Arc::clone(&embedding)
        } else {
            Arc::new(reader.matrix(HEAD, vocabulary, hidden)?)
        };
        used.head = reader.used;
        Ok(Self {
            embedding,
            layers,
            norm,
            head,
            used,
        })
    }

    /// Memory of the matrices, mapped or private.
    pub(super) fn bytes(&self) -> u64 {
        let layers: u64 = self.layers.iter().map(Layer::bytes).sum();
        let head = if Arc::ptr_eq(&self.embedding, &self.head) {
            0
        } else {
            self.head.bytes()
        };
        self.embedding.bytes() + layers + head
    }
}

impl Layer {
    fn bytes(&self) -> u64 {
        let single = self.output.matrix.bytes() + self.down.matrix.bytes();
        self.qkv.bytes() + single + self.gate_up.bytes()
    }
}

/// The head's name in the list of expected tensors; it has no `model.` before it.
const HEAD: &str = "lm_head.weight";

/// What stands before `embed_tokens.weight`: families with pictures have more there.
fn prefix(source: &dyn TensorSource) -> &'static str {
    [
        "model.",
        "language_model.model.",
        "model.language_model.",
        "",
    ]
    .into_iter()
    .find(|prefix| {
        source
            .find(&format!("{prefix}embed_tokens.weight"))
            .is_some()
    })
    .unwrap_or("model.")
}

/// Names and shapes of a layer's tensors, in the order of the graph.
fn layer_tensors(config: &DecoderConfig, index: usize) -> Vec<(String, Vec<u64>)> {
    let hidden = config.hidden;
    let (query, kv) = (config.query_width(), config.kv_width());
    let inner = config.intermediate;
    let mut tensors: Vec<(&str, Vec<usize>)> = vec![("input_layernorm.weight", vec![hidden])];
    let biases = |on: bool, name: &'static str, rows: usize| on.then(|| (name, vec![rows]));
    if config.fused {
        tensors.push(("self_attn.qkv_proj.weight", vec![query + 2 * kv, hidden]));
    } else {
        tensors.extend([
            ("self_attn.q_proj.weight", vec![query, hidden]),
            ("self_attn.k_proj.weight", vec![kv, hidden]),
            ("self_attn.v_proj.weight", vec![kv, hidden]),
        ]);
        tensors.extend(biases(config.qkv_bias, "self_attn.q_proj.bias", query));
        tensors.extend(biases(config.qkv_bias, "self_attn.k_proj.bias", kv));
        tensors.extend(biases(config.qkv_bias, "self_attn.v_proj.bias", kv));
    }
    if config.head_norms {
        tensors.push(("self_attn.q_norm.weight", vec![config.head_dim]));
        tensors.push(("self_attn.k_norm.weight", vec![config.head_dim]));
    }
    tensors.push(("self_attn.o_proj.weight", vec![hidden, query]));
    tensors.extend(biases(config.output_bias, "self_attn.o_proj.bias", hidden));
    tensors.push(("post_attention_layernorm.weight", vec![hidden]));
    if config.post_norms {
        tensors.push(("pre_feedforward_layernorm.weight", vec![hidden]));
        tensors.push(("post_feedforward_layernorm.weight", vec![hidden]));
    }
    if config.fused {
        tensors.push(("mlp.gate_up_proj.weight", vec![2 * inner, hidden]));
    } else {
        tensors.push(("mlp.gate_proj.weight", vec![inner, hidden]));
        tensors.push(("mlp.up_proj.weight", vec![inner, hidden]));
        tensors.extend(biases(config.mlp_bias, "mlp.gate_proj.bias", inner));
        tensors.extend(biases(config.mlp_bias, "mlp.up_proj.bias", inner));
    }
    tensors.push(("mlp.down_proj.weight", vec![hidden, inner]));
    tensors.extend(biases(config.mlp_bias, "mlp.down_proj.bias", hidden));
    tensors
        .into_iter()
        .map(|(name, shape)| {
            let shape = shape.into_iter().map(|size| size as u64).collect();
            (format!("layers.{index}.{name}"), shape)
        })
        .collect()
}

/// Names and shapes of all tensors, in the order of the graph, without what stands before their names.
fn model_tensors(config: &DecoderConfig) -> Vec<(String, Vec<u64>)> {
    let (vocabulary, hidden) = (config.vocabulary as u64, config.hidden as u64);
    let mut tensors = vec![("embed_tokens.weight".to_owned(), vec![vocabulary, hidden])];
    for index in 0..config.layers.len() {
        tensors.extend(layer_tensors(config, index));
    }
    tensors.push(("norm.weight".to_owned(), vec![hidden]));
    if !config.tied {
        tensors.push((HEAD.to_owned(), vec![vocabulary, hidden]));
    }
    tensors
}

/// Names and shapes of the tensors that a decoder of this description reads, as `source` would call them. Nothing is read.
pub fn expected_tensors(
    source: &dyn TensorSource,
    config: &DecoderConfig,
) -> Vec<(String, Vec<u64>)> {
    let prefix = prefix(source);
    let full = |(name, shape): (String, Vec<u64>)| match find(source, prefix, &name) {
        Some(index) => (source.tensors()[index].name.clone(), shape),
        None => (full_name(prefix, &name), shape),
    };
    model_tensors(config).into_iter().map(full).collect()
}

/// The index of a tensor by its name without what stands before it.
fn find(source: &dyn TensorSource, prefix: &str, name: &str) -> Option<usize> {
    if name != HEAD {
        return source.find(&full_name(prefix, name));
    }
    let outer = prefix.trim_end_matches("model.");
    source
        .find(HEAD)
        .or_else(|| source.find(&format!("{outer}{HEAD}")))
}

fn full_name(prefix: &str, name: &str) -> String {
    if name == HEAD {
        name.to_owned()
    } else {
        format!("{prefix}{name}")
    }
}

struct Reader<'a> {
    source: &'a Arc<dyn TensorSource>,
    config: &'a DecoderConfig,
    pool: &'a Pool,
    quantize: bool,
    prefix: &'static str,
    used: Vec<usize>,
}

impl Reader<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        find(self.source.as_ref(), self.prefix, name)
    }

    fn full(&self, name: &str) -> String {
        full_name(self.prefix, name)
    }

    /// All that the architecture needs is there and of the right shape, before anything is read.
    fn check(&self) -> Result<(), Error> {
        let config = self.config;
        let expected = model_tensors(config);
        let mut missing = expected
            .iter()
            .filter(|(name, _)| self.find(name).is_none());
        if let Some((name, shape)) = missing.next() {
            return Err(Error::MissingTensor {
                tensor: self.full(name),
                architecture: config.architecture.model_type(),
                expected: shape.clone(),
                missing: 1 + missing.count(),
            });
        }
        for (name, shape) in expected {
            let Some(index) = self.find(&name) else {
                continue;
            };
            let entry = &self.source.tensors()[index];
            if entry.info.shape != shape {
                return Err(Error::Shape {
                    tensor: entry.name.clone(),
                    found: entry.info.shape.clone(),
                    expected: shape,
                });
            }
            let float = matches!(entry.info.dtype, DType::F32 | DType::F16 | DType::BF16);
            if !float {
                return Err(Error::TensorType {
                    tensor: entry.name.clone(),
                    found: entry.info.dtype,
                });
            }
        }
        Ok(())
    }

    fn layer(&mut self, index: usize) -> Result<Layer, Error> {
        let config = self.config;
        let (hidden, inner) = (config.hidden, config.intermediate);
        let (query, kv) = (config.query_width(), config.kv_width());
        let name = |rest: &str| format!("layers.{index}.{rest}");
        let attention_norm = self.norm(&name("input_layernorm.weight"), hidden)?;
        let qkv = if config.fused {
            let name = name("self_attn.qkv_proj.weight");
            Projections::Fused(self.matrix(&name, query + 2 * kv, hidden)?)
        } else {
            let mut biased = |kind: &str, rows| {
                let name = name(&format!("self_attn.{kind}_proj"));
                self.biased(&name, rows, hidden, config.qkv_bias)
            };
            Projections::Split([biased("q", query)?, biased("k", kv)?, biased("v", kv)?])
        };
        let mut head_norm = |kind: &str| {
            let name = name(&format!("self_attn.{kind}_norm.weight"));
            let dim = config.head_dim;
            config.head_norms.then(|| self.norm(&name, dim)).transpose()
        };
        let (query_norm, key_norm) = (head_norm("q")?, head_norm("k")?);
        let output = self.biased(&name("self_attn.o_proj"), hidden, query, config.output_bias)?;
        let after = self.norm(&name("post_attention_layernorm.weight"), hidden)?;
        // Gemma's post_attention_layernorm is what its name says; the others' is the norm before the feed-forward block
        let (post_attention_norm, mlp_norm, post_mlp_norm) = if config.post_norms {
            let before = self.norm(&name("pre_feedforward_layernorm.weight"), hidden)?;
            let behind = self.norm(&name("post_feedforward_layernorm.weight"), hidden)?;
            (Some(after), before, Some(behind))
        } else {
            (None, after, None)
        };
        let gate_up = if config.fused {
            let name = name("mlp.gate_up_proj.weight");
            Projections::Fused(self.matrix(&name, 2 * inner, hidden)?)
        } else {
            let mut biased = |kind: &str| {
                let name = name(&format!("mlp.{kind}_proj"));
                self.biased(&name, inner, hidden, config.mlp_bias)
            };
            Projections::Split([biased("gate")?, biased("up")?])
        };
        let down = self.biased(&name("mlp.down_proj"), hidden, inner, config.mlp_bias)?;
        Ok(Layer {
            attention_norm,
            post_attention_norm,
            qkv,
            query_norm,
            key_norm,
            output,
            mlp_norm,
            post_mlp_norm,
            gate_up,
            down,
        })
    }

    fn biased(
        &mut self,
        name: &str,
        rows: usize,
        cols: usize,
        bias: bool,
    ) -> Result<Biased, Error> {
        let matrix = self.matrix(&format!("{name}.weight"), rows, cols)?;
        let bias = bias
            .then(|| self.vector(&format!("{name}.bias"), rows))
            .transpose()?;
        Ok(Biased { matrix, bias })
    }

    fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<Linear, Error> {
        let tensor = self.tensor(name, &[rows as u64, cols as u64])?;
        let matrix = Linear::open(self.source, tensor)?;
        if self.quantize {
            return Ok(matrix.quantize_q8_0(self.pool)?);
        }
        Ok(matrix)
    }

    /// The weight of a norm, with Gemma's one added.
    fn norm(&mut self, name: &str, size: usize) -> Result<Vec<f32>, Error> {
        let mut weight = self.vector(name, size)?;
        if self.config.norm_plus_one {
            for value in &mut weight {
                *value += 1.0;
            }
        }
        Ok(weight)
    }

    fn vector(&mut self, name: &str, size: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.tensor(name, &[size as u64])?;
        read_f32(self.source.as_ref(), tensor)
    }

    fn tensor(&mut self, name: &str, shape: &[u64]) -> Result<usize, Error> {
        let index = self.find(name).ok_or_else(|| Error::MissingTensor {
            tensor: self.full(name),
            architecture: self.config.architecture.model_type(),
            expected: shape.to_vec(),
            missing: 1,
        })?;
        self.used.push(index);
        Ok(index)
    }
}

/// A whole tensor as numbers.
fn read_f32(source: &dyn TensorSource, tensor: usize) -> Result<Vec<f32>, Error> {
    let info = &source.tensors()[tensor].info;
    let mut scratch = Vec::new();
    let bytes = source.read(tensor, 0..info.elements(), &mut scratch)?;
    let mut values = vec![0.0; info.elements() as usize];
    widen_f32(info.dtype, bytes, &mut values).map_err(weightsmith_tensors::Error::from)?;
    Ok(values)
}

/// The first of some tensors that holds NaN or an infinity.
pub(super) fn first_non_finite(
    source: &dyn TensorSource,
    tensors: impl Iterator<Item = usize>,
) -> Option<String> {
    /// Elements that are looked at together.
    const PIECE: u64 = 1 << 20;
    let mut scratch = Vec::new();
    for tensor in tensors {
        let entry = &source.tensors()[tensor];
        let elements = entry.info.elements();
        if !can_widen(entry.info.dtype) {
            continue;
        }
        for first in (0..elements).step_by(PIECE as usize) {
            let range = first..(first + PIECE).min(elements);
            let mut values = vec![0.0; (range.end - range.start) as usize];
            let bytes = source.read(tensor, range, &mut scratch).ok()?;
            widen_f32(entry.info.dtype, bytes, &mut values).ok()?;
            if values.iter().any(|value| !value.is_finite()) {
                return Some(entry.name.clone());
            }
        }
    }
    None
}
