//! The models of a plan with names that are short and tell them apart.

use super::ExplainedModel;
use weightsmith::plan::Plan;

/// The models of a plan, in its order.
pub(super) fn explained_models(plan: &Plan) -> Vec<ExplainedModel> {
    let labels: Vec<&str> = plan
        .inputs
        .iter()
        .map(|input| input.label.as_str())
        .collect();
    let names = short_names(&labels);
    plan.inputs
        .iter()
        .zip(names)
        .enumerate()
        .map(|(index, (input, name))| ExplainedModel {
            label: input.label.clone(),
            name,
            base: plan.base == Some(index),
            revision: input.revision.clone(),
            layers: input.layers,
            parameters: input.parameters,
        })
        .collect()
}

/// The last component of each label where that is unique, else the label, numbered where even that is not.
fn short_names(labels: &[&str]) -> Vec<String> {
    let last = |label: &str| label.rsplit('/').next().unwrap_or(label).to_owned();
    let unique = |name: &str, of: &dyn Fn(&str) -> String| {
        labels.iter().filter(|label| of(label) == name).count() == 1
    };
    let whole = |label: &str| label.to_owned();
    labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let short = last(label);
            if unique(&short, &last) {
                short
            } else if unique(label, &whole) {
                whole(label)
            } else {
                let earlier = labels[..index]
                    .iter()
                    .filter(|other| *other == label)
                    .count();
                format!("{label} ({})", earlier + 1)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organisation_is_left_out_unless_it_tells_models_apart() {
        assert_eq!(
            short_names(&["Qwen/Qwen2.5-0.5B", "me/chat", "chat"]),
            ["Qwen2.5-0.5B", "me/chat", "chat"]
        );
    }

    #[test]
    fn folders_of_the_same_name_are_numbered() {
        assert_eq!(short_names(&["model", "model"]), ["model (1)", "model (2)"]);
    }
}
