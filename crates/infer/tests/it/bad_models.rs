//! Models that cannot be run: the message says what is wrong and where.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use weightsmith_infer::{Decoder, DecoderConfig, DecoderOptions, Error, Pool, SequenceStep, Wants};
use weightsmith_tensors::testing::write_checkpoint;
use weightsmith_tensors::{Checkpoint, DType};

type Tensor = (String, DType, Vec<u64>, Vec<f32>);

fn config() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"], "hidden_size": 4, "intermediate_size": 6, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 5, "max_position_embeddings": 8,
        "tie_word_embeddings": true,
    })
}

fn tensors() -> Vec<Tensor> {
    let mut tensors = Vec::new();
    let mut add = |name: &str, shape: &[u64]| {
        let count = shape.iter().product::<u64>() as usize;
        let values = (0..count)
            .map(|index| (index % 7) as f32 * 0.1 - 0.2)
            .collect();
        tensors.push((
            format!("model.{name}.weight"),
            DType::F32,
            shape.to_vec(),
            values,
        ));
    };
    add("embed_tokens", &[5, 4]);
    for layer in 0..2 {
        let mut add = |name: &str, shape: &[u64]| add(&format!("layers.{layer}.{name}"), shape);
        add("input_layernorm", &[4]);
        add("self_attn.q_proj", &[4, 4]);
        add("self_attn.k_proj", &[2, 4]);
        add("self_attn.v_proj", &[2, 4]);
        add("self_attn.o_proj", &[4, 4]);
        add("post_attention_layernorm", &[4]);
        add("mlp.gate_proj", &[6, 4]);
        add("mlp.up_proj", &[6, 4]);
        add("mlp.down_proj", &[4, 6]);
    }
    add("norm", &[4]);
    tensors
}

fn open(folder: &Path, config: &Value, tensors: &[Tensor]) -> Result<Decoder, Error> {
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, dtype, shape, values)| (name.as_str(), *dtype, &shape[..], values.clone()))
        .collect();
    write_checkpoint(folder, &tensors).unwrap();
    let source = Arc::new(Checkpoint::open(folder).unwrap());
    let config = DecoderConfig::from_json(config).unwrap();
    Decoder::open(
        source,
        config,
        Arc::new(Pool::new(1)),
        DecoderOptions::default(),
    )
}

fn refused(change: impl FnOnce(&mut Vec<Tensor>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors = tensors();
    change(&mut tensors);
    open(folder.path(), &config(), &tensors)
        .unwrap_err()
        .to_string()
}

fn step(decoder: &Decoder, tokens: &[u32]) -> Result<Vec<f32>, Error> {
    let mut cache = decoder.new_cache();
    let logits = decoder.step(&mut [SequenceStep {
        tokens,
        cache: &mut cache,
        wants: Wants::Last,
    }])?;
    Ok(logits.last(0).to_vec())
}

#[test]
fn missing_and_misshaped_tensors_are_named() {
    assert_eq!(
        refused(|tensors| tensors.retain(|tensor| !tensor.0.contains("k_proj"))),
        "no tensor `model.layers.0.self_attn.k_proj.weight`; llama needs it, of shape [2, 4] (2 tensors are missing in total)"
    );
    assert_eq!(
        refused(|tensors| tensors[2].2 = vec![2, 8]),
        "tensor `model.layers.0.self_attn.q_proj.weight` has shape [2, 8]; expected [4, 4] from config.json"
    );
    assert_eq!(
        refused(|tensors| tensors[3].1 = DType::F8_E4M3),
        "tensor `model.layers.0.self_attn.k_proj.weight` is of type F8_E4M3; expected F32, F16 or BF16"
    );
}

#[test]
fn tensors_without_use_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors = tensors();
    tensors.push(("model.extra".to_owned(), DType::F32, vec![1], vec![0.0]));
    let decoder = open(folder.path(), &config(), &tensors).unwrap();
    assert_eq!(decoder.unused_tensors(), ["model.extra"]);
}

#[test]
fn nan_stops_with_the_first_tensor_to_blame() {
    let blame = |tensor: &str, value: f32| {
        let folder = tempfile::tempdir().unwrap();
        let mut tensors = tensors();
        for (_, _, _, values) in tensors
            .iter_mut()
            .filter(|(name, ..)| name.starts_with(tensor))
        {
            values.fill(value);
        }
        let decoder = open(folder.path(), &config(), &tensors).unwrap();
        step(&decoder, &[1, 2]).unwrap_err().to_string()
    };
    assert_eq!(
        blame("model.layers.1.mlp.up_proj.weight", f32::NAN),
        "NaN or infinity after layer 1's feed-forward block; tensor `model.layers.1.mlp.up_proj.weight` contains such values"
    );
    assert_eq!(
        blame("model.norm.weight", f32::NAN),
        "NaN or infinity after the head; tensor `model.norm.weight` contains such values"
    );
    assert_eq!(
        blame("model.layers.0.mlp.", 3e38),
        "NaN or infinity after layer 0's feed-forward block; all tensors up to there are finite, so the values overflowed"
    );
}

#[test]
fn too_many_tokens_are_refused_with_the_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let decoder = open(folder.path(), &config(), &tensors()).unwrap();
    assert_eq!(step(&decoder, &[1; 8]).unwrap().len(), 5);
    assert_eq!(
        step(&decoder, &[1; 9]).unwrap_err().to_string(),
        "9 tokens do not fit the model's 8 positions"
    );
    assert!(matches!(step(&decoder, &[]), Err(Error::EmptyPrompt)));
    assert!(matches!(
        step(&decoder, &[5]),
        Err(Error::UnknownToken { .. })
    ));
}

#[test]
fn configurations_that_cannot_be_are_refused() {
    let refused = |change: fn(&mut Value)| {
        let mut config = config();
        change(&mut config);
        DecoderConfig::from_json(&config).unwrap_err().to_string()
    };
    let message = refused(|config| config["architectures"] = json!(["MambaForCausalLM"]));
    assert!(
        message.starts_with(
            "architecture `MambaForCausalLM` is not supported; supported are LlamaForCausalLM, "
        ),
        "{message}"
    );
    assert_eq!(
        refused(|config| config["hidden_size"] = Value::Null),
        "no `hidden_size`"
    );
    assert_eq!(
        refused(|config| config["num_key_value_heads"] = json!(3)),
        "`num_key_value_heads` is 3; expected a divisor of num_attention_heads, 2"
    );
    assert_eq!(
        refused(|config| config["hidden_size"] = json!(-4)),
        "`hidden_size` is -4; expected a whole number from 1 to 2^31"
    );
    assert_eq!(
        refused(|config| config["rope_scaling"] = json!({"type": "mrope"})),
        "`rope_type` is mrope; expected default, linear, dynamic, yarn, llama3 or longrope"
    );
    assert_eq!(
        refused(|config| config["hidden_act"] = json!("relu2")),
        "`hidden_act` is relu2; expected silu, gelu or gelu_pytorch_tanh"
    );
    assert_eq!(
        refused(|config| *config = json!([])),
        "expected a JSON object"
    );
    assert!(
        DecoderConfig::parse("{")
            .unwrap_err()
            .to_string()
            .starts_with("not JSON: ")
    );
}

#[cfg(unix)]
#[test]
fn weights_that_are_cut_or_written_to_meanwhile_are_named_and_nothing_is_kept_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("model.safetensors");
    let file = || {
        fs_err::OpenOptions::new()
            .write(true)
            .open(&weights)
            .unwrap()
    };
    let decoder = open(folder.path(), &config(), &tensors()).unwrap();
    let mut cache = decoder.new_cache();
    let mut step = |tokens: &[u32]| {
        let wants = Wants::All;
        let cache = &mut cache;
        let result = decoder.step(&mut [SequenceStep {
            tokens,
            cache,
            wants,
        }]);
        (result.map(drop), cache.len())
    };
    let (result, cached) = step(&[1, 2]);
    result.unwrap();
    assert_eq!(cached, 2);
    file().set_len(0).unwrap();
    let (result, cached) = step(&[3]);
    let error = result.unwrap_err();
    assert!(
        matches!(&error, Error::Tensors(weightsmith_tensors::Error::Shortened { path, found: 0, .. }) if *path == weights),
        "{error}"
    );
    assert_eq!(cached, 2);
    assert!(step(&[3]).0.is_err(), "it stays damaged");

    let decoder = open(folder.path(), &config(), &tensors()).unwrap();
    decoder.ensure_unchanged().unwrap();
    file().set_modified(std::time::UNIX_EPOCH).unwrap();
    let error = decoder.ensure_unchanged().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Tensors(weightsmith_tensors::Error::Changed { .. })
        ),
        "{error}"
    );
}
