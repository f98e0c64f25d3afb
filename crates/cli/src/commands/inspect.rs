//! `inspect`: what is in a checkpoint.

use std::fmt::Write as _;
use std::io::Write as _;

use weightsmith_report::inspect::{Inspection, Vocabulary, inspect};
use weightsmith_session::quantities::{bytes, counted, grouped, parameters};
use weightsmith_session::{Access, Session};

use crate::args::InspectArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{HEADING, Printer};
use crate::table::{Align, Table};
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe;

/// Reads the headers and shows what they say.
pub(crate) fn run(args: InspectArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let InspectArgs {
        model,
        tensors,
        json,
        transformers_cache,
    } = args;
    let session = Session::from_env(transformers_cache);
    let progress = TerminalProgress::new(printer);
    let inspection = inspect(&session.open(&model, Access::Headers, progress.monitor())?)?;
    if json {
        printer.json(&inspection)?;
    } else {
        printer
            .data()
            .write_all(text(&inspection, tensors).as_bytes())?;
    }
    Ok(ExitCode::Done)
}

fn text(inspection: &Inspection, all_tensors: bool) -> String {
    let mut text = format!("{HEADING}{}{HEADING:#}\n\n", safe(&inspection.label));
    for (name, value) in facts(inspection) {
        let _ = writeln!(text, "  {name:17} {}", safe(&value));
    }
    let _ = write!(text, "\n{}", types(inspection).render());
    let _ = write!(text, "\n{}", files(inspection).render());
    if !inspection.unindexed.is_empty() {
        let _ = writeln!(
            text,
            "\n  {} in these files {} not in the index and not part of the model",
            counted(inspection.unindexed.len(), "tensor"),
            if inspection.unindexed.len() == 1 {
                "is"
            } else {
                "are"
            },
        );
    }
    if !inspection.wrappers.is_empty() {
        let _ = writeln!(
            text,
            "\n  the model was saved from a wrapper: names in its files contain `{}.`",
            inspection.wrappers.join(".`, `"),
        );
    }
    let table = if all_tensors {
        tensors(inspection)
    } else {
        templates(inspection)
    };
    let _ = write!(text, "\n{}", table.render());
    text
}

/// Names and values of what is known of the model.
fn facts(inspection: &Inspection) -> Vec<(&'static str, String)> {
    let config = &inspection.config;
    let mut facts = vec![("architecture", inspection.description.clone())];
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add(
        "class",
        (!config.architectures.is_empty()).then(|| config.architectures.join(", ")),
    );
    add("revision", inspection.revision.clone());
    add(
        "parameters",
        Some(match inspection.parameters {
            few @ 0..1000 => few.to_string(),
            many => format!("{} ({})", parameters(many), grouped(many)),
        }),
    );
    add(
        "tensors",
        Some(format!(
            "{}, {}",
            grouped(inspection.tensor_count as u64),
            bytes(inspection.bytes)
        )),
    );
    for stack in inspection.stacks.iter().filter(|stack| !stack.main) {
        let text = format!(
            "{} under {}, {} parameters",
            stack.layers,
            stack.prefix,
            parameters(stack.parameters)
        );
        add("further layers", Some(text));
    }
    add(
        "context length",
        config
            .context_length
            .map(|length| format!("{} tokens", grouped(length))),
    );
    add("vocabulary", vocabulary(&inspection.vocabulary));
    add("hidden size", config.hidden_size.map(grouped));
    add(
        "attention heads",
        config
            .attention_heads
            .map(|heads| match config.key_value_heads {
                Some(shared) if shared != heads => format!("{heads}, {shared} for keys and values"),
                _ => heads.to_string(),
            }),
    );
    add(
        "tied embeddings",
        inspection.tied_embeddings.map(|tied| {
            if tied {
                "yes: the head is the embedding"
            } else {
                "no"
            }
            .to_owned()
        }),
    );
    add("type in config", config.dtype.clone());
    add("quantised", config.quantization.clone());
    add(
        "chat template",
        Some(match &inspection.chat_template {
            Some(file) => format!("in {file}"),
            None => "none".to_owned(),
        }),
    );
    facts
}

fn vocabulary(vocabulary: &Vocabulary) -> Option<String> {
    match (vocabulary.rows, vocabulary.config) {
        (Some(rows), Some(config)) if rows != config => Some(format!(
            "{} rows in the embedding, but {} in config.json",
            grouped(rows),
            grouped(config)
        )),
        (Some(size), _) | (None, Some(size)) => Some(format!("{} tokens", grouped(size))),
        (None, None) => None,
    }
}

fn types(inspection: &Inspection) -> Table {
    let mut table = Table::new(&[
        ("type", Align::Left),
        ("tensors", Align::Right),
        ("elements", Align::Right),
        ("size", Align::Right),
    ]);
    for row in &inspection.types {
        table.row([
            row.dtype.to_string(),
            grouped(row.tensors as u64),
            grouped(row.elements),
            bytes(row.bytes),
        ]);
    }
    table
}

fn files(inspection: &Inspection) -> Table {
    let mut table = Table::new(&[
        ("file", Align::Left),
        ("tensors", Align::Right),
        ("size", Align::Right),
    ]);
    for row in &inspection.files {
        table.row([
            row.name.clone(),
            grouped(row.tensors as u64),
            bytes(row.bytes),
        ]);
    }
    table
}

fn templates(inspection: &Inspection) -> Table {
    let mut table = Table::new(&[
        ("tensor", Align::Left),
        ("type", Align::Left),
        ("shape", Align::Left),
        ("tensors", Align::Right),
        ("elements", Align::Right),
    ]);
    for row in &inspection.templates {
        table.row([
            row.name.clone(),
            row.dtype.to_string(),
            shape(&row.shape),
            grouped(row.tensors as u64),
            grouped(row.elements),
        ]);
    }
    table
}

fn tensors(inspection: &Inspection) -> Table {
    let mut table = Table::new(&[
        ("tensor", Align::Left),
        ("type", Align::Left),
        ("shape", Align::Left),
        ("file", Align::Left),
    ]);
    for row in &inspection.tensors {
        table.row([
            row.name.clone(),
            row.dtype.to_string(),
            shape(&row.shape),
            row.file.clone(),
        ]);
    }
    table
}

/// `151936 × 896`, or `scalar`.
pub(super) fn shape(shape: &[u64]) -> String {
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    shape
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" × ")
}
