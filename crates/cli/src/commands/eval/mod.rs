//! `eval`: measures a model on texts and questions.

mod bench;
mod data;
mod measures;
mod pictures;
mod report;
mod save;
mod sweep;
mod tables;
mod work;

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use weightsmith_report::pictures::{ScorePicture, score_picture};
use weightsmith_session::{TextModels, replace_file};

use self::bench::{Bench, Other};
use self::data::Data;
use self::report::{Beside, Evaluation, Scores};
use self::save::Save;
use self::sweep::Varied;
use crate::args::EvalArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::settings::text_models;
use crate::terminal_progress::TerminalProgress;

/// Measures everything, then shows it.
pub(crate) fn run(args: &EvalArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    // mistakes in the data are found before any model is opened
    let data = Data::read_all(&args.data, args.limit)?;
    if let Some(path) = &args.svg {
        check_target("--svg", path)?;
    }
    let save = Save::check(args, &data)?;
    let progress = TerminalProgress::new(printer);
    let bench = Bench {
        data: &data,
        args,
        printer,
        progress: &progress,
        stop: interrupt::cancel(),
    };
    let models = text_models(&args.options);
    let names = std::iter::once(&args.model).chain(&args.against);
    models.download(names.map(String::as_str), progress.monitor())?;
    match &args.sweep {
        Some(sweep) => vary(&bench, &models, sweep),
        None => measure(&bench, &models, save.as_ref()),
    }
}

/// Measures a model.
fn measure(
    bench: &Bench<'_>,
    models: &TextModels,
    save: Option<&Save>,
) -> Result<ExitCode, Failure> {
    let opened = models.open(&bench.args.model, bench.progress.monitor())?;
    let mut others = open_others(models, &opened.label, bench)?;
    // until here there is nothing to show
    interrupt::listen()?;
    let measurement = bench.measure(&opened.model, &mut others)?;
    bench.question(&mut others)?;
    let evaluation = Evaluation {
        introduction: opened.introduction(),
        model: opened.label,
        measurement,
        against: beside(others),
        incomplete: bench.is_stopped(),
    };
    let incomplete = evaluation.incomplete;
    show(bench, &evaluation, &evaluation.text())?;
    if incomplete {
        return Ok(say_interrupted(bench));
    }
    draw(bench, &evaluation.picture())?;
    if let Some(save) = save {
        save.write(&evaluation, bench.printer)?;
    }
    Ok(ExitCode::Done)
}

/// Measures the merges of a recipe for several values of a parameter.
fn vary(bench: &Bench<'_>, models: &TextModels, sweep: &str) -> Result<ExitCode, Failure> {
    let varied = Varied::read(bench, models, sweep)?;
    let mut others = open_others(models, &bench.args.model, bench)?;
    interrupt::listen()?;
    let mut report = varied.measure(bench, models, &mut others)?;
    report.against = beside(others);
    show(bench, &report, &report.text())?;
    if report.incomplete {
        return Ok(say_interrupted(bench));
    }
    draw(bench, &report.picture())?;
    Ok(ExitCode::Done)
}

/// Opens the models of `--against`.
fn open_others(models: &TextModels, label: &str, bench: &Bench<'_>) -> Result<Vec<Other>, Failure> {
    let mut others: Vec<Other> = Vec::new();
    for name in &bench.args.against {
        let opened = models.open(name, bench.progress.monitor())?;
        // two folders of one name are told apart by their paths
        let is_known =
            opened.label == label || others.iter().any(|other| other.label == opened.label);
        others.push(Other {
            label: if is_known {
                name.clone()
            } else {
                opened.label.clone()
            },
            model: opened.model,
            scores: Scores::default(),
        });
    }
    Ok(others)
}

fn beside(others: Vec<Other>) -> Vec<Beside> {
    let beside = others.into_iter().map(|other| Beside {
        model: other.label,
        scores: other.scores,
    });
    beside.collect()
}

fn show(bench: &Bench<'_>, report: &impl Serialize, text: &str) -> Result<(), Failure> {
    if bench.args.json {
        bench.printer.json(report)?;
    } else {
        bench.printer.data().write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Writes the picture of `--svg`.
fn draw(bench: &Bench<'_>, picture: &ScorePicture) -> Result<(), Failure> {
    let Some(path) = &bench.args.svg else {
        return Ok(());
    };
    replace_file(path, score_picture(picture).as_bytes())?;
    bench
        .printer
        .talk(&format!("wrote the chart to {}", path.display()));
    Ok(())
}

fn say_interrupted(bench: &Bench<'_>) -> ExitCode {
    bench
        .printer
        .stderr("interrupted: the results are incomplete and were not saved");
    ExitCode::Interrupted
}

/// Complains before any work about a path that cannot be written to.
fn check_target(option: &str, path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    if path.is_dir() || path.file_name().is_none() {
        return Err(Failure::usage(format!("`{option} {shown}` is a folder"))
            .hint("name a file for the chart"));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match folder {
        Some(folder) if !folder.is_dir() => Err(Failure::usage(format!(
            "`{option} {shown}`: there is no folder `{}`",
            folder.display()
        ))),
        _ => Ok(()),
    }
}
