//! The parameters of each tensor, from the levels of a recipe.

use std::collections::{BTreeMap, BTreeSet};

use super::Value;
use super::slices::{Inputs, PlannedSlice, inputs};
use crate::methods::{Default, Kind, METHODS, MethodSpec, ParameterSpec, Scope};
use crate::recipe::{Parameters, Recipe, Scalar, Setting, closest};
use crate::{Diagnostic, Severity, Span};

/// Parameters that mergekit accepts everywhere and that have no effect here.
const WITHOUT_EFFECT: &[&str] = &["int8_mask"];

/// Warns about every name under a `parameters:` that the method does not use.
pub(super) fn check_names(recipe: &Recipe, method: &MethodSpec, diagnostics: &mut Vec<Diagnostic>) {
    let mut check = |parameters: &Parameters, of_source: bool| {
        for (name, setting) in parameters.iter() {
            if let Some(diagnostic) = check_name(name, setting, method, of_source) {
                diagnostics.push(diagnostic);
            }
        }
    };
    let Some((inputs, levels)) = inputs(recipe) else {
        return;
    };
    for level in levels {
        check(level, false);
    }
    match inputs {
        Inputs::Models(sources) => sources
            .iter()
            .for_each(|source| check(&source.parameters, true)),
        Inputs::Slices(slices) => {
            for slice in slices {
                check(&slice.parameters, false);
                slice
                    .sources
                    .iter()
                    .for_each(|source| check(&source.parameters, true));
            }
        }
    }
}

fn check_name(
    name: &str,
    setting: &Setting,
    method: &MethodSpec,
    of_source: bool,
) -> Option<Diagnostic> {
    if WITHOUT_EFFECT.contains(&name) {
        return None;
    }
    if let Some(parameter) = method
        .parameters
        .iter()
        .find(|parameter| parameter.name == name)
    {
        return (of_source && parameter.scope == Scope::Global).then(|| {
            Diagnostic::warning(
                format!("`{name}` has no effect under a model: it belongs to the whole merge"),
                setting.name_span,
            )
            .hint("move it to the `parameters:` of the recipe or of the slice")
        });
    }
    let diagnostic = Diagnostic::warning(
        format!("parameter `{name}` is not used by `{}`", method.name),
        setting.name_span,
    );
    let own: Vec<&str> = method
        .parameters
        .iter()
        .map(|parameter| parameter.name)
        .collect();
    Some(match closest(name, own.iter().copied()) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => match METHODS
            .iter()
            .find(|other| other.parameters.iter().any(|p| p.name == name))
        {
            Some(other) => diagnostic.hint(format!("it is a parameter of `{}`", other.name)),
            None => diagnostic.hint(format!("it takes {}", list(&own))),
        },
    })
}

/// Names in backticks, joined for a sentence.
pub(super) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "none".into(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Resolves parameters and keeps each complaint once, however many tensors it concerns.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    diagnostics: Vec<Diagnostic>,
    said: BTreeSet<(Option<Span>, String)>,
}

/// A tensor that parameters are wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// Its name in the result, which filters of global parameters match.
    pub(super) output: &'a str,
    /// Its name in each source, which filters of the sources' parameters match.
    pub(super) inputs: &'a [String],
    /// Where gradients are evaluated.
    pub(super) position: f64,
}

/// The parameters of a tensor: its own, and each source's.
pub(super) type Resolved = (BTreeMap<String, Value>, Vec<BTreeMap<String, Value>>);

/// Whether a required parameter could not be resolved.
pub(super) fn lacks_required(
    method: &MethodSpec,
    (global, of_sources): (&BTreeMap<String, Value>, &[BTreeMap<String, Value>]),
) -> bool {
    let mut required = method
        .parameters
        .iter()
        .filter(|p| p.default == Default::Required);
    required.any(|parameter| match parameter.scope {
        Scope::Global => !global.contains_key(parameter.name),
        Scope::Model => of_sources
            .iter()
            .any(|source| !source.contains_key(parameter.name)),
    })
}

impl Resolver {
    /// Number of errors so far.
    pub(super) fn errors(&self) -> usize {
        self.diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .count()
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    pub(super) fn complain(&mut self, diagnostic: Diagnostic) {
        if self
            .said
            .insert((diagnostic.span, diagnostic.message.clone()))
        {
            self.diagnostics.push(diagnostic);
        }
    }

    /// All parameters of the method for a tensor made of the sources at `positions`.
    pub(super) fn resolve(
        &mut self,
        method: &MethodSpec,
        slice: &PlannedSlice<'_>,
        positions: &[usize],
        subject: Subject<'_>,
    ) -> Resolved {
        let mut global = BTreeMap::new();
        let mut of_sources = vec![BTreeMap::new(); positions.len()];
        for parameter in method.parameters {
            match parameter.scope {
                Scope::Global => {
                    let value =
                        self.look_up(parameter, None, slice, subject.output, subject.position);
                    let value =
                        value.or_else(|| self.default(parameter, slice.span, subject.output));
                    global.extend(value.map(|value| (parameter.name.to_owned(), value)));
                }
                Scope::Model => {
                    for (index, &position) in positions.iter().enumerate() {
                        let source = &slice.sources[position];
                        let name = &subject.inputs[index];
                        let value = self.look_up(
                            parameter,
                            source.parameters,
                            slice,
                            name,
                            subject.position,
                        );
                        let value = value.or_else(|| self.default(parameter, source.span, name));
                        of_sources[index]
                            .extend(value.map(|value| (parameter.name.to_owned(), value)));
                    }
                }
            }
        }
        (global, of_sources)
    }

    fn look_up(
        &mut self,
        parameter: &ParameterSpec,
        own: Option<&Parameters>,
        slice: &PlannedSlice<'_>,
        tensor: &str,
        position: f64,
    ) -> Option<Value> {
        let levels = own.into_iter().chain(slice.levels.iter().copied());
        for setting in levels.filter_map(|level| level.get(parameter.name)) {
            if let Some(scalar) = setting.evaluate(tensor, position) {
                return self.convert(parameter, setting, &scalar);
            }
        }
        None
    }

    fn convert(
        &mut self,
        parameter: &ParameterSpec,
        setting: &Setting,
        scalar: &Scalar,
    ) -> Option<Value> {
        let value = match parameter.kind {
            Kind::Number => scalar.as_number().map(Value::Number),
            Kind::Bool => scalar.as_bool().map(Value::Bool),
        };
        let Some(value) = value else {
            let expected = match parameter.kind {
                Kind::Number => "a number",
                Kind::Bool => "true or false",
            };
            self.complain(Diagnostic::error(
                format!("`{}` is {scalar}, expected {expected}", parameter.name),
                setting.span,
            ));
            return None;
        };
        if let (Value::Number(number), Some((low, high))) = (value, parameter.usual)
            && !(low..=high).contains(&number)
        {
            self.complain(Diagnostic::warning(
                format!(
                    "`{}` is {number}, outside of its range from {low} to {high}",
                    parameter.name
                ),
                setting.span,
            ));
        }
        Some(value)
    }

    fn default(&mut self, parameter: &ParameterSpec, span: Span, tensor: &str) -> Option<Value> {
        match parameter.default {
            Default::Number(number) => Some(Value::Number(number)),
            Default::Bool(on) => Some(Value::Bool(on)),
            Default::Unset => None,
            Default::Required => {
                self.missing(parameter, span, tensor);
                None
            }
        }
    }

    fn missing(&mut self, parameter: &ParameterSpec, span: Span, tensor: &str) {
        let place = match parameter.scope {
            Scope::Global => "the recipe's `parameters:`",
            Scope::Model => "the model's `parameters:`",
        };
        let message = format!("`{}` is not set", parameter.name);
        // one complaint for all tensors; the first shows which filter matches nothing
        if self.said.insert((Some(span), message.clone())) {
            self.diagnostics.push(
                Diagnostic::error(format!("{message} for tensor `{tensor}`"), span)
                    .hint(format!("set it under {place}; with filters, add one without `filter` for all other tensors")),
            );
        }
    }
}
