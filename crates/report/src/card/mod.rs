//! The model card: `README.md` with metadata for the Hugging Face Hub.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "text is put together once; `write!` would only add a result to drop"
)]

mod evaluation;
mod files;
mod front_matter;
mod hub_metadata;
mod markdown;
mod quantities;
mod usage;

use jiff::Timestamp;
use serde_json::Value;
use weightsmith_tensors::elements_by_dtype;

pub use self::evaluation::{CardScore, CardScores, card_with_scores};
pub use self::files::ModelCardFiles;
pub use self::front_matter::FrontMatter;
use self::hub_metadata::{Agreement, HubMetadata};
use self::markdown::{code, escaped, fence};
use self::quantities::{grouped, size};
use crate::explain::Explanation;
use weightsmith::methods;
use weightsmith::output::{SHARE_PICTURE, published_recipe};
use weightsmith::plan::{Plan, PlannedInput};

/// Keys of `config.json` that hold the longest input in tokens, in the order in which they are believed.
const CONTEXT_KEYS: [&str; 5] = [
    "max_position_embeddings",
    "n_positions",
    "max_sequence_length",
    "max_seq_len",
    "n_ctx",
];

/// What a card is made from.
#[derive(Debug, Clone)]
pub struct CardFacts<'a> {
    /// Name of the result: that of its folder.
    pub title: &'a str,
    /// The plan that was run.
    pub plan: &'a Plan,
    /// The plan's explanation.
    pub explanation: &'a Explanation,
    /// The recipe's text as it was given.
    pub recipe: &'a str,
    /// The result's `config.json`.
    pub config: Option<&'a Value>,
    /// The README of each of the plan's inputs, where it has one.
    pub readmes: &'a [Option<String>],
    /// True when the picture of the shares is written beside the card.
    pub has_picture: bool,
    /// True when the tokenizer that comes along has a chat template.
    pub has_chat_template: bool,
    /// True when `modules.json` comes along: a model for sentence-transformers.
    pub has_modules: bool,
    /// When the merge was made.
    pub date: Timestamp,
    /// NaN and infinite elements of the result.
    pub non_finite: u64,
}

/// Writes the card.
///
/// No absolute path is in it: local models are named by their folders, in the recipe too.
pub fn model_card(facts: &CardFacts<'_>) -> String {
    let labels: Vec<&str> = facts
        .plan
        .inputs
        .iter()
        .map(|input| input.label.as_str())
        .collect();
    let metadata = HubMetadata::gather(&labels, facts.readmes, facts.config, facts.has_modules);
    let sections = [
        overview(facts),
        models(facts),
        method(facts),
        shares(facts),
        configuration(facts),
        usage::usage(facts, &metadata),
        licence(facts, &metadata),
        provenance(facts),
    ];
    let text: Vec<&str> = sections
        .iter()
        .map(String::as_str)
        .filter(|section| !section.is_empty())
        .collect();
    format!("{}\n{}", metadata.to_yaml(), text.join("\n"))
}

fn overview(facts: &CardFacts<'_>) -> String {
    let names: Vec<String> = facts
        .explanation
        .models
        .iter()
        .map(|model| code(&model.name))
        .collect();
    let plan = facts.plan;
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some(architecture) = architecture(facts.config) {
        rows.push(("Architecture", code(architecture)));
    }
    let parameters: u64 = plan
        .tensors
        .iter()
        .map(|tensor| tensor.info.elements())
        .sum();
    rows.push(("Parameters", grouped(parameters)));
    if !plan.layers.is_empty() {
        rows.push(("Layers", plan.layers.len().to_string()));
    }
    rows.push((
        "Weights",
        format!("{}, {}", types(plan), size(plan.layout.file_bytes())),
    ));
    if let Some(context) = context(facts.config) {
        rows.push(("Context", format!("{} tokens", grouped(context))));
    }
    rows.push(("Merge method", code(&plan.method)));
    let rows: String = rows
        .iter()
        .map(|(name, value)| format!("| {name} | {value} |\n"))
        .collect();
    format!(
        "# {}\n\nA merge of {}, made with Weightsmith.\n\n| | |\n|---|---|\n{rows}",
        escaped(facts.title),
        in_words(&names)
    )
}

fn models(facts: &CardFacts<'_>) -> String {
    let plan = facts.plan;
    let mut text = "## Models merged\n\n".to_owned();
    for (index, input) in plan.inputs.iter().enumerate() {
        let mut roles = Vec::new();
        if plan.base == Some(index) {
            roles.push("the base model");
        }
        if plan.donor == index {
            roles.push("provided the config and other files");
        }
        let roles = if roles.is_empty() {
            String::new()
        } else {
            format!(": {}", roles.join(", "))
        };
        let revision = input
            .revision
            .as_ref()
            .map_or_else(String::new, |revision| format!(" at `{revision}`"));
        text += &format!("- {}{revision}{roles}\n", linked(input));
    }
    text
}

fn method(facts: &CardFacts<'_>) -> String {
    let explanation = facts.explanation;
    let mut text = format!(
        "## Method\n\n{}. {}\n",
        explanation.title, explanation.summary
    );
    if let Some(reference) = methods::find(&facts.plan.method).and_then(|method| method.reference) {
        text += &format!("Reference: [{}]({}).\n", reference.title, reference.url);
    }
    text
}

fn shares(facts: &CardFacts<'_>) -> String {
    let mut text = "## Contribution by layer\n\n".to_owned();
    if facts.has_picture {
        text += &format!("![Share of each model, layer by layer]({SHARE_PICTURE})\n\n");
    }
    for sentence in &facts.explanation.words {
        text += &format!("- {}\n", escaped(sentence));
    }
    text
}

fn configuration(facts: &CardFacts<'_>) -> String {
    let recipe = published_recipe(facts.recipe, facts.plan);
    let fence = fence(&recipe);
    format!(
        "## Configuration\n\n{fence}yaml\n{}\n{fence}\n",
        recipe.trim_end()
    )
}

fn licence(facts: &CardFacts<'_>, metadata: &HubMetadata) -> String {
    let mut text = "## License\n\n".to_owned();
    match &metadata.license {
        Agreement::Same(license) => {
            let title = code(license.title());
            let title = license
                .link
                .as_ref()
                .map_or(title.clone(), |link| format!("[{title}](<{link}>)"));
            text += &format!("All merged models have the license {title}.\n");
        }
        Agreement::Differing(licenses) => {
            let known = licenses.iter().flatten().count();
            text += match known {
                0 => {
                    "The licenses of the merged models are unknown. Check them before you publish the result:\n\n"
                }
                _ if known < licenses.len() => {
                    "Some licenses of the merged models are unknown. Check them before you publish the result:\n\n"
                }
                _ => {
                    "The merged models have different licenses. Check which terms apply before you publish the result:\n\n"
                }
            };
            for (input, license) in facts.plan.inputs.iter().zip(licenses) {
                let license = license
                    .as_ref()
                    .map_or_else(|| "not known".to_owned(), |license| code(license.title()));
                text += &format!("- {}: {license}\n", linked(input));
            }
        }
    }
    text
}

fn provenance(facts: &CardFacts<'_>) -> String {
    let plan = facts.plan;
    let parameters: u64 = plan
        .tensors
        .iter()
        .map(|tensor| tensor.info.elements())
        .sum();
    let files = plan.layout.shards().len();
    let non_finite = match facts.non_finite {
        0 => "0 NaN or infinite values".to_owned(),
        number => format!("{} NaN or infinite values (allowed)", grouped(number)),
    };
    format!(
        "## Build details\n\nMerged with weightsmith {} on {}. Verified after writing: {} tensors, {} parameters, {} bytes in {}, {non_finite}.\n\
         `weightsmith.lock.json` lists the inputs and the hashes of all files. Run `weightsmith verify` to check them.\n",
        env!("CARGO_PKG_VERSION"),
        facts.date.strftime("%Y-%m-%d"),
        grouped(plan.tensors.len() as u64),
        grouped(parameters),
        grouped(plan.layout.file_bytes()),
        if files == 1 {
            "1 file".to_owned()
        } else {
            format!("{files} files")
        },
    )
}

/// A link for a name on the hub, code for a folder.
fn linked(input: &PlannedInput) -> String {
    if is_hub_name(&input.label) {
        format!("[{0}](https://huggingface.co/{0})", input.label)
    } else {
        code(&input.label)
    }
}

fn is_hub_name(label: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
    };
    label
        .split_once('/')
        .is_some_and(|(organisation, name)| word(organisation) && word(name))
}

fn architecture(config: Option<&Value>) -> Option<&str> {
    let config = config?;
    let first = config
        .get("architectures")
        .and_then(|architectures| architectures.get(0));
    first.or_else(|| config.get("model_type"))?.as_str()
}

fn context(config: Option<&Value>) -> Option<u64> {
    let config = config?;
    let parts = [Some(config), config.get("text_config")];
    parts
        .into_iter()
        .flatten()
        .find_map(|part| CONTEXT_KEYS.iter().find_map(|key| part.get(key)?.as_u64()))
}

/// The types of the weights, the one of most elements first.
fn types(plan: &Plan) -> String {
    let tensors = plan.tensors.iter().map(|tensor| &tensor.info);
    let types = elements_by_dtype(tensors);
    match types.as_slice() {
        [] => "none".to_owned(),
        [(only, _)] => only.to_string(),
        [(most, _), rest @ ..] => {
            format!(
                "{most} (some {})",
                rest.iter()
                    .map(|(dtype, _)| dtype.name())
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
    }
}

fn in_words(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests;
