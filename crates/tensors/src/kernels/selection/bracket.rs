//! What is known of one cut, and what a pass over the tensor adds.

use std::ops::Range;

use super::Cut;
use super::tally::Counts;
use crate::kernels::Key;

/// Most spans whose ties are counted one by one: 128 KiB of counters.
const MAX_SPANS: u64 = 1 << 15;

/// How far the search for one cut has come.
#[derive(Debug, Clone)]
pub(super) enum Stage<K> {
    /// Nothing is known: some keys are looked at.
    Sample,
    /// The key is likely to be in a range.
    Bracket(Bracket<K>),
    /// The key is known; the tile is not.
    Ties(Ties<K>),
    /// All is known.
    Done(Cut),
}

/// A range of keys, to be counted in bins.
#[derive(Debug, Clone)]
pub(super) struct Bracket<K> {
    pub(super) lowest: K,
    pub(super) highest: K,
    /// A bin is the keys that differ in this many low bits of their distance from the lowest.
    pub(super) shift: u32,
    /// How many keys are above the highest, once that is known.
    pub(super) above: Option<u64>,
    /// A key that is in the sample more often than by chance: likely to be the one that is sought.
    pub(super) guess: Option<K>,
    /// Where elements equal to the guess are.
    pub(super) spans: Spans,
    /// The keys of the sample that are in the range, sorted.
    pub(super) sample: Vec<K>,
}

/// A key, and where the elements that have it are.
#[derive(Debug, Clone)]
pub(super) struct Ties<K> {
    pub(super) key: K,
    /// How many of those in the spans belong.
    pub(super) needed: u64,
    pub(super) spans: Spans,
}

/// Tiles, in groups of the same length.
#[derive(Debug, Clone)]
pub(super) struct Spans {
    pub(super) tiles: Range<u64>,
    pub(super) length: u64,
}

impl Spans {
    /// All tiles of a tensor.
    pub(super) fn over(tiles: u64) -> Self {
        Self {
            tiles: 0..tiles,
            length: tiles.div_ceil(MAX_SPANS).max(1),
        }
    }

    pub(super) fn count(&self) -> usize {
        (self.tiles.end - self.tiles.start).div_ceil(self.length) as usize
    }

    pub(super) fn position(&self, tile: u64) -> Option<usize> {
        self.tiles
            .contains(&tile)
            .then(|| ((tile - self.tiles.start) / self.length) as usize)
    }

    /// The tiles of one span, one by one.
    fn single(&self, span: usize) -> Self {
        let start = self.tiles.start + span as u64 * self.length;
        Self {
            tiles: start..self.tiles.end.min(start + self.length),
            length: 1,
        }
    }
}

impl<K: Key> Bracket<K> {
    /// Of at most `bins` bins, with nothing from a sample.
    pub(super) fn new(range: (K, K), above: Option<u64>, bins: u64, spans: Spans) -> Self {
        let (lowest, highest) = range;
        let width_bits = u64::BITS - (highest - lowest).to_u64().leading_zeros();
        Self {
            lowest,
            highest,
            shift: width_bits.saturating_sub(bins.ilog2()),
            above,
            guess: None,
            spans,
            sample: Vec::new(),
        }
    }

    pub(super) fn bins(&self) -> usize {
        if self.lowest == self.highest && self.guess == Some(self.lowest) {
            return 0;
        }
        ((self.highest - self.lowest) >> self.shift).to_u64() as usize + 1
    }

    /// What follows from the counts over the whole tensor.
    pub(super) fn narrow(self, k: u64, counts: &Counts, bins: u64) -> Stage<K> {
        if k == 0 {
            return Stage::Done(Cut::NONE);
        }
        let above = self.above.unwrap_or(counts.above);
        if let Some(guess) = self.guess {
            let equal = counts.ties.iter().map(|&ties| u64::from(ties)).sum();
            if counts.above_guess < k && k <= counts.above_guess + equal {
                let ties = Ties {
                    key: guess,
                    needed: k - counts.above_guess,
                    spans: self.spans,
                };
                return ties.cut(equal, counts);
            }
        }
        if k <= above {
            let range = (self.highest + K::one_if(true), K::MAX);
            return self.moved_to(range, Some(0), bins);
        }
        let mut above = above;
        for (bin, &count) in counts.bins.iter().enumerate().rev() {
            if k <= above + count {
                return self.narrowed_to(bin, above, k, count, bins);
            }
            above += count;
        }
        if self.lowest == K::ZERO {
            return Stage::Done(Cut::ALL);
        }
        // without bins the bracket is the guess alone
        let in_bracket: u64 = counts.ties.iter().map(|&ties| u64::from(ties)).sum();
        let above = if counts.bins.is_empty() {
            above + in_bracket
        } else {
            above
        };
        let range = (K::ZERO, self.lowest - K::one_if(true));
        self.moved_to(range, Some(above), bins)
    }

    fn moved_to(self, range: (K, K), above: Option<u64>, bins: u64) -> Stage<K> {
        Stage::Bracket(Self::new(range, above, bins, self.spans))
    }

    fn narrowed_to(self, bin: usize, above: u64, k: u64, count: u64, bins: u64) -> Stage<K> {
        let first = self.lowest + K::saturating_from((bin as u64) << self.shift);
        let width = K::saturating_from((1 << self.shift) - 1);
        let last = if self.highest - first < width {
            self.highest
        } else {
            first + width
        };
        if first == last {
            if k == above + count {
                return Stage::Done(Cut::down_to(first.to_u64()));
            }
            return Stage::Ties(Ties {
                key: first,
                needed: k - above,
                spans: self.spans,
            });
        }
        let mut next = Self::new((first, last), Some(above), bins, self.spans);
        next.sample = self.sample;
        next.sample.retain(|key| (first..=last).contains(key));
        // whatever repeats within so few keys is likely to be all that the bin has
        let middle = next.sample.get(next.sample.len() / 2).copied();
        next.guess = middle.filter(|middle| {
            let repeats = next.sample.iter().filter(|key| *key == middle).count();
            repeats > 1
        });
        Stage::Bracket(next)
    }
}

impl<K: Key> Ties<K> {
    /// What follows from the counts over all spans, `equal` in all.
    pub(super) fn cut(self, equal: u64, counts: &Counts) -> Stage<K> {
        let key = self.key.to_u64();
        if self.needed == equal && self.spans.tiles.start == 0 {
            return Stage::Done(Cut::down_to(key));
        }
        let mut needed = self.needed;
        for (span, &ties) in counts.ties.iter().enumerate() {
            if needed <= u64::from(ties) {
                let spans = self.spans.single(span);
                return if self.spans.length == 1 {
                    Stage::Done(Cut {
                        key,
                        tile: spans.tiles.start,
                        ties: needed as u32,
                    })
                } else {
                    Stage::Ties(Self {
                        key: self.key,
                        needed,
                        spans,
                    })
                };
            }
            needed -= u64::from(ties);
        }
        // fewer ties than a pass before counted: the consumer gave other values; all of them belong then
        Stage::Done(Cut::down_to(key))
    }
}
