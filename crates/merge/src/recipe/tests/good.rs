//! Recipes as people write them.

use weightsmith_tensors::DType;

use super::super::{
    Body, EmbeddingSource, ModuleBody, ParameterValue, Scalar, Setting, TokenChoice,
    TokenizerSource, parse,
};
use super::{problems, recipe};

fn number(setting: Option<&Setting>, name: &str, u: f64) -> Option<f64> {
    setting?.number(name, u).expect("a number")
}

#[test]
fn a_v_shaped_slerp() {
    let recipe = recipe(
        "
models:
  - model: Qwen/Qwen2.5-0.5B
  - model: Qwen/Qwen2.5-0.5B-Instruct
merge_method: slerp
base_model: Qwen/Qwen2.5-0.5B-Instruct
dtype: bfloat16
parameters:
  t: [0, 0.25, 0.5, 0.25, 0]     # V-shaped
",
    );
    assert_eq!(recipe.merge_method.value, "slerp");
    assert_eq!(recipe.dtype.map(|dtype| dtype.value), Some(DType::BF16));
    let Body::Models(models) = &recipe.body else {
        panic!("found {:?}", recipe.body);
    };
    assert_eq!(models[0].model.value.path, "Qwen/Qwen2.5-0.5B");
    assert_eq!((models[1].span.line, models[1].span.column), (4, 5));
    let base = recipe.base_model.expect("is given");
    assert_eq!(base.value, models[1].model.value);
    assert_eq!((base.span.line, base.span.column), (6, 13));
    let t = recipe.parameters.get("t");
    assert_eq!(number(t, "x", 0.5), Some(0.5));
    assert_eq!(number(t, "x", 0.0), Some(0.0));
    assert_eq!(t.map(|t| (t.name_span.line, t.span.column)), Some((9, 6)));
}

#[test]
fn slices_with_filters_and_gradients() {
    let recipe = recipe(
        "
slices:
  - sources:
      - model: psmathur/orca_mini_v3_13b
        layer_range: [0, 40]
      - model: garage-bAInd/Platypus2-13B
        layer_range: [0, 40]
        parameters: {weight: 0.5}
    base_model: psmathur/orca_mini_v3_13b
merge_method: slerp
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - filter: mlp
      value: [1, 0.5, 0.7, 0.3, 0]
    - value: 0.5 # fallback for rest of tensors
dtype: float16
",
    );
    let Body::Slices(slices) = &recipe.body else {
        panic!("found {:?}", recipe.body);
    };
    assert_eq!(slices[0].layer_count(), Some(40));
    let range = slices[0].sources[1].layer_range.as_ref();
    assert_eq!(range.map(|range| range.value), Some((0, 40)));
    assert!(slices[0].base_model.is_some());
    let weight = slices[0].sources[1].parameters.get("weight");
    assert_eq!(number(weight, "x", 0.0), Some(0.5));
    let t = recipe.parameters.get("t");
    assert_eq!(
        number(t, "model.layers.10.self_attn.q_proj", 0.25),
        Some(0.5)
    );
    assert_eq!(number(t, "model.layers.0.mlp.up_proj", 0.0), Some(1.0));
    assert_eq!(number(t, "model.embed_tokens", 0.0), Some(0.5));
}

#[test]
fn anchors_and_merge_keys() {
    let recipe = recipe(
        "
merge_method: dare_ties
base_model: &base mistralai/Mistral-7B-v0.1
models:
  - model: *base
  - model: a
    parameters: &shared
      density: 0.53
      weight: 0.4
  - model: b
    parameters:
      <<: *shared
      weight: 0.3
  - model: c
    parameters:
      <<: [{density: 0.1}, *shared]
parameters:
  int8_mask: true
",
    );
    let Body::Models(models) = &recipe.body else {
        panic!("found {:?}", recipe.body);
    };
    let value = |at: usize, name| number(models[at].parameters.get(name), "x", 0.0);
    assert_eq!(models[0].model.value.path, "mistralai/Mistral-7B-v0.1");
    assert_eq!(models[0].model.span.line, 5);
    assert_eq!(
        (value(2, "density"), value(2, "weight")),
        (Some(0.53), Some(0.3))
    );
    assert_eq!(
        (value(3, "density"), value(3, "weight")),
        (Some(0.1), Some(0.4))
    );
    assert!(models[0].parameters.is_empty());
    let names: Vec<&str> = models[2].parameters.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["density", "weight"]);
}

#[test]
fn the_last_of_several_merge_keys_wins_as_in_python() {
    let recipe =
        recipe("merge_method: m\nmodels: [{model: a}]\nparameters:\n  <<: {t: 1}\n  <<: {t: 2}\n");
    assert_eq!(number(recipe.parameters.get("t"), "x", 0.0), Some(2.0));
}

#[test]
fn a_single_filter_needs_no_list() {
    let recipe = recipe(
        "merge_method: m\nmodels: [{model: a}]\nparameters:\n  t: {filter: mlp, value: 0.1}\n  s: {value: [1, 3]}\n",
    );
    let t = recipe.parameters.get("t");
    assert_eq!(number(t, "mlp", 0.0), Some(0.1));
    assert_eq!(number(t, "norm", 0.0), None);
    assert_eq!(number(recipe.parameters.get("s"), "norm", 0.5), Some(2.0));
}

#[test]
fn several_documents() {
    let text = "
name: first
merge_method: linear
models:
  - {model: a, parameters: {weight: 1}}
---
# the second uses the first
name: second
merge_method: slerp
base_model: first
models: [{model: first}, {model: b}]
parameters: {t: 0.5}
...
---
merge_method: passthrough
slices: [{sources: [{model: second, layer_range: [0, 2]}]}]
---
";
    let parsed = parse(text, &|_| false);
    assert_eq!(parsed.diagnostics, []);
    let names: Vec<Option<&str>> = parsed
        .recipes
        .iter()
        .map(|recipe| recipe.name.as_ref().map(|name| name.value.as_str()))
        .collect();
    assert_eq!(names, [Some("first"), Some("second"), None]);
    assert_eq!(parsed.recipes[2].span.line, 15);
}

#[test]
fn modules() {
    let recipe = recipe(
        "
merge_method: linear
modules:
  text_decoder:
    slices:
      - sources:
          - {model: a, layer_range: [0, 2]}
          - {model: b, layer_range: [2, 4]}
        parameters: {weight: 0.25}
    parameters: {normalize: false}
  vision_tower:
    models:
      - model: a
parameters: {weight: 1}
",
    );
    let Body::Modules(modules) = &recipe.body else {
        panic!("found {:?}", recipe.body);
    };
    assert_eq!(modules[0].name.value, "text_decoder");
    assert!(modules[0].parameters.get("normalize").is_some());
    assert!(matches!(&modules[0].body, ModuleBody::Slices(slices) if slices[0].sources.len() == 2));
    assert!(matches!(&modules[1].body, ModuleBody::Models(models) if models.len() == 1));
}

#[test]
fn a_tokenizer_with_tokens() {
    let recipe = recipe(
        r#"
merge_method: linear
models: [{model: a}]
chat_template: auto
tokenizer:
  source: union
  tokens:
    "<|im_start|>":
      source: "chatml_model"
      force: true
    "<|start_header_id|>":
      source:
        kind: "model_token"
        model: "llama@main"
        token: "<|start_header_id|>"
    "<|pad|>": {source: {kind: model_token, model: {model: {path: "a b"}}, token_id: 128}}
    "<|end|>": {source: {kind: zero}}
    "<|x|>": {source: {model: {path: c, revision: r}}}
    "<|y|>": {force: yes}
  pad_to_multiple_of: 64
"#,
    );
    let tokenizer = recipe.tokenizer.expect("is given");
    assert_eq!(tokenizer.source, TokenizerSource::Union);
    assert_eq!(
        tokenizer.pad_to_multiple_of.as_ref().map(|n| n.value),
        Some(64)
    );
    let source = |token: &str| {
        let embedding = tokenizer.tokens.get(token).expect("is given");
        embedding.source.as_ref().map(|source| &source.value)
    };
    assert!(tokenizer.tokens["<|im_start|>"].force);
    assert!(
        matches!(source("<|im_start|>"), Some(EmbeddingSource::Model(model)) if model.path == "chatml_model")
    );
    let Some(EmbeddingSource::ModelToken { model, token }) = source("<|start_header_id|>") else {
        panic!("found {tokenizer:?}");
    };
    assert_eq!(model.revision.as_deref(), Some("main"));
    assert_eq!(*token, TokenChoice::Text("<|start_header_id|>".to_owned()));
    assert!(matches!(
        source("<|pad|>"),
        Some(EmbeddingSource::ModelToken { model, token: TokenChoice::Id(128) }) if model.path == "a b"
    ));
    assert_eq!(source("<|end|>"), Some(&EmbeddingSource::Zero));
    assert!(matches!(source("<|x|>"), Some(EmbeddingSource::Model(model)) if model.raw == "c@r"));
    assert_eq!(source("<|y|>"), None);
    assert!(tokenizer.tokens["<|y|>"].force);
    assert_eq!(
        recipe.chat_template.map(|t| t.value).as_deref(),
        Some("auto")
    );
}

#[test]
fn a_tokenizer_source_is_a_word_or_a_model() {
    let source = |text: &str| {
        recipe(&format!(
            "merge_method: m\nmodels: [{{model: a}}]\ntokenizer_source: {text}\n"
        ))
        .tokenizer_source
        .map(|source| source.value)
    };
    assert_eq!(source("union"), Some(TokenizerSource::Union));
    assert_eq!(source("base"), Some(TokenizerSource::Base));
    assert_eq!(source("~"), None);
    assert!(
        matches!(source("org/a@b"), Some(TokenizerSource::Model(model)) if model.path == "org/a")
    );
}

#[test]
fn models_in_every_form() {
    let text = r"
merge_method: linear
models:
  - model: org/a@v1+org/lora
  - model: {model: {path: ./b, revision: v2}, lora: {path: l}, override_architecture: LlamaForCausalLM}
  - model: {model: c@v3, lora: l@v4}
  - model: /data/x+y@z
  - model: 'C:\models\my model'
  - model: {path: d}
";
    let parsed = parse(text, &|path| path == "/data/x+y@z");
    assert_eq!(parsed.diagnostics, []);
    let Body::Models(models) = &parsed.recipes[0].body else {
        panic!("found {:?}", parsed.recipes[0].body);
    };
    let raw: Vec<&str> = models.iter().map(|m| m.model.value.raw.as_str()).collect();
    assert_eq!(
        raw,
        [
            "org/a@v1+org/lora",
            "./b@v2+l",
            "c@v3+l@v4",
            "/data/x+y@z",
            r"C:\models\my model",
            "d"
        ]
    );
    assert_eq!(models[3].model.value.path, "/data/x+y@z");
    assert_eq!(models[2].model.value.revision.as_deref(), Some("v3"));
    assert_eq!(
        models[1].model.value.override_architecture.as_deref(),
        Some("LlamaForCausalLM")
    );
}

#[test]
fn windows_line_ends_and_a_byte_order_mark() {
    let text = "\u{feff}merge_method: linear\r\nmodels:\r\n  - model: a\r\n    parameters:\r\n      weight: 1\r\nchat_template: |\r\n  {{ x }}\r\n  y\r\n";
    let recipe = recipe(text);
    assert_eq!(
        recipe.chat_template.map(|template| template.value),
        Some("{{ x }}\ny\n".to_owned())
    );
}

#[test]
fn values_keep_their_types_and_places() {
    let text = "merge_method: m\nmodels: [{model: a}]\nparameters: {a: yes, b: 'yes', c: 1e-5, d: 0x10, e: [1, -.5]}\n";
    let recipe = recipe(text);
    let values: Vec<&ParameterValue> = recipe
        .parameters
        .iter()
        .map(|(_, setting)| &setting.alternatives[0].value)
        .collect();
    let text_of = |text: &str| Scalar::Text(text.to_owned());
    assert_eq!(
        values,
        [
            &ParameterValue::Scalar(Scalar::Bool(true)),
            &ParameterValue::Scalar(text_of("yes")),
            &ParameterValue::Scalar(text_of("1e-5")),
            &ParameterValue::Scalar(Scalar::Number(16.0)),
            &ParameterValue::Gradient(vec![Scalar::Number(1.0), text_of("-.5")]),
        ]
    );
    let span = recipe.parameters.get("e").expect("is set").span;
    assert_eq!(&text[span.start..span.end], "[1, -.5]");
}

#[test]
fn a_dtype_may_name_torch_and_null_is_nothing() {
    let recipe = recipe(
        "merge_method: m\nmodels: [{model: a}]\nslices: ~\ndtype: torch.float32\nout_dtype: null\nparameters:\n",
    );
    assert_eq!(recipe.dtype.map(|dtype| dtype.value), Some(DType::F32));
    assert_eq!(recipe.out_dtype, None);
}

#[test]
fn a_recipe_with_lesser_mistakes_is_still_there() {
    let text = "merge_method: m\nmodels: [{model: a, parameters: {weight: []}}]\ndtype: half\n";
    let parsed = parse(text, &|_| false);
    assert_eq!(parsed.diagnostics.len(), 2);
    let Body::Models(models) = &parsed.recipes[0].body else {
        panic!("found {:?}", parsed.recipes[0].body);
    };
    let weight = models[0].parameters.get("weight").expect("is set");
    assert!(weight.alternatives.is_empty());
    assert_eq!(weight.number("x", 0.0), Ok(None));
}

#[test]
fn a_recipe_with_unreadable_inputs_is_not() {
    let text = "merge_method: m\nmodels: [{model: a}, {model: []}]\n";
    assert!(parse(text, &|_| false).recipes.is_empty());
}

#[test]
fn a_recipe_with_a_bit_of_everything_has_the_two_problems_it_was_given() {
    let text = include_str!("damaged.yml");
    assert_eq!(
        problems(text),
        "13:22: error: `weight` must be a number, a boolean, a string, or a list, found a mapping\n\
         19:36: error: `ü` has no value"
    );
}
