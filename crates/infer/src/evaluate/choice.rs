//! Questions with choices: which one the model finds likeliest.
//!
//! As in lm-evaluation-harness: a choice is appended to the question with a blank between them (behind a chat template's
//! turn without one), its log-likelihood is the sum over its tokens, and blanks at the end of the question count as the
//! choice's, since tokenizers join blanks with the word that follows.

use serde::Serialize;

use super::Progress;
use super::positions::log_probability;
use super::tasks::{Answer, Prompt, Question};
use crate::Model;
use crate::decoder::{SequenceStep, Wants};
use crate::text::TemplateOptions;
use crate::{Error, KvCache};

/// How many questions were answered right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChoiceScore {
    /// Questions that were put.
    pub questions: usize,
    /// Those for which the right choice had the largest log-likelihood.
    pub right: usize,
    /// Those for which it had the largest log-likelihood for each byte of the choice's text.
    pub right_norm: usize,
    /// `acc`: the share of `right`.
    pub acc: f64,
    /// `acc_norm`: the share of `right_norm`.
    pub acc_norm: f64,
}

/// Weighs the choices of questions.
///
/// # Errors
/// When the model has no chat template and a question needs it, or a step fails.
pub fn multiple_choice(
    model: &Model,
    questions: &[Question],
    progress: Progress<'_>,
) -> Result<ChoiceScore, Error> {
    let (mut right, mut right_norm, mut answered) = (0, 0, 0);
    for (index, question) in questions.iter().enumerate() {
        if let Answer::Choice {
            choices,
            right: expected,
        } = &question.answer
        {
            let likelihoods = log_likelihoods(model, &question.prompt, choices)?;
            let by_byte: Vec<f64> = likelihoods
                .iter()
                .zip(choices)
                .map(|(likelihood, choice)| likelihood / choice.len() as f64)
                .collect();
            right += usize::from(largest(&likelihoods) == *expected);
            right_norm += usize::from(largest(&by_byte) == *expected);
        }
        answered = index + 1;
        if progress(answered, questions.len()).is_break() {
            break;
        }
    }
    model.decoder.ensure_unchanged()?;
    let count = answered as f64;
    Ok(ChoiceScore {
        questions: answered,
        right,
        right_norm,
        acc: right as f64 / count,
        acc_norm: right_norm as f64 / count,
    })
}

/// Index of the largest, the first of equals.
fn largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// The log-likelihood of each choice behind a prompt.
fn log_likelihoods(model: &Model, prompt: &Prompt, choices: &[String]) -> Result<Vec<f64>, Error> {
    let sequences = choices
        .iter()
        .map(|choice| sequence(model, prompt, choice))
        .collect::<Result<Vec<_>, _>>()?;
    // what all begin with is computed once; the last token before a choice says what the choice begins with
    let shared = sequences
        .iter()
        .map(|one| common(&one.tokens, &sequences[0].tokens).min(one.begin - 1))
        .min()
        .unwrap_or(0);
    let decoder = &model.decoder;
    let mut cache = decoder.new_cache();
    if shared > 0 {
        decoder.step(&mut [SequenceStep {
            tokens: &sequences[0].tokens[..shared],
            cache: &mut cache,
            wants: Wants::Nothing,
        }])?;
    }
    let mut caches: Vec<KvCache> = sequences.iter().map(|_| cache.clone()).collect();
    let mut steps: Vec<SequenceStep<'_>> = sequences
        .iter()
        .zip(&mut caches)
        .map(|(one, cache)| SequenceStep {
            tokens: &one.tokens[shared..one.tokens.len() - 1],
            cache,
            wants: Wants::All,
        })
        .collect();
    let logits = decoder.step(&mut steps)?;
    Ok(sequences
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let rows = logits.rows(index).skip(one.begin - 1 - shared);
            let tokens = &one.tokens[one.begin..];
            rows.zip(tokens)
                .map(|(row, &token)| log_probability(row, token))
                .sum()
        })
        .collect())
}

/// A prompt with a choice behind it.
#[derive(Debug)]
struct Sequence {
    tokens: Vec<u32>,
    /// Index of the choice's first token; at least 1.
    begin: usize,
}

fn sequence(model: &Model, prompt: &Prompt, choice: &str) -> Result<Sequence, Error> {
    let companions = &model.companions;
    let (before, delimiter, special) = match prompt {
        Prompt::Text(text) => (text.clone(), " ", true),
        Prompt::Messages(messages) => {
            let options = TemplateOptions {
                generation_prompt: true,
                ..TemplateOptions::default()
            };
            (
                companions.template()?.render(messages, &options)?,
                "",
                false,
            )
        }
    };
    let whole = format!("{before}{delimiter}{choice}");
    // blanks at the end belong to the choice, but not line ends of a template
    let context = match prompt {
        Prompt::Text(_) => before.trim_end(),
        Prompt::Messages(_) => before.as_str(),
    };
    let tokens = companions.tokenizer.encode(&whole, special)?;
    let begin = companions.tokenizer.encode(context, special)?.len();
    let begin = begin.min(tokens.len().saturating_sub(1));
    if begin == 0 {
        return Err(Error::EmptyPrompt);
    }
    Ok(Sequence { tokens, begin })
}

/// How many tokens two sequences begin with alike.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
