//! `pull`: models from the hub into the shared cache.

use std::io::Write as _;

use weightsmith_hub::{HubError, ModelName};
use weightsmith_session::quantities::{bytes, counted};
use weightsmith_session::{Session, SessionError, names_to_pull};

use crate::args::PullArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe;

/// Looks at all models, then downloads them.
pub(crate) fn run(args: PullArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let PullArgs {
        models,
        dry_run,
        connections,
        transformers_cache,
    } = args;
    let session = Session::from_env(transformers_cache);
    let mut hub = session.hub_settings()?;
    hub.connections = connections.into();
    let session = session.with_hub(hub);
    let names = names(&models)?;
    let progress = TerminalProgress::new(printer);
    let monitor = progress.monitor();
    if dry_run {
        for model in session.sizes(&names, monitor)? {
            writeln!(
                printer.data(),
                "{} at {}: {} of weights, {} in the repository",
                model.name,
                model.commit,
                bytes(model.weights),
                counted(model.files, "file"),
            )?;
        }
        return Ok(ExitCode::Done);
    }
    let pulled = session.pull(&names, monitor)?;
    for model in &pulled.models {
        let folder = model.folder.display().to_string();
        writeln!(printer.data(), "{}", safe(&folder))?;
    }
    printer.talk(&match pulled.bytes {
        0 => "everything is already downloaded".to_owned(),
        moved => format!("{} came", bytes(moved)),
    });
    Ok(ExitCode::Done)
}

fn names(models: &[String]) -> Result<Vec<ModelName>, Failure> {
    names_to_pull(models).map_err(|error| {
        let no_name = matches!(error, SessionError::Hub(HubError::NotAName { .. }));
        let failure = Failure::new(error);
        if no_name {
            failure.hint("Hub models are written `organization/name`")
        } else {
            failure
        }
    })
}
