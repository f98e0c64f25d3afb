//! Questions with choices: which one the model finds likeliest.
//!
//! As in lm-evaluation-harness: a choice is appended to the question with a blank between them (behind a chat template's
//! turn without one), its log-likelihood is the sum over its tokens, and blanks at the end of the question count as the
//! choice's, since tokenizers join blanks with the word that follows.

use std::ops::ControlFlow;

use serde::Serialize;

use super::Progress;
use super::positions::log_probability;
use super::tasks::{Answer, Prompt, Question};
use crate::decoder::{Observer, SequenceStep, Wants};
use crate::text::TemplateOptions;
use crate::{Cancel, Error, KvCache, Model};

/// Choices whose sequences are computed together.
const TOGETHER: usize = 32;

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
            let mut goes_on = || progress(index, questions.len());
            let found = log_likelihoods(model, &question.prompt, choices, &mut goes_on)?;
            let Some(likelihoods) = found else {
                break;
            };
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
    let count = answered.max(1) as f64;
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

/// The log-likelihood of each choice behind a prompt; nothing when `goes_on` ends it.
fn log_likelihoods(
    model: &Model,
    prompt: &Prompt,
    choices: &[String],
    goes_on: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Option<Vec<f64>>, Error> {
    let before = Before::of(model, prompt)?;
    let mut likelihoods = Vec::with_capacity(choices.len());
    for some in choices.chunks(TOGETHER) {
        if goes_on().is_break() {
            return Ok(None);
        }
        likelihoods.extend(some_likelihoods(model, &before, some)?);
    }
    Ok(Some(likelihoods))
}

/// The same for as many choices as are weighed together.
fn some_likelihoods(model: &Model, before: &Before, choices: &[String]) -> Result<Vec<f64>, Error> {
    let sequences = choices
        .iter()
        .map(|choice| before.sequence(model, choice))
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
    let mut sums = Sums {
        sequences: &sequences,
        shared,
        likelihoods: vec![0.0; sequences.len()],
    };
    decoder.step_with(&mut steps, &mut sums)?;
    Ok(sums.likelihoods)
}

/// Adds up the logarithms of the choices' tokens while their logits come.
#[derive(Debug)]
struct Sums<'a> {
    sequences: &'a [Sequence],
    /// Tokens before those of the step.
    shared: usize,
    likelihoods: Vec<f64>,
}

impl Observer for Sums<'_> {
    fn logits(&mut self, sequence: usize, token: usize, logits: &[f32]) {
        let one = &self.sequences[sequence];
        let next = self.shared + token + 1;
        if next >= one.begin {
            self.likelihoods[sequence] += log_probability(logits, one.tokens[next]);
        }
    }
}

/// What stands before the choices.
#[derive(Debug)]
struct Before {
    text: String,
    delimiter: &'static str,
    special: bool,
    /// Its tokens, without what counts as the choices'.
    tokens: usize,
}

/// A prompt with a choice behind it.
#[derive(Debug)]
struct Sequence {
    tokens: Vec<u32>,
    /// Index of the choice's first token; at least 1.
    begin: usize,
}

impl Before {
    fn of(model: &Model, prompt: &Prompt) -> Result<Self, Error> {
        let companions = &model.companions;
        let (text, delimiter, special) = match prompt {
            Prompt::Text(text) => (text.clone(), " ", true),
            Prompt::Messages(messages) => {
                let options = TemplateOptions {
                    generation_prompt: true,
                    ..TemplateOptions::default()
                };
                let text = companions.template()?.render(messages, &options)?;
                (text, "", false)
            }
        };
        // blanks at the end belong to the choice, but not line ends of a template
        let context = match prompt {
            Prompt::Text(_) => text.trim_end(),
            Prompt::Messages(_) => text.as_str(),
        };
        let tokens = tokens_within(model, context, special)?.len();
        Ok(Self {
            text,
            delimiter,
            special,
            tokens,
        })
    }

    fn sequence(&self, model: &Model, choice: &str) -> Result<Sequence, Error> {
        let whole = format!("{}{}{choice}", self.text, self.delimiter);
        let tokens = tokens_within(model, &whole, self.special)?;
        let begin = self.tokens.min(tokens.len().saturating_sub(1));
        if begin == 0 {
            return Err(Error::EmptyPrompt);
        }
        Ok(Sequence { tokens, begin })
    }
}

/// The tokens of a text that the model can take in.
fn tokens_within(model: &Model, text: &str, special: bool) -> Result<Vec<u32>, Error> {
    let most = model.decoder.config().positions + 1;
    let tokenizer = &model.companions.tokenizer;
    tokenizer.encode_within(text, special, most, &Cancel::default())
}

/// How many tokens two sequences begin with alike.
fn common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::{DecoderOptions, Message, Pool};

    #[test]
    fn many_choices_are_weighed_some_at_a_time() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2/instruct");
        let pool = Arc::new(Pool::new(2));
        let model = Model::open(&folder, pool, DecoderOptions::default()).unwrap();
        let prompt = Prompt::Messages(vec![Message::new("user", "Where does Anna live?")]);
        let weighed = |choices: &[String], most: usize| {
            let mut looks = 0;
            let found = log_likelihoods(&model, &prompt, choices, &mut || {
                looks += 1;
                if looks > most {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            (found.unwrap(), looks)
        };
        let few = ["Anna lives in Rome.", "Anna lives in Oslo."].map(str::to_owned);
        let (alone, looks) = weighed(&few, 100);
        let alone = alone.unwrap();
        assert_eq!(looks, 1);
        assert!(alone[0] > alone[1], "{alone:?}");
        let other = |number| format!("Anna has {number} dogs.");
        let many: Vec<String> = (0..2 * TOGETHER).map(other).chain(few).collect();
        let (found, looks) = weighed(&many, 100);
        let found = found.unwrap();
        assert_eq!((found.len(), looks), (many.len(), 3));
        for (one, other) in alone.iter().zip(&found[2 * TOGETHER..]) {
            assert!((one - other).abs() < 1e-3, "{one} {other}");
        }
        assert_eq!(largest(&found), 2 * TOGETHER);
        assert_eq!(weighed(&many, 1), (None, 2));
    }
}
