//! The studio of `serve` and `studio`: where it keeps things, and what it may use.

use std::env::var_os;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weightsmith_infer::DecoderOptions;
use weightsmith_server::{Server, Settings};
use weightsmith_session::Session;
use weightsmith_studio::{Studio, StudioError, StudioSettings};

use crate::args::{FolderArgs, ModelArgs, Quantization};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::{size, threads};
use crate::terminal_text::safe;

/// What a studio is made from. Without a place for its files there is none, which is an error only where nothing else is served.
pub(super) fn settings(
    args: FolderArgs,
    options: &ModelArgs,
    server: &Settings,
    serves_models: bool,
    printer: &Printer,
) -> Result<Option<StudioSettings>, Failure> {
    let FolderArgs {
        data_dir,
        folder: folders,
        max_memory,
    } = args;
    let session = Session::from_env(options.transformers_cache.clone());
    let locate = session.locate.clone();
    let Some(data) = data_dir.or_else(|| data_folder(locate.home.as_deref())) else {
        let message = "no home folder for the studio's data";
        if serves_models {
            printer.warning(message);
            return Ok(None);
        }
        return Err(Failure::usage(message).hint("choose a folder with `--data-dir DIR`"));
    };
    for folder in folders.iter().filter(|folder| !folder.is_dir()) {
        printer.warning(&format!(
            "`--folder {}`: folder not found; its models will be shown once it exists",
            safe(&folder.display().to_string())
        ));
    }
    Ok(Some(StudioSettings {
        data: absolute(&data),
        folders: folders.iter().map(|folder| absolute(folder)).collect(),
        hub: session.hub_settings()?,
        locate,
        threads: threads(options.threads),
        max_memory: size("--max-memory", &max_memory)?,
        options: DecoderOptions {
            exact: options.exact,
            quantize_q8_0: options.quantize == Some(Quantization::Q8_0),
        },
        context: server.context,
        needs_key: server.api_key.is_some(),
    }))
}

/// Opens the studio beside the models of a server. One that is in use elsewhere is an error only where nothing else is served.
pub(super) fn open(
    settings: Option<StudioSettings>,
    server: &Server,
    serves_models: bool,
    printer: &Printer,
) -> Result<Option<Studio>, Failure> {
    let Some(settings) = settings else {
        return Ok(None);
    };
    match Studio::open(settings, Arc::clone(server.registry())) {
        Ok(studio) => Ok(Some(studio)),
        Err(error @ StudioError::InUse { .. }) if serves_models => {
            printer.warning(&format!("{error}; continuing without the studio"));
            Ok(None)
        }
        Err(error @ StudioError::InUse { .. }) => Err(Failure::new(error)
            .hint("use the running studio, or choose another folder with `--data-dir DIR`")),
        Err(error) => Err(Failure::new(error).hint("choose another folder with `--data-dir DIR`")),
    }
}

/// The user's folder for data of programs.
fn data_folder(home: Option<&Path>) -> Option<PathBuf> {
    // a relative path there is to be ignored, says the specification
    let set = var_os("XDG_DATA_HOME").map(PathBuf::from);
    let shared = set
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(home?.join(".local").join("share")))?;
    Some(shared.join("weightsmith"))
}

fn absolute(folder: &Path) -> PathBuf {
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}
