//! The table of families: one entry each, facts only.

use super::facts::{Facts, StackFacts};

const NUM_HIDDEN_LAYERS: &[&str] = &["num_hidden_layers"];

/// What most decoders have in common.
const DECODER: Facts = Facts {
    model_types: &[],
    layer_count_keys: NUM_HIDDEN_LAYERS,
    stacks: &[],
    embedding: &["embed_tokens.weight"],
    head: "lm_head.weight",
    base_prefix: "model.",
    optional: &[],
    aliases: &[],
};

/// Old checkpoints of these families name the scale and shift of a norm `gamma` and `beta`.
const NORM_ALIASES: &[(&str, &str)] = &[
    ("LayerNorm.weight", "LayerNorm.gamma"),
    ("LayerNorm.bias", "LayerNorm.beta"),
];

/// Every family that the table knows.
pub(super) static FAMILIES: &[Facts] = &[
    Facts {
        model_types: &[
            "llama",
            "mistral",
            "ministral",
            "mixtral",
            "qwen2",
            "qwen3",
            "qwen2_moe",
            "qwen3_moe",
            "qwen3_next",
            "gemma",
            "gemma2",
            "gemma3_text",
            "gemma3",
            "phi",
            "phi3",
            "olmo2",
            "cohere2",
            "smollm3",
            "deepseek_v3",
            "glm4_moe",
            "gpt_oss",
            "exaone4",
            "minimax",
            "llama4_text",
            "qwen2_vl_text",
            "qwen2_5_vl_text",
        ],
        ..DECODER
    },
    Facts {
        model_types: &["gpt2"],
        layer_count_keys: &["n_layer"],
        embedding: &["wte.weight"],
        base_prefix: "transformer.",
        optional: &["attn.bias", "attn.masked_bias"],
        ..DECODER
    },
    Facts {
        model_types: &["gpt_neox"],
        embedding: &["embed_in.weight"],
        head: "embed_out.weight",
        base_prefix: "gpt_neox.",
        optional: &["attention.bias", "attention.masked_bias"],
        ..DECODER
    },
    Facts {
        model_types: &["bert"],
        embedding: &["word_embeddings.weight"],
        head: "cls.predictions.decoder.weight",
        base_prefix: "bert.",
        optional: &["cls.predictions.decoder.bias"],
        aliases: NORM_ALIASES,
        ..DECODER
    },
    Facts {
        model_types: &["roberta", "xlm-roberta", "camembert"],
        embedding: &["word_embeddings.weight"],
        head: "lm_head.decoder.weight",
        base_prefix: "roberta.",
        optional: &["lm_head.decoder.bias"],
        aliases: NORM_ALIASES,
        ..DECODER
    },
    Facts {
        model_types: &["distilbert"],
        layer_count_keys: &["n_layers"],
        embedding: &["word_embeddings.weight"],
        head: "vocab_projector.weight",
        base_prefix: "distilbert.",
        aliases: NORM_ALIASES,
        ..DECODER
    },
    Facts {
        model_types: &["mamba", "mamba2"],
        embedding: &["embeddings.weight", "embedding.weight"],
        base_prefix: "backbone.",
        aliases: &[("embeddings.weight", "embedding.weight")],
        ..DECODER
    },
    Facts {
        model_types: &["t5"],
        layer_count_keys: &["num_layers"],
        stacks: &[
            StackFacts {
                prefix_end: "encoder.block.",
                layer_count_keys: &["num_layers"],
            },
            StackFacts {
                prefix_end: "decoder.block.",
                layer_count_keys: &["num_decoder_layers"],
            },
        ],
        embedding: &["shared.weight", "embed_tokens.weight"],
        base_prefix: "",
        optional: &["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"],
        ..DECODER
    },
    Facts {
        model_types: &["whisper"],
        layer_count_keys: &["encoder_layers"],
        stacks: &[
            StackFacts {
                prefix_end: "encoder.layers.",
                layer_count_keys: &["encoder_layers", "num_hidden_layers"],
            },
            StackFacts {
                prefix_end: "decoder.layers.",
                layer_count_keys: &["decoder_layers"],
            },
        ],
        head: "proj_out.weight",
        ..DECODER
    },
];

/// The values of `model_type` whose config ties the head to the embedding where it does not say; sorted.
pub(super) static TIED_BY_DEFAULT: &[&str] = &[
    "bert",
    "camembert",
    "cohere2",
    "distilbert",
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3_text",
    "gpt2",
    "mamba",
    "roberta",
    "smollm3",
    "t5",
    "whisper",
    "xlm-roberta",
];
