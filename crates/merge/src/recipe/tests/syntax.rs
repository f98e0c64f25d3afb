//! Texts that are not YAML, and YAML that recipes do not use.

use insta::assert_snapshot;

use super::problems;

#[test]
fn tabs_cannot_indent() {
    assert_snapshot!(problems("models:\n\t- model: a\n"), @"
    2:2: error: invalid YAML: tabs are not allowed in indentation
      hint: indent with spaces
    ");
    assert_snapshot!(problems("merge_method: linear\r\nparameters:\r\n\tt: 1\r\n"), @"
    3:2: error: invalid YAML: tabs are not allowed in indentation
      hint: indent with spaces
    ");
}

#[test]
fn a_missing_space_is_hinted_at() {
    assert_snapshot!(problems("merge_method:linear\ndtype: float16\n"), @"
    2:6: error: invalid YAML: a key is not allowed here
      hint: check the indentation and the space after the `:` in the lines before; quote a string that contains `: `
    ");
    assert_snapshot!(problems("merge_method: linear: ties\n"), @"
    1:21: error: invalid YAML: a key is not allowed here
      hint: check the indentation and the space after the `:` in the lines before; quote a string that contains `: `
    ");
}

#[test]
fn lost_brackets_are_placed() {
    assert_snapshot!(problems("t: [1, 2\ndtype: float16\n"), @"
    2:6: error: invalid YAML: a key is not allowed here
      hint: a `[` or `{` before it may not be closed
    ");
    assert_snapshot!(problems("t: [1, 2\n"), @"
    2:1: error: invalid YAML: a `[` before this place is not closed, or a `,` is missing
      hint: write `[value, value]`
    ");
    assert_snapshot!(problems("t: {a: 1\n"), @"
    2:1: error: invalid YAML: a `{` before this place is not closed, or a `,` is missing
      hint: write `{key: value, key: value}`
    ");
    assert_snapshot!(problems("t: [1, 2]]\n"), @"
    1:10: error: invalid YAML: `]` has no opening bracket
      hint: remove it, or add the opening bracket
    ");
}

#[test]
fn lost_quotes_are_placed() {
    assert_snapshot!(problems("name: 'x\n"), @"
    1:7: error: invalid YAML: this quote is not closed
      hint: close it; inside single quotes, write a single quote twice
    ");
    assert_snapshot!(problems("name: 'it's'\n"), @"
    1:11: error: invalid YAML: `s'` follows a closing quote
      hint: quote the whole value; inside single quotes, write a single quote twice
    ");
    assert_snapshot!(problems(r#"base_model: "C:\models\a""#), @r"
    1:13: error: invalid YAML: a `\` in this string starts an unknown escape
      hint: use single quotes, where `\` is literal
    ");
}

#[test]
fn indentation_that_does_not_fit_is_placed() {
    assert_snapshot!(problems("models:\n  - model: a\n    parameters:\n      weight: 1\n   x: 2\n"), @"
    5:4: error: invalid YAML: found `x:` where the next `-` of a list was expected
      hint: the entries of a list start in the same column, and so do the keys of a mapping
    ");
    assert_snapshot!(problems("models:\n- model: a\n parameters: 1\n"), @"
    3:2: error: invalid YAML: found `parameters:` where the next key of a mapping was expected
      hint: the keys of a mapping start in the same column
    ");
    assert_snapshot!(problems(" merge_method: linear\ndtype: float16\n"), @"
    2:1: error: `dtype` starts in column 1 and `merge_method` in column 2, but the keys of a recipe start in the same column
      hint: some of the indentation was lost, perhaps in copying from a web page: move `merge_method` and `dtype` to the same column, with everything under them
    ");
    assert_snapshot!(problems("models: - model: a\n"), @"
    1:9: error: invalid YAML: a list cannot start here
      hint: start it on the line after the key
    ");
}

#[test]
fn characters_with_a_meaning_need_quotes() {
    assert_snapshot!(problems("base_model: @org/a\n"), @"
    1:13: error: invalid YAML: a value cannot start with the first character of `@org/a`
      hint: put the value in quotes
    ");
    assert_snapshot!(problems("filter: *mlp\n"), @"
    1:9: error: invalid YAML: alias `*mlp` has no anchor before it
      hint: an anchor is written `&name` before its value; quote a string that starts with `*`
    ");
    assert_snapshot!(problems("filter: *\n"), @"
    1:9: error: invalid YAML: a name is missing after `*`
      hint: quote a string that starts with `*` or `&`
    ");
    assert_snapshot!(problems("name: a\u{0}b\n"), @"
    1:8: error: invalid YAML: a control character is not allowed here
      hint: the file may not be a text file in UTF-8
    ");
}

#[test]
fn the_documents_before_a_syntax_error_are_checked() {
    let text = "merge_method: linear\nmodels: []\n---\nt: [\n";
    assert_snapshot!(problems(text), @"
    2:9: error: `models` is an empty list
    5:1: error: invalid YAML: a value was expected here
      hint: a `[` or `{` before it may not be closed
    ");
}

#[test]
fn duplicate_keys_are_errors_with_both_places() {
    let text = "merge_method: ties\nmodels: [{model: a}]\ndtype: float16\n'dtype': float32\n";
    assert_snapshot!(problems(text), @"
    4:1: error: key `dtype` is given twice with different values, first at 3:1
      hint: keep one of the two
    ");
}

#[test]
fn keys_must_be_texts() {
    let text = "merge_method: m\nmodels: [{model: a}]\nparameters:\n  on: 1\n  5: 2\n  ~: 3\n  : 4\n  [a]: 5\n";
    assert_snapshot!(problems(text), @r#"
    4:3: error: YAML reads the key `on` as a boolean
      hint: put it in quotes: `"on":`
    5:3: error: YAML reads the key `5` as a number
      hint: put it in quotes: `"5":`
    6:3: error: YAML reads the key `~` as null
      hint: put it in quotes: `"~":`
    7:3: error: a key is missing before the `:`
    8:3: error: a key must be a string, found a list
    "#);
}

#[test]
fn unknown_tags_are_errors() {
    let text = "merge_method: !!python/name:os.system linear\nmodels: !!set [{model: !x a}]\ndtype: !!int half\n";
    assert_snapshot!(problems(text), @"
    1:15: error: tag `!!python/name:os.system` has no meaning in a recipe
    2:9: error: tag `!!set` has no meaning on a list
    2:24: error: tag `!x` has no meaning in a recipe
    3:8: error: `half` does not fit its tag `!!int`
    3:8: error: `dtype` is `half`, expected one of `bfloat16`, `float16`, `float32`, `float64`
      hint: did you mean `float16`?
    ");
}

#[test]
fn an_alias_within_its_own_value_is_an_error() {
    assert_snapshot!(problems("models: &m [*m]\n"), @"1:13: error: alias `*m` is inside the value that it refers to");
    assert_snapshot!(problems("parameters: &p {<<: *p}\n"), @"1:21: error: alias `*p` is inside the value that it refers to");
}

#[test]
fn an_anchor_holds_in_its_own_document() {
    let text = "name: a\nmerge_method: linear\nmodels: &m [{model: a}]\n---\nmerge_method: linear\nmodels: *m\n";
    assert_snapshot!(problems(text), @"
    6:9: error: alias `*m` refers to an anchor in another document
      hint: an anchor is valid only within its document
    ");
}

#[test]
fn a_merge_key_takes_mappings() {
    let text = "merge_method: m\nmodels: [{model: a}]\nparameters:\n  <<: [{t: 1}, 2]\n";
    assert_snapshot!(problems(text), @"4:16: error: `<<` takes a mapping or a list of mappings, found a number");
    assert_snapshot!(problems("merge_method: m\nmodels: [{model: a}]\n<<: x\n"), @"3:5: error: `<<` takes a mapping or a list of mappings, found a string");
}

#[test]
fn nothing_is_no_recipe() {
    assert_snapshot!(problems(""), @"
    error: the recipe is empty
      hint: a recipe needs `merge_method` and `models` or `slices`
    ");
    assert_snapshot!(problems("# nothing\n---\n---\n"), @"
    error: the recipe is empty
      hint: a recipe needs `merge_method` and `models` or `slices`
    ");
    assert_snapshot!(problems("- model: a\n"), @"1:1: error: a recipe must be a mapping, found a list");
    assert_snapshot!(problems("just a text\n"), @"1:1: error: a recipe must be a mapping, found the string `just a text`");
}

#[test]
fn columns_count_characters() {
    let text = "\u{feff}merge_method: m\r\nmodels: [{model: ä}]\r\nname: ö\r\nü: {ä: b}\r\n";
    assert_snapshot!(problems(text), @"
    4:1: warning: unknown key `ü` at the top level
      hint: known keys here: `merge_method`, `base_model`, `models`, `slices`, `modules`, `dtype`, `out_dtype`, `parameters`, `tokenizer`, `tokenizer_source`, `chat_template`, `name`
    ");
}
