//! How to use a merge, as code for its kind of model.

use serde_json::Value;

use super::CardFacts;
use super::hub_metadata::HubMetadata;

/// The section; empty for kinds of models without a short example.
pub(super) fn usage(facts: &CardFacts<'_>, metadata: &HubMetadata) -> String {
    let code = match (metadata.library, metadata.pipeline) {
        (Some("sentence-transformers"), _) => SENTENCES,
        (_, Some("text-generation")) if facts.has_chat_template => CHAT,
        (_, Some("text-generation")) => TEXT,
        (_, Some("feature-extraction")) => FEATURES,
        _ => return String::new(),
    };
    let model = Value::from(facts.title).to_string();
    format!(
        "## Usage\n\n```python\n{}```\n",
        code.replace("MODEL", &model)
    )
}

const CHAT: &str = "\
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = MODEL  # this folder, or its name on the Hub
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=\"auto\")
messages = [{\"role\": \"user\", \"content\": \"Who are you?\"}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True, return_tensors=\"pt\")
output = model.generate(**inputs, max_new_tokens=200)
print(tokenizer.decode(output[0][inputs[\"input_ids\"].shape[1]:], skip_special_tokens=True))
";

const TEXT: &str = "\
from transformers import AutoModelForCausalLM, AutoTokenizer

model_id = MODEL  # this folder, or its name on the Hub
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=\"auto\")
inputs = tokenizer(\"Once upon a time\", return_tensors=\"pt\")
output = model.generate(**inputs, max_new_tokens=200)
print(tokenizer.decode(output[0], skip_special_tokens=True))
";

const SENTENCES: &str = "\
from sentence_transformers import SentenceTransformer

model = SentenceTransformer(MODEL)  # this folder, or its name on the Hub
embeddings = model.encode([\"A sentence.\", \"Another one.\"])
print(model.similarity(embeddings, embeddings))
";

const FEATURES: &str = "\
from transformers import AutoModel, AutoTokenizer

model_id = MODEL  # this folder, or its name on the Hub
tokenizer = AutoTokenizer.from_pretrained(model_id)
model = AutoModel.from_pretrained(model_id, dtype=\"auto\")
print(model(**tokenizer(\"A sentence.\", return_tensors=\"pt\")).last_hidden_state.shape)
";
