//! `check --host`: whether inference hosts will take a model.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use weightsmith_report::host::{
    ConcurrencySource, HostCheck, HostFacts, HostReport, HostedModel, MemoryNeed, Outcome,
    SHORT_CONTEXT, check, known_bases,
};
use weightsmith_session::quantities::{bytes, counted, grouped, parameters};
use weightsmith_session::{HostCandidate, Session};
use weightsmith_studio::speech;
use weightsmith_tensors::TensorSource;

use crate::args::PlanArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{HEADING, Printer};
use crate::table::{Align, Table};
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe;

/// Looks at a model and shows what hosts will say of it.
pub(super) fn run(
    model: &Path,
    as_json: bool,
    PlanArgs {
        strict,
        transformers_cache,
        random_seed: _,
        unsafe_truncate_embeddings: _,
        no_unsafe_truncate_embeddings: _,
    }: PlanArgs,
    printer: &Printer,
) -> Result<ExitCode, Failure> {
    let session = Session::from_env(transformers_cache);
    let progress = TerminalProgress::new(printer);
    let model = session.hosted(&model.to_string_lossy(), progress.monitor())?;
    let report = examine(&model, &known_bases(&model.folder, &session.locate));
    if as_json {
        printer.json(&report)?;
    } else {
        printer.data().write_all(text(&report).as_bytes())?;
    }
    let refused = strict && report.count(Outcome::Warned) > 0;
    Ok(if report.ready && !refused {
        ExitCode::Done
    } else {
        ExitCode::NotDone
    })
}

fn examine(model: &HostCandidate, bases: &[weightsmith::model::Opened]) -> HostReport {
    let weights = model.weights.as_deref();
    let source = weights.ok().map(|weights| weights as &dyn TensorSource);
    check(HostedModel {
        label: &model.label,
        revision: model.revision.as_deref(),
        folder: &model.folder,
        files: &model.files,
        weights: weights.map_err(String::as_str),
        bases,
        speech: &speech(&model.folder, source),
    })
}

fn text(report: &HostReport) -> String {
    let mut text = String::new();
    for HostCheck {
        requirement,
        outcome,
        reason,
        hint,
    } in &report.checks
    {
        let _ = writeln!(text, "{outcome:7} {requirement:13}  {}", safe(reason));
        if let Some(hint) = hint {
            let _ = writeln!(text, "        {:13}  hint: {}", "", safe(hint));
        }
    }
    if report.facts.parameters > 0 {
        let _ = write!(text, "\n{}", facts(&report.facts));
    }
    text + "\n" + &verdict(report)
}

fn facts(facts: &HostFacts) -> String {
    let mut text = String::new();
    let mut fact = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:18} {}", safe(value));
    };
    let size = format!(
        "{}, {} parameters",
        facts.size_class,
        parameters(facts.parameters)
    );
    fact("size class", &size);
    fact(
        "weights type",
        facts.weights_type.as_deref().unwrap_or("unknown"),
    );
    let context = facts.context_length;
    let context_text = context.map_or("unknown".to_owned(), |length| {
        format!("{} tokens", grouped(length))
    });
    fact("context length", &context_text);
    let ConcurrencySource { host, read, .. } = facts.concurrency_source;
    let units = format!("{} at {host} (as of {read})", facts.concurrency_units);
    fact("concurrency units", &units);
    let short = context.unwrap_or(SHORT_CONTEXT).min(SHORT_CONTEXT);
    let mut table = Table::new(&[("memory", Align::Left), ("weights", Align::Right)]);
    table.column(&format!("with {} tokens", grouped(short)), Align::Right);
    if let Some(full) = context.filter(|full| *full > short) {
        table.column(&format!("with {} tokens", grouped(full)), Align::Right);
    }
    for &MemoryNeed {
        bits,
        weights,
        short_context,
        full_context,
    } in &facts.memory
    {
        let size = |need: Option<u64>| need.map_or("unknown".to_owned(), bytes);
        let mut row = vec![format!("{bits} bits"), bytes(weights), size(short_context)];
        if context.is_some_and(|full| full > short) {
            row.push(size(full_context));
        }
        table.row(row);
    }
    format!("{text}\n{}", table.render())
}

fn verdict(report: &HostReport) -> String {
    let verdict = if report.ready {
        "ready for hosts"
    } else {
        "not ready for hosts"
    };
    let mut counts = Vec::new();
    for (outcome, word) in [(Outcome::Failed, "failure"), (Outcome::Warned, "warning")] {
        let count = report.count(outcome);
        if count > 0 {
            counts.push(counted(count, word));
        }
    }
    let counts = if counts.is_empty() {
        String::new()
    } else {
        format!(", {}", counts.join(", "))
    };
    format!(
        "{HEADING}{}{HEADING:#} is {verdict}{counts}\n",
        safe(&report.label)
    )
}
