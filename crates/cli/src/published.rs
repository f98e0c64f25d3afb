//! A merged model that was published: with every file that its lock lists, not only with what a merge needs.

use std::path::{Path, PathBuf};

use weightsmith::model::{LocateError, LocatedKind, is_in_store, locate_folder};
use weightsmith::output::Lock;
use weightsmith_hub::ModelName;

use crate::failure::Failure;
use crate::models::with_hints;
use crate::printer::Printer;
use crate::remote::{failure, hub, look};
use crate::settings::locate_options;
use crate::transfer::Transfer;

/// Refuses what a command that reads folders cannot take: a store's address, or a path at which there is nothing.
pub(crate) fn require_folder(folder: &Path, command: &str) -> Result<(), Failure> {
    let text = folder.to_string_lossy();
    if is_in_store(&text) {
        let message =
            format!("`{text}` is in an object store, and `{command}` needs a local folder");
        return Err(Failure::usage(message).hint("copy the model to a local folder first"));
    }
    if !folder.exists() {
        let hint = match command {
            "verify" => {
                "OUT is the folder of a merged model, or a model on the Hub such as `organization/name`"
            }
            _ => "OUT is the folder of a merged model",
        };
        return Err(Failure::usage(format!("there is no folder `{text}`")).hint(hint));
    }
    Ok(())
}

/// The folder of a model: the one that was named, else that of the model on the hub, downloaded as far as it is not here.
pub(crate) fn folder(
    model: &Path,
    cache: Option<PathBuf>,
    printer: &Printer,
) -> Result<PathBuf, Failure> {
    let text = model.to_string_lossy();
    if is_in_store(&text) {
        require_folder(model, "verify")?;
    }
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
