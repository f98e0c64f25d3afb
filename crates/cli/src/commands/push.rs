//! `push`: a merged model onto the hub.

use std::io::Write as _;
use std::path::Path;

use weightsmith::output::{Mention, Publication, PublicationOptions, publication};
use weightsmith_hub::{Content, Hub, ModelName, PushOptions, Pushed};

use crate::args::PushArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::published;
use crate::quantities::{bytes, counted};
use crate::remote::{failure, hub};
use crate::settings::locate_options;
use crate::terminal_text::safe;
use crate::transfer::Transfer;

/// Names that a note shows.
const MOST_NAMES: usize = 20;

/// Gathers what is published, says what is not, uploads.
pub(crate) fn run(args: PushArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    published::require_folder(&args.out, "push")?;
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
    let publication = gather(&out, &chosen, printer)?;
    if dry_run {
        list(&publication, name.as_deref(), printer)?;
        return Ok(ExitCode::Done);
    }
    let options = PushOptions {
        private,
        pull_request,
        message,
    };
    send(publication, name, &options, printer)?;
    Ok(ExitCode::Done)
}

/// What is published of a folder, after saying what is not.
pub(crate) fn gather(
    out: &Path,
    options: &PublicationOptions,
    printer: &Printer,
) -> Result<Publication, Failure> {
    let publication = publication(out, options).map_err(|error| {
        let hints = error.hints();
        hints.into_iter().fold(Failure::new(error), Failure::hint)
    })?;
    for (path, name) in &publication.replaced {
        printer.note(&format!(
            "`{path}` is a local folder: `{name}` is published in its place"
        ));
    }
    for (file, key) in &publication.dropped {
        printer.note(&format!(
            "`{file}`: `{key}` holds a path of this machine and is left out"
        ));
    }
    for Mention { name, line, path } in &publication.mentioned {
        printer.note(&format!(
            "`{}`, line {line}: `{}` is a path of somebody's machine and is published",
            safe(name),
            safe(path)
        ));
    }
    if !publication.left_out.is_empty() {
        printer.note(&left_out(&publication.left_out));
    }
    Ok(publication)
}

/// What stays here, and how it would go along.
fn left_out(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| format!("`{}`", safe(name)))
        .collect();
    let more = match names.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!(
        "not part of the model, so not published: {}{more} (`--include` takes names and patterns)",
        shown.join(", ")
    )
}

/// Uploads what was gathered.
pub(crate) fn send(
    publication: Publication,
    name: Option<String>,
    options: &PushOptions,
    printer: &Printer,
) -> Result<(), Failure> {
    let hub = hub(&locate_options(None))?;
    let name = target(&hub, &publication, name)?;
    let files: Vec<weightsmith_hub::Publication> = publication
        .files
        .into_iter()
        .map(|file| weightsmith_hub::Publication {
            path: file.name,
            size: file.bytes,
            content: match file.content {
                Some(content) => Content::Bytes(content),
                None => Content::File(file.source),
            },
        })
        .collect();
    printer.talk(&format!(
        "publishing {} as {name}",
        counted(files.len(), "file")
    ));
    let transfer = Transfer::new(printer, "uploading");
    let pushed = hub.push(&name, &files, options, &transfer);
    transfer.finish();
    report(&pushed.map_err(failure)?, printer)
}

/// The repository: what was asked for, else the proposed name under the token's account.
fn target(
    hub: &Hub,
    publication: &Publication,
    name: Option<String>,
) -> Result<ModelName, Failure> {
    let name = match name {
        Some(name) if name.contains('/') => name,
        Some(name) => format!("{}/{name}", hub.account().map_err(failure)?),
        None => {
            let proposed = publication.proposed_name.as_ref().ok_or_else(|| {
                Failure::usage("a model without a lock has no proposed name")
                    .hint("name the repository: `weightsmith push OUT account/name`")
            })?;
            format!("{}/{proposed}", hub.account().map_err(failure)?)
        }
    };
    name.parse().map_err(failure)
}

fn list(publication: &Publication, name: Option<&str>, printer: &Printer) -> Result<(), Failure> {
    let mut out = printer.data();
    let proposed = name.or(publication.proposed_name.as_deref());
    writeln!(
        out,
        "{}",
        safe(proposed.unwrap_or("no name is proposed: there is no lock"))
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

fn report(pushed: &Pushed, printer: &Printer) -> Result<(), Failure> {
    let Pushed {
        page,
        commit,
        pull_request,
        unchanged,
        commits,
    } = pushed;
    printer.talk(&match commit {
        None => "the hub has all of it already".to_owned(),
        Some(commit) => format!(
            "{}, the last one {commit}; {} were there already",
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
