//! From the command line to the exit code.

use anstream::ColorChoice;
use clap::Parser as _;

use crate::args::{Cli, Color, Command, GlobalArgs};
use crate::commands;
use crate::cpu;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::file_size_limit;
use crate::printer::{Loudness, Printer};

/// Parses, runs, reports.
pub(crate) fn main() -> ExitCode {
    let Cli { global, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => return explain_usage(&message),
    };
    let printer = printer(global);
    let as_json = command.gives_json();
    file_size_limit::report_as_error()
        .map_err(Failure::from)
        .and_then(|()| cpu::choose())
        .and_then(|()| run(command, &printer))
        .unwrap_or_else(|failure| {
            if as_json && !failure.is_broken_pipe() {
                failure.report_json(&printer)
            } else {
                failure.report(&printer)
            }
        })
}

/// Prints help, version or what is wrong with the command line.
fn explain_usage(message: &clap::Error) -> ExitCode {
    // When nobody reads the help there is nobody to tell.
    let _ = message.print();
    if message.use_stderr() {
        ExitCode::Usage
    } else {
        ExitCode::Done
    }
}

fn printer(
    GlobalArgs {
        quiet,
        verbose,
        color,
    }: GlobalArgs,
) -> Printer {
    let loudness = match (quiet, verbose) {
        (true, _) => Loudness::Quiet,
        (false, 0) => Loudness::Normal,
        (false, _) => Loudness::Verbose,
    };
    let color = match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    Printer::new(loudness, color)
}

fn run(command: Command, printer: &Printer) -> Result<ExitCode, Failure> {
    match command {
        Command::Merge(args) => commands::merge(*args, printer),
        Command::Check(args) => commands::check(args, printer),
        Command::Explain(args) => commands::explain(args, printer),
        Command::Generate(args) => commands::generate(*args, printer),
        Command::Chat(args) => commands::chat(*args, printer),
        Command::Eval(args) => commands::eval(&args, printer),
        Command::Serve(args) => commands::serve(*args, printer),
        Command::Studio(args) => commands::studio(*args, printer),
        Command::Inspect(args) => commands::inspect(args, printer),
        Command::Diff(args) => commands::diff(args, printer),
        Command::Verify(args) => commands::verify(args, printer),
        Command::Pull(args) => commands::pull(args, printer),
        Command::Push(args) => commands::push(args, printer),
        Command::Methods(args) => commands::methods(&args, printer),
        Command::Completions(args) => commands::completions(&args, printer),
        Command::Man(args) => commands::man(&args, printer),
    }
}
