//! `completions` and `man`, for shells and packagers.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print the completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith completions bash > ~/.local/share/bash-completion/completions/weightsmith
  weightsmith completions zsh > ~/.zfunc/_weightsmith
  weightsmith completions fish > ~/.config/fish/completions/weightsmith.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Print the manual page, or write one page per command to a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith man | man -l -
  weightsmith man --out ~/.local/share/man/man1   # one page per command")]
pub(crate) struct ManArgs {
    /// Folder for `weightsmith.1`, `weightsmith-merge.1` and so on
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
