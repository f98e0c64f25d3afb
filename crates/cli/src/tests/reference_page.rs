//! Generates the command line reference from the definitions; a test fails if the committed page is stale.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::args::Cli;
use crate::env_vars;
use crate::prose::wrapped;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/cli.md");

/// Columns of the page.
const WIDTH: usize = 100;

/// The whole page.
fn page() -> String {
    let mut cli = Cli::command().term_width(0);
    cli.build();
    let mut page = String::from(
        "# The command line\n\n\
         <!-- Generated from crates/cli/src/args by `UPDATE_DOCS=1 cargo test -p weightsmith-cli`. -->\n",
    );
    let _ = write!(page, "\n{}\n\n", paragraph(&cli));
    let commands = || {
        cli.get_subcommands()
            .filter(|command| command.get_name() != "help")
    };
    page.push_str("| Command | What it does |\n|---|---|\n");
    for command in commands() {
        let name = command.get_name();
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(page, "| [`{name}`](#weightsmith-{name}) | {about} |");
    }
    page.push_str("\n## Global options\n\n");
    for argument in cli.get_arguments() {
        option(&mut page, argument);
    }
    let codes = cli
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let codes = codes
        .trim_start_matches("Exit codes:\n")
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .replace("\n  ", "\n");
    let _ = write!(
        page,
        "\n## Exit codes\n\n```text\n{}\n```\n",
        codes.trim_start()
    );
    page.push_str("\n## Environment variables\n\n| Variable | Meaning |\n|---|---|\n");
    for variable in env_vars::TABLE {
        let _ = writeln!(page, "| `{}` | {} |", variable.name, variable.summary);
    }
    for command in commands() {
        section(&mut page, command);
    }
    page
}

fn section(page: &mut String, command: &Command) {
    let _ = write!(
        page,
        "\n## weightsmith {}\n\n{}\n",
        command.get_name(),
        paragraph(command)
    );
    let usage = command.clone().render_usage().to_string();
    let _ = write!(
        page,
        "\n```text\n{}\n```\n\n",
        usage.trim_start_matches("Usage: ")
    );
    for argument in command.get_positionals() {
        option(page, argument);
    }
    let mut headings: Vec<Option<&str>> = Vec::new();
    for argument in command.get_arguments().filter(|argument| is_own(argument)) {
        if !headings.contains(&argument.get_help_heading()) {
            headings.push(argument.get_help_heading());
        }
    }
    for heading in headings {
        let _ = write!(page, "\n**{}**\n\n", heading.unwrap_or("Options"));
        for argument in command.get_arguments().filter(|argument| is_own(argument)) {
            if argument.get_help_heading() == heading {
                option(page, argument);
            }
        }
    }
    if let Some(examples) = command.get_after_help() {
        let examples = examples.to_string().replace("\n  ", "\n");
        let _ = write!(
            page,
            "\n**Examples**\n\n```sh\n{}\n```\n",
            examples.trim_start_matches("Examples:\n")
        );
    }
}

fn is_own(argument: &Arg) -> bool {
    !argument.is_global_set()
        && !argument.is_positional()
        && !argument.is_hide_set()
        && !matches!(
            argument.get_action(),
            ArgAction::Help | ArgAction::HelpLong | ArgAction::HelpShort | ArgAction::Version
        )
}

fn paragraph(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let paragraphs = about.split("\n\n");
    let wrapped = paragraphs.map(|paragraph| wrapped(paragraph, WIDTH).join("\n"));
    wrapped.collect::<Vec<_>>().join("\n\n")
}

fn option(page: &mut String, argument: &Arg) {
    let help = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut names: Vec<String> = Vec::new();
    let value = argument
        .get_action()
        .takes_values()
        .then(|| argument.get_value_names().map(|names| names.join(" ")))
        .flatten();
    if let Some(short) = argument.get_short() {
        names.push(format!("`-{short}`"));
    }
    let longs = argument
        .get_long()
        .into_iter()
        .chain(argument.get_visible_aliases().unwrap_or_default());
    for long in longs {
        names.push(match &value {
            Some(value) => format!("`--{long} {value}`"),
            None => format!("`--{long}`"),
        });
    }
    if names.is_empty() {
        names.push(format!(
            "`{}`",
            value.unwrap_or_else(|| argument.get_id().to_string())
        ));
    }
    let mut text = format!("{}: {help}", names.join(", "));
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.display()))
        .collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        let _ = write!(text, " (default: {})", defaults.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(text, " (environment: `{}`)", variable.display());
    }
    let _ = writeln!(page, "- {}", wrapped(&text, WIDTH - 2).join("\n  "));
}

#[test]
fn the_reference_page_is_up_to_date() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let folder = std::path::Path::new(PAGE)
            .parent()
            .expect("the page lies in a folder");
        fs_err::create_dir_all(folder).expect("the docs folder can be made");
        fs_err::write(PAGE, &page).expect("the page can be written");
    }
    let committed = fs_err::read_to_string(PAGE).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/cli.md is stale: run `UPDATE_DOCS=1 cargo test -p weightsmith-cli`"
    );
}
