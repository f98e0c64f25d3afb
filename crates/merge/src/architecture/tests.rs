//! Real families' tensor names and configs.

use serde_json::{Value, json};
use weightsmith_tensors::{DType, TensorEntry, TensorInfo};

use super::*;

/// Tensors of given names and shapes; `{}` in a name stands for each of `layers` numbers.
fn checkpoint(layers: u64, names: &[(&str, &[u64])]) -> Vec<TensorEntry> {
    let entry = |name: String, shape: &[u64]| TensorEntry {
        name,
        info: TensorInfo {
            dtype: DType::F32,
            shape: shape.to_vec(),
        },
    };
    let mut tensors = Vec::new();
    for (name, shape) in names {
        if name.contains("{}") {
            tensors.extend(
                (0..layers).map(|layer| entry(name.replace("{}", &layer.to_string()), shape)),
            );
        } else {
            tensors.push(entry((*name).to_owned(), shape));
        }
    }
    tensors
}

fn infer(config: &Value, layers: u64, names: &[(&str, &[u64])]) -> Architecture {
    Architecture::infer(Some(config), &checkpoint(layers, names))
}

fn qwen2(config: &Value) -> Architecture {
    infer(
        config,
        24,
        &[
            ("model.embed_tokens.weight", &[151_936, 896]),
            ("model.layers.{}.mlp.up_proj.weight", &[4864, 896]),
            ("model.layers.{}.input_layernorm.weight", &[896]),
            ("model.norm.weight", &[896]),
        ],
    )
}

fn vocabulary(architecture: &Architecture) -> Vec<(&str, usize, u64, VocabularyRole)> {
    architecture
        .vocabulary()
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor.axis, tensor.rows, tensor.role))
        .collect()
}

#[test]
fn a_decoder_is_described_in_a_line() {
    let config =
        json!({"model_type": "qwen2", "num_hidden_layers": 24, "tie_word_embeddings": true});
    let architecture = qwen2(&config);
    insta::assert_snapshot!(architecture, @"qwen2, 24 layers, 2 tensors per layer, 2 loose");
    assert_eq!(architecture.layers(), 24);
    assert!(architecture.stacks()[0].is_complete());
}

#[test]
fn layers_are_named_and_renamed() {
    let architecture = qwen2(&json!({"model_type": "qwen2"}));
    let position = architecture
        .layer_of("model.layers.7.mlp.up_proj.weight")
        .unwrap();
    assert_eq!(
        (position.stack, position.index, position.rest),
        (0, 7, "mlp.up_proj.weight")
    );
    assert_eq!(
        architecture.rename_layer("model.layers.7.mlp.up_proj.weight", 31),
        "model.layers.31.mlp.up_proj.weight"
    );
    assert_eq!(
        architecture.rename_layer("model.norm.weight", 31),
        "model.norm.weight"
    );
    assert_eq!(
        architecture.layer_of("vision.layers.0.mlp.up_proj.weight"),
        None
    );
}

#[test]
fn tensors_stand_before_in_or_after_the_layers() {
    let architecture = qwen2(&json!({"model_type": "qwen2"}));
    assert_eq!(
        architecture.place("model.embed_tokens.weight"),
        LayerPlace::Before
    );
    assert_eq!(
        architecture.place("model.layers.3.input_layernorm.weight"),
        LayerPlace::Layer { stack: 0, index: 3 }
    );
    assert_eq!(architecture.place("model.norm.weight"), LayerPlace::After);
    assert_eq!(architecture.place("lm_head.weight"), LayerPlace::After);
}

#[test]
fn a_tied_head_is_read_from_the_embedding_and_may_be_lacking() {
    let tied = qwen2(&json!({"model_type": "qwen2", "tie_word_embeddings": true}));
    assert!(tied.is_tied());
    assert_eq!(
        tied.tied_source("lm_head.weight"),
        Some("model.embed_tokens.weight")
    );
    assert!(tied.is_optional("lm_head.weight"));
    assert_eq!(tied.tied_source("model.norm.weight"), None);

    let untied = qwen2(&json!({"model_type": "qwen2", "tie_word_embeddings": false}));
    assert!(!untied.is_tied());
    assert!(!untied.is_optional("lm_head.weight"));
    assert_eq!(untied.tied_source("lm_head.weight"), None);
}

#[test]
fn what_a_missing_tie_means_depends_on_the_family() {
    assert!(!qwen2(&json!({"model_type": "qwen2"})).is_tied());
    assert!(qwen2(&json!({"model_type": "gemma2"})).is_tied());
    // a family that is not known: there is no head, so that it can only be the embedding
    assert!(qwen2(&json!({"model_type": "brand-new"})).is_tied());
    let with_head = infer(
        &json!({"model_type": "brand-new"}),
        1,
        &[
            ("model.embed_tokens.weight", &[9, 4]),
            ("lm_head.weight", &[9, 4]),
        ],
    );
    assert!(!with_head.is_tied());
}

#[test]
fn a_family_that_nobody_knows_is_inferred() {
    let architecture = infer(
        &json!({"model_type": "brand-new", "n_blocks": 3, "vocab_size": 500}),
        3,
        &[
            ("net.embedder.token_embed.weight", &[500, 16]),
            ("net.blocks.{}.attn.w.weight", &[16, 16]),
            ("net.blocks.{}.experts.0.w.weight", &[16, 16]),
            ("net.blocks.{}.experts.1.w.weight", &[16, 16]),
            ("net.out_norm.scale", &[16]),
            ("net.unembed.weight", &[500, 16]),
        ],
    );
    insta::assert_snapshot!(architecture, @"brand-new, 3 layers, 3 tensors per layer, 3 loose");
    assert_eq!(architecture.facts(), None);
    assert_eq!(
        vocabulary(&architecture),
        [
            (
                "net.embedder.token_embed.weight",
                0,
                500,
                VocabularyRole::Embedding
            ),
            ("net.unembed.weight", 0, 500, VocabularyRole::Head),
        ]
    );
    assert_eq!(architecture.place("net.unembed.weight"), LayerPlace::After);
    assert_eq!(
        architecture.place("net.embedder.token_embed.weight"),
        LayerPlace::Before
    );
    assert_eq!(architecture.place("net.out_norm.scale"), LayerPlace::After);
}

#[test]
fn without_a_config_names_and_shapes_will_do() {
    let tensors = checkpoint(
        2,
        &[
            ("tok_embeddings.weight", &[320, 16]),
            ("layers.{}.attention.wq.weight", &[16, 16]),
            ("norm.weight", &[16]),
            ("output.weight", &[320, 16]),
        ],
    );
    let architecture = Architecture::infer(None, &tensors);
    insta::assert_snapshot!(architecture, @"unknown family, 2 layers, 1 tensor per layer, 3 loose");
    assert_eq!(
        vocabulary(&architecture),
        [
            ("tok_embeddings.weight", 0, 320, VocabularyRole::Embedding),
            ("output.weight", 0, 320, VocabularyRole::Head),
        ]
    );
    assert_eq!(architecture.layer_count(), None);
}

#[test]
fn an_embedding_may_have_other_rows_than_the_config_says() {
    let architecture = infer(
        &json!({"model_type": "qwen2", "vocab_size": 151_936}),
        1,
        &[
            ("model.embed_tokens.weight", &[151_665, 8]),
            ("lm_head.weight", &[151_665, 8]),
        ],
    );
    assert_eq!(architecture.vocabulary_rows(), Some(151_665));
    assert_eq!(architecture.config_vocab_size(), Some(151_936));
    assert_eq!(architecture.head().unwrap().rows, 151_665);
}

#[test]
fn gpt2_is_known_with_and_without_its_prefix() {
    let config = json!({"model_type": "gpt2", "n_layer": 2, "vocab_size": 50_257});
    for prefix in ["", "transformer."] {
        let name = |rest: &str| format!("{prefix}{rest}");
        let names = [
            "wte.weight",
            "wpe.weight",
            "h.{}.attn.c_attn.weight",
            "ln_f.weight",
        ]
        .map(name);
        let architecture = infer(
            &config,
            2,
            &[
                (&names[0], &[50_257, 8]),
                (&names[1], &[1024, 8]),
                (&names[2], &[8, 24]),
                (&names[3], &[8]),
            ],
        );
        assert_eq!(architecture.layers(), 2);
        assert!(architecture.is_tied());
        assert_eq!(architecture.vocabulary().len(), 1);
        assert_eq!(architecture.place(&names[0]), LayerPlace::Before);
        assert_eq!(architecture.place(&names[1]), LayerPlace::Before);
        assert_eq!(architecture.place(&names[3]), LayerPlace::After);
        assert!(architecture.is_optional(&name("h.0.attn.bias")));
        assert!(!architecture.is_optional(&name("h.0.attn.c_attn.bias")));
        assert_eq!(architecture.layer_count().unwrap().keys, ["n_layer"]);
    }
    let architecture = infer(&config, 1, &[("wte.weight", &[50_257, 8])]);
    assert_eq!(
        architecture.aliases("wte.weight"),
        ["transformer.wte.weight"]
    );
    assert_eq!(
        architecture.aliases("transformer.wte.weight"),
        ["wte.weight"]
    );
}

#[test]
fn the_head_of_gpt_neox_stands_after_the_layers_whatever_its_name() {
    let architecture = infer(
        &json!({"model_type": "gpt_neox", "num_hidden_layers": 2, "vocab_size": 50_432}),
        2,
        &[
            ("gpt_neox.embed_in.weight", &[50_432, 8]),
            ("gpt_neox.layers.{}.attention.dense.weight", &[8, 8]),
            ("gpt_neox.final_layer_norm.weight", &[8]),
            ("embed_out.weight", &[50_432, 8]),
        ],
    );
    assert_eq!(architecture.place("embed_out.weight"), LayerPlace::After);
    assert_eq!(
        architecture.place("gpt_neox.embed_in.weight"),
        LayerPlace::Before
    );
    assert!(architecture.is_optional("gpt_neox.layers.0.attention.rotary_emb.inv_freq"));
    assert!(!architecture.is_optional("gpt_neox.layers.0.attention.dense.bias"));
}

#[test]
fn bert_has_positions_and_types_besides_its_vocabulary() {
    let architecture = infer(
        &json!({"model_type": "bert", "num_hidden_layers": 6, "vocab_size": 30_522}),
        6,
        &[
            ("embeddings.word_embeddings.weight", &[30_522, 8]),
            ("embeddings.position_embeddings.weight", &[512, 8]),
            ("embeddings.token_type_embeddings.weight", &[2, 8]),
            ("embeddings.position_ids", &[1, 512]),
            ("embeddings.LayerNorm.weight", &[8]),
            ("encoder.layer.{}.attention.self.query.weight", &[8, 8]),
            ("pooler.dense.weight", &[8, 8]),
        ],
    );
    assert_eq!(
        vocabulary(&architecture),
        [(
            "embeddings.word_embeddings.weight",
            0,
            30_522,
            VocabularyRole::Embedding
        )]
    );
    for name in [
        "embeddings.position_embeddings.weight",
        "embeddings.LayerNorm.weight",
    ] {
        assert_eq!(architecture.place(name), LayerPlace::Before, "{name}");
    }
    assert_eq!(architecture.place("pooler.dense.weight"), LayerPlace::After);
    assert_eq!(
        architecture.place("cls.predictions.bias"),
        LayerPlace::After
    );
    assert!(architecture.is_optional("embeddings.position_ids"));
    assert!(architecture.is_optional("pooler.dense.weight"));
    assert!(!architecture.is_optional("embeddings.position_embeddings.weight"));
    assert_eq!(
        architecture.aliases("embeddings.LayerNorm.weight"),
        [
            "embeddings.LayerNorm.gamma",
            "bert.embeddings.LayerNorm.weight"
        ]
    );
}

#[test]
fn slices_apply_to_the_decoder_of_t5_and_whisper() {
    let t5 = infer(
        &json!({"model_type": "t5", "num_layers": 3, "num_decoder_layers": 2, "vocab_size": 32_128}),
        2,
        &[
            ("shared.weight", &[32_128, 8]),
            ("encoder.block.{}.layer.0.SelfAttention.q.weight", &[8, 8]),
            ("encoder.block.2.layer.0.SelfAttention.q.weight", &[8, 8]),
            ("decoder.block.{}.layer.1.EncDecAttention.q.weight", &[8, 8]),
            ("encoder.final_layer_norm.weight", &[8]),
            ("decoder.final_layer_norm.weight", &[8]),
        ],
    );
    let main = &t5.stacks()[t5.main_stack().unwrap()];
    assert_eq!((main.prefix.as_str(), main.count), ("decoder.block.", 2));
    assert_eq!(t5.layer_count().unwrap().keys, ["num_decoder_layers"]);
    assert_eq!(
        t5.place("encoder.final_layer_norm.weight"),
        LayerPlace::Before
    );
    assert_eq!(
        t5.place("decoder.final_layer_norm.weight"),
        LayerPlace::After
    );
    assert_eq!(t5.place("shared.weight"), LayerPlace::Before);
    assert!(t5.is_optional("decoder.embed_tokens.weight"));
    insta::assert_snapshot!(t5, @"t5, 2 layers, 1 tensor per layer, 3 layers under `encoder.block`, 3 loose");

    let whisper = infer(
        &json!({"model_type": "whisper", "encoder_layers": 4, "decoder_layers": 4, "num_hidden_layers": 4, "vocab_size": 51_865}),
        4,
        &[
            ("model.encoder.conv1.weight", &[8, 80, 3]),
            ("model.encoder.embed_positions.weight", &[1500, 8]),
            ("model.encoder.layers.{}.fc1.weight", &[32, 8]),
            ("model.encoder.layer_norm.weight", &[8]),
            ("model.decoder.embed_tokens.weight", &[51_865, 8]),
            ("model.decoder.layers.{}.fc1.weight", &[32, 8]),
            ("model.decoder.layer_norm.weight", &[8]),
        ],
    );
    assert_eq!(
        whisper.stacks()[whisper.main_stack().unwrap()].prefix,
        "model.decoder.layers."
    );
    assert_eq!(whisper.layer_count().unwrap().keys, ["decoder_layers"]);
    assert_eq!(
        whisper.tied_source("proj_out.weight"),
        Some("model.decoder.embed_tokens.weight")
    );
    assert_eq!(
        whisper.place("model.encoder.layer_norm.weight"),
        LayerPlace::Before
    );
    assert_eq!(
        whisper.place("model.decoder.layer_norm.weight"),
        LayerPlace::After
    );
    assert_eq!(
        whisper.place("model.encoder.conv1.weight"),
        LayerPlace::Before
    );
}

#[test]
fn slices_apply_to_the_language_model_of_a_multimodal_one() {
    let config = json!({
        "model_type": "llava",
        "text_config": {"model_type": "llama", "num_hidden_layers": 2, "vocab_size": 32_064},
        "vision_config": {"num_hidden_layers": 24}
    });
    let mut tensors = checkpoint(
        24,
        &[(
            "vision_tower.vision_model.encoder.layers.{}.mlp.fc1.weight",
            &[64, 64],
        )],
    );
    tensors.extend(checkpoint(
        2,
        &[
            ("vision_tower.vision_model.post_layernorm.weight", &[64]),
            ("multi_modal_projector.linear_1.weight", &[8, 64]),
            ("language_model.model.embed_tokens.weight", &[32_064, 8]),
            ("language_model.model.layers.{}.mlp.up_proj.weight", &[8, 8]),
            ("language_model.model.norm.weight", &[8]),
            ("language_model.lm_head.weight", &[32_064, 8]),
        ],
    ));
    let architecture = Architecture::infer(Some(&config), &tensors);
    let main = &architecture.stacks()[architecture.main_stack().unwrap()];
    assert_eq!(main.prefix, "language_model.model.layers.");
    assert_eq!(
        architecture.layer_count(),
        Some(&LayerCount {
            object: vec!["text_config".into()],
            keys: vec!["num_hidden_layers".into()],
            value: Some(2)
        })
    );
    assert_eq!(architecture.config_vocab_size(), Some(32_064));
    assert_eq!(architecture.vocabulary().len(), 2);
    for name in [
        "vision_tower.vision_model.post_layernorm.weight",
        "multi_modal_projector.linear_1.weight",
    ] {
        assert_eq!(architecture.place(name), LayerPlace::Before, "{name}");
    }
    assert_eq!(
        architecture.place("language_model.model.norm.weight"),
        LayerPlace::After
    );
    assert!(!architecture.is_tied());
}

#[test]
fn an_older_multimodal_config_keeps_the_language_model_at_the_top() {
    let config =
        json!({"model_type": "qwen2_vl", "num_hidden_layers": 2, "vision_config": {"depth": 2}});
    let architecture = infer(
        &config,
        2,
        &[
            ("visual.blocks.{}.attn.qkv.weight", &[96, 32]),
            ("visual.merger.mlp.0.weight", &[8, 8]),
            ("model.layers.{}.mlp.up_proj.weight", &[8, 8]),
        ],
    );
    assert_eq!(
        architecture.stacks()[architecture.main_stack().unwrap()].prefix,
        "model.layers."
    );
    assert_eq!(architecture.layer_count().unwrap().object, [""; 0]);
    assert_eq!(
        architecture.place("visual.merger.mlp.0.weight"),
        LayerPlace::Before
    );
}

#[test]
fn layers_that_predict_further_tokens_come_after_the_others() {
    let architecture = infer(
        &json!({"model_type": "qwen3_next", "num_hidden_layers": 2}),
        2,
        &[
            ("model.layers.{}.mlp.gate.weight", &[8, 8]),
            ("mtp.layers.0.mlp.gate.weight", &[800, 8]),
            ("mtp.pre_fc_norm_embedding.weight", &[8]),
        ],
    );
    assert_eq!(architecture.layers(), 2);
    assert_eq!(
        architecture.place("mtp.pre_fc_norm_embedding.weight"),
        LayerPlace::After
    );
}

#[test]
fn mamba_and_mixtral_are_layers_like_any_other() {
    let mamba = infer(
        &json!({"model_type": "mamba", "num_hidden_layers": 3, "vocab_size": 50_280}),
        3,
        &[
            ("backbone.embeddings.weight", &[50_288, 8]),
            ("backbone.layers.{}.mixer.A_log", &[16, 8]),
            ("backbone.norm_f.weight", &[8]),
        ],
    );
    assert_eq!((mamba.layers(), mamba.vocabulary_rows()), (3, Some(50_288)));
    assert!(mamba.is_tied());

    let mixtral = infer(
        &json!({"model_type": "mixtral", "num_hidden_layers": 2}),
        2,
        &[
            (
                "model.layers.{}.block_sparse_moe.experts.0.w1.weight",
                &[8, 8],
            ),
            (
                "model.layers.{}.block_sparse_moe.experts.1.w1.weight",
                &[8, 8],
            ),
        ],
    );
    assert_eq!(mixtral.stacks().len(), 1);
    assert_eq!(mixtral.stacks()[0].templates, 2);
}

#[test]
fn layers_that_are_missing_show() {
    let tensors = checkpoint(
        1,
        &[
            ("h.0.a.weight", &[1]),
            ("h.2.a.weight", &[1]),
            ("h.2.b.weight", &[1]),
        ],
    );
    let architecture = Architecture::infer(None, &tensors);
    let stack = &architecture.stacks()[0];
    assert_eq!(
        (stack.count, stack.present, stack.is_complete()),
        (3, 2, false)
    );
    insta::assert_snapshot!(architecture, @"unknown family, 2 layers, 1 to 2 tensors per layer, 0 loose");
}

#[test]
fn a_checkpoint_without_layers_or_tensors_is_one_too() {
    let architecture = Architecture::infer(None, &[]);
    insta::assert_snapshot!(architecture, @"unknown family, 0 loose");
    assert_eq!(
        (architecture.layers(), architecture.main_stack()),
        (0, None)
    );
    assert!(!architecture.is_tied());
}
