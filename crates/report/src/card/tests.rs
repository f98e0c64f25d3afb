use serde_json::json;

use super::*;
use crate::explain::explain;
use weightsmith::testing::example_plans::{in_place, linear, plan, v};

const RECIPE: &str = "merge_method: slerp\nmodels:\n- model: Qwen/Qwen2.5-0.5B\n- model: Qwen/Qwen2.5-0.5B-Instruct\n\
                      base_model: Qwen/Qwen2.5-0.5B-Instruct\nparameters:\n  t: [0, 0.25, 0.5, 0.25, 0]\n";

fn card(plan: &Plan, recipe: &str, config: &Value, readmes: &[Option<String>]) -> String {
    let explanation = explain(plan);
    let has_picture = crate::pictures::share_picture(&explanation).is_some();
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
    let config = json!({ "architectures": ["Qwen2ForCausalLM"], "max_position_embeddings": 32768 });
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
    - [Qwen/Qwen2.5-0.5B-Instruct](https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct) at `7ae557604adf67be50417f59c2c2f167def9a775`: the base model, provided the config and other files

    ## Method

    Spherical linear interpolation (SLERP). Interpolates from the base model to the other model along the arc between their weights.
    Reference: [Animating rotation with quaternion curves (Shoemake, 1985)](https://dl.acm.org/doi/10.1145/325165.325242).

    ## Contribution by layer

    ![Share of each model, layer by layer](weightsmith-shares.svg)

    - `Qwen2.5-0.5B-Instruct` dominates layers 0–3 and 20–23 and leads in layers 4–8 and 15–19; in the middle (layers 9–14) both contribute about equally.
    - Embeddings and final norm come from `Qwen2.5-0.5B-Instruct` alone.

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

    ## Usage

    ```python
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model_id = "qwen-v"  # this folder, or its name on the Hub
    tokenizer = AutoTokenizer.from_pretrained(model_id)
    model = AutoModelForCausalLM.from_pretrained(model_id, dtype="auto")
    messages = [{"role": "user", "content": "Who are you?"}]
    inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors="pt")
    output = model.generate(**inputs, max_new_tokens=200)
    print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))
    ```

    ## License

    All merged models have the license `apache-2.0`.

    ## Build details

    Merged with weightsmith VERSION on 2026-11-24. Verified after writing: 290 tensors, 1,494,848 parameters, 3,020,024 bytes in 1 file, 0 NaN or infinite values.
    `weightsmith.lock.json` lists the inputs and the hashes of all files. Run `weightsmith verify` to check them.
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

    - `minilm`: provided the config and other files
    - `sre`

    ## Method

    Linear (weighted average). The weighted average of the models' tensors.
    Reference: [Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference time (Wortsman et al., 2022)](https://arxiv.org/abs/2203.05482).

    ## Contribution by layer

    - Every layer is `minilm` and `sre` in equal parts.
    - Embeddings and final norm are `minilm` and `sre` in equal parts.

    ## Configuration

    ````yaml
    models:
    - model: minilm
      parameters: {weight: 0.5}
    - model: sre
    # ```
    ````

    ## Usage

    ```python
    from transformers import AutoModel, AutoTokenizer

    model_id = "qwen-v"  # this folder, or its name on the Hub
    tokenizer = AutoTokenizer.from_pretrained(model_id)
    model = AutoModel.from_pretrained(model_id, dtype="auto")
    print(model(**tokenizer("A sentence.", return_tensors="pt")).last_hidden_state.shape)
    ```

    ## License

    Some licenses of the merged models are unknown. Check them before you publish the result:

    - `minilm`: `mit`
    - `sre`: not known

    ## Build details

    Merged with weightsmith VERSION on 2026-11-24. Verified after writing: 74 tensors, 421,760 parameters, 851,120 bytes in 1 file, 0 NaN or infinite values.
    `weightsmith.lock.json` lists the inputs and the hashes of all files. Run `weightsmith verify` to check them.
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
