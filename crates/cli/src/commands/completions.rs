//! `completions`: the script that completes commands and options in a shell.

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::args::{Cli, CompletionsArgs};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let CompletionsArgs { shell } = *args;
    // The generator cannot fail on a vector; a closed pipe is found when the whole text is written.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "weightsmith", &mut script);
    printer.data().write_all(&script)?;
    Ok(ExitCode::Done)
}
