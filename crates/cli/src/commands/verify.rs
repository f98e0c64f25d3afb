//! `verify`: whether a merged model is what its run wrote.

use std::fmt::Write as _;
use std::io::Write as _;

use weightsmith::verify::{Verification, Weight};
use weightsmith_session::Session;
use weightsmith_session::quantities::{bytes, counted, parameters};

use crate::args::VerifyArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe;

/// Reads everything again and shows what is not as it was.
pub(crate) fn run(args: VerifyArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let VerifyArgs {
        out,
        json,
        transformers_cache,
    } = args;
    let progress = TerminalProgress::new(printer);
    let monitor = progress.monitor();
    let session = Session::from_env(transformers_cache);
    let folder = session.published_folder(&out, monitor)?;
    Session::require_folder(&folder, "verify")?;
    let verification = Session::verify(&folder, monitor)?;
    if json {
        printer.json(&verification)?;
    } else {
        let name = out.display().to_string();
        printer
            .data()
            .write_all(text(&verification, &name).as_bytes())?;
    }
    Ok(if verification.intact {
        ExitCode::Done
    } else {
        ExitCode::NotDone
    })
}

fn text(verification: &Verification, name: &str) -> String {
    let mut text = String::new();
    for finding in &verification.findings {
        let weight = match finding.weight {
            Weight::Damage => "damaged",
            Weight::Note => "note",
        };
        let _ = writeln!(text, "{weight}: {}", safe(&finding.to_string()));
    }
    let verdict = if verification.intact {
        "intact"
    } else {
        "damaged"
    };
    let _ = writeln!(
        text,
        "{} is {verdict}: {}, {} read, {} with {} parameters; made with weightsmith {} at {}",
        safe(name),
        counted(verification.files, "file"),
        bytes(verification.bytes),
        counted(verification.tensors as usize, "tensor"),
        parameters(verification.parameters),
        safe(&verification.weightsmith),
        safe(&verification.date),
    );
    text
}
