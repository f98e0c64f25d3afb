//! Models that are named on the command line.

use std::path::PathBuf;

use weightsmith::model::Opened;

use crate::failure::Failure;
use crate::printer::Printer;
use crate::remote::{self, Access};
use crate::settings::locate_options;

/// Finds models and opens their weights: here, else on the hub, from which `access` says how much comes. All are looked at before
/// anything is downloaded.
pub(crate) fn open_all(
    models: &[&str],
    cache: Option<PathBuf>,
    access: Access,
    printer: &Printer,
) -> Result<Vec<Opened>, Failure> {
    let mut options = locate_options(cache);
    remote::prepare_models(models, &mut options, access, printer)?;
    let open = |model: &&str| {
        weightsmith::model::open(model, None, &options).map_err(|error| {
            let hints = error.hints();
            with_hints(error, hints)
        })
    };
    models.iter().map(open).collect()
}

/// An error with its hints.
pub(crate) fn with_hints(error: impl Into<anyhow::Error>, hints: Vec<String>) -> Failure {
    // a relative path is looked up beside a recipe only where there is one
    let hints = hints
        .into_iter()
        .filter(|hint| !hint.contains("beside the recipe"));
    hints.fold(Failure::new(error), Failure::hint)
}

/// Finds one model, as [`open_all`].
pub(crate) fn open(
    model: &str,
    cache: Option<PathBuf>,
    access: Access,
    printer: &Printer,
) -> Result<Opened, Failure> {
    let mut opened = open_all(&[model], cache, access, printer)?;
    Ok(opened.remove(0))
}
