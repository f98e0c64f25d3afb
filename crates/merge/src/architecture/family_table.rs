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

/// Buffers that GPT-2 and its kin keep beside the weights: the causal mask.
const CAUSAL_MASKS: &[&str] = &[
    "attn.bias",
    "attn.masked_bias",
    "attention.bias",
    "attention.masked_bias",
];

/// Every family that the table knows, from the configurations and checkpoints of transformers 4 and 5.
pub(super) static FAMILIES: &[Facts] = &[
    Facts {
        model_types: &[
            "llama",
            "mistral",
            "ministral",
            "ministral3",
            "mixtral",
            "qwen2",
            "qwen3",
            "qwen2_moe",
            "qwen3_moe",
            "qwen3_next",
            "qwen3_5_text",
            "qwen3_5_moe_text",
            "gemma",
            "gemma2",
            "gemma3_text",
            "gemma3n_text",
            "gemma4_text",
            "phi",
            "phi3",
            "phimoe",
            "olmo",
            "olmo2",
            "olmo3",
            "olmoe",
            "cohere",
            "cohere2",
            "smollm3",
            "deepseek_v2",
            "deepseek_v3",
            "glm",
            "glm4",
            "glm4_moe",
            "gpt_oss",
            "exaone4",
            "minimax",
            "minimax_m2",
            "llama4_text",
            "granite",
            "granitemoe",
            "stablelm",
            "starcoder2",
            "internlm3",
            "arcee",
            "apertus",
            "seed_oss",
            "ernie4_5",
            "hunyuan_v1_dense",
            "persimmon",
            "nemotron",
            "qwen2_vl_text",
            "qwen2_5_vl_text",
            "qwen3_vl_text",
            "qwen3_vl_moe_text",
            // multimodal configs whose language model may be described without a type of its own
            "gemma3",
            "gemma3n",
            "gemma4",
            "llama4",
            "llava",
            "llava_next",
            "mistral3",
            "paligemma",
            "qwen2_vl",
            "qwen2_5_vl",
            "qwen3_vl",
            "qwen3_vl_moe",
            "qwen3_5",
            "qwen3_5_moe",
            "idefics3",
            "smolvlm",
            "internvl",
            "mllama",
            "mllama_text_model",
        ],
        ..DECODER
    },
    Facts {
        model_types: &["gpt2", "gpt_bigcode", "gptj"],
        layer_count_keys: &["n_layer"],
        embedding: &["wte.weight"],
        base_prefix: "transformer.",
        optional: CAUSAL_MASKS,
        ..DECODER
    },
    Facts {
        model_types: &["gpt_neo"],
        layer_count_keys: &["num_layers"],
        embedding: &["wte.weight"],
        base_prefix: "transformer.",
        optional: CAUSAL_MASKS,
        ..DECODER
    },
    Facts {
        model_types: &["mpt"],
        layer_count_keys: &["n_layers"],
        embedding: &["wte.weight"],
        base_prefix: "transformer.",
        ..DECODER
    },
    Facts {
        model_types: &["bloom"],
        layer_count_keys: &["n_layer", "num_hidden_layers"],
        embedding: &["word_embeddings.weight"],
        base_prefix: "transformer.",
        ..DECODER
    },
    Facts {
        model_types: &["falcon"],
        layer_count_keys: &["num_hidden_layers", "n_layer"],
        embedding: &["word_embeddings.weight"],
        base_prefix: "transformer.",
        ..DECODER
    },
    Facts {
        model_types: &["gpt_neox"],
        embedding: &["embed_in.weight"],
        head: "embed_out.weight",
        base_prefix: "gpt_neox.",
        optional: CAUSAL_MASKS,
        ..DECODER
    },
    Facts {
        model_types: &["bert"],
        embedding: &["word_embeddings.weight"],
        head: "cls.predictions.decoder.weight",
        base_prefix: "bert.",
        optional: &[
            "cls.predictions.decoder.bias",
            "pooler.dense.weight",
            "pooler.dense.bias",
        ],
        aliases: &[
            ("LayerNorm.weight", "LayerNorm.gamma"),
            ("LayerNorm.bias", "LayerNorm.beta"),
            ("cls.predictions.bias", "cls.predictions.decoder.bias"),
        ],
        ..DECODER
    },
    Facts {
        model_types: &["roberta", "xlm-roberta", "camembert"],
        embedding: &["word_embeddings.weight"],
        head: "lm_head.decoder.weight",
        base_prefix: "roberta.",
        optional: &[
            "lm_head.decoder.bias",
            "pooler.dense.weight",
            "pooler.dense.bias",
        ],
        aliases: &[
            ("LayerNorm.weight", "LayerNorm.gamma"),
            ("LayerNorm.bias", "LayerNorm.beta"),
            ("lm_head.bias", "lm_head.decoder.bias"),
        ],
        ..DECODER
    },
    Facts {
        model_types: &["distilbert"],
        layer_count_keys: &["n_layers"],
        embedding: &["word_embeddings.weight"],
        head: "vocab_projector.weight",
        base_prefix: "distilbert.",
        aliases: &[
            ("LayerNorm.weight", "LayerNorm.gamma"),
            ("LayerNorm.bias", "LayerNorm.beta"),
        ],
        ..DECODER
    },
    Facts {
        model_types: &["mamba", "mamba2", "falcon_mamba"],
        embedding: &["embeddings.weight", "embedding.weight"],
        base_prefix: "backbone.",
        aliases: &[("embeddings.weight", "embedding.weight")],
        ..DECODER
    },
    Facts {
        model_types: &["t5", "mt5", "umt5"],
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
        aliases: &[
            ("shared.weight", "encoder.embed_tokens.weight"),
            ("shared.weight", "decoder.embed_tokens.weight"),
        ],
        ..DECODER
    },
    Facts {
        model_types: &["whisper"],
        layer_count_keys: &["encoder_layers"],
        stacks: &LAYERED_STACKS,
        head: "proj_out.weight",
        ..DECODER
    },
    Facts {
        model_types: &["bart", "mbart", "pegasus", "marian", "m2m_100", "plbart"],
        layer_count_keys: &["encoder_layers"],
        stacks: &LAYERED_STACKS,
        embedding: &["shared.weight", "embed_tokens.weight"],
        optional: &[
            "encoder.embed_tokens.weight",
            "decoder.embed_tokens.weight",
            "final_logits_bias",
        ],
        aliases: &[
            ("shared.weight", "encoder.embed_tokens.weight"),
            ("shared.weight", "decoder.embed_tokens.weight"),
        ],
        ..DECODER
    },
];

/// The stacks of Whisper and of BART's family, where `num_hidden_layers` means the encoder.
const LAYERED_STACKS: [StackFacts; 2] = [
    StackFacts {
        prefix_end: "encoder.layers.",
        layer_count_keys: &["encoder_layers", "num_hidden_layers"],
    },
    StackFacts {
        prefix_end: "decoder.layers.",
        layer_count_keys: &["decoder_layers"],
    },
];

/// The values of `model_type` whose config ties the head to the embedding where it does not say; sorted.
pub(super) static TIED_BY_DEFAULT: &[&str] = &[
    "albert",
    "bart",
    "bert",
    "bert-generation",
    "big_bird",
    "bigbird_pegasus",
    "biogpt",
    "blenderbot",
    "blenderbot-small",
    "blip",
    "bloom",
    "camembert",
    "cohere",
    "cohere2",
    "cohere2_moe",
    "cohere2_vision",
    "convbert",
    "data2vec-text",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "ernie",
    "ernie4_5",
    "ernie4_5_moe",
    "esm",
    "falcon",
    "falcon_mamba",
    "flaubert",
    "florence2",
    "fnet",
    "funnel",
    "gemma",
    "gemma2",
    "gemma3",
    "gemma3_text",
    "gemma3n",
    "gemma3n_text",
    "gemma4",
    "gemma4_text",
    "gpt-sw3",
    "gpt2",
    "gpt_bigcode",
    "gpt_neo",
    "gpt_neox_japanese",
    "ibert",
    "internvl",
    "jetmoe",
    "led",
    "lfm2",
    "lfm2_moe",
    "lfm2_vl",
    "longformer",
    "longt5",
    "luke",
    "m2m_100",
    "mamba",
    "marian",
    "mbart",
    "megatron-bert",
    "minicpm3",
    "mistral3",
    "mobilebert",
    "modernbert",
    "modernbert-decoder",
    "mpnet",
    "mpt",
    "mra",
    "mt5",
    "mvp",
    "nllb-moe",
    "nomic_bert",
    "nystromformer",
    "openai-gpt",
    "opt",
    "paligemma",
    "pegasus",
    "pegasus_x",
    "plbart",
    "pop2piano",
    "prophetnet",
    "recurrent_gemma",
    "roberta",
    "roberta-prelayernorm",
    "roc_bert",
    "roformer",
    "seamless_m4t",
    "smollm3",
    "speech_to_text",
    "speecht5",
    "squeezebert",
    "starcoder2",
    "switch_transformers",
    "t5",
    "t5gemma",
    "t5gemma2",
    "trocr",
    "udop",
    "umt5",
    "vaultgemma",
    "whisper",
    "xglm",
    "xlm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xlnet",
    "xmod",
    "yoso",
    "zamba",
    "zamba2",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_that_tie_are_sorted_for_the_search() {
        assert!(TIED_BY_DEFAULT.is_sorted());
    }

    #[test]
    fn a_family_has_one_entry() {
        let mut names: Vec<&str> = FAMILIES
            .iter()
            .flat_map(|facts| facts.model_types)
            .copied()
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
