//! How far a model is from another one, token by token: what llama.cpp's `--kl-divergence` measures, under its names.

use serde::Serialize;

use super::perplexity::{Losses, Perplexity};
use super::positions::{each_position, log_sum_exp, most_likely};
use super::{Progress, Window};
use crate::Error;
use crate::decoder::Decoder;

/// A model Q against a model P that counts as the truth ("base" in llama.cpp's words).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Tokens that count.
    pub tokens: usize,
    /// `PPL(Q)`.
    pub model: Perplexity,
    /// `PPL(base)`.
    pub base: Perplexity,
    /// `Mean ln(PPL(Q)/PPL(base))`.
    pub mean_ln_ratio: f64,
    /// `Mean KLD`: Σ p ln(p / q) over the vocabulary, the mean over the tokens.
    pub mean_kld: f64,
    /// `Maximum KLD`.
    pub maximum_kld: f64,
    /// `Mean Δp`: the change of the probability of the token that really follows, as a share of one.
    pub mean_delta_p: f64,
    /// `RMS Δp`: the root of the mean of its square.
    pub rms_delta_p: f64,
    /// `Same top p`: the share of tokens for which both find the same token most likely.
    pub same_top_p: f64,
}

/// Runs two models over the windows of a text.
///
/// # Errors
/// When their vocabularies differ in size, or a step fails.
pub fn compare(
    model: &Decoder,
    base: &Decoder,
    windows: &[Window],
    progress: Progress<'_>,
) -> Result<Comparison, Error> {
    let (found, expected) = (model.config().vocabulary, base.config().vocabulary);
    if found != expected {
        return Err(Error::Vocabularies { found, expected });
    }
    let mut sums = Sums::default();
    each_position(&[model, base], windows, progress, &mut |position| {
        sums.add(position.logits[0], position.logits[1], position.next);
    })?;
    Ok(sums.comparison())
}

#[derive(Debug, Default)]
struct Sums {
    tokens: usize,
    model: Losses,
    base: Losses,
    kld: f64,
    maximum_kld: f64,
    delta_p: f64,
    delta_p_squares: f64,
    same_top: usize,
}

impl Sums {
    fn add(&mut self, q: &[f32], p: &[f32], next: u32) {
        let (q_sum, p_sum) = (log_sum_exp(q), log_sum_exp(p));
        let kld: f64 = q
            .iter()
            .zip(p)
            .map(|(&q, &p)| {
                let (ln_q, ln_p) = (f64::from(q) - q_sum, f64::from(p) - p_sum);
                let share = ln_p.exp();
                // what P rules out adds nothing
                if share > 0.0 {
                    share * (ln_p - ln_q)
                } else {
                    0.0
                }
            })
            .sum();
        let ln_q = f64::from(q[next as usize]) - q_sum;
        let ln_p = f64::from(p[next as usize]) - p_sum;
        let delta = ln_q.exp() - ln_p.exp();
        self.tokens += 1;
        self.model.add(-ln_q);
        self.base.add(-ln_p);
        // rounding can take the divergence of equal distributions below 0
        let kld = kld.max(0.0);
        self.kld += kld;
        self.maximum_kld = self.maximum_kld.max(kld);
        self.delta_p += delta;
        self.delta_p_squares += delta * delta;
        self.same_top += usize::from(most_likely(q) == most_likely(p));
    }

    fn comparison(&self) -> Comparison {
        let count = self.tokens as f64;
        let (model, base) = (self.model.perplexity(), self.base.perplexity());
        Comparison {
            tokens: self.tokens,
            mean_ln_ratio: model.mean_loss - base.mean_loss,
            model,
            base,
            mean_kld: self.kld / count,
            maximum_kld: self.maximum_kld,
            mean_delta_p: self.delta_p / count,
            rms_delta_p: (self.delta_p_squares / count).sqrt(),
            same_top_p: self.same_top as f64 / count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_hand() {
        let ln = |values: [f32; 2]| values.map(f32::ln);
        let mut sums = Sums::default();
        // Q says 3/4 and 1/4, P says 1/2 and 1/2, scaled by anything
        sums.add(&ln([3.0, 1.0]), &ln([5.0, 5.0]), 0);
        sums.add(&ln([1.0, 3.0]), &ln([1.0, 3.0]), 1);
        let found = sums.comparison();
        let kld = 0.5 * (0.5_f64 / 0.75).ln() + 0.5 * (0.5_f64 / 0.25).ln();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} {b}");
        close(found.mean_kld, kld / 2.0);
        close(found.maximum_kld, kld);
        close(found.mean_delta_p, 0.125);
        close(found.rms_delta_p, (0.0625_f64 / 2.0).sqrt());
        close(found.same_top_p, 1.0);
        close(found.model.perplexity, (0.75_f64 * 0.75).powf(-0.5));
        close(found.base.perplexity, (0.5_f64 * 0.75).powf(-0.5));
        close(found.mean_ln_ratio, 0.5 * (0.5_f64 / 0.75).ln());
    }
}
