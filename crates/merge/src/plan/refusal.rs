//! Why a method refuses the parameters of a tensor, with the place where the recipe sets them.

use std::collections::BTreeSet;

use super::parameters::{Resolver, Subject};
use super::slices::PlannedSlice;
use super::{Operation, Value};
use crate::methods::{MethodSpec, ParameterSpec, Scope};
use crate::recipe::Parameters;
use crate::{Diagnostic, Span};

/// Names of this length or shorter are not looked for among plain words.
const LETTER: usize = 2;

/// The diagnostic for a reason that [`MethodSpec::validate`] gave: it stands where the first parameter that the reason names is
/// set, where each model has its own for the one whose value the reason states, else at the slice.
pub(super) fn refusal(
    reason: String,
    method: &MethodSpec,
    operation: &Operation,
    slice: &PlannedSlice<'_>,
    positions: &[usize],
    subject: &Subject,
) -> Diagnostic {
    let named = named(&reason, method);
    let culprit = culprit(&reason, &named, operation);
    let place = named
        .iter()
        .find_map(|parameter| place(parameter, method, slice, positions, subject, culprit));
    let is_told = |name: &str| reason.contains(&format!("`{name}` is "));
    let values: Vec<String> = named
        .iter()
        .filter(|parameter| !is_told(parameter.name))
        .filter_map(|parameter| values(parameter, operation))
        .collect();
    let is_several = named.iter().any(|named| named.scope == Scope::Model);
    let diagnostic = Diagnostic::error(reason, place.unwrap_or(slice.span));
    if is_several && !values.is_empty() {
        let values = values.join(", ");
        return diagnostic.hint(format!("for tensor `{}`, {values}", subject.output));
    }
    diagnostic
}

/// Whether a reason that [`MethodSpec::validate`] gave is about one of these parameters.
pub(super) fn is_about(reason: &str, method: &MethodSpec, parameters: &BTreeSet<&str>) -> bool {
    let mut named = named(reason, method).into_iter();
    named.any(|named| parameters.contains(named.name))
}

/// The parameters that a reason names, in its order: in backticks, alone or before a value, or as a plain word.
fn named<'m>(reason: &str, method: &'m MethodSpec) -> Vec<&'m ParameterSpec> {
    let mut named: Vec<&ParameterSpec> = Vec::new();
    for (index, part) in reason.split('`').enumerate() {
        let is_code = index % 2 == 1;
        let end = |c: char| !c.is_alphanumeric() && c != '_';
        let words: Vec<&str> = if is_code {
            // not a part of a tensor's name
            part.split([':', '=', ' ']).take(1).collect()
        } else {
            part.split(end).collect()
        };
        for word in words {
            let is_it = |parameter: &&ParameterSpec| {
                let name = parameter.name;
                let is_word = name.len() > LETTER && word.strip_suffix('s').unwrap_or(word) == name;
                if is_code { word == name } else { is_word }
            };
            if let Some(parameter) = method.parameters.iter().find(is_it)
                && !named.iter().any(|known| known.name == parameter.name)
            {
                named.push(parameter);
            }
        }
    }
    named
}

/// The source whose parameters have the values that a reason states, as in `` `density` is 2 ``.
fn culprit(reason: &str, named: &[&ParameterSpec], operation: &Operation) -> Option<usize> {
    let stated: Vec<&str> = named
        .iter()
        .filter(|named| named.scope == Scope::Model)
        .map(|named| named.name)
        .filter(|name| reason.contains(&format!("`{name}` is ")))
        .collect();
    let is_stated = |name: &str, value: &Value| {
        let statement = format!("`{name}` is {}", text(*value));
        // not the beginning of a longer number
        let is_end = |rest: &str| {
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            !rest.starts_with(|next: char| next.is_ascii_digit())
        };
        reason.split(&statement).skip(1).any(is_end)
    };
    if stated.is_empty() {
        return None;
    }
    operation.source_parameters.iter().position(|parameters| {
        let has = |name: &&str| {
            let value = parameters.get(*name);
            value.is_some_and(|value| is_stated(name, value))
        };
        stated.iter().all(has)
    })
}

/// Where the recipe sets a parameter for a tensor; for one that each model has, where it does so for the culprit, else where it
/// does so first.
fn place(
    parameter: &ParameterSpec,
    method: &MethodSpec,
    slice: &PlannedSlice<'_>,
    positions: &[usize],
    subject: &Subject,
    culprit: Option<usize>,
) -> Option<Span> {
    let find = |own: Option<&Parameters>, tensor: &str| {
        let mut levels = own.into_iter().chain(slice.levels.iter().copied());
        levels.find_map(|level| Some(level.get(parameter.name)?.matching(tensor)?.span))
    };
    match parameter.scope {
        Scope::Global => find(None, &subject.output),
        Scope::Model => {
            let sources = || positions.iter().zip(&subject.inputs);
            let first = culprit.and_then(|culprit| sources().nth(culprit));
            first
                .into_iter()
                .chain(sources())
                .filter(|(position, _)| !Resolver::is_origin(method, slice, **position))
                .find_map(|(position, tensor)| find(slice.sources[*position].parameters, tensor))
        }
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Bool(on) => on.to_string(),
        Value::Number(number) => number.to_string(),
    }
}

/// `` `weight` is 0.5 and -0.5 ``.
fn values(parameter: &ParameterSpec, operation: &Operation) -> Option<String> {
    let name = parameter.name;
    let levels: Vec<_> = match parameter.scope {
        Scope::Global => vec![&operation.parameters],
        Scope::Model => operation.source_parameters.iter().collect(),
    };
    let values: Vec<String> = levels
        .into_iter()
        .filter_map(|level| level.get(name))
        .map(|value| text(*value))
        .collect();
    match values.as_slice() {
        [] => None,
        [only] => Some(format!("`{name}` is {only}")),
        [first @ .., last] => Some(format!("`{name}` is {} and {last}", first.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::find;

    fn names(reason: &str, method: &str) -> Vec<&'static str> {
        let method = find(method).expect("a method");
        named(reason, method).iter().map(|one| one.name).collect()
    }

    #[test]
    fn parameters_are_found_in_the_order_of_the_words() {
        let reason = "the weights sum to 0, which `normalize: true` would divide by";
        assert_eq!(names(reason, "linear"), ["weight", "normalize"]);
        assert_eq!(
            names("`tol` is -1, expected a number from 0", "karcher"),
            ["tol"]
        );
    }

    #[test]
    fn a_tensor_s_name_names_no_parameter() {
        let reason = "the base model has no tensor `lm_head.weight`, which `linear` needs";
        assert_eq!(names(reason, "linear"), [""; 0]);
        assert_eq!(names("a t or r in a text", "ramplus_tl"), [""; 0]);
    }
}
