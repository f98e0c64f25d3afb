//! `man`: manual pages from the definitions of the command line.

use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::Roff;

use crate::args::{Cli, ManArgs};
use crate::env_vars;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;

/// Prints the page of the program, or writes all pages.
pub(crate) fn run(args: &ManArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let cli = built();
    let ManArgs { out } = args;
    match out {
        None => printer.data().write_all(&page(&cli)?)?,
        Some(folder) => {
            fs_err::create_dir_all(folder)?;
            write_page(folder, "weightsmith", &cli)?;
            for command in cli
                .get_subcommands()
                .filter(|command| command.get_name() != "help")
            {
                write_page(
                    folder,
                    &format!("weightsmith-{}", command.get_name()),
                    command,
                )?;
            }
        }
    }
    Ok(ExitCode::Done)
}

/// The definitions with what clap derives from them, such as the full names of commands.
fn built() -> Command {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    cli
}

fn write_page(folder: &Path, name: &str, command: &Command) -> Result<(), Failure> {
    fs_err::write(folder.join(format!("{name}.1")), page(command)?)?;
    Ok(())
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(name)
        .manual("Weightsmith")
        .render(&mut text)?;
    environment().to_writer(&mut text)?;
    Ok(text)
}

fn environment() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for variable in env_vars::TABLE {
        roff.control("TP", []);
        roff.text([clap_mangen::roff::bold(variable.name)]);
        roff.text([clap_mangen::roff::roman(variable.summary)]);
    }
    roff
}
