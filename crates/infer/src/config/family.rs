//! The families of decoders, and what each one's `config.json` leaves unsaid.

use serde_json::Value;

use super::fields::Fields;
use super::rope::RopeFields;
use super::{Activation, DecoderConfig, LayerConfig, RopeKind, RopeSettings};
use crate::ConfigError;

/// A family of decoders that the graph knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is the family's own name")]
pub enum DecoderFamily {
    Llama,
    Mistral,
    Qwen2,
    Qwen3,
    Gemma2,
    Gemma3,
    Phi3,
}

/// Names in `config.json`'s `architectures` that can be run.
pub const SUPPORTED: [&str; 8] = [
    "LlamaForCausalLM",
    "MistralForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "Gemma3ForConditionalGeneration",
    "Phi3ForCausalLM",
];

impl DecoderFamily {
    /// Every family.
    pub const ALL: [Self; 7] = [
        Self::Llama,
        Self::Mistral,
        Self::Qwen2,
        Self::Qwen3,
        Self::Gemma2,
        Self::Gemma3,
        Self::Phi3,
    ];

    /// The name used in `model_type`.
    pub const fn model_type(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Mistral => "mistral",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
            Self::Gemma2 => "gemma2",
            Self::Gemma3 => "gemma3_text",
            Self::Phi3 => "phi3",
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "LlamaForCausalLM" | "llama" => Some(Self::Llama),
            "MistralForCausalLM" | "mistral" => Some(Self::Mistral),
            "Qwen2ForCausalLM" | "qwen2" => Some(Self::Qwen2),
            "Qwen3ForCausalLM" | "qwen3" => Some(Self::Qwen3),
            "Gemma2ForCausalLM" | "gemma2" => Some(Self::Gemma2),
            "Gemma3ForCausalLM" | "Gemma3ForConditionalGeneration" | "gemma3" | "gemma3_text" => {
                Some(Self::Gemma3)
            }
            "Phi3ForCausalLM" | "phi3" => Some(Self::Phi3),
            _ => None,
        }
    }

    const fn is_gemma(self) -> bool {
        matches!(self, Self::Gemma2 | Self::Gemma3)
    }

    /// Values that transformers takes where a `config.json` says nothing.
    const fn defaults(self) -> Defaults {
        let llama = Defaults {
            kv_heads: None,
            head_dim: None,
            positions: 2048,
            epsilon: 1e-6,
            window: None,
        };
        match self {
            Self::Llama => llama,
            Self::Mistral => Defaults {
                kv_heads: Some(8),
                positions: 131_072,
                window: Some(4096),
                ..llama
            },
            Self::Qwen2 => Defaults {
                positions: 32_768,
                window: Some(4096),
                ..llama
            },
            Self::Qwen3 => Defaults {
                head_dim: Some(128),
                positions: 32_768,
                window: Some(4096),
                ..llama
            },
            Self::Gemma2 => Defaults {
                kv_heads: Some(4),
                head_dim: Some(256),
                positions: 8192,
                window: Some(4096),
                ..llama
            },
            Self::Gemma3 => Defaults {
                kv_heads: Some(4),
                head_dim: Some(256),
                positions: 131_072,
                window: Some(4096),
                ..llama
            },
            Self::Phi3 => Defaults {
                positions: 4096,
                epsilon: 1e-5,
                ..llama
            },
        }
    }
}

struct Defaults {
    kv_heads: Option<usize>,
    head_dim: Option<usize>,
    positions: usize,
    epsilon: f64,
    window: Option<usize>,
}

/// Reads a `config.json` of any supported family.
pub(super) fn read(config: &Value) -> Result<DecoderConfig, ConfigError> {
    if !config.is_object() {
        return Err(ConfigError::NotAnObject);
    }
    let outer = Fields(config);
    let architecture = architecture(outer)?;
    // models with pictures keep the text decoder's settings apart
    let fields = outer.object("text_config").unwrap_or(outer);
    Reader {
        fields,
        outer,
        architecture,
        defaults: architecture.defaults(),
    }
    .read()
}

fn architecture(fields: Fields<'_>) -> Result<DecoderFamily, ConfigError> {
    let names = fields.texts("architectures")?.unwrap_or_default();
    if names.is_empty() {
        let name = fields
            .text("model_type")
            .ok_or_else(|| ConfigError::Missing("architectures".to_owned()))?;
        return DecoderFamily::named(name)
            .ok_or_else(|| ConfigError::Architecture(name.to_owned()));
    }
    names
        .iter()
        .filter(|name| SUPPORTED.contains(name))
        .find_map(|name| DecoderFamily::named(name))
        .ok_or_else(|| ConfigError::Architecture(names.join(", ")))
}

struct Reader<'a> {
    fields: Fields<'a>,
    outer: Fields<'a>,
    architecture: DecoderFamily,
    defaults: Defaults,
}

impl Reader<'_> {
    fn read(&self) -> Result<DecoderConfig, ConfigError> {
        let architecture = self.architecture;
        let fields = self.fields;
        let hidden = fields.required_count("hidden_size")?;
        let heads = self.count_or("num_attention_heads", 8)?;
        let kv_heads = match fields.count("num_key_value_heads")? {
            Some(count) => count,
            None => self.defaults.kv_heads.unwrap_or(heads),
        };
        if !heads.is_multiple_of(kv_heads) {
            return Err(ConfigError::Invalid {
                field: "num_key_value_heads".to_owned(),
                found: kv_heads.to_string(),
                expected: format!("a divisor of num_attention_heads, {heads}"),
            });
        }
        let head_dim = match fields.count("head_dim")?.or(self.defaults.head_dim) {
            Some(count) => count,
            None if hidden.is_multiple_of(heads) => hidden / heads,
            None => return Err(ConfigError::Missing("head_dim".to_owned())),
        };
        let positions = fields
            .count("max_position_embeddings")?
            .unwrap_or(self.defaults.positions);
        let gemma = architecture.is_gemma();
        let (layers, ropes) = self.layers(head_dim, positions)?;
        let attention_bias = fields.flag("attention_bias", false)?;
        let scalar = fields.number("query_pre_attn_scalar")?.filter(|_| gemma);
        Ok(DecoderConfig {
            architecture,
            hidden,
            intermediate: fields.required_count("intermediate_size")?,
            heads,
            kv_heads,
            head_dim,
            vocabulary: self.count_or("vocab_size", 262_208)?,
            positions: self.reach(positions, &ropes),
            layers,
            ropes,
            norm_epsilon: fields
                .number("rms_norm_eps")?
                .unwrap_or(self.defaults.epsilon) as f32,
            norm_plus_one: gemma,
            post_norms: gemma,
            head_norms: matches!(architecture, DecoderFamily::Qwen3 | DecoderFamily::Gemma3),
            qkv_bias: match architecture {
                DecoderFamily::Qwen2 => true,
                DecoderFamily::Mistral | DecoderFamily::Phi3 => false,
                _ => attention_bias,
            },
            output_bias: attention_bias
                && !matches!(
                    architecture,
                    DecoderFamily::Qwen2 | DecoderFamily::Mistral | DecoderFamily::Phi3
                ),
            mlp_bias: architecture == DecoderFamily::Llama && fields.flag("mlp_bias", false)?,
            fused: architecture == DecoderFamily::Phi3,
            activation: self.activation()?,
            embedding_scale: if gemma { (hidden as f32).sqrt() } else { 1.0 },
            attention_scale: match scalar {
                Some(scalar) => scalar.powf(-0.5),
                None if gemma => (256.0_f64).powf(-0.5),
                None => (head_dim as f64).powf(-0.5),
            } as f32,
            attention_cap: self.cap("attn_logit_softcapping", 50.0)?,
            logit_cap: self.cap("final_logit_softcapping", 30.0)?,
            tied: match fields.value("tie_word_embeddings") {
                Some(_) => fields.flag("tie_word_embeddings", false)?,
                None => self.outer.flag("tie_word_embeddings", gemma)?,
            },
        })
    }

    /// Positions the model may be given: `max_position_embeddings`, unless that is what a rotary embedding stretches.
    fn reach(&self, positions: usize, ropes: &[RopeSettings]) -> usize {
        let stretched = |factor: f64, original: usize| (factor * original as f64) as usize;
        let reach = match ropes[0].kind {
            // Gemma 3 counts its factor in already
            RopeKind::Linear { factor } if self.architecture != DecoderFamily::Gemma3 => {
                stretched(factor, positions)
            }
            RopeKind::Dynamic { factor } => stretched(factor, positions),
            RopeKind::Yarn {
                factor, original, ..
            } => stretched(factor, original),
            _ => positions,
        };
        reach.max(positions)
    }

    /// A count that only Gemma 3's files may leave out.
    fn count_or(&self, name: &str, gemma3: usize) -> Result<usize, ConfigError> {
        match self.fields.count(name)? {
            Some(count) => Ok(count),
            None if self.architecture == DecoderFamily::Gemma3 => Ok(gemma3),
            None => Err(ConfigError::Missing(name.to_owned())),
        }
    }

    /// A cap of Gemma's; its second generation has both unless the file says `null`.
    fn cap(&self, name: &str, gemma2: f32) -> Result<Option<f32>, ConfigError> {
        let said = self.fields.0.get(name).is_some();
        Ok(match self.fields.number(name)? {
            Some(cap) if self.architecture.is_gemma() && cap > 0.0 => Some(cap as f32),
            None if self.architecture == DecoderFamily::Gemma2 && !said => Some(gemma2),
            _ => None,
        })
    }

    fn activation(&self) -> Result<Activation, ConfigError> {
        let fields = self.fields;
        let (field, name) = if self.architecture.is_gemma() {
            // Gemma's old files say `"hidden_act": "gelu"` and mean the approximation
            let name = fields
                .text("hidden_activation")
                .unwrap_or("gelu_pytorch_tanh");
            ("hidden_activation", name)
        } else {
            ("hidden_act", fields.text("hidden_act").unwrap_or("silu"))
        };
        match name {
            "silu" | "swish" => Ok(Activation::Silu),
            "gelu" => Ok(Activation::Gelu),
            "gelu_pytorch_tanh" | "gelu_new" => Ok(Activation::GeluTanh),
            other => Err(ConfigError::Invalid {
                field: field.to_owned(),
                found: other.to_owned(),
                expected: "silu, gelu or gelu_pytorch_tanh".to_owned(),
            }),
        }
    }

    /// Windows and rotary embeddings of the layers.
    fn layers(
        &self,
        head_dim: usize,
        positions: usize,
    ) -> Result<(Vec<LayerConfig>, Vec<RopeSettings>), ConfigError> {
        let count = self.fields.required_count("num_hidden_layers")?;
        if count > 10_000 {
            return Err(ConfigError::Invalid {
                field: "num_hidden_layers".to_owned(),
                found: count.to_string(),
                expected: "at most 10000".to_owned(),
            });
        }
        let window = self.window()?;
        let sliding = self.sliding(count)?;
        let dual = self.architecture == DecoderFamily::Gemma3;
        let layers = sliding
            .into_iter()
            .map(|sliding| LayerConfig {
                window: window.filter(|_| sliding),
                rope: usize::from(dual && sliding),
            })
            .collect();
        Ok((layers, self.ropes(head_dim, positions)?))
    }

    fn window(&self) -> Result<Option<usize>, ConfigError> {
        let fields = self.fields;
        let qwen = matches!(
            self.architecture,
            DecoderFamily::Qwen2 | DecoderFamily::Qwen3
        );
        if self.architecture == DecoderFamily::Llama
            || (qwen && !fields.flag("use_sliding_window", false)?)
        {
            return Ok(None);
        }
        Ok(match fields.0.get("sliding_window") {
            None => self.defaults.window,
            Some(_) => fields.count("sliding_window")?,
        })
    }

    /// Which layers have the window.
    fn sliding(&self, count: usize) -> Result<Vec<bool>, ConfigError> {
        let fields = self.fields;
        if let Some(types) = fields.texts("layer_types")? {
            if types.len() != count {
                return Err(ConfigError::Invalid {
                    field: "layer_types".to_owned(),
                    found: format!("{} entries", types.len()),
                    expected: format!("one for each of the {count} layers"),
                });
            }
            return types
                .iter()
                .map(|&kind| match kind {
                    "full_attention" => Ok(false),
                    "sliding_attention" => Ok(true),
                    other => Err(ConfigError::Invalid {
                        field: "layer_types".to_owned(),
                        found: other.to_owned(),
                        expected: "full_attention or sliding_attention".to_owned(),
                    }),
                })
                .collect();
        }
        let rule: Box<dyn Fn(usize) -> bool> = match self.architecture {
            DecoderFamily::Llama => Box::new(|_| false),
            DecoderFamily::Mistral | DecoderFamily::Phi3 => Box::new(|_| true),
            DecoderFamily::Qwen2 | DecoderFamily::Qwen3 => {
                let first = fields.number("max_window_layers")?.unwrap_or(28.0);
                Box::new(move |layer| layer as f64 >= first)
            }
            DecoderFamily::Gemma2 => Box::new(|layer| (layer + 1) % 2 != 0),
            DecoderFamily::Gemma3 => {
                let pattern = fields.count("sliding_window_pattern")?.unwrap_or(6);
                Box::new(move |layer| (layer + 1) % pattern != 0)
            }
        };
        Ok((0..count).map(rule).collect())
    }

    fn ropes(&self, head_dim: usize, positions: usize) -> Result<Vec<RopeSettings>, ConfigError> {
        let fields = self.fields;
        let parameters = fields.object("rope_parameters");
        let scaling = fields.object("rope_scaling");
        let partial = fields.number("partial_rotary_factor")?.unwrap_or(1.0);
        let rope = |scaling, theta| {
            RopeFields {
                scaling,
                original: fields.count("original_max_position_embeddings")?,
                theta,
                head_dim,
                partial,
                positions,
            }
            .read()
        };
        let theta = fields.number("rope_theta")?;
        if self.architecture != DecoderFamily::Gemma3 {
            return Ok(vec![rope(
                scaling.or(parameters),
                theta.unwrap_or(10_000.0),
            )?]);
        }
        let of = |kind| parameters.and_then(|parameters| parameters.object(kind));
        let local = fields.number("rope_local_base_freq")?.unwrap_or(10_000.0);
        let flat = parameters.filter(|_| of("full_attention").is_none());
        Ok(vec![
            rope(
                of("full_attention").or(flat).or(scaling),
                theta.unwrap_or(1_000_000.0),
            )?,
            rope(of("sliding_attention"), local)?,
        ])
    }
}
