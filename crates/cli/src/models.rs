//! Models that are named on the command line.

use std::path::PathBuf;

use weightsmith::model::{Located, Opened, locate};
use weightsmith_tensors::Checkpoint;

use crate::failure::Failure;
use crate::printer::Printer;
use crate::remote::{self, Access};
use crate::settings::locate_options;
use crate::stores::Found;

/// Finds a model and its weights.
pub(crate) fn find(model: &str, cache: Option<PathBuf>) -> Result<Located, Failure> {
    locate(model, None, &locate_options(cache)).map_err(|error| {
        let hints = error.hints();
        with_hints(error, hints)
    })
}

/// Finds a model and opens its weights: here, else on the hub or in a store, of which only the headers are read.
pub(crate) fn open_anywhere(
    model: &str,
    cache: Option<PathBuf>,
    printer: &Printer,
) -> Result<Opened, Failure> {
    let mut options = locate_options(cache);
    remote::prepare_model(model, &mut options, Access::Headers, printer)?;
    Found::model(model, printer)?.give_to(&mut options);
    weightsmith::model::open(model, None, &options).map_err(|error| {
        let hints = error.hints();
        with_hints(error, hints)
    })
}

fn with_hints(error: impl Into<anyhow::Error>, hints: Vec<String>) -> Failure {
    // a relative path is looked up beside a recipe only where there is one
    let hints = hints
        .into_iter()
        .filter(|hint| !hint.contains("beside the recipe"));
    hints.fold(Failure::new(error), Failure::hint)
}

/// Finds a model and opens its weights.
pub(crate) fn open(model: &str, cache: Option<PathBuf>) -> Result<(Located, Checkpoint), Failure> {
    let located = find(model, cache)?;
    let checkpoint = Checkpoint::open(located.file.as_ref().unwrap_or(&located.folder))?;
    Ok((located, checkpoint))
}
