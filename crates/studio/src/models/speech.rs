//! Tokenizer and chat template of a model, loaded and tried.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use weightsmith_infer::{
    Companions, DecoderConfig, Error, Message, TemplateOptions, expected_tensors,
};
use weightsmith_report::host::{ExpectedTensor, Speech, Template};
use weightsmith_tensors::{Companion, CompanionError, ModelFiles, ModelFolder, TensorSource, json};

/// What a user says in the trial.
const QUESTION: &str = "What is the capital of France?";

/// Loads what is in a folder, and puts a user's turn through the template.
pub fn speech(folder: &Path, weights: Option<&dyn TensorSource>) -> Speech {
    let expected = weights.and_then(|weights| {
        let config = DecoderConfig::read(folder).ok()?;
        let tensors = expected_tensors(weights, &config).into_iter();
        Some(
            tensors
                .map(|(name, shape)| ExpectedTensor { name, shape })
                .collect(),
        )
    });
    let (companions, template) = match read(folder, true) {
        Ok(companions) => {
            let template = template(&companions);
            (Ok(companions), template)
        }
        // what is wrong with the template is no fault of the tokenizer
        Err(problem) => match read(folder, false) {
            Ok(companions) => (Ok(companions), Template::Broken(problem.to_string())),
            Err(problem) => (
                Err(problem),
                Template::Broken("there is no tokenizer to test it with".to_owned()),
            ),
        },
    };
    let tokenizer = match &companions {
        Ok(companions) => tokenizer(companions),
        Err(problem) => Err(problem.to_string()),
    };
    let companions = companions.ok();
    Speech {
        tokenizer,
        template,
        end: companions
            .as_ref()
            .map(|companions| companions.defaults.end.clone())
            .unwrap_or_default(),
        turn_end: companions.as_ref().and_then(Companions::turn_end),
        expected,
    }
}

/// The tokenizer's size, when it can take a text apart and put it together.
fn tokenizer(companions: &Companions) -> Result<usize, String> {
    let tokenizer = &companions.tokenizer;
    let tokens = tokenizer.encode(QUESTION, true);
    tokens
        .and_then(|tokens| tokenizer.decode(&tokens, true))
        .map(|_| tokenizer.vocabulary())
        .map_err(|problem| problem.to_string())
}

fn template(companions: &Companions) -> Template {
    let Some(template) = &companions.template else {
        return Template::Missing;
    };
    let options = TemplateOptions {
        generation_prompt: true,
        ..TemplateOptions::default()
    };
    let prompt = template
        .render(&[Message::new("user", QUESTION)], &options)
        .and_then(|text| {
            let tokens = companions.tokenizer.encode(&text, false)?;
            Ok((text, tokens.len()))
        });
    match prompt {
        Ok((text, _)) if !text.contains(QUESTION) => {
            Template::Broken(format!("{}: omits the user's message", template.origin()))
        }
        Ok((_, tokens)) => Template::Renders(tokens),
        Err(problem) => Template::Broken(problem.to_string()),
    }
}

/// The files of a folder, with or without its templates.
fn read(folder: &Path, with_template: bool) -> Result<Companions, Error> {
    Companions::of(&Tried {
        folder: ModelFolder::new(folder),
        with_template,
    })
}

/// What is tried of a folder. A damaged `generation_config.json` is somebody else's finding.
#[derive(Debug)]
struct Tried {
    folder: ModelFolder,
    with_template: bool,
}

impl ModelFiles for Tried {
    fn path_of(&self, name: &str) -> PathBuf {
        self.folder.path_of(name)
    }

    fn file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(bytes) = self.folder.file(name)? else {
            return Ok(None);
        };
        Ok(match name {
            "generation_config.json" | "config.json" => {
                Some(bytes).filter(|bytes| json::read::<Value>(bytes).is_ok())
            }
            "chat_template.jinja" | "chat_template.json" if !self.with_template => None,
            "tokenizer_config.json" if !self.with_template => Some(without_template(bytes)),
            _ => Some(bytes),
        })
    }

    fn companions(&self) -> Result<Vec<Companion>, CompanionError> {
        self.folder.companions()
    }

    fn open_companion(&self, relative: &Path) -> io::Result<Box<dyn Read + Send>> {
        self.folder.open_companion(relative)
    }
}

fn without_template(bytes: Vec<u8>) -> Vec<u8> {
    match json::read::<Value>(&bytes) {
        Ok(Value::Object(mut config)) => {
            config.remove("chat_template");
            Value::Object(config).to_string().into_bytes()
        }
        _ => bytes,
    }
}
