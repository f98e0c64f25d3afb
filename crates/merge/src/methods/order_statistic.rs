//! The elements of given ranks, found exactly and without sorting.
//!
//! Numbers that are not negative are ordered as their bits are. Each pass counts the elements that have the leading bits found so
//! far by their next bits; those of the element of a rank follow from the counts. An f32 takes two passes, an f64 four.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::ops::RangeInclusive;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{Isa, Kernel, LANES};

/// Bits that a pass finds.
const DIGIT: u32 = 16;

/// A number whose bits can be looked at.
pub(super) trait Bits: Real {
    /// How many there are without the sign.
    const WIDTH: u32;

    /// Larger than all but NaN.
    const LARGEST: Self;

    /// Passes that a search takes.
    const PASSES: usize = Self::WIDTH.div_ceil(DIGIT) as usize;

    /// The bits of a number that is not negative; they grow with it.
    fn bits(self) -> u64;

    /// The number with these bits.
    fn of_bits(bits: u64) -> Self;
}

impl Bits for f32 {
    const WIDTH: u32 = 31;
    const LARGEST: Self = Self::INFINITY;

    #[inline(always)]
    fn bits(self) -> u64 {
        // -0 counts as 0
        u64::from(self.to_bits() & (u32::MAX >> 1))
    }

    fn of_bits(bits: u64) -> Self {
        Self::from_bits(bits as u32)
    }
}

impl Bits for f64 {
    const WIDTH: u32 = 63;
    const LARGEST: Self = Self::INFINITY;

    #[inline(always)]
    fn bits(self) -> u64 {
        self.to_bits() & (u64::MAX >> 1)
    }

    fn of_bits(bits: u64) -> Self {
        Self::from_bits(bits)
    }
}

/// A search for the elements of some ranks, between two passes.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Bits that are not known yet.
    unknown: u32,
    targets: Vec<Target>,
    /// The leading bits that targets have, each once.
    prefixes: Vec<u64>,
}

/// An element that is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Its place in the ascending order, the first being 0.
    rank: u64,
    /// Its leading bits, as far as known.
    prefix: u64,
    /// Elements that are smaller than all with these bits.
    below: u64,
    /// Elements with these bits.
    equal: u64,
}

impl Target {
    /// The element, once it is found.
    pub(super) fn value<T: Bits>(&self) -> T {
        T::of_bits(self.prefix)
    }

    /// How many elements are equal to it, itself included.
    pub(super) fn equal(&self) -> u64 {
        self.equal
    }

    /// How many of these have a larger rank, or this one.
    pub(super) fn equal_from_rank(&self) -> u64 {
        (self.below + self.equal).saturating_sub(self.rank)
    }
}

impl Search {
    /// A search for these ranks in the ascending order.
    pub(super) fn new<T: Bits>(ranks: &[u64]) -> Self {
        let target = |rank: &u64| Target {
            rank: *rank,
            prefix: 0,
            below: 0,
            equal: 0,
        };
        Self {
            unknown: T::WIDTH,
            targets: ranks.iter().map(target).collect(),
            prefixes: vec![0],
        }
    }

    /// The elements, once all passes were made.
    pub(super) fn found(&self) -> Option<&[Target]> {
        (self.unknown == 0).then_some(&self.targets)
    }

    /// Number of counts that the next pass takes.
    pub(super) fn counts(&self) -> usize {
        self.prefixes.len() << self.digit()
    }

    /// Counts elements, none of which is negative.
    pub(super) fn count<T: Bits>(&self, values: &[T], counts: &mut [u64]) {
        let rest = self.unknown - self.digit();
        if self.unknown == T::WIDTH {
            for value in values {
                counts[(value.bits() >> rest) as usize] += 1;
            }
            return;
        }
        let digits = 1 << self.digit();
        for (prefix, counts) in self.prefixes.iter().zip(counts.chunks_exact_mut(digits)) {
            let first = prefix << self.unknown;
            let last = first | ((1 << self.unknown) - 1);
            Isa::detected().run(CountWithin {
                range: T::of_bits(first)..=T::of_bits(last),
                values,
                first,
                rest,
                counts,
            });
        }
    }

    /// The search after a pass that found these counts.
    pub(super) fn advance(mut self, counts: &[u64]) -> Self {
        let digit = self.digit();
        for target in &mut self.targets {
            let group = self
                .prefixes
                .partition_point(|prefix| *prefix < target.prefix);
            target.descend(&counts[group << digit..][..1 << digit]);
        }
        self.unknown -= digit;
        self.prefixes = self.targets.iter().map(|target| target.prefix).collect();
        self.prefixes.sort_unstable();
        self.prefixes.dedup();
        self
    }

    /// Bits that the next pass finds.
    fn digit(&self) -> u32 {
        self.unknown.min(DIGIT)
    }
}

impl Target {
    /// Finds the next bits from how often each value of them occurs.
    fn descend(&mut self, counts: &[u64]) {
        let last = counts.len() - 1;
        for (digit, &count) in counts.iter().enumerate() {
            // the last one also takes ranks beyond the number of elements
            if self.below + count > self.rank || digit == last {
                self.prefix = self.prefix << counts.len().ilog2() | digit as u64;
                self.equal = count;
                return;
            }
            self.below += count;
        }
    }
}

/// Counts elements of a range by their next bits.
struct CountWithin<'a, T> {
    range: RangeInclusive<T>,
    values: &'a [T],
    /// The bits of the start of the range.
    first: u64,
    /// Bits after those that are counted by.
    rest: u32,
    counts: &'a mut [u64],
}

impl<T: Bits> Kernel for CountWithin<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (start, end) = self.range.into_inner();
        // few elements are within: a group without any is passed by at once
        for group in self.values.chunks(LANES) {
            let within: u32 = group
                .iter()
                .map(|value| u32::from(*value >= start) & u32::from(*value <= end))
                .sum();
            if within == 0 {
                continue;
            }
            for value in group {
                if *value >= start && *value <= end {
                    self.counts[((value.bits() - self.first) >> self.rest) as usize] += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::oracle::drawn;

    fn search<T: Bits>(values: &[T], ranks: &[u64]) -> Vec<Target> {
        let mut search = Search::new::<T>(ranks);
        let mut passes = 0;
        while search.found().is_none() {
            let mut counts = vec![0; search.counts()];
            for part in values.chunks(100) {
                search.count(part, &mut counts);
            }
            search = search.advance(&counts);
            passes += 1;
        }
        assert_eq!(passes, T::PASSES);
        search.found().unwrap().to_vec()
    }

    #[test]
    fn elements_are_found_where_sorting_puts_them() {
        fn holds<T: Bits>() {
            let values: Vec<T> = drawn::<T>(1, 3.0, 999).iter().map(|v| v.abs()).collect();
            let mut sorted = values.clone();
            sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let ranks = [0, 249, 250, 499, 998];
            for (target, rank) in search(&values, &ranks).iter().zip(ranks) {
                assert_eq!(target.value::<T>(), sorted[rank as usize]);
                assert_eq!((target.equal(), target.equal_from_rank()), (1, 1));
            }
        }
        holds::<f32>();
        holds::<f64>();
    }

    #[test]
    fn equal_elements_are_counted() {
        let values = [1.0f32, 3.0, 0.0, 1.0, -0.0, 1.0, 1.0];
        // ascending: 0 0 1 1 1 1 3
        let found = search(&values, &[1, 3, 6]);
        assert_eq!(
            found.iter().map(Target::value::<f32>).collect::<Vec<_>>(),
            [0.0, 1.0, 3.0]
        );
        assert_eq!(
            found.iter().map(Target::equal).collect::<Vec<_>>(),
            [2, 4, 1]
        );
        assert_eq!(
            found
                .iter()
                .map(Target::equal_from_rank)
                .collect::<Vec<_>>(),
            [1, 3, 1]
        );
    }

    #[test]
    fn neighbouring_numbers_are_told_apart() {
        let values = [1.0f64.next_up(), 1.0, 1.0f64.next_down()];
        let found = search(&values, &[0, 1, 2]);
        let values: Vec<f64> = found.iter().map(Target::value).collect();
        assert_eq!(values, [1.0f64.next_down(), 1.0, 1.0f64.next_up()]);
    }

    #[test]
    fn a_search_in_nothing_ends() {
        assert_eq!(search::<f32>(&[], &[0]).len(), 1);
    }
}
