//! `eval`: measures a model on texts and questions.

mod bench;
mod data;
mod report;
mod tables;
mod work;

use std::io::Write as _;

use self::bench::{Bench, Other};
use self::data::Data;
use self::report::{Beside, Evaluation, Scores};
use crate::args::EvalArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::text_model::TextModels;

/// Measures everything, then shows it.
pub(crate) fn run(args: &EvalArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    // mistakes in the data are found before any model is opened
    let data = Data::read_all(&args.data, args.limit)?;
    let bench = Bench {
        data: &data,
        args,
        printer,
    };
    let models = TextModels::new(&args.options);
    let opened = match models.open(&args.model, printer)? {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let mut others = match open_others(&models, &opened.label, &bench)? {
        Ok(others) => others,
        Err(code) => return Ok(code),
    };
    let measurement = bench.measure(&opened.model, &mut others)?;
    bench.question(&mut others)?;
    let evaluation = Evaluation {
        introduction: opened.introduction(),
        model: opened.label,
        measurement,
        against: beside(others),
    };
    if args.json {
        printer.json(&evaluation)?;
    } else {
        printer.data().write_all(evaluation.text().as_bytes())?;
    }
    Ok(ExitCode::Done)
}

/// Opens the models of `--against`.
fn open_others(
    models: &TextModels<'_>,
    label: &str,
    bench: &Bench<'_>,
) -> Result<Result<Vec<Other>, ExitCode>, Failure> {
    let mut others: Vec<Other> = Vec::new();
    for name in &bench.args.against {
        let opened = match models.open(name, bench.printer)? {
            Ok(opened) => opened,
            Err(code) => return Ok(Err(code)),
        };
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
    Ok(Ok(others))
}

fn beside(others: Vec<Other>) -> Vec<Beside> {
    let beside = others.into_iter().map(|other| Beside {
        model: other.label,
        scores: other.scores,
    });
    beside.collect()
}
