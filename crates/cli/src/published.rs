//! A merged model that was published: with every file that its lock lists, not only with what a merge needs.

use std::path::{Path, PathBuf};

use weightsmith::model::{LocateError, LocatedKind, locate_folder};
use weightsmith::output::Lock;
use weightsmith_hub::ModelName;

use crate::failure::Failure;
use crate::models::with_hints;
use crate::printer::Printer;
use crate::remote::{failure, hub, look};
use crate::settings::locate_options;
use crate::transfer::Transfer;

/// The folder of a model: the one that was named, else that of the model on the hub, downloaded as far as it is not here.
pub(crate) fn folder(
    model: &Path,
    cache: Option<PathBuf>,
    printer: &Printer,
) -> Result<PathBuf, Failure> {
    let text = model.to_string_lossy();
    let mut locate = locate_options(cache);
    let found = match locate_folder(&text, None, &locate) {
        Ok(located) if located.kind == LocatedKind::Local => return Ok(model.to_owned()),
        Ok(located) => Ok(located.folder),
        Err(error @ (LocateError::NotCached { .. } | LocateError::RevisionNotCached { .. })) => {
            Err(error)
        }
        // what is wrong with a path is told when it is read
        Err(_) => return Ok(model.to_owned()),
    };
    if !locate.offline {
        let name: ModelName = text.parse().map_err(failure)?;
        let hub = hub(&locate)?;
        if let Some(listing) = look(&hub, &name, &mut locate.away, printer).map_err(failure)? {
            let transfer = Transfer::new(printer, "downloading");
            let pulled = hub.pull(std::slice::from_ref(&listing), &transfer);
            let folder = pulled.map_err(failure)?.into_iter().next();
            let folder = folder.unwrap_or_else(|| model.to_owned());
            // without a lock there is nothing to verify, which is told soon
            if let Ok(lock) = Lock::read(&folder) {
                let names: Vec<String> = lock.files.into_iter().map(|file| file.name).collect();
                hub.pull_named(&listing, &names, &transfer)
                    .map_err(failure)?;
            }
            transfer.finish();
            return Ok(folder);
        }
    }
    if locate.away.is_some() {
        // with the reason in its hints
        locate_folder(&text, None, &locate).map(|located| located.folder)
    } else {
        found
    }
    .map_err(|error| {
        let hints = error.hints();
        with_hints(error, hints)
    })
}
