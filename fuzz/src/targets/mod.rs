//! The targets and their table.

mod checkpoints;
mod merges;
mod requests;
mod speech;

pub use checkpoints::{config, header, index};
pub use merges::{card, journal, listing, lock, recipe};
pub use requests::request;
pub use speech::{tasks, template, tokenizer};

/// Something that reads untrusted bytes.
#[derive(Debug)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// What it reads.
    pub reads: &'static str,
    /// Takes an input; must return.
    pub run: fn(&[u8]),
    /// Words that mean something to it.
    pub tokens: &'static [&'static str],
}

impl Target {
    /// The target of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }
}

/// All targets.
pub static TARGETS: &[Target] = &[
    Target {
        name: "header",
        reads: "the header of a safetensors file",
        run: header,
        tokens: &[
            "\"dtype\":",
            "\"shape\":",
            "\"data_offsets\":",
            "__metadata__",
            "\"F32\"",
            "\"BF16\"",
            "\"F8_E4M3\"",
            "\"F4\"",
            "[0,0]",
            "[1,18446744073709551615]",
        ],
    },
    Target {
        name: "index",
        reads: "model.safetensors.index.json and the folder around it",
        run: index,
        tokens: &[
            "weight_map",
            "metadata",
            "total_size",
            "model.safetensors",
            "./model.safetensors",
            "../model.safetensors",
            "/etc/passwd",
            "model-00001-of-00002.safetensors",
        ],
    },
    Target {
        name: "recipe",
        reads: "a recipe",
        run: recipe,
        tokens: &[
            "merge_method: slerp",
            "models:",
            "slices:",
            "base_model:",
            "parameters:",
            "layer_range: [0, 24]",
            "- filter: ",
            "value: ",
            "dtype: ",
            "tokenizer_source: ",
            "tokenizer:",
            "modules:",
            "? ",
            "!!float ",
            "&x [*x]",
            "<<: ",
        ],
    },
    Target {
        name: "config",
        reads: "config.json and generation_config.json",
        run: config,
        tokens: &[
            "\"architectures\":",
            "\"hidden_size\":",
            "\"num_hidden_layers\":",
            "\"num_attention_heads\":",
            "\"num_key_value_heads\":",
            "\"rope_scaling\":",
            "\"rope_parameters\":",
            "\"layer_types\":",
            "\"vocab_size\":",
            "\"text_config\":",
            "\"eos_token_id\":",
            "\"sliding_window\":",
            "\"yarn\"",
            "\"llama3\"",
            "\"factor\":",
        ],
    },
    Target {
        name: "tokenizer",
        reads: "tokenizer.json, and text with it",
        run: tokenizer,
        tokens: &[
            "\"type\":\"Sequence\"",
            "\"type\":\"Replace\"",
            "\"type\":\"Split\"",
            "\"type\":\"Strip\"",
            "\"type\":\"Precompiled\"",
            "\"type\":\"Metaspace\"",
            "\"type\":\"ByteLevel\"",
            "\"type\":\"BPE\"",
            "\"type\":\"Unigram\"",
            "\"type\":\"WordPiece\"",
            "\"Regex\":\"(a+)+$\"",
            "\"merges\":",
            "\"vocab\":",
            "\"added_tokens\":",
            "\"truncation\":",
            "\"padding\":",
        ],
    },
    Target {
        name: "template",
        reads: "a chat template, and a conversation with it",
        run: template,
        tokens: &[
            "{% for m in messages %}",
            "{% endfor %}",
            "{% if ",
            "{% endif %}",
            "{% set ns = namespace() %}",
            "{{ ns }}",
            "{% set ns.x = [ns.x] %}",
            "{% macro m() %}",
            "{% endmacro %}",
            "{{ m() }}",
            "| tojson(indent=4)",
            "| length",
            "* 100000000",
            "range(1000000)",
            ".format(",
            "%1000000d",
            " is defined",
            "[::-1]",
            "raise_exception(",
            "not ",
            "loop.",
            "strftime_now(",
        ],
    },
    Target {
        name: "tasks",
        reads: "questions as JSONL",
        run: tasks,
        tokens: &[
            "\"messages\":",
            "\"question\":",
            "\"choices\":",
            "\"answer\":",
            "\"kind\":",
            "\"role\":",
            "\"content\":",
        ],
    },
    Target {
        name: "card",
        reads: "a model card",
        run: card,
        tokens: &[
            "---\n",
            "base_model:",
            "model-index:",
            "| a | b |\n|---|---|\n",
            "[^1]",
            "[a]: ",
            "<script>",
            "<!--",
            "![](",
            "~~~",
            "- [ ] ",
            "&#x",
            "***",
            "<details>",
            "https://huggingface.co/",
        ],
    },
    Target {
        name: "lock",
        reads: "weightsmith.lock.json",
        run: lock,
        tokens: &[
            "\"format\":",
            "\"files\":",
            "\"blake3\":",
            "\"name\":",
            "\"size\":",
            "\"models\":",
        ],
    },
    Target {
        name: "journal",
        reads: "the journal of an interrupted run",
        run: journal,
        tokens: &[
            "\"key\":",
            "\"shard\":",
            "\"block\":",
            "\"hash\":",
            "\"non_finite\":",
            "[[0,1]]",
        ],
    },
    Target {
        name: "listing",
        reads: "a page of the Hub's list of a model's files",
        run: listing,
        tokens: &[
            "\"type\":\"file\"",
            "\"path\":",
            "\"size\":",
            "\"oid\":",
            "\"lfs\":",
            "\"sha256\":",
            "../../x",
            "/etc/passwd",
        ],
    },
    Target {
        name: "request",
        reads: "the bytes of a connection, by the server",
        run: request,
        tokens: &[
            "POST ",
            "GET ",
            " HTTP/1.1\r\n",
            "Content-Length: ",
            "Transfer-Encoding: chunked\r\n",
            "Host: localhost\r\n",
            "Origin: null\r\n",
            "\r\n\r\n",
            "/v1/chat/completions",
            "/v1/completions",
            "/tokenize",
            "/health",
            "\"messages\":",
            "\"stream\":true",
            "\"logprobs\":",
            "\"max_tokens\":",
            "\"stop\":",
            "\"tools\":",
            "\"n\":",
            "Expect: 100-continue\r\n",
        ],
    },
];
