//! Models that are named on the command line.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use weightsmith::model::{OpenError, Opened};

use crate::failure::Failure;
use crate::printer::Printer;
use crate::remote::{self, Access};
use crate::settings::locate_options;
use crate::stores::Found;

/// Finds models and opens their weights: here, else in a store or on the hub, from which `access` says how much comes. All are looked
/// at before anything is downloaded. What is not UTF-8 is no name, so it is a path here.
pub(crate) fn open_all<N: AsRef<OsStr>>(
    models: &[N],
    cache: Option<PathBuf>,
    access: Access,
    printer: &Printer,
) -> Result<Vec<Opened>, Failure> {
    let mut options = locate_options(cache);
    let names = models.iter().filter_map(|model| model.as_ref().to_str());
    let names: Vec<&str> = names.collect();
    let stored = Found::models(&names, printer)?;
    remote::prepare_models(&names, &mut options, access, printer)?;
    stored.give_to(&mut options);
    let open = |model: &N| {
        let model = model.as_ref();
        let opened = match model.to_str() {
            Some(name) => weightsmith::model::open(name, None, &options),
            None => weightsmith::model::open_path(Path::new(model)),
        };
        opened.map_err(explained)
    };
    models.iter().map(open).collect()
}

fn explained(error: OpenError) -> Failure {
    let hints = error.hints();
    with_hints(error, hints)
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
    model: impl AsRef<OsStr>,
    cache: Option<PathBuf>,
    access: Access,
    printer: &Printer,
) -> Result<Opened, Failure> {
    let mut opened = open_all(&[model], cache, access, printer)?;
    Ok(opened.remove(0))
}
