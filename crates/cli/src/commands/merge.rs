//! `merge`: runs a recipe.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use weightsmith::plan::{Plan, Planned};
use weightsmith::run::{Report, RunError, RunOptions, execute, require_memory};
use weightsmith_report::card::ModelCardFiles;
use weightsmith_report::explain::explain;

use crate::args::MergeArgs;
use crate::destination::{Destination, Elsewhere};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::quantities::{bytes, counted, grouped, memory, parameters, seconds};
use crate::remote::Access;
use crate::settings::MergeSettings;
use crate::terminal_text::safe;
use crate::{interrupt, planning, staging};

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
    let elsewhere = if settings.dry_run {
        None
    } else {
        Elsewhere::prepare(&settings)?
    };
    let outcome = planning::plan_with_hub(settings.plan.clone(), access, printer)?;
    let (recipe, planned) = match outcome.into_plan(printer) {
        Ok(planned) => planned,
        Err(code) => {
            if let Some(elsewhere) = elsewhere {
                elsewhere.staging.remove_empty()?;
            }
            return Ok(code);
        }
    };
    if let Err(error) = require_memory(&planned, settings.max_memory) {
        if let Some(elsewhere) = elsewhere {
            elsewhere.staging.remove_empty()?;
        }
        return Err(run_failure(error));
    }
    if settings.dry_run {
        printer
            .data()
            .write_all(summary_of_plan(&planned, &settings).as_bytes())?;
        return Ok(ExitCode::Done);
    }
    printer.detail(summary_of_plan(&planned, &settings).trim_end());
    match (&settings.out, elsewhere) {
        (Destination::Folder(out), _) => {
            let merged = merge_into(
                out,
                &planned,
                &recipe.text,
                &settings,
                settings.force,
                printer,
            )?;
            Ok(merged.map_or_else(
                |code| code,
                |report| {
                    printer.talk(&ending(&planned.plan, out, &report));
                    ExitCode::Done
                },
            ))
        }
        (_, Some(elsewhere)) => {
            merge_elsewhere(elsewhere, &planned, &recipe.text, &settings, printer)
        }
        (_, None) => Ok(ExitCode::Done),
    }
}

/// Merges into a staging folder, unless an earlier run has, and sends the model where it belongs.
fn merge_elsewhere(
    elsewhere: Elsewhere,
    planned: &Planned,
    recipe: &str,
    settings: &MergeSettings,
    printer: &Printer,
) -> Result<ExitCode, Failure> {
    if let Err(failure) = elsewhere.refuse_inputs(planned) {
        elsewhere.staging.remove_empty()?;
        return Err(failure);
    }
    let staging = &elsewhere.staging;
    let key = staging::key(&planned.plan, recipe, settings)?;
    if staging.has(&key) && !settings.fresh {
        interrupt::flag()?;
        printer.note("already merged by an earlier run; uploading the rest");
    } else {
        staging.begin()?;
        let out = staging.model();
        // what lies there is an older merge for the same place
        match merge_into(&out, planned, recipe, settings, true, printer)? {
            Ok(report) => printer.talk(summary(&planned.plan, &report).trim_end()),
            Err(code) => return Ok(code),
        }
        staging.complete(&key)?;
    }
    elsewhere.send(settings, printer)
}

/// Runs a plan; the exit code where it was interrupted.
fn merge_into(
    out: &Path,
    planned: &Planned,
    recipe: &str,
    settings: &MergeSettings,
    force: bool,
    printer: &Printer,
) -> Result<Result<Report, ExitCode>, Failure> {
    let options = RunOptions {
        max_memory: settings.max_memory,
        threads: settings.threads,
        force,
        sync: settings.sync,
        allow_non_finite: settings.allow_non_finite,
        fresh: settings.fresh,
        copy_companions: settings.copy_companions,
        card: settings.card.then_some(&ModelCardFiles as _),
        recipe,
        interrupt: interrupt::flag()?,
    };
    let progress = Progress::new(printer, "merging");
    let result = execute(planned, out, &options, &progress);
    progress.finish();
    match result {
        Ok(report) => {
            warn_about_non_finite(&report, printer);
            Ok(Ok(report))
        }
        Err(RunError::Interrupted) => {
            printer.stderr("interrupted; run the same command again to resume");
            Ok(Err(ExitCode::Interrupted))
        }
        Err(error) => Err(run_failure(error)),
    }
}

fn run_failure(error: RunError) -> Failure {
    let hints = error.hints();
    hints.into_iter().fold(Failure::new(error), Failure::hint)
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
    for shard in plan.layout.shards() {
        let _ = writeln!(
            text,
            "file    {}, {}",
            shard.file_name,
            bytes(shard.file_size)
        );
    }
    for dropped in &plan.dropped {
        let _ = writeln!(
            text,
            "dropped {} of {}: {}",
            safe(&dropped.tensor),
            safe(&plan.inputs[dropped.input].label),
            safe(&dropped.reason),
        );
    }
    let _ = writeln!(
        text,
        "work    read {}, write {}, with {} and at most {} of private memory",
        bytes(plan.bytes_read),
        bytes(plan.bytes_written),
        counted(settings.threads, "thread"),
        memory(settings.max_memory),
    );
    text
}
