//! The model card's metadata: what the hub shows and hosts list a model by.

use weightsmith_tensors::ModelFolder;

use super::report::{HostCheck, Requirement};
use super::{Evidence, some_of};
use crate::card::FrontMatter;
use weightsmith::output::{MODEL_CARD, parent_readme};

const THIS: Requirement = Requirement::ModelCard;

/// A card that says what a merge's own card says.
pub(super) fn check(evidence: &Evidence<'_>) -> HostCheck {
    let readme = parent_readme(&ModelFolder::new(evidence.subject.folder));
    let Some(readme) = readme.ok().flatten() else {
        return HostCheck::failed(
            THIS,
            format!("there is no {MODEL_CARD}"),
            "`weightsmith merge` writes one unless `--no-write-model-card` is given",
        );
    };
    let Some(matter) = FrontMatter::find(&readme) else {
        return HostCheck::failed(
            THIS,
            format!("{MODEL_CARD} has no metadata"),
            "it belongs at the top, as YAML between two lines of `---`",
        );
    };
    let missing = missing(&matter);
    if !missing.is_empty() {
        return HostCheck::failed(
            THIS,
            format!("{MODEL_CARD} lacks {}", missing.join(", ")),
            hint(&missing),
        );
    }
    let local: Vec<&String> = matter
        .base_model
        .iter()
        .filter(|name| !name.contains('/'))
        .collect();
    if !local.is_empty() {
        return HostCheck::warned(
            THIS,
            format!("not Hub models: {} in `base_model`", some_of(&local)),
            "use their Hub names, `organization/name`, so that the model is listed under its parents",
        );
    }
    let license = matter.license_name.or(matter.license).unwrap_or_default();
    HostCheck::passed(
        THIS,
        format!("{license}, from {}", matter.base_model.join(" and ")),
    )
}

fn missing(matter: &FrontMatter) -> Vec<&'static str> {
    let is_set = |value: &Option<String>| value.as_ref().is_some_and(|text| !text.is_empty());
    let parts = [
        ("`license`", is_set(&matter.license)),
        ("`base_model`", !matter.base_model.is_empty()),
        ("`library_name`", is_set(&matter.library_name)),
        ("`pipeline_tag`", is_set(&matter.pipeline_tag)),
        ("`tags`", !matter.tags.is_empty()),
    ];
    let missing = parts.into_iter().filter(|(_, there)| !there);
    missing.map(|(name, _)| name).collect()
}

fn hint(missing: &[&str]) -> String {
    if missing == ["`license`"] {
        return "the parents state different licenses or none: decide which one applies to the merge, and set `license: …` at the top of the card"
            .to_owned();
    }
    "such as `library_name: transformers`, `pipeline_tag: text-generation`, `base_model: [org/a, org/b]`, `tags: [merge]`"
        .to_owned()
}
