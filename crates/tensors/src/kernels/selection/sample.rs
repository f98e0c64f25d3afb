//! The range in which a cut is likely to be, from a sample.

use std::ops::Range;

use super::Cut;
use super::bracket::{Bracket, Spans, Stage, Ties};
use super::wanted::Wanted;
use crate::kernels::{Key, TILE};

/// Elements of a tensor that is looked at as a whole.
const WHOLE: u64 = 1 << 14;
/// Elements of the sample that are neighbours.
const RUN: u64 = 64;
/// One element in so many is in the sample,
const SHARE: u64 = 128;
/// but no fewer
const FEWEST: u64 = 1 << 13;
/// and no more than this.
const MOST: u64 = 1 << 18;
/// Standard errors from the estimate to each end of the bracket.
const ERRORS: f64 = 4.0;

/// Which elements of a tensor are looked at first.
#[derive(Debug, Clone)]
pub(super) struct Sampling {
    elements: u64,
    /// Runs of a tensor for each one of the sample; 0 if the sample is the whole tensor.
    stride: u64,
}

impl Sampling {
    pub(super) fn of(elements: u64) -> Self {
        let stride = if elements <= WHOLE {
            0
        } else {
            let wanted = (elements / SHARE).clamp(FEWEST, MOST) / RUN;
            (elements / RUN / wanted).max(1)
        };
        Self { elements, stride }
    }

    fn is_whole(&self) -> bool {
        self.stride == 0
    }

    /// How many elements are looked at.
    pub(super) fn elements(&self) -> u64 {
        if self.is_whole() {
            self.elements
        } else {
            self.pieces() * RUN
        }
    }

    pub(super) fn pieces(&self) -> u64 {
        if self.is_whole() {
            self.elements.div_ceil(TILE as u64)
        } else {
            self.elements / RUN / self.stride
        }
    }

    /// A run at a place that no row length has a pattern with.
    pub(super) fn piece(&self, piece: u64) -> Range<u64> {
        if self.is_whole() {
            return super::search::tile_range(piece, self.elements);
        }
        let scattered = piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let run = piece * self.stride + scattered % self.stride;
        run * RUN..(run + 1) * RUN
    }

    /// The stage that follows the look at the sample.
    pub(super) fn stage<K: Key>(
        &self,
        sample: &[K],
        wanted: Wanted,
        bins: u64,
        spans: Spans,
    ) -> Stage<K> {
        let nonzero = sample.iter().filter(|&&key| key > K::ZERO).count() as u64;
        if self.is_whole() {
            return known(sample, wanted.of(nonzero), spans);
        }
        let mut order = sample.to_vec();
        // of as many elements as the sample has, `rank` are above the cut
        let rank = match wanted {
            Wanted::First(k) => (k as f64 * (sample.len() as f64 / self.elements as f64)) as usize,
            Wanted::Share(_) => wanted.of(nonzero) as usize,
        };
        let rank = rank.min(sample.len() - 1);
        let estimate = nth_largest(&mut order, rank);
        let error = error_of(sample, estimate, wanted.share());
        let reach = (ERRORS * error) as usize + 2;
        let highest = match rank.checked_sub(reach) {
            Some(above) => nth_largest(&mut order[..rank], above),
            None => K::MAX,
        };
        let lowest = match rank + reach {
            below if below < sample.len() => nth_largest(&mut order[rank..], reach),
            _ => K::ZERO,
        };
        let mut bracket = Bracket::new((lowest, highest), None, bins, spans);
        let repeats = sample.iter().filter(|&&key| key == estimate).count();
        bracket.guess = (repeats > 1 && repeats as f64 >= error).then_some(estimate);
        order.retain(|key| (lowest..=highest).contains(key));
        order.sort_unstable();
        bracket.sample = order;
        Stage::Bracket(bracket)
    }
}

/// The stage when the sample is the tensor.
fn known<K: Key>(all: &[K], k: u64, spans: Spans) -> Stage<K> {
    if k == 0 {
        return Stage::Done(Cut::NONE);
    }
    let key = nth_largest(&mut all.to_vec(), k as usize - 1);
    let above = all.iter().filter(|&&other| other > key).count() as u64;
    let equal = all.iter().filter(|&&other| other == key).count() as u64;
    if above + equal == k {
        return Stage::Done(Cut::down_to(key.to_u64()));
    }
    Stage::Ties(Ties {
        key,
        needed: k - above,
        spans,
    })
}

/// Moves the larger ones before the `n`-th, counted from 0, and the others behind it.
fn nth_largest<K: Key>(keys: &mut [K], n: usize) -> K {
    *keys.select_nth_unstable_by(n, |a, b| b.cmp(a)).1
}

/// The standard error of the number of keys in the sample that are above one, less that share of those that are not zero, from
/// how much the runs differ.
///
/// Neighbours resemble each other (rows have their own scale), so the sample tells less than its size promises.
fn error_of<K: Key>(sample: &[K], key: K, share: f64) -> f64 {
    let larger = |limit: K| variance(sample, |other| other > limit, share);
    // all that are equal count either way
    let at_least = variance(sample, |other| other >= key, share);
    larger(key).max(at_least).max(0.0).sqrt()
}

/// The variance of the number of chosen keys in the sample, less that share of those that are not zero.
fn variance<K: Key>(sample: &[K], chosen: impl Fn(K) -> bool, share: f64) -> f64 {
    // sums of whole numbers do not depend on the order of the runs
    let (mut sum, mut squares) = ([0_u64; 2], [0_u64; 3]);
    let runs = sample.chunks(RUN as usize);
    let count = runs.len() as f64;
    for run in runs {
        let chosen = run.iter().filter(|&&key| chosen(key)).count() as u64;
        let nonzero = run.iter().filter(|&&key| key > K::ZERO).count() as u64;
        sum[0] += chosen;
        sum[1] += nonzero;
        squares[0] += chosen * chosen;
        squares[1] += chosen * nonzero;
        squares[2] += nonzero * nonzero;
    }
    let total = sum[0] as f64 - share * sum[1] as f64;
    let [chosen, both, nonzero] = squares.map(|sum| sum as f64);
    chosen - share * (2.0 * both - share * nonzero) - total * total / count
}
