//! Recipes with mistakes in models, slices, modules and the tokenizer.

use insta::assert_snapshot;

use super::problems;

/// Problems of a recipe with these lines beside a merge method.
fn with(lines: &str) -> String {
    problems(&format!("merge_method: linear\n{lines}"))
}

/// Problems of a recipe with these lines beside a merge method and a model.
fn beside_model(lines: &str) -> String {
    with(&format!("models: [{{model: a}}]\n{lines}"))
}

#[test]
fn a_model_entry_is_a_mapping_with_a_model() {
    assert_snapshot!(with("models:\n  - org/a\n  - [b]\n  - {path: c}\n  - ~\n"), @"
    3:5: error: an entry of `models` must be a mapping with `model`, found the string `org/a`
      hint: write `- model: org/a`
    4:5: error: an entry of `models` must be a mapping, found a list
    5:5: error: an entry of `models` has no `model`
      hint: write `- model: …`
    5:6: warning: `path` has no effect in an entry of `models:`
      hint: `path` belongs in the `{path, revision}` of a model
    6:5: error: an entry of `models` must be a mapping, found nothing
    ");
    assert_snapshot!(with("models: {a: 1}\n"), @"2:9: error: `models` must be a list, found a mapping");
    assert_snapshot!(with("models: a\n"), @"2:9: error: `models` must be a list, found the string `a`");
}

#[test]
fn a_model_is_a_text_or_a_mapping() {
    assert_snapshot!(with("models:\n  - model: 7\n  - model: [a]\n  - model: ''\n  - model:\n"), @r#"
    3:12: error: `model` must be a string, found the number `7`
      hint: put it in quotes: `"7"`
    4:12: error: `model` must be a string or a mapping, found a list
    5:12: error: a model reference must not be empty
    6:5: error: an entry of `models` has no `model`
      hint: write `- model: …`
    "#);
    assert_snapshot!(with("models:\n  - model: {lora: b}\n  - model: {model: {revision: x}}\n  - model: {model: {path: a, revision: 123}}\n"), @r#"
    3:12: error: `model` is a mapping without `model`
      hint: a model is a string, or a mapping with `model`, `lora` and `override_architecture`
    4:20: error: `model` has no `path`
    5:40: error: `revision` must be a string, found the number `123`
      hint: put it in quotes: `"123"`
    "#);
    assert_snapshot!(with("models:\n  - model: {model: a, revision: b, weight: 1}\n"), @"
    3:23: warning: `revision` has no effect in a model's mapping
      hint: `revision` belongs in the `{path, revision}` of a model
    3:36: warning: unknown key `weight` in a model's mapping
      hint: known keys here: `model`, `lora`, `override_architecture`
    ");
}

#[test]
fn a_model_text_has_one_plus_and_one_at() {
    assert_snapshot!(with("models:\n  - model: a+b+c\n  - model: a@b@c\n  - model: a@\n  - model: +b\n"), @"
    3:12: error: model reference `a+b+c` has more than one `+`, expected `model` or `model+lora`
    4:12: error: model reference `a@b@c` has more than one `@`, expected `path` or `path@revision`
    5:12: error: model reference `a@` has no revision after `@`
    6:12: error: model reference `+b` has no path
    ");
}

#[test]
fn whole_models_have_no_layer_range() {
    assert_snapshot!(with("models:\n  - model: a\n    layer_range: [0, 4]\n"), @"
    4:5: warning: `layer_range` has no effect in an entry of `models:`
      hint: `models:` merges whole models; use `slices:` with `sources:` for ranges of layers
    ");
}

#[test]
fn a_slice_has_sources_with_ranges() {
    let lines = "
slices:
  - sources:
      - model: a
      - layer_range: [0, 4]
  - model: a
    layer_range: [0, 4]
";
    assert_snapshot!(with(lines), @"
    5:9: error: an entry of `sources` has no `layer_range`
      hint: the range `[0, 8]` is layers 0 to 7
      hint: to merge whole models, list them under `models:`
    6:9: error: an entry of `sources` has no `model`
      hint: write `- model: …`
    7:5: warning: `model` has no effect in an entry of `slices:`
      hint: `model` belongs in an entry of `sources:`
    7:5: error: an entry of `slices` has no `sources`
    8:5: warning: `layer_range` has no effect in an entry of `slices:`
      hint: `layer_range` belongs in an entry of `sources:`
    ");
}

#[test]
fn a_range_is_two_whole_numbers_in_order() {
    let lines = "
slices:
  - sources: [{model: a, layer_range: [4, 4]}]
  - sources: [{model: a, layer_range: [8, 4]}]
  - sources: [{model: a, layer_range: [-1, 4]}]
  - sources: [{model: a, layer_range: [0, 4.5]}]
  - sources: [{model: a, layer_range: [0, 4, 8]}]
  - sources: [{model: a, layer_range: 0-4}]
  - sources: [{model: a, layer_range: [a, b]}]
  - sources: [{model: a, layer_range: {start: 0, end: 4}}]
";
    assert_snapshot!(with(lines), @"
    4:39: error: `layer_range` [4, 4] is empty
      hint: the first number must be less than the second, which is exclusive
    5:39: error: `layer_range` [8, 4] is empty
      hint: the first number must be less than the second, which is exclusive
    6:40: error: the start of `layer_range` must be a whole number of at least 0, found the number `-1`
      hint: the range `[0, 8]` is layers 0 to 7
    7:43: error: the end of `layer_range` must be a whole number of at least 0, found the number `4.5`
      hint: the range `[0, 8]` is layers 0 to 7
    8:39: error: `layer_range` must be a list of two whole numbers, found 3 entries
      hint: the range `[0, 8]` is layers 0 to 7
    9:39: error: `layer_range` must be a list of two whole numbers, found the string `0-4`
      hint: the range `[0, 8]` is layers 0 to 7
    10:40: error: the start of `layer_range` must be a whole number of at least 0, found the string `a`
      hint: the range `[0, 8]` is layers 0 to 7
    10:43: error: the end of `layer_range` must be a whole number of at least 0, found the string `b`
      hint: the range `[0, 8]` is layers 0 to 7
    11:39: error: `layer_range` must be a list of two whole numbers, found a mapping
      hint: the range `[0, 8]` is layers 0 to 7
    ");
}

#[test]
fn the_sources_of_a_slice_are_equally_long() {
    let lines = "
slices:
  - sources:
      - {model: a, layer_range: [0, 8]}
      - {model: b, layer_range: [8, 24]}
      - {model: c, layer_range: [16, 24]}
";
    assert_snapshot!(with(lines), @"
    6:33: error: the sources of a slice must have the same number of layers: [8, 24] has 16, but [0, 8] at 5:33 has 8
      hint: a slice merges its sources layer by layer; put other layers in a separate slice
    ");
}

#[test]
fn a_slice_takes_few_other_keys() {
    let lines = "
slices:
  - sources: [{model: a, layer_range: [0, 8], weight: 1, parameter: {}}]
    residual_weight: much
    base_model: [a]
    t: 0.5
    dtype: float16
";
    assert_snapshot!(with(lines), @"
    4:47: warning: `weight` has no effect in an entry of `sources:`
      hint: `weight` belongs under `parameters:`
    4:58: warning: unknown key `parameter` in an entry of `sources:`
      hint: did you mean `parameters`?
    5:5: warning: `residual_weight` has no effect, as in mergekit
    5:22: error: `residual_weight` must be a number, found the string `much`
    6:17: error: `base_model` must be a string or a mapping, found a list
    7:5: warning: `t` has no effect: it is not a parameter of `linear`
      hint: remove it
    8:5: warning: `dtype` has no effect in an entry of `slices:`
      hint: `dtype` belongs at the top level
    ");
}

#[test]
fn a_module_has_models_or_slices() {
    let lines = "
modules:
  text:
    parameters: {t: 1}
  vision:
    models: [{model: a}]
    slices: [{sources: [{model: a, layer_range: [0, 1]}]}]
  audio: [a]
  other:
    models: [{model: a}]
    merge_method: ties
";
    assert_snapshot!(with(lines), @"
    4:3: error: module `text` has neither `models` nor `slices`
    8:5: error: module `vision` has both `models` (at 7:5) and `slices` (at 8:5), expected one of them
    9:10: error: module `audio` must be a mapping, found a list
    12:5: warning: `merge_method` has no effect in a module
      hint: `merge_method` belongs at the top level
    ");
}

#[test]
fn a_tokenizer_is_a_mapping_and_given_once() {
    assert_snapshot!(beside_model("tokenizer: union\n"), @"
    3:12: error: `tokenizer` must be a mapping, found the string `union`
      hint: write `tokenizer_source: union`, or `source: union` below `tokenizer:`
    ");
    assert_snapshot!(beside_model("tokenizer_source: base\ntokenizer: {source: union}\n"), @"4:1: error: the recipe has both `tokenizer_source` (at 3:1) and `tokenizer` (at 4:1), expected one of them");
    assert_snapshot!(beside_model("tokenizer_source: [base]\nchat_template: 7\n"), @r#"
    3:19: error: `tokenizer_source` must be a string or a mapping, found a list
    4:16: error: `chat_template` must be a string, found the number `7`
      hint: put it in quotes: `"7"`
    "#);
}

#[test]
fn padding_is_a_positive_whole_number() {
    assert_snapshot!(beside_model("tokenizer: {pad_to_multiple_of: 0}\n"), @"3:33: error: `pad_to_multiple_of` must be at least 1, found 0");
    assert_snapshot!(beside_model("tokenizer: {pad_to_multiple_of: 8.5, pad: 8}\n"), @"
    3:33: error: `pad_to_multiple_of` must be a whole number of at least 0, found the number `8.5`
    3:38: warning: unknown key `pad` under `tokenizer:`
      hint: did you mean `pad_to_multiple_of`?
    ");
}

#[test]
fn tokens_have_sources_of_known_kinds() {
    let lines = "
tokenizer:
  source: a
  tokens:
    a: b
    b: {source: {kind: zeros}}
    c: {source: {kind: model_token, token: x}}
    d: {source: {kind: model_token, model: a}}
    e: {source: {kind: model_token, model: a, token: x, token_id: 1}}
    f: {source: {model: a, token: x}}
    g: {source: {kind: zero, model: a}}
    h: {source: b, force: maybe, kind: zero}
    i: {source: {kind: model_token, model: a, token_id: -1}}
    j: ~
";
    assert_snapshot!(beside_model(lines), @"
    7:8: error: token `a` must be a mapping, found the string `b`
      hint: write `source: b` below the token
    8:24: error: `kind` is `zeros`, expected `zero` or `model_token`
    9:17: error: a `source` of kind `model_token` has no `model`
    10:17: error: a `source` of kind `model_token` takes one of `token` and `token_id`, found neither
    11:17: error: a `source` of kind `model_token` takes one of `token` and `token_id`, found both
    12:17: error: `source` has a token, but no `kind`
      hint: write `kind: model_token`
    13:30: warning: `model` has no effect under the `source:` of a token
    14:27: error: `force` must be `true` or `false`, found the string `maybe`
    14:34: warning: `kind` has no effect under a token
      hint: `kind` belongs under the `source:` of a token
    15:57: error: `token_id` must be a whole number of at least 0, found the number `-1`
    16:8: error: token `j` must be a mapping, found nothing
    ");
    assert_snapshot!(beside_model("tokenizer: {tokens: [a]}\n"), @"3:21: error: `tokens` must be a mapping, found a list");
}
