//! Runs models over windows and hands out the logits of every position that counts.

use super::{Progress, Window};
use crate::decoder::{Collected, Decoder, SequenceStep, Wants};
use crate::{Error, KvCache};

/// Memory of the logits of one model that are there at once.
const LOGITS_BYTES: usize = 64 << 20;

/// A position of a text: what came next, and what each model thought would.
#[derive(Debug)]
pub(super) struct Position<'a> {
    /// The token that follows.
    pub(super) next: u32,
    /// The logits of each model, in their order.
    pub(super) logits: &'a [&'a [f32]],
}

/// Calls `visit` for each position that counts, window by window, until `progress` ends it.
pub(super) fn each_position(
    models: &[&Decoder],
    windows: &[Window],
    progress: Progress<'_>,
    visit: &mut dyn FnMut(&Position<'_>),
) -> Result<(), Error> {
    let vocabulary = models.iter().map(|model| model.config().vocabulary).max();
    let most = (LOGITS_BYTES / 4 / vocabulary.unwrap_or(1).max(1)).clamp(16, 1024);
    let mut done = 0;
    while done < windows.len() {
        let group = group(&windows[done..], most);
        if let [window] = group {
            long(models, window, most, visit)?;
        } else {
            together(models, group, visit)?;
        }
        done += group.len();
        if progress(done, windows.len()).is_break() {
            break;
        }
    }
    models.iter().try_for_each(|model| model.ensure_unchanged())
}

/// The first windows that have no more than some tokens together; at least one.
fn group(windows: &[Window], most: usize) -> &[Window] {
    let mut tokens = 0;
    let count = windows
        .iter()
        .take_while(|window| {
            tokens += window.tokens.len();
            tokens <= most
        })
        .count();
    &windows[..count.max(1)]
}

/// Several short windows in one step.
fn together(
    models: &[&Decoder],
    windows: &[Window],
    visit: &mut dyn FnMut(&Position<'_>),
) -> Result<(), Error> {
    let mut all = Vec::with_capacity(models.len());
    for model in models {
        let mut caches: Vec<KvCache> = windows.iter().map(|_| model.new_cache()).collect();
        let mut steps: Vec<SequenceStep<'_>> = windows
            .iter()
            .zip(&mut caches)
            .map(|(window, cache)| SequenceStep {
                tokens: &window.tokens[..window.tokens.len() - 1],
                cache,
                wants: Wants::All,
            })
            .collect();
        all.push(model.step(&mut steps)?);
    }
    for (index, window) in windows.iter().enumerate() {
        hand_out(&all, index, &window.tokens, 0, window.counted_from, visit);
    }
    Ok(())
}

/// One window, in parts so that its logits find room.
fn long(
    models: &[&Decoder],
    window: &Window,
    most: usize,
    visit: &mut dyn FnMut(&Position<'_>),
) -> Result<(), Error> {
    let tokens = &window.tokens;
    let last = tokens.len() - 1;
    let mut caches: Vec<KvCache> = models.iter().map(|model| model.new_cache()).collect();
    // where the rotary embedding looks at the length, the window is one step as it is for others
    let whole = models.iter().any(|model| model.must_recompute(1, last));
    let context = if whole { 0 } else { window.counted_from - 1 };
    let most = if whole { last } else { most };
    if context > 0 {
        for (model, cache) in models.iter().zip(&mut caches) {
            step(model, &tokens[..context], cache, Wants::Nothing)?;
        }
    }
    let mut begin = context;
    while begin < last {
        let end = last.min(begin + most);
        let mut all = Vec::with_capacity(models.len());
        for (model, cache) in models.iter().zip(&mut caches) {
            all.push(step(model, &tokens[begin..end], cache, Wants::All)?);
        }
        hand_out(&all, 0, tokens, begin, window.counted_from, visit);
        begin = end;
    }
    Ok(())
}

fn step(
    model: &Decoder,
    tokens: &[u32],
    cache: &mut KvCache,
    wants: Wants,
) -> Result<Collected, Error> {
    model.step(&mut [SequenceStep {
        tokens,
        cache,
        wants,
    }])
}

/// The logits of a sequence's tokens from `begin` on, those before the first that counts left out.
fn hand_out(
    all: &[Collected],
    sequence: usize,
    tokens: &[u32],
    begin: usize,
    counted_from: usize,
    visit: &mut dyn FnMut(&Position<'_>),
) {
    let mut rows: Vec<_> = all.iter().map(|one| one.rows(sequence)).collect();
    let count = rows.first().map_or(0, ExactSizeIterator::len);
    for token in begin..begin + count {
        let logits: Vec<&[f32]> = rows.iter_mut().filter_map(Iterator::next).collect();
        if token + 1 >= counted_from {
            visit(&Position {
                next: tokens[token + 1],
                logits: &logits,
            });
        }
    }
}

/// Index of the largest logit, the first of equals.
pub(super) fn most_likely(logits: &[f32]) -> u32 {
    let mut best = (f32::NEG_INFINITY, 0);
    for (token, &logit) in logits.iter().enumerate() {
        if logit > best.0 {
            best = (logit, token as u32);
        }
    }
    best.1
}

/// ln Σ e^logit.
pub(super) fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|&logit| f64::from(crate::exponential::exp(logit - largest)))
        .sum();
    f64::from(largest) + sum.ln()
}

/// The natural logarithm of a token's probability.
pub(super) fn log_probability(logits: &[f32], token: u32) -> f64 {
    f64::from(logits[token as usize]) - log_sum_exp(logits)
}
