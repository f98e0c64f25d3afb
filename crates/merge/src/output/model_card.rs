//! The model card: `README.md` with metadata for the Hugging Face Hub.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "text is put together once; `write!` would only add a result to drop"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::hub_metadata::{Agreement, HubMetadata};
use super::published_recipe::published_recipe;
use super::share_picture::SHARE_PICTURE;
use crate::explain::Explanation;
use crate::methods;
use crate::plan::{Plan, PlannedInput};

/// Name of the card in the result's folder.
pub const MODEL_CARD: &str = "README.md";

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
        usage(facts, &metadata),
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
            roles.push("gave config and tokenizer");
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
    let mut text = "## Which model rules where\n\n".to_owned();
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

/// A fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let mut longest = 2;
    let mut run = 0;
    for letter in text.chars() {
        run = if letter == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest + 1)
}

fn usage(facts: &CardFacts<'_>, metadata: &HubMetadata) -> String {
    let code = match (metadata.library, metadata.pipeline) {
        (Some("sentence-transformers"), _) => SENTENCES,
        (_, Some("text-generation")) if facts.has_chat_template => CHAT,
        (_, Some("text-generation")) => TEXT,
        (_, Some("feature-extraction")) => FEATURES,
        _ => return String::new(),
    };
    let model = Value::from(facts.title).to_string();
    format!(
        "## How to use it\n\n```python\n{}```\n",
        code.replace("MODEL", &model)
    )
}

const CHAT: &str = "\
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = MODEL  # this folder, or its name on the hub
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=\"auto\")
messages = [{\"role\": \"user\", \"content\": \"Who are you?\"}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors=\"pt\")
output = model.generate(**inputs, max_new_tokens=200)
print(tokenizer.decode(output[0][inputs[\"input_ids\"].shape[1]:], skip_special_tokens=True))
";

const TEXT: &str = "\
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = MODEL  # this folder, or its name on the hub
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=\"auto\")
inputs = tokenizer(\"Once upon a time\", return_tensors=\"pt\")
output = model.generate(**inputs, max_new_tokens=200)
print(tokenizer.decode(output[0], skip_special_tokens=True))
";

const SENTENCES: &str = "\
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(MODEL)  # this folder, or its name on the hub
embeddings = model.encode([\"A sentence.\", \"Another one.\"])
print(model.similarity(embeddings, embeddings))
";

const FEATURES: &str = "\
from transformers import AutoModel, AutoTokenizer

model_id = MODEL  # this folder, or its name on the hub
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModel.from_pretrained(model_id, dtype=\"auto\")
print(model(**tokenizer(\"A sentence.\", return_tensors=\"pt\")).last_hidden_state.shape)
";

fn licence(facts: &CardFacts<'_>, metadata: &HubMetadata) -> String {
    let mut text = "## Licence\n\n".to_owned();
    match &metadata.license {
        Agreement::Same(license) => {
            let title = code(license.title());
            let title = license
                .link
                .as_ref()
                .map_or(title.clone(), |link| format!("[{title}](<{link}>)"));
            text += &format!("All models that were merged state the licence {title}.\n");
        }
        Agreement::Differing(licenses) => {
            let known = licenses.iter().flatten().count();
            text += match known {
                0 => {
                    "The licences of the merged models are not known here. Look them up before you publish the result:\n\n"
                }
                _ if known < licenses.len() => {
                    "Not all licences of the merged models are known here. Look them up before you publish the result:\n\n"
                }
                _ => {
                    "The merged models have different licences. Check which terms the result has to keep to before you publish it:\n\n"
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
        number => format!(
            "{} NaN or infinite values, which were allowed",
            grouped(number)
        ),
    };
    format!(
        "## How it was made\n\nWith weightsmith {} on {}. Checked after writing: {} tensors, {} parameters, {} bytes in {}, {non_finite}.\n\
         `weightsmith.lock.json` holds the hashes of all files and what they were made from; `weightsmith verify` checks them again.\n",
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
    let mut elements: BTreeMap<&str, u64> = BTreeMap::new();
    for tensor in &plan.tensors {
        *elements.entry(tensor.info.dtype.name()).or_default() += tensor.info.elements();
    }
    let mut types: Vec<(&str, u64)> = elements.into_iter().collect();
    types.sort_by_key(|(_, elements)| std::cmp::Reverse(*elements));
    match types.as_slice() {
        [] => "none".to_owned(),
        [(only, _)] => (*only).to_owned(),
        [(most, _), rest @ ..] => {
            format!(
                "{most} (some {})",
                rest.iter()
                    .map(|(name, _)| *name)
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
    }
}

/// `988 MB`, in powers of ten.
fn size(bytes: u64) -> String {
    let scales = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let bytes = bytes as f64;
    scales
        .into_iter()
        .find(|(scale, _)| bytes >= *scale)
        .map_or_else(
            || format!("{bytes} bytes"),
            |(scale, unit)| {
                let scaled = bytes / scale;
                let decimals = if scaled < 9.995 {
                    2
                } else {
                    usize::from(scaled < 99.95)
                };
                format!("{scaled:.decimals$} {unit}")
            },
        )
}

/// `494,032,768`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A code span; backticks in the text become apostrophes, bars would end a table's cell.
fn code(text: &str) -> String {
    format!(
        "`{}`",
        text.replace('`', "'")
            .replace('|', "\\|")
            .replace(['\n', '\r'], " ")
    )
}

/// A text in which no character is markup, code spans aside.
fn escaped(text: &str) -> String {
    let mut in_code = false;
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        in_code ^= letter == '`';
        if !in_code && "<>*[]\\".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(if letter == '\n' { ' ' } else { letter });
    }
    escaped
}

fn in_words(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::explain::example_plans::{in_place, linear, plan, v};
    use crate::explain::explain;

    const RECIPE: &str = "merge_method: slerp\nmodels:\n- model: Qwen/Qwen2.5-0.5B\n- model: Qwen/Qwen2.5-0.5B-Instruct\n\
                          base_model: Qwen/Qwen2.5-0.5B-Instruct\nparameters:\n  t: [0, 0.25, 0.5, 0.25, 0]\n";

    fn card(plan: &Plan, recipe: &str, config: &Value, readmes: &[Option<String>]) -> String {
        let explanation = explain(plan);
        let has_picture = super::super::share_picture::share_picture(&explanation).is_some();
        let card = model_card(&CardFacts {
            title: "qwen-v",
            plan,
            explanation: &explanation,
            recipe,
            config: Some(config),
            readmes,
            has_picture,
            has_chat_template: true,
            has_modules: false,
            date: "2026-11-24T01:02:03Z".parse().unwrap(),
            non_finite: 0,
        });
        card.replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }

    #[test]
    fn the_card_of_the_v() {
        let readme = Some("---\nlicense: apache-2.0\nlanguage:\n- en\n---\n# Qwen\n".to_owned());
        let config =
            json!({ "architectures": ["Qwen2ForCausalLM"], "max_position_embeddings": 32768 });
        insta::assert_snapshot!(card(&v(), RECIPE, &config, &[readme.clone(), readme]), @r#"
        ---
        base_model:
        - Qwen/Qwen2.5-0.5B
        - Qwen/Qwen2.5-0.5B-Instruct
        base_model_relation: merge
        library_name: transformers
        pipeline_tag: text-generation
        license: apache-2.0
        language:
        - en
        tags:
        - merge
        - weightsmith
        ---

        # qwen-v

        A merge of `Qwen2.5-0.5B` and `Qwen2.5-0.5B-Instruct`, made with Weightsmith.

        | | |
        |---|---|
        | Architecture | `Qwen2ForCausalLM` |
        | Parameters | 1,494,848 |
        | Layers | 24 |
        | Weights | BF16, 3.02 MB |
        | Context | 32,768 tokens |
        | Merge method | `slerp` |

        ## Models merged

        - [Qwen/Qwen2.5-0.5B](https://huggingface.co/Qwen/Qwen2.5-0.5B) at `7ae557604adf67be50417f59c2c2f167def9a775`
        - [Qwen/Qwen2.5-0.5B-Instruct](https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct) at `7ae557604adf67be50417f59c2c2f167def9a775`: the base model, gave config and tokenizer

        ## Method

        Spherical linear interpolation (SLERP). Walks from the base model to the other along the arc between their weights.
        Reference: [Animating rotation with quaternion curves (Shoemake, 1985)](https://dl.acm.org/doi/10.1145/325165.325242).

        ## Which model rules where

        ![Share of each model, layer by layer](weightsmith-shares.svg)

        - Qwen2.5-0.5B-Instruct rules layers 0–3 and 20–23 and leads in layers 4–8 and 15–19; in the middle (layers 9–14) both count about equally.
        - Outside of the layers, embeddings and final norm are Qwen2.5-0.5B-Instruct alone.

        ## Configuration

        ```yaml
        merge_method: slerp
        models:
        - model: Qwen/Qwen2.5-0.5B
        - model: Qwen/Qwen2.5-0.5B-Instruct
        base_model: Qwen/Qwen2.5-0.5B-Instruct
        parameters:
          t: [0, 0.25, 0.5, 0.25, 0]
        ```

        ## How to use it

        ```python
        from transformers import AutoModelForCausalLM, AutoTokenizer

        model_id = "qwen-v"  # this folder, or its name on the hub
        tokenizer = AutoTokenizer.from_pretrained(model_id)
        model = AutoModelForCausalLM.from_pretrained(model_id, dtype="auto")
        messages = [{"role": "user", "content": "Who are you?"}]
        inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
        output = model.generate(**inputs, max_new_tokens=200)
        print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))
        ```

        ## Licence

        All models that were merged state the licence `apache-2.0`.

        ## How it was made

        With weightsmith VERSION on 2026-11-24. Checked after writing: 290 tensors, 1,494,848 parameters, 3,020,024 bytes in 1 file, 0 NaN or infinite values.
        `weightsmith.lock.json` holds the hashes of all files and what they were made from; `weightsmith verify` checks them again.
        "#);
    }

    #[test]
    fn local_models_are_named_by_their_folders_and_unknown_licences_are_said() {
        let local = plan(
            "linear",
            &["minilm", "sre"],
            None,
            in_place(2, 6),
            &|place| linear(place, &[0.5, 0.5], true),
        );
        let recipe = "models:\n- model: /models/minilm\n  parameters: {weight: 0.5}\n- model: /models/sre\n# ```\n";
        let readmes = [Some("---\nlicense: mit\n---\n".to_owned()), None];
        let text = card(
            &local,
            recipe,
            &json!({ "architectures": ["BertModel"] }),
            &readmes,
        );
        assert!(!text.contains("/models"), "{text}");
        insta::assert_snapshot!(text, @r#"
        ---
        base_model:
        - minilm
        - sre
        base_model_relation: merge
        library_name: transformers
        pipeline_tag: feature-extraction
        tags:
        - merge
        - weightsmith
        ---

        # qwen-v

        A merge of `minilm` and `sre`, made with Weightsmith.

        | | |
        |---|---|
        | Architecture | `BertModel` |
        | Parameters | 421,760 |
        | Layers | 6 |
        | Weights | BF16, 851 kB |
        | Merge method | `linear` |

        ## Models merged

        - `minilm`: gave config and tokenizer
        - `sre`

        ## Method

        Linear (weighted average). The weighted average of the models' tensors.
        Reference: [Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference time (Wortsman et al., 2022)](https://arxiv.org/abs/2203.05482).

        ## Which model rules where

        - Every layer is minilm and sre in equal parts.
        - Outside of the layers, embeddings and final norm are minilm and sre in equal parts.

        ## Configuration

        ````yaml
        models:
        - model: minilm
          parameters: {weight: 0.5}
        - model: sre
        # ```
        ````

        ## How to use it

        ```python
        from transformers import AutoModel, AutoTokenizer

        model_id = "qwen-v"  # this folder, or its name on the hub
        tokenizer = AutoTokenizer.from_pretrained(model_id)
        model = AutoModel.from_pretrained(model_id, dtype="auto")
        print(model(**tokenizer("A sentence.", return_tensors="pt")).last_hidden_state.shape)
        ```

        ## Licence

        Not all licences of the merged models are known here. Look them up before you publish the result:

        - `minilm`: `mit`
        - `sre`: not known

        ## How it was made

        With weightsmith VERSION on 2026-11-24. Checked after writing: 74 tensors, 421,760 parameters, 851,120 bytes in 1 file, 0 NaN or infinite values.
        `weightsmith.lock.json` holds the hashes of all files and what they were made from; `weightsmith verify` checks them again.
        "#);
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fence("a: b"), "```");
        assert_eq!(fence("# ````"), "`````");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(
            (grouped(999), grouped(1000), grouped(494_032_768)),
            ("999".into(), "1,000".into(), "494,032,768".into())
        );
    }

    #[test]
    fn the_metadata_is_yaml_that_says_what_was_meant() {
        let config = json!({ "architectures": ["Qwen2ForCausalLM"] });
        let text = card(&v(), RECIPE, &config, &[]);
        let mut parts = text.splitn(3, "---\n");
        assert_eq!(parts.next(), Some(""));
        let yaml = parts.next().unwrap();
        let events = saphyr_parser::Parser::new_from_str(yaml)
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        assert!(events.len() > 10);
    }
}
