//! What a method objects to in the parameters of a tensor, with the place where the recipe sets them.

use super::Operation;
use super::parameters::{NamedTensor, Resolver};
use super::slices::PlannedSlice;
use crate::methods::{MethodSpec, Objection, ParameterSpec, Reason, Scope};
use crate::recipe::Parameters;
use crate::{Diagnostic, Span};

/// The diagnostic for an objection: it stands where the first parameter that is to blame is set, where each model has its own for the
/// source that is objected to, else at the slice.
pub(super) fn refusal(
    objection: &Objection,
    method: &MethodSpec,
    operation: &Operation,
    slice: &PlannedSlice<'_>,
    positions: &[usize],
    tensor: &NamedTensor,
) -> Diagnostic {
    let blamed: Vec<&ParameterSpec> = objection
        .parameters
        .iter()
        .filter_map(|name| method.parameters.iter().find(|one| one.name == *name))
        .collect();
    let place = blamed.iter().find_map(|parameter| {
        place(
            parameter,
            method,
            slice,
            positions,
            tensor,
            objection.source,
        )
    });
    let diagnostic = Diagnostic::error(objection.to_string(), place.unwrap_or(slice.span));
    if !is_about_several(&objection.reason) {
        return diagnostic;
    }
    let values = blamed.iter();
    let values: Vec<String> = values
        .filter_map(|parameter| values_in_words(parameter, operation))
        .collect();
    diagnostic.hint(format!(
        "for tensor `{}`, {}",
        tensor.output,
        values.join(", ")
    ))
}

/// Whether values of several models are to blame together, which the reason does not list.
fn is_about_several(reason: &Reason) -> bool {
    matches!(reason, Reason::Cancelled { .. })
}

/// Where the recipe sets a parameter for a tensor; for one that each model has, where it does so for `source`, else where it
/// does so first.
fn place(
    parameter: &ParameterSpec,
    method: &MethodSpec,
    slice: &PlannedSlice<'_>,
    positions: &[usize],
    tensor: &NamedTensor,
    source: Option<usize>,
) -> Option<Span> {
    let find = |own: Option<&Parameters>, name: &str| {
        let mut levels = own.into_iter().chain(slice.levels.iter().copied());
        levels.find_map(|level| Some(level.get(parameter.name)?.matching(name)?.span))
    };
    match parameter.scope {
        Scope::Global => find(None, &tensor.output),
        Scope::Model => {
            let sources = || positions.iter().zip(&tensor.inputs);
            let first = source.and_then(|source| sources().nth(source));
            first
                .into_iter()
                .chain(sources())
                .filter(|(position, _)| !Resolver::is_origin(method, slice, **position))
                .find_map(|(position, name)| find(slice.sources[*position].parameters, name))
        }
    }
}

/// `` `weight` is 0.5 and -0.5 ``.
fn values_in_words(parameter: &ParameterSpec, operation: &Operation) -> Option<String> {
    let name = parameter.name;
    let levels: Vec<_> = match parameter.scope {
        Scope::Global => vec![&operation.parameters],
        Scope::Model => operation.source_parameters.iter().collect(),
    };
    let values: Vec<String> = levels
        .into_iter()
        .filter_map(|level| level.get(name))
        .map(ToString::to_string)
        .collect();
    match values.as_slice() {
        [] => None,
        [only] => Some(format!("`{name}` is {only}")),
        [first @ .., last] => Some(format!("`{name}` is {} and {last}", first.join(", "))),
    }
}
