//! How surprised a model is by a text.

use serde::Serialize;

use super::positions::{each_position, log_probability};
use super::{Progress, Window};
use crate::Error;
use crate::decoder::Decoder;

/// The perplexity of a text: e to the mean of -ln p over its tokens.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Perplexity {
    /// Tokens that count.
    pub tokens: usize,
    /// The mean of -ln p.
    pub mean_loss: f64,
    /// e to that.
    pub perplexity: f64,
    /// The standard error of the perplexity.
    pub standard_error: f64,
}

/// Runs a model over the windows of a text.
///
/// # Errors
/// When a step fails, as for a token that the model has not.
pub fn perplexity(
    model: &Decoder,
    windows: &[Window],
    progress: Progress<'_>,
) -> Result<Perplexity, Error> {
    let mut losses = Losses::default();
    each_position(&[model], windows, progress, &mut |position| {
        losses.add(-log_probability(position.logits[0], position.next));
    })?;
    Ok(losses.perplexity())
}

/// Sums over tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Losses {
    tokens: usize,
    sum: f64,
    squares: f64,
}

impl Losses {
    pub(super) fn add(&mut self, loss: f64) {
        self.tokens += 1;
        self.sum += loss;
        self.squares += loss * loss;
    }

    pub(super) fn perplexity(&self) -> Perplexity {
        let count = self.tokens as f64;
        let mean = self.sum / count;
        let variance = (self.squares / count - mean * mean).max(0.0);
        let perplexity = mean.exp();
        Perplexity {
            tokens: self.tokens,
            mean_loss: mean,
            perplexity,
            standard_error: perplexity * (variance / (count - 1.0).max(1.0)).sqrt(),
        }
    }
}
