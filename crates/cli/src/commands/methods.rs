//! `methods`: the merge methods and their pages.

use std::fmt::Write as _;
use std::io::Write as _;

use serde::Serialize;
use weightsmith::methods::{METHODS, MethodSpec, find, minimal_recipe};
use weightsmith::recipe::closest;

use crate::args::MethodsArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{HEADING, Printer};
use crate::prose::paragraphs;
use crate::table::{Align, Table};
use crate::terminal;

/// Text is hard to read in lines longer than this.
const WIDEST: usize = 100;

/// Shows all methods or one.
pub(crate) fn run(args: &MethodsArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let MethodsArgs { name, json } = args;
    let method = match name {
        Some(name) => Some(find(name).ok_or_else(|| unknown(name))?),
        None => None,
    };
    let width = terminal::width().min(WIDEST);
    match (method, json) {
        (None, true) => {
            let all: Vec<Described> = METHODS.iter().copied().map(Described::from).collect();
            printer.json(&all)?;
        }
        (Some(method), true) => printer.json(&Described::from(method))?,
        (None, false) => printer.data().write_all(list(width).as_bytes())?,
        (Some(method), false) => printer.data().write_all(page(method, width).as_bytes())?,
    }
    Ok(ExitCode::Done)
}

/// A method for programs.
#[derive(Debug, Serialize)]
struct Described {
    #[serde(flatten)]
    method: &'static MethodSpec,
    /// The shortest recipe.
    recipe: String,
}

impl From<&'static MethodSpec> for Described {
    fn from(method: &'static MethodSpec) -> Self {
        Self {
            method,
            recipe: minimal_recipe(method),
        }
    }
}

fn unknown(name: &str) -> Failure {
    let failure = Failure::usage(format!("unknown merge method `{name}`"));
    match closest(name, METHODS.iter().map(|method| method.name)) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`weightsmith methods` lists the methods"),
    }
}

fn list(width: usize) -> String {
    let mut table = Table::new(&[
        ("method", Align::Left),
        ("base", Align::Left),
        ("models", Align::Left),
        ("what it does", Align::Left),
    ]);
    for method in METHODS {
        table.row([
            method.name.to_owned(),
            method.base.to_string(),
            method.inputs.to_string(),
            method.summary.to_owned(),
        ]);
    }
    format!(
        "{}\n{}",
        table.render_within(width),
        paragraphs(
            "`weightsmith methods NAME` shows a method's formula, parameters and a minimal recipe.",
            width
        )
    )
}

fn page(method: &MethodSpec, width: usize) -> String {
    let mut page = String::new();
    let mut section = |heading: &str, text: &str| {
        let _ = write!(page, "\n{HEADING}{heading}{HEADING:#}\n{text}");
    };
    section("Parameters", &parameters(method, width));
    section("Models", &paragraphs(&method.models_in_words(), width));
    section(
        "Missing tensors",
        &paragraphs(method.missing.in_words(), width),
    );
    section("Minimal recipe", &indented(&minimal_recipe(method)));
    if let Some(reference) = &method.reference {
        let title = paragraphs(reference.title, width);
        section("Reference", &format!("{title}  {}\n", reference.url));
    }
    format!(
        "{HEADING}{}: {}{HEADING:#}\n\n{}\n{}{page}",
        method.name,
        method.title,
        paragraphs(method.summary, width),
        paragraphs(method.documentation, width),
    )
}

fn parameters(method: &MethodSpec, width: usize) -> String {
    if method.parameters.is_empty() {
        return "  none\n".to_owned();
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("of", Align::Left),
        ("value", Align::Left),
        ("default", Align::Left),
        ("usual", Align::Left),
        ("what it does", Align::Left),
    ]);
    for parameter in method.parameters {
        table.row([
            parameter.name.to_owned(),
            parameter.scope.to_string(),
            parameter.kind.to_string(),
            parameter.default.to_string(),
            parameter.usual_in_words(),
            parameter.summary.to_owned(),
        ]);
    }
    table.render_within(width)
}

fn indented(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "  {line}");
        all
    })
}
