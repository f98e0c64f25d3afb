//! `push`: a merged model onto the hub.

use std::io::Write as _;

use weightsmith::output::{Publication, PublicationOptions};
use weightsmith_hub::{PushOptions, Pushed};
use weightsmith_session::Session;
use weightsmith_session::quantities::{bytes, counted};

use crate::args::PushArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe;

/// Gathers what is published, says what is not, uploads.
pub(crate) fn run(args: PushArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    Session::require_folder(&args.out, "push")?;
    let PushArgs {
        out,
        name,
        private,
        pull_request,
        message,
        include,
        allow_secret,
        dry_run,
    } = args;
    let chosen = PublicationOptions {
        include,
        allow_secret,
    };
    let session = Session::from_env(None);
    let progress = TerminalProgress::new(printer);
    let monitor = progress.monitor();
    let publication = session.gather_publication(&out, &chosen, monitor)?;
    if dry_run {
        list(&publication, name.as_deref(), printer)?;
        return Ok(ExitCode::Done);
    }
    let options = PushOptions {
        private,
        pull_request,
        message,
    };
    let published = session.publish(publication, name.as_deref(), &options, monitor)?;
    report(&published.pushed, printer)?;
    Ok(ExitCode::Done)
}

fn list(publication: &Publication, name: Option<&str>, printer: &Printer) -> Result<(), Failure> {
    let mut out = printer.data();
    let proposed = name.or(publication.proposed_name.as_deref());
    writeln!(
        out,
        "{}",
        safe(proposed.unwrap_or("no default name: there is no lock"))
    )?;
    for file in &publication.files {
        let changed = if file.content.is_some() {
            ", without local paths"
        } else {
            ""
        };
        writeln!(
            out,
            "  {}  {}{changed}",
            safe(&file.name),
            bytes(file.bytes)
        )?;
    }
    let total = publication.files.iter().map(|file| file.bytes).sum();
    writeln!(
        out,
        "{}, {}",
        counted(publication.files.len(), "file"),
        bytes(total)
    )?;
    Ok(())
}

/// What was done on the hub; its page is the data.
pub(super) fn report(pushed: &Pushed, printer: &Printer) -> Result<(), Failure> {
    let Pushed {
        page,
        commit,
        pull_request,
        unchanged,
        commits,
    } = pushed;
    printer.talk(&match commit {
        None => "the Hub already has all files".to_owned(),
        Some(commit) => format!(
            "{}, the last one {commit}; {} already uploaded",
            counted(*commits, "commit"),
            counted(*unchanged, "file"),
        ),
    });
    writeln!(
        printer.data(),
        "{}",
        safe(pull_request.as_ref().unwrap_or(page))
    )?;
    Ok(())
}
