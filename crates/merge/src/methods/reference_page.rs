//! Generates the reference of the methods from their specifications; a test fails if the committed page is stale.

use std::fmt::Write as _;

use super::{METHODS, MethodSpec, minimal_recipe};

const HEAD: &str = "\
# Merge methods

<!-- Generated from crates/methods by `UPDATE_DOCS=1 cargo test -p weightsmith --lib`. -->

A recipe sets its method with `merge_method`. In a terminal, `weightsmith methods` shows this list,
and `weightsmith methods NAME` describes one method.

";

const PARAMETERS: &str = "\
A parameter is one of:

- a single value;
- a gradient: a list of values spread over the layers. Numbers are interpolated in between. Tensors
  outside the layers use the first value;
- a list of `{filter, value}`. The first entry whose `filter` is part of the tensor's name applies.

Parameters of *each model* are set under the model, or further out for all models. Parameters of
*the merge* are set under the slice or the recipe. The innermost level that has a value for a tensor
applies. Values outside the usual range, and parameters that a method does not have, get warnings.
";

/// Columns of the page.
const WIDTH: usize = 100;

/// The whole page as Markdown: a table of all methods and a section for each.
pub fn reference_page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| method | base model | models | what it does |\n|---|---|---|---|\n");
    for method in METHODS {
        let MethodSpec {
            name,
            summary,
            base,
            inputs,
            ..
        } = method;
        let _ = writeln!(
            page,
            "| [`{name}`](#{name}) | {base} | {inputs} | {} |",
            cell(summary)
        );
    }
    page.push('\n');
    page.push_str(PARAMETERS);
    for method in METHODS {
        section(&mut page, method);
    }
    page
}

fn section(page: &mut String, method: &MethodSpec) {
    let _ = write!(
        page,
        "\n## {}\n\n{}\n\n{}\n",
        method.name,
        wrapped(&format!("**{}.** {}", method.title, method.summary)),
        method.documentation
    );
    parameters(page, method);
    let _ = write!(
        page,
        "\n{}\n\n{}\n\n```yaml\n{}```\n",
        wrapped(&method.models_in_words()),
        wrapped(method.missing.in_words()),
        minimal_recipe(method)
    );
    if let Some(reference) = &method.reference {
        let _ = writeln!(
            page,
            "\nReference: [{}]({})",
            reference.title, reference.url
        );
    }
}

fn parameters(page: &mut String, method: &MethodSpec) {
    if method.parameters.is_empty() {
        page.push_str("\nThere are no parameters.\n");
        return;
    }
    page.push_str(
        "\n| parameter | of | value | default | usual | what it does |\n|---|---|---|---|---|---|\n",
    );
    for parameter in method.parameters {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} |",
            parameter.name,
            parameter.scope,
            parameter.kind,
            parameter.default,
            parameter.usual_in_words(),
            cell(parameter.summary)
        );
    }
}

/// A paragraph in lines of at most [`WIDTH`] characters.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        let fits = column + 1 + length <= WIDTH;
        if column > 0 {
            lines.push(if fits { ' ' } else { '\n' });
        }
        column = if fits && column > 0 {
            column + 1 + length
        } else {
            length
        };
        lines.push_str(word);
    }
    lines
}

/// Text for a cell of a table, where a bar would end it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/methods.md"
    );

    #[test]
    fn the_reference_page_is_up_to_date() {
        let page = reference_page();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs_err::write(PAGE, &page).expect("the page can be written");
        }
        let committed = fs_err::read_to_string(PAGE).unwrap_or_default();
        assert!(
            committed == page,
            "docs/reference/methods.md is stale: run `UPDATE_DOCS=1 cargo test -p weightsmith --lib`"
        );
    }

    #[test]
    fn every_method_can_be_documented() {
        for method in METHODS {
            let name = method.name;
            assert!(method.summary.ends_with('.'), "{name}");
            assert!(
                !method.title.is_empty() && !method.title.ends_with('.'),
                "{name}"
            );
            assert!(!method.documentation.is_empty(), "{name}");
            for parameter in method.parameters {
                assert!(
                    parameter.summary.ends_with('.'),
                    "{name} {}",
                    parameter.name
                );
            }
        }
    }
}
