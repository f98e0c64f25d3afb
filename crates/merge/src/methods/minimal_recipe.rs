//! The shortest recipe that a method accepts.

use std::fmt::Write as _;

use super::{BaseRule, Default, Kind, MethodSpec, ParameterSpec, Scope};

/// What the base model is called in the recipes.
const BASE: &str = "path/to/base";

/// Value of a required number that has no usual range: as a weight, half of two.
const HALF: f64 = 0.5;

/// The shortest useful recipe for a method: nothing is set but what must be, the models are placeholders.
///
/// A method that takes a single model is shown stacking layers.
pub fn minimal_recipe(method: &MethodSpec) -> String {
    let needs_base = method.base == BaseRule::Required;
    let mut recipe = if method.inputs.max == Some(1) && !needs_base {
        stack(method)
    } else {
        models(method, needs_base)
    };
    let _ = writeln!(recipe, "merge_method: {}", method.name);
    if needs_base {
        let _ = writeln!(recipe, "base_model: {BASE}");
    }
    recipe.push_str(&required(method, Scope::Global, ""));
    recipe
}

/// `models:`, with the base where it counts towards a fixed number, and two more where the method takes them.
fn models(method: &MethodSpec, needs_base: bool) -> String {
    let mut recipe = String::from("models:\n");
    if needs_base && method.inputs.max.is_some() {
        let _ = writeln!(recipe, "  - model: {BASE}");
    }
    let bases = usize::from(needs_base);
    let wanted = method.inputs.min.max(bases + 2);
    let total = method.inputs.max.map_or(wanted, |max| wanted.min(max));
    for number in 1..=total.saturating_sub(bases) {
        let _ = writeln!(recipe, "  - model: {}", model(number));
        recipe.push_str(&required(method, Scope::Model, "    "));
    }
    recipe
}

/// `slices:` that repeat layers of two models.
fn stack(method: &MethodSpec) -> String {
    let mut recipe = String::from("slices:\n");
    for (number, range) in [(1, "[0, 4]"), (2, "[2, 6]")] {
        let _ = writeln!(
            recipe,
            "  - sources:\n      - model: {}\n        layer_range: {range}",
            model(number)
        );
        recipe.push_str(&required(method, Scope::Model, "        "));
    }
    recipe
}

/// `parameters:` with those of a scope that have no default; empty where there are none.
fn required(method: &MethodSpec, scope: Scope, indent: &str) -> String {
    let mut block = String::new();
    for parameter in method.parameters {
        if parameter.scope == scope && parameter.default == Default::Required {
            let _ = writeln!(
                block,
                "{indent}  {}: {}",
                parameter.name,
                example(parameter)
            );
        }
    }
    if !block.is_empty() {
        block.insert_str(0, &format!("{indent}parameters:\n"));
    }
    block
}

fn model(number: usize) -> String {
    format!("path/to/model-{number}")
}

/// A value in the middle of the usual ones.
fn example(parameter: &ParameterSpec) -> String {
    match parameter.kind {
        Kind::Bool => "true".to_owned(),
        Kind::Text => "\"\"".to_owned(),
        Kind::Number => parameter
            .usual
            .map_or(HALF, |(low, high)| f64::midpoint(low, high))
            .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::METHODS;
    use crate::model::LocateOptions;
    use crate::plan::{PlanOptions, build};
    use crate::recipe::parse;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/tiny-qwen2");

    /// The recipe with the bundled models in place of the placeholders.
    fn on_fixtures(recipe: &str) -> String {
        let model = |number: usize| ["instruct", "math", "base"][(number - 1) % 3];
        let mut recipe = recipe.replace(BASE, &format!("{FIXTURES}/base"));
        for number in 1..10 {
            let folder = format!("{FIXTURES}/{}", model(number));
            recipe = recipe.replace(&super::model(number), &folder);
        }
        recipe
    }

    #[test]
    fn every_method_s_recipe_is_planned_without_a_word() {
        for method in METHODS {
            let recipe = on_fixtures(&minimal_recipe(method));
            let parsed = parse(&recipe, &|_| true);
            let name = method.name;
            assert_eq!(parsed.diagnostics, [], "{name}\n{recipe}");
            let options = PlanOptions::new(LocateOptions::from_env(|_| None));
            let planned = build(&parsed.recipes[0], &options)
                .unwrap_or_else(|found| panic!("{name}: {found:?}\n{recipe}"));
            assert_eq!(planned.diagnostics, [], "{name}\n{recipe}");
            assert_eq!(planned.plan.method, name);
        }
    }

    #[test]
    fn a_base_that_counts_is_listed_and_required_parameters_are_set() {
        let slerp = crate::methods::find("slerp").expect("a method");
        insta::assert_snapshot!(minimal_recipe(slerp), @r"
        models:
          - model: path/to/base
          - model: path/to/model-1
        merge_method: slerp
        base_model: path/to/base
        parameters:
          t: 0.5
        ");
        let linear = crate::methods::find("linear").expect("a method");
        insta::assert_snapshot!(minimal_recipe(linear), @r"
        models:
          - model: path/to/model-1
            parameters:
              weight: 0.5
          - model: path/to/model-2
            parameters:
              weight: 0.5
        merge_method: linear
        ");
    }

    #[test]
    fn a_method_of_one_model_stacks_layers() {
        let passthrough = crate::methods::find("passthrough").expect("a method");
        insta::assert_snapshot!(minimal_recipe(passthrough), @r"
        slices:
          - sources:
              - model: path/to/model-1
                layer_range: [0, 4]
          - sources:
              - model: path/to/model-2
                layer_range: [2, 6]
        merge_method: passthrough
        ");
    }
}
