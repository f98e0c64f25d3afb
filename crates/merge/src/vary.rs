//! One parameter of a recipe, set to a number: what a sweep varies.

use crate::methods::{self, BaseRule, MethodSpec, Scope};
use crate::recipe::{
    Alternative, Body, ModuleBody, ParameterValue, Parameters, Recipe, Scalar, Setting, Slice,
    Source,
};
use crate::{Span, Spanned};

/// A parameter of a recipe, and where in the recipe it is set.
///
/// | text | means |
/// |---|---|
/// | `t` | everywhere: one value in the place of all that the recipe sets |
/// | `slices[0].t` | for this slice |
/// | `models[1].weight` | for this model under `models:` |
/// | `slices[0].sources[1].weight` | for this source of a slice |
/// | `instruct:weight` | for each source that is this model |
///
/// Indices count from 0. A model is named as in the recipe, or by the last part of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    text: String,
    place: Owner,
    name: String,
}

/// Whose parameter it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Everywhere,
    Slice(usize),
    ModelAt(usize),
    SourceAt(usize, usize),
    Named(String),
}

/// A parameter that cannot be varied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaryError {
    /// The text names no parameter.
    #[error(
        "`{0}` is not a parameter; expected `t`, `models[1].weight`, `slices[0].t`, `slices[0].sources[1].weight` or `MODEL:weight`"
    )]
    Syntax(String),
    /// The method has no such parameter.
    #[error("`{method}` does not use `{name}`; {}", uses(.used))]
    Unused {
        /// The method.
        method: String,
        /// The parameter.
        name: String,
        /// What it does use.
        used: Vec<&'static str>,
    },
    /// A model is named, and the parameter is none of a model.
    #[error("`{name}` belongs to the whole merge, not to a model")]
    NotOfModel {
        /// The parameter.
        name: String,
    },
    /// The place is not in the recipe.
    #[error("the recipe has no `{place}`")]
    NoPlace {
        /// As it would stand in the recipe.
        place: String,
    },
    /// No model is called so, or several are.
    #[error("{found} of the recipe's models are `{model}`; expected one of {}", quoted(.models))]
    Model {
        /// The name.
        model: String,
        /// How many it could mean.
        found: usize,
        /// The models.
        models: Vec<String>,
    },
    /// The model is the one that the others are compared with.
    #[error("`{model}` is the base model, which the others are compared with: it has no `{name}`")]
    Base {
        /// The model.
        model: String,
        /// The parameter.
        name: String,
    },
}

fn uses(used: &[&str]) -> String {
    if used.is_empty() {
        "it takes no parameters".to_owned()
    } else {
        format!("it uses {}", quoted(used))
    }
}

fn quoted<T: AsRef<str>>(names: &[T]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    quoted.join(", ")
}

impl std::fmt::Display for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Variable {
    type Err = VaryError;

    fn from_str(text: &str) -> Result<Self, VaryError> {
        let (place, name) = place(text).ok_or_else(|| VaryError::Syntax(text.to_owned()))?;
        Ok(Self {
            text: text.to_owned(),
            place,
            name: name.to_owned(),
        })
    }
}

fn place(text: &str) -> Option<(Owner, &str)> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    if is_name(text) {
        return Some((Owner::Everywhere, text));
    }
    if let Some((model, name)) = text.rsplit_once(':') {
        let is_sound = is_name(name) && !model.is_empty();
        return is_sound.then(|| (Owner::Named(model.to_owned()), name));
    }
    let (path, name) = text.rsplit_once('.')?;
    let steps: Option<Vec<(&str, usize)>> = path.split('.').map(step).collect();
    let place = match steps?.as_slice() {
        [("models", model)] => Owner::ModelAt(*model),
        [("slices", slice)] => Owner::Slice(*slice),
        [("slices", slice), ("sources", source)] => Owner::SourceAt(*slice, *source),
        _ => return None,
    };
    is_name(name).then_some((place, name))
}

/// Takes `models[1]` apart.
fn step(text: &str) -> Option<(&str, usize)> {
    let (list, index) = text.strip_suffix(']')?.split_once('[')?;
    Some((list, index.parse().ok()?))
}

impl Variable {
    /// The recipe with the parameter set to a value. What the recipe says at the place, and in the entries below it, gives way:
    /// gradients and filters too.
    ///
    /// # Errors
    /// When the recipe's method does not use the parameter there, or the place is not in the recipe. A method that is not known
    /// is for the planner to complain about.
    pub fn set(&self, recipe: &Recipe, value: f64) -> Result<Recipe, VaryError> {
        let mut changed = recipe.clone();
        let Some(method) = methods::find(&recipe.merge_method.value) else {
            return Ok(changed);
        };
        self.check(method)?;
        let setter = Setter {
            variable: self,
            method,
            value,
            fallback: recipe.merge_method.span,
            base: recipe.base_model.as_ref().map(|base| base.value.clone()),
        };
        setter.apply(&mut changed)?;
        Ok(changed)
    }

    fn check(&self, method: &MethodSpec) -> Result<(), VaryError> {
        let mut parameters = method.parameters.iter();
        let Some(parameter) = parameters.find(|parameter| parameter.name == self.name) else {
            return Err(VaryError::Unused {
                method: method.name.to_owned(),
                name: self.name.clone(),
                used: method.parameters.iter().map(|one| one.name).collect(),
            });
        };
        let of_model = !matches!(self.place, Owner::Everywhere | Owner::Slice(_));
        if of_model && parameter.scope == Scope::Global {
            return Err(VaryError::NotOfModel {
                name: self.name.clone(),
            });
        }
        Ok(())
    }
}

type Base = Option<crate::recipe::ModelReference>;

/// Puts a value into a recipe.
struct Setter<'a> {
    variable: &'a Variable,
    method: &'a MethodSpec,
    value: f64,
    /// The place of a setting where the recipe has none.
    fallback: Span,
    base: Base,
}

impl Setter<'_> {
    fn apply(&self, recipe: &mut Recipe) -> Result<(), VaryError> {
        if self.variable.place == Owner::Everywhere {
            self.set(&mut recipe.parameters);
            for parameters in below(&mut recipe.body) {
                self.clear(parameters);
            }
            return Ok(());
        }
        let (models, slices) = inputs(&mut recipe.body);
        match &self.variable.place {
            Owner::Everywhere => Ok(()),
            Owner::Slice(index) => {
                let slice = slices.get_mut(*index).ok_or_else(|| self.no_place())?;
                self.set(&mut slice.parameters);
                for source in &mut slice.sources {
                    self.clear(&mut source.parameters);
                }
                Ok(())
            }
            Owner::ModelAt(index) => {
                let source = models.get_mut(*index).ok_or_else(|| self.no_place())?;
                self.source(source, &self.base)
            }
            Owner::SourceAt(slice, index) => {
                let slice = slices.get_mut(*slice).ok_or_else(|| self.no_place())?;
                let base = self.base_of(slice);
                let source = slice.sources.get_mut(*index);
                self.source(source.ok_or_else(|| self.no_place())?, &base)
            }
            Owner::Named(model) => self.named(model, models, slices),
        }
    }

    /// Sets the parameter of each source that is a model of that name.
    fn named(
        &self,
        model: &str,
        models: &mut [Source],
        slices: &mut [Slice],
    ) -> Result<(), VaryError> {
        let mut sources: Vec<(&mut Source, Base)> = models
            .iter_mut()
            .map(|source| (source, self.base.clone()))
            .collect();
        for slice in slices {
            let base = self.base_of(slice);
            sources.extend(slice.sources.iter_mut().map(|one| (one, base.clone())));
        }
        let mut names: Vec<String> = Vec::new();
        for (source, _) in &sources {
            let name = &source.model.value.raw;
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let as_written = names.iter().filter(|name| *name == model);
        let by_last_part = names.iter().filter(|name| last_part(name) == model);
        let meant: Vec<&String> = match as_written.collect::<Vec<_>>() {
            none if none.is_empty() => by_last_part.collect(),
            one => one,
        };
        let [meant] = meant.as_slice() else {
            return Err(VaryError::Model {
                model: model.to_owned(),
                found: meant.len(),
                models: names,
            });
        };
        for (source, base) in sources {
            if source.model.value.raw == **meant {
                self.source(source, &base)?;
            }
        }
        Ok(())
    }

    fn source(&self, source: &mut Source, base: &Base) -> Result<(), VaryError> {
        if self.method.base != BaseRule::Ignored && base.as_ref() == Some(&source.model.value) {
            return Err(VaryError::Base {
                model: source.model.value.raw.clone(),
                name: self.variable.name.clone(),
            });
        }
        self.set(&mut source.parameters);
        Ok(())
    }

    fn base_of(&self, slice: &Slice) -> Base {
        let own = slice.base_model.as_ref();
        own.map(|base: &Spanned<_>| base.value.clone())
            .or_else(|| self.base.clone())
    }

    fn set(&self, parameters: &mut Parameters) {
        let old = parameters.get(&self.variable.name);
        let (name_span, span) = old.map_or((self.fallback, self.fallback), |setting| {
            (setting.name_span, setting.span)
        });
        let setting = Setting {
            name_span,
            span,
            alternatives: vec![Alternative {
                filter: None,
                value: ParameterValue::Scalar(Scalar::Number(self.value)),
                span,
            }],
        };
        parameters.0.insert(self.variable.name.clone(), setting);
    }

    fn clear(&self, parameters: &mut Parameters) {
        parameters.0.shift_remove(&self.variable.name);
    }

    fn no_place(&self) -> VaryError {
        let text = &self.variable.text;
        let place = text
            .rsplit_once('.')
            .map_or(text.as_str(), |(place, _)| place);
        VaryError::NoPlace {
            place: place.to_owned(),
        }
    }
}

/// Without folders and the hub's organisation.
fn last_part(name: &str) -> &str {
    name.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(name)
}

/// The sources under `models:` and the slices, of the recipe or of its modules.
fn inputs(body: &mut Body) -> (&mut [Source], &mut [Slice]) {
    match body {
        Body::Models(sources) => (sources, &mut []),
        Body::Slices(slices) => (&mut [], slices),
        // recipes with several are refused by the planner
        Body::Modules(modules) => match modules.first_mut().map(|module| &mut module.body) {
            Some(ModuleBody::Models(sources)) => (sources, &mut []),
            Some(ModuleBody::Slices(slices)) => (&mut [], slices),
            None => (&mut [], &mut []),
        },
    }
}

/// Every `parameters:` but the recipe's own.
fn below(body: &mut Body) -> Vec<&mut Parameters> {
    let mut all = Vec::new();
    match body {
        Body::Models(sources) => of_sources(sources, &mut all),
        Body::Slices(slices) => of_slices(slices, &mut all),
        Body::Modules(modules) => {
            for module in modules {
                all.push(&mut module.parameters);
                match &mut module.body {
                    ModuleBody::Models(sources) => of_sources(sources, &mut all),
                    ModuleBody::Slices(slices) => of_slices(slices, &mut all),
                }
            }
        }
    }
    all
}

fn of_sources<'a>(sources: &'a mut [Source], all: &mut Vec<&'a mut Parameters>) {
    all.extend(sources.iter_mut().map(|source| &mut source.parameters));
}

fn of_slices<'a>(slices: &'a mut [Slice], all: &mut Vec<&'a mut Parameters>) {
    for slice in slices {
        all.push(&mut slice.parameters);
        of_sources(&mut slice.sources, all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::parse;

    const TIES: &str = "\
models:
  - model: org/base
  - model: org/a
    parameters: {weight: [0, 1], density: 0.3}
  - model: org/b
    parameters: {weight: 0.5}
merge_method: ties
base_model: org/base
parameters: {density: 0.7}
";
    const SLICES: &str = "\
slices:
  - sources:
      - {model: a, layer_range: [0, 2], parameters: {weight: 0.1}}
      - {model: b, layer_range: [0, 2], parameters: {weight: 0.2}}
    parameters: {weight: 0.3}
  - sources:
      - {model: a, layer_range: [2, 4]}
      - {model: b, layer_range: [2, 4]}
merge_method: linear
";

    fn recipe(text: &str) -> Recipe {
        parse(text, &|_| false).recipes.remove(0)
    }

    fn set(text: &str, variable: &str, value: f64) -> Result<Recipe, VaryError> {
        variable.parse::<Variable>()?.set(&recipe(text), value)
    }

    /// The single values of a parameter: the recipe's, then those below in their order.
    fn values(mut recipe: Recipe, name: &str) -> Vec<Option<f64>> {
        let mut levels = vec![recipe.parameters.clone()];
        levels.extend(below(&mut recipe.body).into_iter().map(|one| one.clone()));
        let value = |level: &Parameters| match level.get(name)?.alternatives.as_slice() {
            [
                Alternative {
                    value: ParameterValue::Scalar(value),
                    ..
                },
            ] => value.as_number(),
            _ => Some(f64::NAN),
        };
        levels.iter().map(value).collect()
    }

    fn problem(text: &str, variable: &str) -> String {
        set(text, variable, 1.0).unwrap_err().to_string()
    }

    #[test]
    fn a_bare_name_is_everywhere_and_nothing_below_it_stays() {
        let changed = set(TIES, "density", 0.25).unwrap();
        assert_eq!(values(changed, "density"), [Some(0.25), None, None, None]);
        let changed = set(SLICES, "weight", 2.0).unwrap();
        let mut expected = vec![None; 7];
        expected[0] = Some(2.0);
        assert_eq!(values(changed, "weight"), expected);
    }

    #[test]
    fn a_model_is_meant_by_its_index_its_name_or_the_last_part_of_it() {
        for variable in ["models[1].weight", "org/a:weight", "a:weight"] {
            let changed = set(TIES, variable, 0.9).unwrap();
            assert_eq!(
                values(changed, "weight"),
                [None, None, Some(0.9), Some(0.5)],
                "{variable}"
            );
        }
        let changed = set(SLICES, "b:weight", 4.0).unwrap();
        let expected = [None, Some(0.3), Some(0.1), Some(4.0), None, None, Some(4.0)];
        assert_eq!(values(changed, "weight"), expected);
    }

    #[test]
    fn a_slice_and_a_source_of_it_can_be_meant() {
        let changed = set(SLICES, "slices[0].weight", 4.0).unwrap();
        let expected = [None, Some(4.0), None, None, None, None, None];
        assert_eq!(values(changed, "weight"), expected);
        let changed = set(SLICES, "slices[1].sources[0].weight", 4.0).unwrap();
        let expected = [None, Some(0.3), Some(0.1), Some(0.2), None, Some(4.0), None];
        assert_eq!(values(changed, "weight"), expected);
    }

    #[test]
    fn what_the_method_does_not_use_is_refused_with_what_it_does() {
        assert_eq!(
            problem(SLICES, "t"),
            "`linear` does not use `t`; it uses `weight`, `normalize`"
        );
        let stack = SLICES.replace("linear", "passthrough");
        assert!(problem(&stack, "t").starts_with("`passthrough` does not use `t`; it "));
    }

    #[test]
    fn places_that_are_not_there_are_named() {
        assert_eq!(
            problem(TIES, "models[3].weight"),
            "the recipe has no `models[3]`"
        );
        assert_eq!(
            problem(TIES, "slices[0].weight"),
            "the recipe has no `slices[0]`"
        );
        assert_eq!(
            problem(TIES, "c:weight"),
            "0 of the recipe's models are `c`; expected one of `org/base`, `org/a`, `org/b`"
        );
        assert_eq!(
            problem(TIES, "base:weight"),
            "`org/base` is the base model, which the others are compared with: it has no `weight`"
        );
        assert_eq!(
            problem(TIES, "a:normalize"),
            "`normalize` belongs to the whole merge, not to a model"
        );
    }

    #[test]
    fn what_is_no_parameter_is_refused() {
        for text in [
            "",
            "a b",
            "models.weight",
            "models[x].weight",
            ":weight",
            "a:",
            "layers[0].t",
            "models[0].",
        ] {
            assert!(
                matches!(text.parse::<Variable>(), Err(VaryError::Syntax(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn a_parameter_that_the_recipe_lacks_is_added() {
        let text = "models: [{model: a}, {model: b}]\nmerge_method: slerp\nbase_model: a\n";
        assert_eq!(values(set(text, "t", 0.5).unwrap(), "t")[0], Some(0.5));
    }
}
