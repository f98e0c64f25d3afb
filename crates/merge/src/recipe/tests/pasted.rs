//! Recipes that were copied from web pages and chats.

use insta::assert_snapshot;

use super::problems;

const RECIPE: &str = "models:\n  - model: a\n  - model: b\nmerge_method: slerp\nbase_model: a\nparameters:\n  t: 0.4\ndtype: bfloat16\n";

#[test]
fn a_sound_recipe_has_no_problems_with_comments_and_texts_of_any_kind() {
    assert_eq!(problems(RECIPE), "");
    let odd = format!(
        "# “quotes”, – dashes\u{a0}and：colons\n{RECIPE}chat_template: |\n  ```\n  • a：b\n  \u{a0}c\nname: \"a\u{a0}b\"\n"
    );
    assert_eq!(problems(&odd), "");
    // nor are they blamed for something else
    assert_snapshot!(problems(&odd.replace("slerp", "slurp").replace("  - model: a\n", "  - a\n")), @"
    3:5: error: an entry of `models` must be a mapping with `model`, found the string `a`
      hint: write `- model: a`
    5:15: error: unknown merge method `slurp`
      hint: did you mean `slerp`?
    ");
}

#[test]
fn no_break_spaces_are_named() {
    let text = RECIPE.replace("  ", "\u{a0} \u{a0} ");
    assert_snapshot!(problems(&text), @"
    2:1: error: no-break space (U+00A0) in the indentation, here and in 2 more lines
      hint: use ordinary spaces for indentation: replace it, or copy the recipe again from the page's raw text
    ");
    assert_snapshot!(problems("merge_method:\u{a0}slerp\n"), @"
    1:14: error: no-break space (U+00A0) in place of the space after a `-` or `:`
      hint: type an ordinary space
    ");
    assert_snapshot!(problems(&RECIPE.replace("- model: a", "-\u{a0}model: a")), @"
    2:4: error: no-break space (U+00A0) in place of the space after a `-` or `:`
      hint: type an ordinary space
    ");
}

#[test]
fn full_width_colons_are_named() {
    assert_snapshot!(problems(&RECIPE.replace(": ", "： ").replace(":\n", "：\n").replacen("：\n", ":\n", 1)), @"
    2:10: error: full-width colon (U+FF1A) in place of the `:` after a key, here and in 6 more lines
      hint: type an ordinary `:` and a space
    ");
}

#[test]
fn other_look_alikes_are_named() {
    assert_snapshot!(problems(&RECIPE.replace("- model", "– model")), @"
    2:3: error: en dash (U+2013) in place of the `-` of a list, here and in 1 more line
      hint: type an ordinary `-` and a space
    ");
    assert_snapshot!(problems(&RECIPE.replace("0.4", "［0，1］")), @"
    7:6: warning: look-alike of a bracket (U+FF3B) makes this a string, not a list
      hint: type ordinary `,`, `[` and `]`
    ");
    assert_snapshot!(problems(&RECIPE.replace("0.4", "−0.4")), @"
    7:6: warning: minus sign (U+2212) makes this a string, not a number
      hint: type an ordinary `-`
    ");
}

#[test]
fn curly_quotes_are_named() {
    assert_snapshot!(problems(&RECIPE.replace("bfloat16", "“bfloat16”")), @r#"
    8:8: error: `dtype` is `“bfloat16”`, expected one of `bfloat16`, `float16`, `float32`, `float64`
      hint: did you mean `bfloat16`?
    8:8: warning: typographic quote (U+201C) is part of the string
      hint: only straight quotes, `"` and `'`, quote a string: replace it, or put the string in straight quotes if it belongs there
    "#);
}

#[test]
fn a_zero_width_space_is_named_where_nothing_else_is_wrong() {
    assert_snapshot!(problems(&RECIPE.replace("- model: a", "- model: a\u{200b}")), @"
    2:12: warning: zero-width space (U+200B) at the end of the text
      hint: delete it, or put the string in quotes if it belongs there
    ");
    assert_eq!(
        problems(&RECIPE.replace("- model: a", "- model: 'a\u{200b}'")),
        ""
    );
}

#[test]
fn a_code_fence_is_named() {
    assert_snapshot!(problems(&format!("```yaml\n{RECIPE}```\n")), @"
    1:1: error: a code fence is not part of a recipe
      hint: remove this line and the closing fence
    ");
    assert_snapshot!(problems(&format!("{RECIPE}\n  ```\n")), @"
    10:1: error: a code fence is not part of a recipe
      hint: remove this line and the closing fence
    ");
}

#[test]
fn lost_indentation_is_named() {
    let text = "slices:\n- sources:\n- model: a\nlayer_range: [0, 6]\n- model: b\nlayer_range: [0, 6]\n\
        merge_method: slerp\nbase_model: a\nparameters:\nt:\n- filter: self_attn\nvalue: [0, 0.5, 1]\n- value: 0.5\n";
    assert_snapshot!(problems(text), @"
    4:1: error: no line is indented, but `layer_range` belongs under another key
      hint: the indentation was lost, perhaps in copying from a web page: copy the page's raw text, or indent it as `weightsmith methods slerp` shows
    ");
}

#[test]
fn half_lost_indentation_is_named() {
    let text = "models:\n  - model: a\n  - model: b\n merge_method: slerp\n base_model: a\n parameters:\n  t: 0.4\n";
    assert_snapshot!(problems(text), @"
    4:2: error: `merge_method` starts in column 2 and `models` in column 1, but the keys of a recipe start in the same column
      hint: some of the indentation was lost, perhaps in copying from a web page: move `models` and `merge_method` to the same column, with everything under them
    ");
}

#[test]
fn a_recipe_that_is_indented_as_a_whole_is_read() {
    let indented: Vec<String> = RECIPE.lines().map(|line| format!("    {line}\n")).collect();
    assert_eq!(problems(&indented.concat()), "");
}

#[test]
fn a_dash_without_a_space_is_told_from_a_name() {
    assert_snapshot!(problems(&RECIPE.replace("- model: a", "- model:tiny/base")), @"
    2:5: error: an entry of `models` must be a mapping with `model`, found the string `model:tiny/base`
      hint: write `- model: tiny/base`, with a space after the `:`
    ");
}

#[test]
fn web_addresses_of_models_are_their_names() {
    let text = RECIPE.replace("model: a", "model: https://huggingface.co/org/a");
    let text = text.replace("model: b", "model: huggingface.co/org/b/tree/v2");
    let recipe = super::recipe(&text);
    let names: Vec<_> = recipe.references()[1..]
        .iter()
        .map(|one| (one.value.path.as_str(), one.value.revision.as_deref()))
        .collect();
    assert_eq!(names, [("hf://org/a", None), ("hf://org/b", Some("v2"))]);
    assert_snapshot!(problems(&RECIPE.replace("model: a", "model: https://example.org/a/b")), @"
    2:12: error: `https://example.org/a/b` is a web address, expected a folder or a name on the Hub such as `organization/name`
    5:13: error: `https://example.org/a/b` is a web address, expected a folder or a name on the Hub such as `organization/name`
    ");
}
