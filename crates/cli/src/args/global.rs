//! Options that every command takes.

use clap::{ArgAction, Args, ValueEnum};

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "General options")]
pub(crate) struct GlobalArgs {
    /// Say nothing but warnings and errors: no progress, no notes, no summary; goes before `--verbose`
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Say more: where models were found, what is planned, what is left out
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    /// When to colour the output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
