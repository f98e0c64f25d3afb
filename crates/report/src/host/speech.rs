//! What loading a model's tokenizer and chat template gave.

use super::Evidence;
use super::report::{HostCheck, Requirement};

/// What somebody found who can load tokenizers, templates and graphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// Number of tokens of the tokenizer, added ones included; or why it does not load.
    pub tokenizer: Result<usize, String>,
    /// The chat template.
    pub template: Template,
    /// Tokens that end a text, by `generation_config.json`, `config.json` and the tokenizer.
    pub end: Vec<u32>,
    /// The token that the template puts behind an answer.
    pub turn_end: Option<u32>,
    /// The tensors that follow from `config.json`; nothing for a family that is not known.
    pub expected: Option<Vec<ExpectedTensor>>,
}

/// A chat template, tried with one message of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// There is none.
    Missing,
    /// It does not load, or does not take the message.
    Broken(String),
    /// It gives a text of so many tokens.
    Renders(usize),
}

/// A tensor that a model of some `config.json` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedTensor {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u64>,
}

pub(super) fn tokenizer(evidence: &Evidence<'_>) -> HostCheck {
    const THIS: Requirement = Requirement::Tokenizer;
    match &evidence.subject.speech.tokenizer {
        Ok(tokens) => HostCheck::passed(THIS, format!("{tokens} tokens")),
        Err(problem) => HostCheck::failed(
            THIS,
            problem,
            "copy the tokenizer files from a parent, or save them with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`",
        ),
    }
}

pub(super) fn template(evidence: &Evidence<'_>) -> HostCheck {
    const THIS: Requirement = Requirement::ChatTemplate;
    match &evidence.subject.speech.template {
        Template::Renders(tokens) => {
            HostCheck::passed(THIS, format!("renders a question as {tokens} tokens"))
        }
        Template::Broken(problem) => HostCheck::failed(
            THIS,
            problem,
            "copy `chat_template.jinja` from the parent whose behavior the merge should have",
        ),
        Template::Missing => HostCheck::failed(
            THIS,
            "there is none, so chats do not work",
            "base models have none: copy `chat_template.jinja` from a parent that was trained on chats",
        ),
    }
}
