//! `verify`: whether a merged model is what its run wrote.

use std::fmt::Write as _;
use std::io::Write as _;

use weightsmith::output::LockError;
use weightsmith::verify::{Verification, VerifyError, Weight, verify};

use crate::args::VerifyArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::published;
use crate::quantities::{bytes, counted, parameters};
use crate::terminal_text::safe;

/// Reads everything again and shows what is not as it was.
pub(crate) fn run(args: VerifyArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let VerifyArgs {
        out,
        json,
        transformers_cache,
    } = args;
    let folder = published::folder(&out, transformers_cache, printer)?;
    published::require_folder(&folder, "verify")?;
    let progress = Progress::new(printer, "verifying");
    let result = verify(&folder, &progress);
    progress.finish();
    let verification = result.map_err(failure)?;
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

fn failure(error: VerifyError) -> Failure {
    let no_lock = matches!(&error, VerifyError::Lock(LockError::Missing { .. }));
    let failure = Failure::new(error);
    if no_lock {
        failure.hint(
            "only models written by `weightsmith merge` can be verified, because they have a lock",
        )
    } else {
        failure
    }
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
