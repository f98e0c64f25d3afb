//! Choosing the next token.

use crate::Error;

/// How a token is chosen from logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingSettings {
    /// Logits are divided by it; 0 takes the most likely token.
    pub temperature: f32,
    /// Only this many most likely tokens; 0: all.
    pub top_k: usize,
    /// Only the most likely tokens that have this probability together; 1: all.
    pub top_p: f32,
    /// Only tokens this many times as likely as the most likely one; 0: all.
    pub min_p: f32,
    /// Logits of tokens that have occurred are divided by it if positive, else multiplied; 1: not changed.
    pub repetition_penalty: f32,
}

impl Default for SamplingSettings {
    /// The most likely token.
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
        }
    }
}

impl SamplingSettings {
    /// Checks that each setting makes sense.
    ///
    /// # Errors
    /// For the first that does not.
    pub fn check(&self) -> Result<(), Error> {
        let problem = |name, found: f32, expected| {
            Err(Error::Setting {
                name,
                found: found.to_string(),
                expected,
            })
        };
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            return problem("temperature", self.temperature, "a number from 0");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return problem("top_p", self.top_p, "a number above 0, up to 1");
        }
        if !(0.0..=1.0).contains(&self.min_p) {
            return problem("min_p", self.min_p, "a number from 0 to 1");
        }
        if !(self.repetition_penalty > 0.0 && self.repetition_penalty.is_finite()) {
            let expected = "a number above 0";
            return problem("repetition_penalty", self.repetition_penalty, expected);
        }
        Ok(())
    }
}

/// Chooses tokens of one sequence: the same seed, settings and logits give the same tokens.
///
/// The order is transformers': penalty, temperature, top-k, top-p, min-p.
#[derive(Debug, Clone)]
pub struct Sampler {
    settings: SamplingSettings,
    seed: u64,
    drawn: u64,
    /// Which tokens have occurred; only kept for a penalty.
    occurred: Vec<bool>,
}

impl Sampler {
    /// A sampler.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn new(settings: SamplingSettings, seed: u64) -> Result<Self, Error> {
        settings.check()?;
        Ok(Self {
            settings,
            seed,
            drawn: 0,
            occurred: Vec::new(),
        })
    }

    /// Tokens that have occurred, in the prompt or since.
    pub fn observe(&mut self, tokens: &[u32]) {
        if self.settings.repetition_penalty == 1.0 {
            return;
        }
        for &token in tokens {
            let token = token as usize;
            if token >= self.occurred.len() {
                self.occurred.resize(token + 1, false);
            }
            self.occurred[token] = true;
        }
    }

    /// Chooses a token. The logits must be free of NaN.
    pub fn sample(&mut self, logits: &[f32]) -> u32 {
        let settings = self.settings;
        if settings.temperature == 0.0 {
            return self.most_likely(logits);
        }
        let mut candidates: Vec<(f32, u32)> = logits
            .iter()
            .enumerate()
            .map(|(token, &logit)| {
                (
                    self.penalised(token, logit) / settings.temperature,
                    token as u32,
                )
            })
            .collect();
        // the likelier first, of equals the lower number
        let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if settings.top_k > 0 && settings.top_k < candidates.len() {
            candidates.select_nth_unstable_by(settings.top_k - 1, order);
            candidates.truncate(settings.top_k);
        }
        drop_unlikely(&mut candidates, settings);
        candidates.sort_unstable_by(order);
        let weights = cut(&candidates, settings);
        let total: f64 = weights.iter().sum();
        let mut left = self.draw() * total;
        for (weight, candidate) in weights.iter().zip(&candidates) {
            left -= weight;
            if left < 0.0 {
                return candidate.1;
            }
        }
        candidates[weights.len() - 1].1
    }

    fn most_likely(&self, logits: &[f32]) -> u32 {
        let mut best = (f32::NEG_INFINITY, 0);
        for (token, &logit) in logits.iter().enumerate() {
            let logit = self.penalised(token, logit);
            if logit > best.0 {
                best = (logit, token as u32);
            }
        }
        best.1
    }

    /// Keskar et al. 2019, "CTRL", section 4.1, in the form for logits of either sign that is in use.
    fn penalised(&self, token: usize, logit: f32) -> f32 {
        let penalty = self.settings.repetition_penalty;
        match self.occurred.get(token) {
            Some(true) if logit > 0.0 => logit / penalty,
            Some(true) => logit * penalty,
            _ => logit,
        }
    }

    /// A number from 0 to below 1: SplitMix64 (Steele, Lea and Flood 2014).
    fn draw(&mut self) -> f64 {
        self.drawn += 1;
        let mut bits = self
            .seed
            .wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Drops what top-p would drop in any case, so that little is left to sort: n tokens of less than (1 - p) / n each
/// have less than 1 - p together.
fn drop_unlikely(candidates: &mut Vec<(f32, u32)>, settings: SamplingSettings) {
    if settings.top_p == 1.0 || candidates.len() < 64 {
        return;
    }
    let largest = candidates
        .iter()
        .map(|candidate| candidate.0)
        .fold(f32::NEG_INFINITY, f32::max);
    let weight = |logit: f32| f64::from(logit - largest).exp();
    let total: f64 = candidates.iter().map(|candidate| weight(candidate.0)).sum();
    let least = (1.0 - f64::from(settings.top_p)) / candidates.len() as f64 * total;
    // a margin for rounding
    candidates.retain(|candidate| weight(candidate.0) >= 0.999 * least);
}

/// Weights of the candidates, likeliest first, that top-p and min-p leave; at least one.
fn cut(candidates: &[(f32, u32)], settings: SamplingSettings) -> Vec<f64> {
    let largest = candidates[0].0;
    let mut weights: Vec<f64> = candidates
        .iter()
        .map(|candidate| f64::from(candidate.0 - largest).exp())
        .collect();
    if settings.top_p < 1.0 {
        let enough = f64::from(settings.top_p) * weights.iter().sum::<f64>();
        let mut sum = 0.0;
        let kept = weights.iter().position(|weight| {
            sum += weight;
            sum >= enough
        });
        weights.truncate(kept.map_or(weights.len(), |last| last + 1));
    }
    let least = f64::from(settings.min_p);
    let kept = weights.partition_point(|&weight| weight >= least);
    weights.truncate(kept.max(1));
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(settings: SamplingSettings) -> Sampler {
        Sampler::new(settings, 1).unwrap()
    }

    fn counts(settings: SamplingSettings, logits: &[f32], draws: usize) -> Vec<usize> {
        let mut sampler = sampler(settings);
        let mut counts = vec![0; logits.len()];
        for _ in 0..draws {
            counts[sampler.sample(logits) as usize] += 1;
        }
        counts
    }

    const WARM: SamplingSettings = SamplingSettings {
        temperature: 1.0,
        top_k: 0,
        top_p: 1.0,
        min_p: 0.0,
        repetition_penalty: 1.0,
    };

    #[test]
    fn greedy_takes_the_first_of_equals() {
        assert_eq!(
            sampler(SamplingSettings::default()).sample(&[1.0, 3.0, 3.0]),
            1
        );
    }

    #[test]
    fn shares_are_those_of_the_softmax() {
        let logits = [0.0, 2.0_f32.ln(), 3.0_f32.ln(), f32::NEG_INFINITY];
        let counts = counts(WARM, &logits, 60_000);
        for (count, expected) in counts.iter().zip([10_000.0, 20_000.0, 30_000.0, 0.0]) {
            assert!((*count as f64 - expected).abs() < 500.0, "{counts:?}");
        }
    }

    #[test]
    fn the_cuts_leave_the_likeliest() {
        let logits = [1.0_f32, 2.0, 3.0, 4.0].map(f32::ln);
        let left = |settings| {
            let counts = counts(settings, &logits, 2_000);
            counts.iter().map(|&count| count > 0).collect::<Vec<_>>()
        };
        assert_eq!(
            left(SamplingSettings { top_k: 2, ..WARM }),
            [false, false, true, true]
        );
        assert_eq!(
            left(SamplingSettings {
                top_p: 0.65,
                ..WARM
            }),
            [false, false, true, true]
        );
        assert_eq!(
            left(SamplingSettings { top_p: 0.3, ..WARM }),
            [false, false, false, true]
        );
        assert_eq!(
            left(SamplingSettings {
                min_p: 0.45,
                ..WARM
            }),
            [false, true, true, true]
        );
        assert_eq!(left(WARM), [true; 4]);
    }

    #[test]
    fn dropping_the_unlikely_changes_nothing() {
        let logits: Vec<f32> = (0..500)
            .map(|index| ((index * 37) % 101) as f32 * 0.1)
            .collect();
        let settings = SamplingSettings { top_p: 0.8, ..WARM };
        let mut all: Vec<(f32, u32)> = logits.iter().copied().zip(0..).collect();
        all.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let mut few = all.clone();
        drop_unlikely(&mut few, settings);
        assert!(few.len() < all.len());
        let (all, few) = (cut(&all, settings), cut(&few, settings));
        assert!(
            all.len().abs_diff(few.len()) <= 10,
            "{} {}",
            all.len(),
            few.len()
        );
    }

    #[test]
    fn a_penalty_makes_what_occurred_less_likely() {
        let mut sampler = sampler(SamplingSettings {
            repetition_penalty: 2.0,
            ..SamplingSettings::default()
        });
        assert_eq!(sampler.sample(&[-1.0, 3.0, 2.0]), 1);
        sampler.observe(&[1]);
        assert_eq!(sampler.sample(&[-1.0, 3.0, 2.0]), 2);
        sampler.observe(&[2]);
        assert_eq!(sampler.sample(&[-1.0, -1.5, -0.6]), 0);
    }

    #[test]
    fn the_seed_decides() {
        let logits = [0.0; 50];
        let draw = |seed| {
            let mut sampler = Sampler::new(WARM, seed).unwrap();
            (0..20).map(|_| sampler.sample(&logits)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let error = Sampler::new(SamplingSettings { top_p: 1.5, ..WARM }, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "top_p is 1.5; expected a number above 0, up to 1"
        );
        assert!(
            Sampler::new(
                SamplingSettings {
                    temperature: f32::NAN,
                    ..WARM
                },
                0
            )
            .is_err()
        );
    }
}
