//! The parameters of each tensor, from the levels of a recipe.

use std::collections::{BTreeMap, BTreeSet};

use super::Value;
use super::slices::{Inputs, PlannedSlice, inputs};
use crate::methods::{BaseRule, Default, Kind, MethodSpec, ParameterSpec, Scope};
use crate::recipe::{Parameters, Recipe, UnsuitableParameter, closest};
use crate::{Diagnostic, MOST_PROBLEMS, Severity, Span};

/// Filters that are looked for among the tensors' names; recipes of people have some dozens.
const MOST_CHECKED: usize = 2000;

/// Warns about every filter that matches no tensor: it is probably misspelt, and does nothing.
pub(super) fn check_filters(
    recipe: &Recipe,
    names: &BTreeSet<&str>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some((inputs, mut levels)) = inputs(recipe) else {
        return;
    };
    match inputs {
        Inputs::Models(sources) => levels.extend(sources.iter().map(|source| &source.parameters)),
        Inputs::Slices(slices) => {
            for slice in slices {
                levels.push(&slice.parameters);
                levels.extend(slice.sources.iter().map(|source| &source.parameters));
            }
        }
    }
    let settings = levels.iter().flat_map(|level| level.iter());
    let alternatives = settings.flat_map(|(_, setting)| &setting.alternatives);
    let parts: BTreeSet<&str> = names.iter().flat_map(|name| name.split('.')).collect();
    let mut said = BTreeSet::new();
    for alternative in alternatives.take(MOST_CHECKED) {
        let Some(filter) = alternative
            .filter
            .as_deref()
            .filter(|filter| *filter != "*")
        else {
            continue;
        };
        if names.iter().any(|name| name.contains(filter)) || !said.insert(alternative.span) {
            continue;
        }
        let message = format!("filter `{filter}` matches no tensor");
        let diagnostic = Diagnostic::warning(message, alternative.span);
        // nobody reads the advice of those that are only counted
        let near = (said.len() <= MOST_PROBLEMS)
            .then(|| closest(filter, parts.iter().copied()))
            .flatten();
        diagnostics.push(match near {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("`weightsmith inspect` shows the names"),
        });
    }
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

/// Complaints of one kind about different tensors that are told one by one; the others are counted.
const TENSORS_TOLD: usize = 20;

/// Resolves parameters and keeps each complaint once, however many tensors it concerns.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    diagnostics: Vec<Diagnostic>,
    said: BTreeSet<(Option<Span>, String)>,
    /// Complaints about tensors, by place and kind.
    counts: BTreeMap<(Option<Span>, &'static str), (usize, Severity)>,
}

/// A tensor that parameters are wanted for.
#[derive(Debug, Clone)]
pub(super) struct NamedTensor {
    /// Its name in the result, which filters of global parameters match.
    pub(super) output: String,
    /// Its name in each source, which filters of the sources' parameters match.
    pub(super) inputs: Vec<String>,
    /// Where gradients are evaluated.
    pub(super) position: f64,
}

/// The parameters of a tensor.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Those of the whole.
    pub(super) global: BTreeMap<String, Value>,
    /// Those of each source.
    pub(super) of_sources: Vec<BTreeMap<String, Value>>,
    /// Those without a value that can be used, which has been said. A stand-in takes its place: the others can be checked.
    pub(super) lacking: BTreeSet<&'static str>,
}

/// A parameter's value cannot be used, which has been said.
#[derive(Debug)]
struct Unusable;

impl Resolver {
    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        let more = self.counts.into_iter();
        let more = more.filter_map(|((span, what), (count, severity))| {
            let more = count.checked_sub(TENSORS_TOLD).filter(|more| *more > 0)?;
            let message = format!("{more} more tensors {what}");
            Some(match severity {
                Severity::Error => Diagnostic::error(message, span),
                Severity::Warning => Diagnostic::warning(message, span),
                Severity::Note => Diagnostic::note(message, span),
            })
        });
        self.diagnostics.extend(more);
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

    /// Complains about one tensor of perhaps a hundred thousand; `what` says what they have in common.
    pub(super) fn complain_about_tensor(&mut self, what: &'static str, diagnostic: Diagnostic) {
        let kind = (diagnostic.span, what);
        let (count, _) = self.counts.entry(kind).or_insert((0, diagnostic.severity));
        *count += 1;
        if *count <= TENSORS_TOLD {
            self.diagnostics.push(diagnostic);
        }
    }

    /// All parameters of the method for a tensor made of the sources at `positions`. Where one is missing or cannot be used,
    /// that is said.
    pub(super) fn resolve(
        &mut self,
        method: &MethodSpec,
        slice: &PlannedSlice<'_>,
        positions: &[usize],
        tensor: &NamedTensor,
    ) -> Resolved {
        let mut global = BTreeMap::new();
        let mut of_sources = vec![BTreeMap::new(); positions.len()];
        let mut lacking = BTreeSet::new();
        let mut usable = |parameter: &ParameterSpec, value: Result<Option<Value>, Unusable>| {
            value.unwrap_or_else(|Unusable| {
                lacking.insert(parameter.name);
                stand_in(parameter)
            })
        };
        for parameter in method.parameters {
            match parameter.scope {
                Scope::Global => {
                    let name = &tensor.output;
                    let value =
                        self.look_up((method, parameter), None, slice, name, tensor.position);
                    let value = self.or_default(value, parameter, slice.span, name);
                    let value = usable(parameter, value);
                    global.extend(value.map(|value| (parameter.name.to_owned(), value)));
                }
                Scope::Model => {
                    for (index, &position) in positions.iter().enumerate() {
                        if Self::is_origin(method, slice, position) {
                            continue;
                        }
                        let source = &slice.sources[position];
                        let name = &tensor.inputs[index];
                        let own = source.parameters;
                        let value =
                            self.look_up((method, parameter), own, slice, name, tensor.position);
                        let value = self.or_default(value, parameter, source.span, name);
                        let value = usable(parameter, value);
                        of_sources[index]
                            .extend(value.map(|value| (parameter.name.to_owned(), value)));
                    }
                }
            }
        }
        Resolved {
            global,
            of_sources,
            lacking,
        }
    }

    /// Whether a source is what the others are measured against, which has no weight of its own.
    pub(super) fn is_origin(
        method: &MethodSpec,
        slice: &PlannedSlice<'_>,
        position: usize,
    ) -> bool {
        method.base != BaseRule::Ignored && slice.base == Some(position)
    }

    /// The value at the innermost level that says something about the tensor.
    fn look_up(
        &mut self,
        (method, parameter): (&MethodSpec, &ParameterSpec),
        own: Option<&Parameters>,
        slice: &PlannedSlice<'_>,
        tensor: &str,
        position: f64,
    ) -> Result<Option<Value>, Unusable> {
        let levels = own.into_iter().chain(slice.levels.iter().copied());
        for setting in levels.filter_map(|level| level.get(parameter.name)) {
            if setting.alternatives.is_empty() {
                // it could not be read, which was said where it was
                return Err(Unusable);
            }
            let value = match parameter.kind {
                Kind::Number => setting
                    .number(tensor, position)
                    .map(|value| value.map(Value::Number)),
                Kind::Bool => setting
                    .flag(tensor, position)
                    .map(|value| value.map(Value::Bool)),
                Kind::Text => setting
                    .text(tensor, position)
                    .map(|value| value.map(Value::Text)),
            };
            match value {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let place = setting
                        .matching(tensor)
                        .map_or(setting.span, |found| found.span);
                    self.warn_if_unusual(parameter, place, &value);
                    return Ok(Some(value));
                }
                Err(error) => {
                    let UnsuitableParameter {
                        expected,
                        found,
                        span,
                    } = error;
                    let message = format!("`{}` is {found}, expected {expected}", parameter.name);
                    let hint = format!("`weightsmith methods {}` describes it", method.name);
                    self.complain(Diagnostic::error(message, span).hint(hint));
                    return Err(Unusable);
                }
            }
        }
        Ok(None)
    }

    /// Warns once for a place, whatever it comes to for other tensors.
    fn warn_if_unusual(&mut self, parameter: &ParameterSpec, place: Span, value: &Value) {
        if let (Value::Number(number), Some((low, high))) = (value, parameter.usual)
            && !(low..=high).contains(number)
            && self
                .said
                .insert((Some(place), "outside of its range".to_owned()))
        {
            self.diagnostics.push(Diagnostic::warning(
                format!(
                    "`{}` is {number}, outside its usual range of {low} to {high}",
                    parameter.name
                ),
                place,
            ));
        }
    }

    fn or_default(
        &mut self,
        value: Result<Option<Value>, Unusable>,
        parameter: &ParameterSpec,
        span: Span,
        tensor: &str,
    ) -> Result<Option<Value>, Unusable> {
        if let Some(value) = value? {
            return Ok(Some(value));
        }
        if parameter.default == Default::Required {
            self.missing(parameter, span, tensor);
            return Err(Unusable);
        }
        Ok(parameter.default.value())
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
                    .hint(format!("set it under {place}; with filters, add an entry without `filter` for all other tensors")),
            );
        }
    }
}

/// What takes the place of a value that is missing.
fn stand_in(parameter: &ParameterSpec) -> Option<Value> {
    if parameter.default != Default::Required {
        return parameter.default.value();
    }
    Some(match parameter.kind {
        Kind::Number => Value::Number(1.0),
        Kind::Bool => Value::Bool(false),
        Kind::Text => Value::Text(String::new()),
    })
}
