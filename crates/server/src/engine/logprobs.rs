//! Log-probabilities of tokens.

/// What the model thought of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprobs {
    /// The natural logarithm of its probability, before temperature and cuts.
    pub logprob: f32,
    /// The likeliest tokens with theirs, the likeliest first.
    pub top: Vec<(u32, f32)>,
}

impl TokenLogprobs {
    /// What logits say of a token, with some alternatives.
    pub(super) fn of(logits: &[f32], token: u32, alternatives: usize) -> Self {
        let norm = log_sum_exp(logits);
        let logprob = |token: u32| {
            let logit = logits.get(token as usize).copied();
            (f64::from(logit.unwrap_or(f32::NEG_INFINITY)) - norm) as f32
        };
        let top = largest(logits, alternatives);
        Self {
            logprob: logprob(token),
            top: top
                .into_iter()
                .map(|token| (token, logprob(token)))
                .collect(),
        }
    }
}

/// ln Σ e^logit.
fn log_sum_exp(logits: &[f32]) -> f64 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .chunks(1024)
        .map(|some| {
            f64::from(
                some.iter()
                    .map(|logit| (logit - largest).exp())
                    .sum::<f32>(),
            )
        })
        .sum();
    f64::from(largest) + sum.ln()
}

/// The tokens with the largest logits, the largest first, of equals the lower number.
fn largest(logits: &[f32], count: usize) -> Vec<u32> {
    let mut best: Vec<(f32, u32)> = Vec::with_capacity(count + 1);
    for (token, &logit) in logits.iter().enumerate() {
        if best.len() == count && best.last().is_none_or(|&(least, _)| logit <= least) {
            continue;
        }
        let place = best.partition_point(|&(other, _)| other >= logit);
        best.insert(place, (logit, token as u32));
        best.truncate(count);
    }
    best.into_iter().map(|(_, token)| token).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_come_first_and_equals_in_order() {
        let logits = [0.5, 2.0, -1.0, 2.0, f32::NEG_INFINITY];
        assert_eq!(largest(&logits, 3), [1, 3, 0]);
        assert_eq!(largest(&logits, 0), [0_u32; 0]);
        assert_eq!(largest(&logits, 9), [1, 3, 0, 2, 4]);
    }

    #[test]
    fn probabilities_sum_to_one() {
        let logits: Vec<f32> = (0..5000).map(|index| (index % 37) as f32 * 0.3).collect();
        let all = TokenLogprobs::of(&logits, 36, 5000);
        let sum: f64 = all.top.iter().map(|(_, one)| f64::from(*one).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
        assert_eq!(all.logprob, all.top[0].1);
        let quarter = TokenLogprobs::of(&[0.0, 3.0_f32.ln()], 0, 1);
        assert!((quarter.logprob - 0.25_f32.ln()).abs() < 1e-6);
        assert_eq!(quarter.top[0].0, 1);
    }
}
