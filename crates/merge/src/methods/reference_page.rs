//! The reference page of the methods, made from their specifications; the test fails when the committed page is stale.

use std::fmt::Write as _;

use super::{METHODS, MethodSpec, minimal_recipe};

const HEAD: &str = "\
# Merge methods

<!-- Made from the specifications in crates/methods by `UPDATE_DOCS=1 cargo test -p weightsmith --lib`. -->

A recipe names its method in `merge_method`. `weightsmith methods` shows this list, and `weightsmith methods NAME` a method's page,
in the terminal.

";

const PARAMETERS: &str = "\
A parameter is one value, a list of values that is spread over the layers (numbers between two of them are interpolated; what lies
outside of the layers takes the first), or a list of `{filter, value}`, of which the first counts whose `filter` is part of the tensor's
name. The parameters of *each model* stand under the model, or further out for all models alike; those of *the merge* under the slice or
the recipe. The innermost level that says something about a tensor counts. Values outside of the usual range are warned about, and so are
parameters that a method does not have.
";

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
        "\n## {}\n\n**{}.** {}\n\n{}\n",
        method.name, method.title, method.summary, method.documentation
    );
    parameters(page, method);
    let _ = write!(
        page,
        "\n{}\n\n{}\n\n```yaml\n{}```\n",
        method.models_in_words(),
        method.missing.in_words(),
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
