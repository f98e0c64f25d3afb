//! The command line as clap reads it: one file per topic. The doc comments are the help texts.
//!
//! Nothing here decides anything: [`crate::settings`] turns arguments into what a command works with.

mod global;
mod hub;
mod merge;
mod mergekit;
mod methods;
mod models;
mod output;
mod recipe;
mod serve;
mod text;

use clap::{Parser, Subcommand};

pub(crate) use global::{Color, GlobalArgs};
pub(crate) use hub::{PullArgs, PushArgs};
pub(crate) use merge::{MergeArgs, OutputArgs, RunArgs};
pub(crate) use mergekit::UnneededArgs;
pub(crate) use methods::MethodsArgs;
pub(crate) use models::{DiffArgs, InspectArgs, VerifyArgs};
pub(crate) use output::{CompletionsArgs, ManArgs};
pub(crate) use recipe::{CheckArgs, ExplainArgs, PlanArgs};
pub(crate) use serve::{FolderArgs, LimitArgs, ServeArgs, ServingArgs, StudioArgs};
pub(crate) use text::{ChatArgs, EvalArgs, GenerateArgs, ModelArgs, Quantization, SamplingArgs};

/// Merge language models with mergekit recipes, at the speed of your disk
#[derive(Debug, Parser)]
#[command(
    name = "weightsmith",
    version,
    max_term_width = 100,
    subcommand_help_heading = "Commands",
    after_help = AFTER_HELP
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes:
  0    success; for `check` no errors, `diff` no differences, `verify` no damage
  1    failure; for `diff` differences, `verify` damage
  2    invalid command line or recipe
  130  interrupted; run the same `merge` again to resume

Run `weightsmith help COMMAND` for details and examples.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Merge(Box<MergeArgs>),
    Check(CheckArgs),
    Explain(ExplainArgs),
    Generate(Box<GenerateArgs>),
    Chat(Box<ChatArgs>),
    Eval(Box<EvalArgs>),
    Serve(Box<ServeArgs>),
    Studio(Box<StudioArgs>),
    Inspect(InspectArgs),
    Diff(DiffArgs),
    Verify(VerifyArgs),
    Pull(PullArgs),
    Push(PushArgs),
    Methods(MethodsArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Command {
    /// Whether stdout is for a program, which wants to hear of a failure too.
    pub(crate) fn gives_json(&self) -> bool {
        match self {
            Self::Check(args) => args.json,
            Self::Explain(args) => args.json,
            Self::Eval(args) => args.json,
            Self::Inspect(args) => args.json,
            Self::Diff(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Methods(args) => args.json,
            Self::Merge(_)
            | Self::Generate(_)
            | Self::Chat(_)
            | Self::Serve(_)
            | Self::Studio(_)
            | Self::Pull(_)
            | Self::Push(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_help_and_every_command_examples() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli
            .get_subcommands()
            .filter(|command| command.get_name() != "help")
        {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name}");
            let after = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(after.starts_with("Examples:\n"), "{name}");
            for argument in command
                .get_arguments()
                .filter(|argument| !argument.is_hide_set())
            {
                assert!(
                    argument.get_help().is_some(),
                    "{name} {}",
                    argument.get_id()
                );
            }
        }
    }
}
