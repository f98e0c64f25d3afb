//! `merge`: runs a recipe.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use weightsmith::plan::{FileSource, Plan, Planned, PlannedFile};
use weightsmith::run::Report;
use weightsmith_report::explain::explain;
use weightsmith_session::quantities::{bytes, counted, grouped, memory, parameters, seconds};
use weightsmith_session::{Access, Delivered, Destination, Merged, Session};

use super::push;
use crate::args::MergeArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::settings::MergeSettings;
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe;

/// Checks, merges, sums up.
pub(crate) fn run(args: MergeArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let settings = MergeSettings::resolve(args)?;
    for note in &settings.notes {
        printer.note(note);
    }
    let access = if settings.stream || settings.dry_run {
        Access::Headers
    } else {
        Access::Download
    };
    let session = &settings.plan.session;
    let target = if settings.dry_run {
        None
    } else {
        let staging = settings.staging.clone();
        Some(session.target(&settings.out, staging, settings.force)?)
    };
    let progress = TerminalProgress::new(printer);
    let monitor = progress.monitor();
    let outcome = settings.plan.prepare(access, monitor)?;
    let recipe = outcome.recipe.text.clone();
    let planned = outcome.into_plan(monitor)?;
    Session::require_memory(&planned, settings.options.max_memory)?;
    let Some(target) = target else {
        printer
            .data()
            .write_all(summary_of_plan(&planned, &settings).as_bytes())?;
        return Ok(ExitCode::Done);
    };
    printer.detail(summary_of_plan(&planned, &settings).trim_end());
    interrupt::listen()?;
    let merged = session.merge(&target, &planned, &recipe, &settings.options, monitor);
    let merged = match merged {
        Err(error) if error.is_interrupted() => return Ok(say_interrupted(printer)),
        merged => merged?,
    };
    if let Merged::Written(report) = &merged {
        warn_about_non_finite(report, printer);
    }
    match (&settings.out, merged) {
        (Destination::Folder(out), Merged::Written(report)) => {
            printer.talk(&ending(&planned.plan, out, &report));
            return Ok(ExitCode::Done);
        }
        (_, Merged::Written(report)) => {
            printer.talk(summary(&planned.plan, &report).trim_end());
        }
        (_, Merged::Before) => {}
    }
    match session.deliver(target, monitor) {
        Err(error) if error.is_interrupted() => Ok(say_interrupted(printer)),
        delivered => {
            say_delivered(&delivered?, printer)?;
            Ok(ExitCode::Done)
        }
    }
}

fn say_interrupted(printer: &Printer) -> ExitCode {
    printer.stderr("interrupted; run the same command again to resume");
    ExitCode::Interrupted
}

/// What went where.
fn say_delivered(delivered: &Delivered, printer: &Printer) -> Result<(), Failure> {
    let Delivered {
        place,
        sent,
        resumed,
        published,
    } = delivered;
    if let Some(sent) = sent {
        let earlier = match resumed {
            0 => String::new(),
            count => format!(
                "; {} already sent by an earlier run",
                counted(*count, "file")
            ),
        };
        printer.talk(&format!(
            "sent {} to {}{earlier}",
            counted(*sent, "file"),
            safe(place)
        ));
    }
    if let Some(published) = published {
        push::report(&published.pushed, printer)?;
    }
    printer.talk(&format!("the model is at {}", safe(place)));
    Ok(())
}

fn warn_about_non_finite(report: &Report, printer: &Printer) {
    for (tensor, count) in &report.non_finite {
        printer.warning(&format!(
            "tensor `{tensor}` holds {} NaN or infinite values",
            grouped(*count)
        ));
    }
}

/// What was done, and where the result is.
fn ending(plan: &Plan, out: &Path, report: &Report) -> String {
    if report.already_there {
        let path = out.display().to_string();
        return format!(
            "{} already contains this merge; nothing to do (use `--force` to merge again)",
            safe(&path)
        );
    }
    format!("{}{}", summary(plan, report), conclusion(out, report))
}

/// What was done.
fn summary(plan: &Plan, report: &Report) -> String {
    let Report {
        already_there: _,
        tensors,
        parameters: elements,
        bytes_read,
        bytes_written,
        resumed_bytes,
        seconds: duration,
        peak_private,
        peak_resident,
        non_finite: _,
        files: _,
    } = report;
    let mut text = format!(
        "merged {} ({} parameters) from {} with {}\n",
        counted(*tensors, "tensor"),
        parameters(*elements),
        counted(plan.inputs.len(), "model"),
        plan.method,
    );
    let moved = bytes_read + bytes_written - resumed_bytes;
    let _ = writeln!(
        text,
        "read {}, wrote {} in {}: {}/s",
        bytes(*bytes_read),
        bytes(*bytes_written),
        seconds(*duration),
        bytes((moved as f64 / duration.max(1e-6)) as u64),
    );
    if *resumed_bytes > 0 {
        let _ = writeln!(
            text,
            "{} already written by an earlier run",
            bytes(*resumed_bytes)
        );
    }
    if let Some(private) = peak_private {
        let _ = write!(text, "peak private memory {}", memory(*private));
        if let Some(resident) = peak_resident {
            let _ = write!(text, " (resident with mapped files: {})", memory(*resident));
        }
        text.push('\n');
    }
    let words = explain(plan).words.join(" ");
    if !words.is_empty() {
        let _ = writeln!(text, "{}", safe(&words));
    }
    text
}

/// Where the result is, and what to do next.
fn conclusion(out: &Path, report: &Report) -> String {
    let out = out.display().to_string();
    format!(
        "saved to {} ({}); run `weightsmith verify {}` to check it",
        safe(&out),
        counted(report.files.len(), "weight file"),
        safe(&out),
    )
}

/// Where a file that is no weights comes from.
fn origin(plan: &Plan, file: &PlannedFile) -> String {
    match &file.source {
        FileSource::Companion { input, .. } => {
            format!(", from {}", safe(&plan.inputs[*input].label))
        }
        FileSource::Finished | FileSource::Lock => ", made at the end".to_owned(),
        FileSource::Weights { .. } | FileSource::Made(_) => String::new(),
    }
}

/// What would be done.
fn summary_of_plan(planned: &Planned, settings: &MergeSettings) -> String {
    let plan = &planned.plan;
    let mut text = format!("method  {}\n", plan.method);
    for (index, input) in plan.inputs.iter().enumerate() {
        let base = if plan.base == Some(index) {
            ", base_model"
        } else {
            ""
        };
        let donor = if plan.donor == index {
            ", provides config and other files"
        } else {
            ""
        };
        let path = input.path.display().to_string();
        let _ = writeln!(
            text,
            "input   {} at {}: {}, {} parameters, {} layers{base}{donor}",
            safe(&input.label),
            safe(&path),
            counted(input.tensors, "tensor"),
            parameters(input.parameters),
            input.layers,
        );
    }
    let elements: u64 = plan
        .tensors
        .iter()
        .map(|tensor| tensor.info.elements())
        .sum();
    let _ = writeln!(
        text,
        "result  {}, {} parameters, {} layers",
        counted(plan.tensors.len(), "tensor"),
        parameters(elements),
        plan.layers.len(),
    );
    for file in &plan.files {
        let size = file
            .bytes
            .map_or_else(String::new, |size| format!(", {}", bytes(size)));
        let _ = writeln!(
            text,
            "file    {}{size}{}",
            safe(&file.name),
            origin(plan, file)
        );
    }
    for dropped in &plan.dropped {
        let _ = writeln!(
            text,
            "dropped {} of {}: {}",
            safe(&dropped.tensor),
            safe(&plan.inputs[dropped.input].label),
            safe(&dropped.reason.to_string()),
        );
    }
    let _ = writeln!(
        text,
        "work    read {}, write {}, with {} and at most {} of private memory",
        bytes(plan.bytes_read),
        bytes(plan.bytes_written),
        counted(settings.options.threads, "thread"),
        memory(settings.options.max_memory),
    );
    text
}
