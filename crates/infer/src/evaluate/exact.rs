//! Questions whose answer is a text: generated and compared.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::Serialize;

use super::Progress;
use super::positions::most_likely;
use super::tasks::{Answer, Prompt, Question};
use crate::Model;
use crate::decoder::{SequenceStep, Wants};
use crate::text::TemplateOptions;
use crate::{Companions, Error, KvCache};

/// Questions that are answered at once.
const BATCH: usize = 16;

/// How many questions were answered right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExactScore {
    /// Questions that were put.
    pub questions: usize,
    /// Those whose answer was the right text.
    pub right: usize,
    /// The same by kind, in the order of the alphabet; empty where no question has a kind.
    pub kinds: Vec<KindScore>,
}

/// How many questions of a kind were answered right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindScore {
    /// The kind.
    pub kind: String,
    /// Questions.
    pub questions: usize,
    /// Those whose answer was the right text.
    pub right: usize,
}

/// Puts questions to a model, which answers with the most likely token each time, `max_tokens` at most. An answer is right
/// when it is the expected text, blanks around both left out. `answered` is told each question and its answer.
///
/// # Errors
/// When the model has no chat template and a question needs it, or a step fails.
pub fn exact_match(
    model: &Model,
    questions: &[Question],
    max_tokens: usize,
    progress: Progress<'_>,
    answered: &mut dyn FnMut(&Question, &str, bool),
) -> Result<ExactScore, Error> {
    let mut kinds: BTreeMap<&str, KindScore> = BTreeMap::new();
    let (mut total, mut done) = (0, 0);
    for batch in questions.chunks(BATCH) {
        let prompts = batch
            .iter()
            .map(|question| prompt_tokens(model, &question.prompt))
            .collect::<Result<Vec<_>, _>>()?;
        let mut token = || progress(done, questions.len());
        let Some(answers) = continuations(model, &prompts, max_tokens, &mut token)? else {
            break;
        };
        for (question, tokens) in batch.iter().zip(answers) {
            let Answer::Text(expected) = &question.answer else {
                continue;
            };
            let text = model.companions.tokenizer.decode(&tokens, true)?;
            let text = up_to_stop(&text, &model.companions);
            let right = text.trim() == expected.trim();
            answered(question, text.trim(), right);
            total += usize::from(right);
            if let Some(kind) = &question.kind {
                let score = kinds.entry(kind).or_insert_with(|| KindScore {
                    kind: kind.clone(),
                    questions: 0,
                    right: 0,
                });
                score.questions += 1;
                score.right += usize::from(right);
            }
        }
        done += batch.len();
        if progress(done, questions.len()).is_break() {
            break;
        }
    }
    model.decoder.ensure_unchanged()?;
    Ok(ExactScore {
        questions: done,
        right: total,
        kinds: kinds.into_values().collect(),
    })
}

/// An answer up to the first text that ends one.
fn up_to_stop<'a>(text: &'a str, companions: &Companions) -> &'a str {
    let own = companions.defaults.stop.iter().map(String::as_str);
    let stops = own.chain(companions.turn_stop());
    let found = stops
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop));
    &text[..found.min().unwrap_or(text.len())]
}

/// The tokens of what a question asks.
pub(super) fn prompt_tokens(model: &Model, prompt: &Prompt) -> Result<Vec<u32>, Error> {
    let companions = &model.companions;
    match prompt {
        Prompt::Text(text) => model.prompt_tokens(text, true),
        Prompt::Messages(messages) => {
            let options = TemplateOptions {
                generation_prompt: true,
                ..TemplateOptions::default()
            };
            let text = companions.template()?.render(messages, &options)?;
            model.prompt_tokens(&text, false)
        }
    }
}

/// The most likely continuations of several prompts, side by side, each up to its end of text; nothing when `token`, which is
/// called before each, ends it.
fn continuations(
    model: &Model,
    prompts: &[Vec<u32>],
    max_tokens: usize,
    token: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Option<Vec<Vec<u32>>>, Error> {
    let decoder = &model.decoder;
    let mut end = model.companions.defaults.end.clone();
    end.extend(model.companions.turn_end());
    let mut answers = vec![Vec::new(); prompts.len()];
    let mut running: Vec<Running> = prompts
        .iter()
        .enumerate()
        .map(|(index, prompt)| Running {
            index,
            cache: decoder.new_cache(),
            pending: prompt.clone(),
        })
        .collect();
    let positions = decoder.config().positions;
    for _ in 0..max_tokens {
        running.retain(|one| one.cache.is_empty() || one.cache.len() < positions);
        if running.is_empty() {
            break;
        }
        if token().is_break() {
            return Ok(None);
        }
        let mut steps: Vec<SequenceStep<'_>> = running
            .iter_mut()
            .map(|one| SequenceStep {
                tokens: &one.pending,
                cache: &mut one.cache,
                wants: Wants::Last,
            })
            .collect();
        let logits = decoder.step(&mut steps)?;
        let next: Vec<u32> = (0..running.len())
            .map(|sequence| most_likely(logits.last(sequence)))
            .collect();
        for (one, &token) in running.iter_mut().zip(&next) {
            one.pending = vec![token];
            if !end.contains(&token) {
                answers[one.index].push(token);
            }
        }
        running.retain(|one| !end.contains(&one.pending[0]));
    }
    Ok(Some(answers))
}

/// A sequence that has not ended.
#[derive(Debug)]
struct Running {
    index: usize,
    cache: KvCache,
    pending: Vec<u32>,
}
