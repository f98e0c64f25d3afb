//! `inspect`.

use std::process::Stdio;

use crate::world::{FIXTURES, World};

#[test]
fn a_bundled_model_is_described() {
    let world = World::new();
    let run = world.run(&["inspect", &format!("{FIXTURES}/base")]);
    insta::assert_snapshot!(run.transcript(), @r"
    exit code: 0
    --- stdout
    base

      architecture      qwen2, 6 layers, 12 tensors per layer, 2 loose
      class             Qwen2ForCausalLM
      parameters        2.57M (2,567,040)
      tensors           74, 5.1 MB
      context length    131,072 tokens
      vocabulary        1,059 tokens
      hidden size       192
      attention heads   6, 2 for keys and values
      tied embeddings   yes: the head is the embedding
      type in config    bfloat16
      chat template     in tokenizer_config.json

      type  tensors   elements    size
      BF16       74  2,567,040  5.1 MB

      file               tensors    size
      model.safetensors       74  5.1 MB

      tensor                                               type  shape       tensors  elements
      model.embed_tokens.weight                            BF16  1059 × 192        1   203,328
      model.layers.{0..5}.input_layernorm.weight           BF16  192               6     1,152
      model.layers.{0..5}.mlp.down_proj.weight             BF16  192 × 512         6   589,824
      model.layers.{0..5}.mlp.gate_proj.weight             BF16  512 × 192         6   589,824
      model.layers.{0..5}.mlp.up_proj.weight               BF16  512 × 192         6   589,824
      model.layers.{0..5}.post_attention_layernorm.weight  BF16  192               6     1,152
      model.layers.{0..5}.self_attn.k_proj.bias            BF16  64                6       384
      model.layers.{0..5}.self_attn.k_proj.weight          BF16  64 × 192          6    73,728
      model.layers.{0..5}.self_attn.o_proj.weight          BF16  192 × 192         6   221,184
      model.layers.{0..5}.self_attn.q_proj.bias            BF16  192               6     1,152
      model.layers.{0..5}.self_attn.q_proj.weight          BF16  192 × 192         6   221,184
      model.layers.{0..5}.self_attn.v_proj.bias            BF16  64                6       384
      model.layers.{0..5}.self_attn.v_proj.weight          BF16  64 × 192          6    73,728
      model.norm.weight                                    BF16  192               1       192
    --- stderr
    ");
}

#[test]
fn every_tensor_is_listed_on_demand() {
    let world = World::with_models();
    insta::assert_snapshot!(world.run(&["inspect", "--tensors", "a"]).transcript(), @r"
    exit code: 0
    --- stdout
    a

      architecture      qwen2, 2 layers, 1 tensor per layer, 2 loose
      class             Qwen2ForCausalLM
      parameters        56
      tensors           4, 224 B
      vocabulary        5 tokens
      tied embeddings   yes: the head is the embedding
      type in config    float32
      chat template     none

      type  tensors  elements   size
      F32         4        56  224 B

      file               tensors   size
      model.safetensors        4  600 B

      tensor                             type  shape  file
      model.embed_tokens.weight          F32   5 × 4  model.safetensors
      model.layers.0.mlp.up_proj.weight  F32   4 × 4  model.safetensors
      model.layers.1.mlp.up_proj.weight  F32   4 × 4  model.safetensors
      model.norm.weight                  F32   4      model.safetensors
    --- stderr
    ");
}

#[test]
fn json_holds_everything() {
    let world = World::with_models();
    let run = world.run(&["inspect", "--json", "a"]);
    run.expect_code(0);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(value["parameters"], 20 + 16 + 16 + 4);
    assert_eq!(value["model_type"], "qwen2");
    assert_eq!(value["tensors"][0]["dtype"], "F32");
    assert_eq!(value["tied_embeddings"], true);
}

#[test]
fn a_single_file_is_a_model_too() {
    let world = World::with_models();
    world
        .run(&["inspect", "a/model.safetensors"])
        .expect_code(0);
}

#[test]
fn a_model_that_is_not_there_is_an_error() {
    let world = World::new();
    insta::assert_snapshot!(world.run(&["inspect", "nothing"]).transcript(), @r"
    exit code: 1
    --- stdout
    --- stderr
    error: no model at `nothing`; looked for `nothing`, `[FOLDER]/no-cache/hub/models--nothing`
    hint: relative paths start from the current folder, then from the recipe's folder
    hint: Hub models are written `organization/nothing`
    ");
}

#[test]
fn a_vocabulary_that_config_counts_otherwise_is_pointed_out() {
    let world = World::with_models();
    world.write(
        "a/config.json",
        r#"{"model_type": "qwen2", "vocab_size": 7}"#,
    );
    let run = world.run(&["inspect", "a"]);
    assert!(
        run.stdout
            .contains("5 rows in the embedding, but 7 in config.json"),
        "{}",
        run.transcript()
    );
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_error() {
    let world = World::with_models();
    let mut child = world
        .command(&["inspect", "a"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let run = world.outcome(&child.wait_with_output().expect("ends"));
    assert_eq!(run.transcript(), "exit code: 0\n--- stdout\n--- stderr\n");
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_utf8_are_read() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::with_models();
    let odd = std::ffi::OsStr::from_bytes(b"mod\xe8le");
    fs_err::rename(world.path("b"), world.path("").join(odd)).expect("renamed");
    let run = |arguments: &[&str]| {
        let output = world.command(arguments).arg(odd).output();
        world.outcome(&output.expect("it starts"))
    };
    let inspected = run(&["inspect"]);
    inspected.expect_code(0);
    assert!(
        inspected.stdout.starts_with("mod\u{fffd}le\n"),
        "{}",
        inspected.transcript()
    );
    run(&["diff", "a"]).expect_code(1);
    run(&["diff", "--base", "a", "c"]).expect_code(1);
    fs_err::remove_dir_all(world.path("").join(odd)).expect("removed");
    run(&["inspect"])
        .expect_code(1)
        .expect_error("No such file or directory");
}
