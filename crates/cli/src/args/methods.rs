//! `methods`: the values of a recipe's `merge_method`.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Args, Command, Error};
use weightsmith::methods::METHODS;

/// List the merge methods, or describe one
///
/// Without NAME, lists all methods. With NAME, shows what the method does, its parameters, how it
/// uses the base model, how it handles tensors that some models lack, and a minimal recipe.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  weightsmith methods
  weightsmith methods slerp
  weightsmith methods --json | jq '.[].name'
  weightsmith methods --json slerp | jq -r .recipe > recipe.yml")]
pub(crate) struct MethodsArgs {
    /// The method, as in a recipe's `merge_method`
    #[arg(value_parser = MethodName, hide_possible_values = true)]
    pub(crate) name: Option<String>,

    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads any name, so that an unknown one can be explained; offers the known ones to shells.
#[derive(Debug, Clone)]
struct MethodName;

impl TypedValueParser for MethodName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values = METHODS
            .iter()
            .map(|method| PossibleValue::new(method.name).help(method.summary));
        Some(Box::new(values))
    }
}
