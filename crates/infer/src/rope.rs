//! Rotary position embeddings: frequencies, and turning the vectors of heads.

use std::f64::consts::TAU;

use crate::config::{RopeKind, RopeSettings};

/// The angle each pair of dimensions turns by per position, and what the result is multiplied by.
///
/// Like transformers, frequencies are rounded to `f32`, and so is their product with the position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frequencies {
    pub(crate) inverse: Vec<f32>,
    pub(crate) attention: f32,
}

impl RopeSettings {
    /// Frequencies for a sequence that will be `length` positions long when the step ends.
    pub(crate) fn frequencies(&self, length: usize) -> Frequencies {
        let plain = |theta: f64| -> Vec<f64> {
            (0..self.rotary / 2)
                .map(|pair| theta.powf(-((2 * pair) as f64) / self.rotary as f64))
                .collect()
        };
        let (inverse, attention) = match &self.kind {
            RopeKind::Default => (plain(self.theta), 1.0),
            RopeKind::Linear { factor } => {
                let row = plain(self.theta);
                (
                    row.iter().map(|frequency| frequency / factor).collect(),
                    1.0,
                )
            }
            RopeKind::Dynamic { factor } => (plain(self.stretched_base(*factor, length)), 1.0),
            RopeKind::Llama3 {
                factor,
                low,
                high,
                original,
            } => {
                let blend = |frequency: &f64| {
                    let turns = *original as f64 * frequency / TAU;
                    // 0 below `low` turns over the original context, 1 above `high`
                    let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                    frequency * (kept + (1.0 - kept) / factor)
                };
                (plain(self.theta).iter().map(blend).collect(), 1.0)
            }
            RopeKind::Yarn { attention, .. } => (self.yarn(&plain(self.theta)), *attention),
            RopeKind::Long {
                short,
                long,
                original,
                attention,
            } => {
                let divisors = if length > *original { long } else { short };
                let row = plain(self.theta);
                let row = row.iter().zip(divisors).map(|(f, divisor)| f / divisor);
                (row.collect(), *attention)
            }
        };
        Frequencies {
            inverse: inverse
                .into_iter()
                .map(|frequency| frequency as f32)
                .collect(),
            attention: attention as f32,
        }
    }

    /// True when keys that were turned for a sequence of one length do not fit those of another, and there are just two
    /// kinds of length, so that it is worth to compute them anew.
    pub(crate) fn changes_between(&self, before: usize, after: usize) -> bool {
        match &self.kind {
            RopeKind::Long { original, .. } => (before > *original) != (after > *original),
            _ => false,
        }
    }

    /// The base for a length beyond the model's positions. Grows so that the slowest pair turns no further than it did.
    fn stretched_base(&self, factor: f64, length: usize) -> f64 {
        let positions = self.positions as f64;
        let length = (length as f64).max(positions);
        let dimensions = self.rotary as f64;
        let stretch = factor * length / positions - (factor - 1.0);
        self.theta * stretch.powf(dimensions / (dimensions - 2.0).max(1.0))
    }

    fn yarn(&self, plain: &[f64]) -> Vec<f64> {
        let RopeKind::Yarn {
            factor,
            original,
            beta_fast,
            beta_slow,
            truncate,
            ..
        } = self.kind
        else {
            return plain.to_vec();
        };
        let dimensions = self.rotary as f64;
        // the pair that turns this often over the original context
        let pair_of = |turns: f64| {
            dimensions * (original as f64 / (turns * TAU)).ln() / (2.0 * self.theta.ln())
        };
        let (mut low, mut high) = (pair_of(beta_fast), pair_of(beta_slow));
        if truncate {
            (low, high) = (low.floor(), high.ceil());
        }
        (low, high) = (low.max(0.0), high.min(dimensions - 1.0));
        if low == high {
            high += 0.001;
        }
        plain
            .iter()
            .enumerate()
            .map(|(pair, frequency)| {
                let interpolated = ((pair as f64 - low) / (high - low)).clamp(0.0, 1.0);
                frequency / factor * interpolated + frequency * (1.0 - interpolated)
            })
            .collect()
    }
}

/// Cosines and sines of positions, those of a position side by side.
#[derive(Debug, Default)]
pub(crate) struct RotationTable {
    pairs: usize,
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl RotationTable {
    /// An empty table for rotations of `pairs` pairs.
    pub(crate) fn new(pairs: usize) -> Self {
        Self {
            pairs,
            ..Self::default()
        }
    }

    /// Adds the rotations of a position.
    pub(crate) fn push(&mut self, position: usize, frequencies: &Frequencies) {
        for &inverse in &frequencies.inverse {
            let angle = f64::from(position as f32 * inverse);
            let (sine, cosine) = angle.sin_cos();
            self.cosines.push(cosine as f32 * frequencies.attention);
            self.sines.push(sine as f32 * frequencies.attention);
        }
    }

    /// Turns a head's vector by the rotation of the entry `index`: dimension i with dimension i + half.
    pub(crate) fn turn(&self, index: usize, head: &mut [f32]) {
        let pairs = self.pairs;
        let cosines = &self.cosines[index * pairs..][..pairs];
        let sines = &self.sines[index * pairs..][..pairs];
        let (first, rest) = head.split_at_mut(pairs);
        let second = &mut rest[..pairs];
        for pair in 0..pairs {
            let (a, b) = (first[pair], second[pair]);
            first[pair] = a * cosines[pair] - b * sines[pair];
            second[pair] = b * cosines[pair] + a * sines[pair];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(kind: RopeKind) -> RopeSettings {
        RopeSettings {
            theta: 10_000.0,
            rotary: 8,
            positions: 32,
            kind,
        }
    }

    #[test]
    fn turning_keeps_lengths_and_depends_on_the_position() {
        let frequencies = settings(RopeKind::Default).frequencies(1);
        assert_eq!(frequencies.inverse[0], 1.0);
        let mut table = RotationTable::new(4);
        table.push(0, &frequencies);
        table.push(3, &frequencies);
        let before = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let mut head = before;
        table.turn(0, &mut head);
        assert_eq!(head, before);
        table.turn(1, &mut head);
        let square = |head: &[f32; 8]| head.iter().map(|x| x * x).sum::<f32>();
        assert!((square(&head) - square(&before)).abs() < 1e-4);
        assert_ne!(head, before);
    }

    #[test]
    fn dynamic_rope_is_the_default_within_the_context() {
        let default = settings(RopeKind::Default).frequencies(1);
        let dynamic = settings(RopeKind::Dynamic { factor: 4.0 });
        assert_eq!(dynamic.frequencies(32), default);
        assert!(dynamic.frequencies(64).inverse[3] < default.inverse[3]);
        assert_eq!(dynamic.frequencies(64).inverse[0], 1.0);
    }

    #[test]
    fn a_list_for_long_contexts_begins_beyond_the_original() {
        let long = settings(RopeKind::Long {
            short: vec![1.0; 4],
            long: vec![2.0; 4],
            original: 16,
            attention: 1.0,
        });
        assert_eq!(long.frequencies(16).inverse[0], 1.0);
        assert_eq!(long.frequencies(17).inverse[0], 0.5);
        assert!(long.changes_between(16, 17));
        assert!(!long.changes_between(17, 40));
    }
}
