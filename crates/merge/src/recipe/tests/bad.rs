//! Recipes with mistakes at the top level and in parameters.

use insta::assert_snapshot;

use super::problems;

/// Problems of a recipe that is fine but for these lines.
fn with(lines: &str) -> String {
    problems(&format!(
        "merge_method: linear\nmodels: [{{model: a}}, {{model: b}}]\n{lines}"
    ))
}

#[test]
fn several_mistakes_are_reported_at_once() {
    let text = "
merge_metod: slerp
models:
  - model: a
    weight: 0.5
  - model: b
    paramters: {weight: 0.5}
normalize: true
parameters:
  t: []
  random_seed: 7
dtype: bfloat
";
    assert_snapshot!(problems(text), @"
    2:1: error: the recipe has no `merge_method`
      hint: add one, such as `merge_method: linear`
    2:1: warning: unknown key `merge_metod` at the top level
      hint: did you mean `merge_method`?
    5:5: warning: `weight` has no effect in an entry of `models:`
      hint: `weight` belongs under `parameters:`
    7:5: warning: unknown key `paramters` in an entry of `models:`
      hint: did you mean `parameters`?
    8:1: warning: `normalize` has no effect at the top level
      hint: `normalize` belongs under `parameters:`
    10:6: error: `t` is an empty list
    11:3: warning: `random_seed` has no effect under `parameters:`
      hint: use the command-line option `--random-seed`
    12:8: error: `dtype` is `bfloat`, expected one of `bfloat16`, `float16`, `float32`, `float64`
      hint: did you mean `bfloat16`?
    ");
}

#[test]
fn exactly_one_kind_of_inputs_is_wanted() {
    assert_snapshot!(problems("merge_method: linear\n"), @"
    1:1: error: the recipe has none of `models`, `slices` and `modules`
      hint: list the models to merge under `models:`
    ");
    assert_snapshot!(problems("merge_method: linear\nmodels:\nslices: ~\n"), @"
    1:1: error: the recipe has none of `models`, `slices` and `modules`
      hint: list the models to merge under `models:`
    ");
    let text = "
merge_method: linear
slices:
  - sources: [{model: a, layer_range: [0, 1]}]
models: [{model: a}]
";
    assert_snapshot!(problems(text), @"5:1: error: the recipe has both `slices` (at 3:1) and `models` (at 5:1), expected one of them");
}

#[test]
fn empty_inputs_are_errors() {
    assert_snapshot!(problems("merge_method: linear\nmodels: []\n"), @"2:9: error: `models` is an empty list");
    assert_snapshot!(problems("merge_method: linear\nslices: [{sources: []}]\n"), @"2:20: error: `sources` is an empty list");
    assert_snapshot!(problems("merge_method: linear\nmodules: {}\n"), @"2:10: error: `modules` is an empty mapping");
}

#[test]
fn a_method_is_a_text() {
    assert_snapshot!(problems("merge_method: [ties]\nmodels: [{model: a}]\n"), @"1:15: error: `merge_method` must be a string, found a list");
    assert_snapshot!(problems("merge_method: on\nmodels: [{model: a}]\n"), @r#"
    1:15: error: `merge_method` must be a string, found the boolean `on`
      hint: put it in quotes: `"on"`
    "#);
    assert_snapshot!(problems("merge_method:\nmodels: [{model: a}]\n"), @"
    1:1: error: the recipe has no `merge_method`
      hint: add one, such as `merge_method: linear`
    ");
}

#[test]
fn types_are_torch_names_of_floats() {
    assert_snapshot!(with("dtype: bf16\nout_dtype: torch.half\n"), @"
    3:8: error: `dtype` is `bf16`, expected one of `bfloat16`, `float16`, `float32`, `float64`
      hint: did you mean `bfloat16`?
    4:12: error: `out_dtype` is `torch.half`, expected one of `bfloat16`, `float16`, `float32`, `float64`
      hint: did you mean `float16`?
    ");
    assert_snapshot!(with("dtype: int64\nout_dtype: 16\n"), @r#"
    3:8: error: `dtype` is `int64`, expected one of `bfloat16`, `float16`, `float32`, `float64`
    4:12: error: `out_dtype` must be a string, found the number `16`
      hint: put it in quotes: `"16"`
    "#);
    assert_snapshot!(with("dtype: {}\nout_dtype: [float16]\n"), @"
    3:8: error: `dtype` must be a string, found a mapping
    4:12: error: `out_dtype` must be a string, found a list
    ");
}

#[test]
fn misplaced_keys_are_led_to_their_place() {
    assert_snapshot!(with("normalize: true\nrandom-seed: 7\nseed: 1\nlayer_range: [0, 1]\nsource: base\n"), @"
    3:1: warning: `normalize` has no effect at the top level
      hint: `normalize` belongs under `parameters:`
    4:1: warning: `random-seed` has no effect at the top level
      hint: use the command-line option `--random-seed`
    5:1: warning: `seed` has no effect at the top level
      hint: use the command-line option `--random-seed`
    6:1: warning: `layer_range` has no effect at the top level
      hint: `layer_range` belongs in an entry of `sources:`
    7:1: warning: `source` has no effect at the top level
      hint: `source` belongs under `tokenizer:`, which is not supported yet: remove it
    ");
    assert_snapshot!(with("parameters: {dtype: float16, cuda: true, merge_method: ties}\n"), @"
    3:14: warning: `dtype` has no effect under `parameters:`
      hint: `dtype` belongs at the top level
    3:30: warning: `cuda` has no effect under `parameters:`
      hint: use the command-line option `--cuda`
    3:42: warning: `merge_method` has no effect under `parameters:`
      hint: `merge_method` belongs at the top level
    ");
}

#[test]
fn unknown_keys_are_warned_about() {
    assert_snapshot!(with("out-dtype: float16\nmodel: c\ndensty: 1\nx: 1\nmethod: ties\n"), @"
    3:1: warning: unknown key `out-dtype` at the top level
      hint: did you mean `out_dtype`?
    4:1: warning: `model` has no effect at the top level
      hint: `model` belongs in an entry of `models:`
    5:1: warning: unknown key `densty` at the top level
      hint: known keys here: `merge_method`, `base_model`, `models`, `slices`, `modules`, `dtype`, `out_dtype`, `parameters`, `tokenizer`, `tokenizer_source`, `chat_template`, `name`
    6:1: warning: unknown key `x` at the top level
      hint: known keys here: `merge_method`, `base_model`, `models`, `slices`, `modules`, `dtype`, `out_dtype`, `parameters`, `tokenizer`, `tokenizer_source`, `chat_template`, `name`
    7:1: warning: unknown key `method` at the top level
      hint: did you mean `merge_method`?
    ");
}

#[test]
fn recipes_of_other_tools_are_named() {
    assert_snapshot!(problems("base_model: a\ngate_mode: hidden\nexperts:\n  - source_model: b\n"), @"3:1: error: `experts` makes this a mixture-of-experts recipe (for `mergekit-moe`), which is not supported here");
    assert_snapshot!(problems("genome: {models: [a]}\n"), @"1:1: error: `genome` makes this an evolution recipe (for `mergekit-evolve`), which is not supported here");
}

#[test]
fn a_parameter_needs_a_value() {
    assert_snapshot!(with("parameters:\n  t:\n  weight: ~\n  density: []\n"), @"
    4:4: error: `t` has no value
    5:11: error: `weight` has no value
    6:12: error: `density` is an empty list
    ");
    assert_snapshot!(with("parameters: [t]\n"), @"3:13: error: `parameters` must be a mapping, found a list");
}

#[test]
fn lists_hold_one_kind_of_values() {
    assert_snapshot!(with("parameters: {t: [0, half, 1]}\n"), @"3:21: error: the list `t` mixes numbers and strings, which cannot be interpolated");
    assert_snapshot!(with("parameters: {t: [true, half]}\n"), @"3:24: error: the list `t` mixes booleans and strings, which cannot be interpolated");
    assert_snapshot!(with("parameters: {t: [[0, 1], ~]}\n"), @"
    3:18: error: every value of the list `t` must be a number, a boolean or a string, found a list
    3:26: error: every value of the list `t` must be a number, a boolean or a string, found nothing
    ");
}

#[test]
fn filters_need_a_value_and_nothing_else() {
    let lines = "
parameters:
  t:
    - filter: mlp
    - filter: on
      value: 1
    - filter: self_attn
      vlue: 2
    - 0.5
  weight: {self_attn: 0.5}
  density: {value: {filter: x}}
";
    assert_snapshot!(with(lines), @r#"
    6:7: error: an entry of `t` has no `value`
      hint: an entry is written `- filter: …` with `value: …` below it
    7:15: error: `filter` must be a string, found the boolean `on`
      hint: put it in quotes: `"on"`
    9:7: error: an entry of `t` has no `value`
      hint: an entry is written `- filter: …` with `value: …` below it
    10:7: warning: unknown key `vlue` in an entry of a parameter
      hint: did you mean `value`?
    11:7: error: every entry of `t` must be a mapping with `value` like the others, found the number `0.5`
      hint: a value for all other tensors is written `- value: …`
    12:11: error: an entry of `weight` has no `value`
      hint: an entry is written `- filter: …` with `value: …` below it
    12:12: warning: unknown key `self_attn` in an entry of a parameter
      hint: known keys here: `filter`, `value`
    13:20: error: `density` must be a number, a boolean, a string, or a list, found a mapping
    "#);
}

#[test]
fn entries_that_are_never_used_are_warned_about() {
    let lines = "
parameters:
  t:
    - filter: attn
      value: 1
    - filter: self_attn
      value: 2
    - value: 3
    - filter: mlp
      value: 4
";
    assert_snapshot!(with(lines), @"
    9:14: warning: this entry of `t` with the filter `self_attn` is never used: the one with the filter `attn` at 7:14 comes first and matches all its tensors
      hint: the first match wins: put specific filters before general ones
    12:14: warning: this entry of `t` with the filter `mlp` is never used: the one without a filter at 10:14 comes first and matches all its tensors
      hint: the first match wins: put specific filters before general ones
    ");
}

#[test]
fn numbers_must_be_finite() {
    assert_snapshot!(with("parameters: {t: .inf, weight: [0, .nan], eps: 1.0e+999, x: inf, y: 1e999}\n"), @"
    3:17: error: `t` must be finite, found `.inf`
    3:35: error: every value of the list `weight` must be finite, found `.nan`
    3:47: error: `eps` must be finite, found `1.0e+999`
    3:60: error: `x` must be finite, found `inf`
    3:68: error: `y` must be finite, found `1e999`
    ");
}

#[test]
fn recipes_of_one_file_are_told_apart_by_name() {
    let one = |name: &str| format!("{name}merge_method: linear\nmodels: [{{model: a}}]\n");
    let text = [one("name: x\n"), one("name: x\n"), one(""), one("")].join("---\n");
    assert_snapshot!(problems(&text), @"
    5:7: error: two recipes have the name `x`, the first at 1:7
    12:1: error: neither this recipe nor the one at 9:1 has a `name`; only one recipe of a file can omit it
      hint: add `name: …` to all but the last
    ");
}

#[test]
fn a_value_behind_several_aliases_is_reported_once() {
    let text = "
merge_method: linear
models:
  - model: a
    parameters: &p {weight: []}
  - model: b
    parameters: *p
";
    assert_snapshot!(problems(text), @"5:29: error: `weight` is an empty list");
}
