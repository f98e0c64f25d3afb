//! Names under the `parameters:` of a recipe that the method does not use.

use std::collections::BTreeSet;

use super::parameters::list;
use super::slices::{Inputs, inputs};
use crate::methods::{BaseRule, METHODS, MethodSpec, Scope, WITHOUT_EFFECT};
use crate::recipe::{Parameters, Recipe, Setting, Source, closest};
use crate::{Diagnostic, Severity};

/// More methods than these are not listed in a message.
const METHODS_TOLD: usize = 3;

/// Says of every name under a `parameters:` that the method does not use what is wrong with it.
pub(super) fn check_names(recipe: &Recipe, method: &MethodSpec, diagnostics: &mut Vec<Diagnostic>) {
    let Some((inputs, levels)) = inputs(recipe) else {
        return;
    };
    let mut check = |parameters: &Parameters, level: Level| {
        for (name, setting) in parameters.iter() {
            diagnostics.extend(check_name(name, setting, method, level));
        }
    };
    for parameters in levels {
        check(parameters, Level::Outer);
    }
    let slices = match inputs {
        Inputs::Models(sources) => vec![(sources, None)],
        Inputs::Slices(slices) => slices
            .iter()
            .map(|slice| (slice.sources.as_slice(), Some(slice)))
            .collect(),
    };
    for (sources, slice) in slices {
        if let Some(slice) = slice {
            check(&slice.parameters, Level::Outer);
        }
        let base = slice.and_then(|slice| slice.base_model.as_ref());
        let base = base.or(recipe.base_model.as_ref());
        let is_base = |source: &Source| base.is_some_and(|base| source.model.value == base.value);
        let origin = match method.base {
            BaseRule::Ignored => None,
            BaseRule::Required | BaseRule::Optional => sources.iter().position(is_base),
        };
        for (position, source) in sources.iter().enumerate() {
            let level = if origin == Some(position) {
                Level::Base
            } else {
                Level::Source
            };
            check(&source.parameters, level);
        }
    }
    once_each(diagnostics);
}

/// Keeps the first of the notes with the same words: what never has an effect need not be said for every model.
fn once_each(diagnostics: &mut Vec<Diagnostic>) {
    let mut said = BTreeSet::new();
    diagnostics.retain(|one| one.severity != Severity::Note || said.insert(one.message.clone()));
}

/// What a `parameters:` belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The recipe, a module or a slice.
    Outer,
    /// A model.
    Source,
    /// The model that the others are measured against.
    Base,
}

fn check_name(
    name: &str,
    setting: &Setting,
    method: &MethodSpec,
    level: Level,
) -> Option<Diagnostic> {
    if let Some((_, reason)) = WITHOUT_EFFECT.iter().find(|(known, _)| *known == name) {
        let message = format!("`{name}` has no effect");
        return Some(Diagnostic::note(message, setting.name_span).hint(*reason));
    }
    let own = method.parameters.iter();
    if let Some(parameter) = own.clone().find(|parameter| parameter.name == name) {
        let (message, hint) = match (parameter.scope, level) {
            (Scope::Global, Level::Outer) | (Scope::Model, Level::Outer | Level::Source) => {
                return None;
            }
            (Scope::Global, Level::Source | Level::Base) => (
                format!("`{name}` has no effect under a model: it applies to the whole merge"),
                "move it to the `parameters:` of the recipe or of the slice",
            ),
            (Scope::Model, Level::Base) => (
                format!(
                    "`{name}` has no effect under the base model, which the others are compared with"
                ),
                "set it under the other models",
            ),
        };
        return Some(Diagnostic::warning(message, setting.name_span).hint(hint));
    }
    let own: Vec<&str> = own.map(|parameter| parameter.name).collect();
    let message = match others_with(name) {
        Some(others) => format!(
            "`{}` ignores `{name}`, a parameter of {others}",
            method.name
        ),
        None => format!("`{}` has no parameter `{name}`", method.name),
    };
    let hint = match closest(name, own.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if own.is_empty() => "it takes no parameters".to_owned(),
        None => format!("it takes {}", list(&own)),
    };
    Some(Diagnostic::warning(message, setting.name_span).hint(hint))
}

/// The methods that have a parameter of that name, as words; none for a name that no method knows.
fn others_with(name: &str) -> Option<String> {
    let others: Vec<&str> = METHODS
        .iter()
        .filter(|method| method.parameters.iter().any(|own| own.name == name))
        .map(|method| method.name)
        .collect();
    match others.get(..METHODS_TOLD) {
        Some(told) if others.len() > METHODS_TOLD => {
            let told: Vec<String> = told.iter().map(|name| format!("`{name}`")).collect();
            Some(format!("{} and others", told.join(", ")))
        }
        _ if others.is_empty() => None,
        _ => Some(list(&others)),
    }
}
