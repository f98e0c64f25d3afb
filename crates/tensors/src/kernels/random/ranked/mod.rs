//! Dropping elements at random, the small ones of a row more often than its large ones.

mod bins;
mod draw;
#[cfg(test)]
mod tests;

use self::bins::{Bins, Decide};
use self::draw::{Draw, skipped};
use super::Stream;
use crate::Real;
use crate::kernels::{Isa, Key, RankScratch, ranks};

/// Elements of a row that is worth more bins.
const LONG: usize = 2048;
/// 2³², the number of random words.
const WORDS: f64 = 4_294_967_296.0;

/// Memory that is used again from row to row.
#[derive(Debug, Clone, Default)]
pub struct RankedScratch {
    words: Vec<u32>,
    few_bins: Bins<512>,
    many_bins: Bins<1024>,
    ranks: Vec<u32>,
    ranking: RankScratch,
}

/// Where in a tensor the elements of a row are: element j at index `first` + j · `stride`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Places {
    /// The index of the first one.
    pub first: u64,
    /// From one to the next; 1 where the row is contiguous.
    pub stride: u64,
}

/// Makes each element of a row zero with a probability that falls with its rank; `first` is the index in the tensor of the
/// first one.
///
/// The element with rank r of n (see [`ranks`]) stays if its random word is less than p · 2³² with
/// p = (`density` − `epsilon`) + (2 · `epsilon` / (n − 1)) · r, in `f64`, in this order. So the smallest has the probability
/// `density` − `epsilon` of staying and the largest `density` + `epsilon`; the only one of a row has `density`.
/// Zeros, of either sign, stay as they are.
///
/// # Panics
/// When the row has 2³² elements or more.
pub fn keep_by_rank<T: Real>(
    stream: Stream,
    first: u64,
    density: f64,
    epsilon: f64,
    row: &mut [T],
    scratch: &mut RankedScratch,
) {
    keep_by_rank_on(
        Isa::detected(),
        stream,
        first,
        density,
        epsilon,
        row,
        scratch,
    );
}

/// [`keep_by_rank`] on a given instruction set.
///
/// # Panics
/// When the row has 2³² elements or more.
pub fn keep_by_rank_on<T: Real>(
    isa: Isa,
    stream: Stream,
    first: u64,
    density: f64,
    epsilon: f64,
    row: &mut [T],
    scratch: &mut RankedScratch,
) {
    let places = Places { first, stride: 1 };
    keep_by_rank_at_on(isa, stream, places, density, epsilon, row, scratch);
}

/// [`keep_by_rank`] for a row that was gathered from anywhere in a tensor.
///
/// # Panics
/// When the row has 2³² elements or more.
pub fn keep_by_rank_at<T: Real>(
    stream: Stream,
    places: Places,
    density: f64,
    epsilon: f64,
    row: &mut [T],
    scratch: &mut RankedScratch,
) {
    keep_by_rank_at_on(
        Isa::detected(),
        stream,
        places,
        density,
        epsilon,
        row,
        scratch,
    );
}

/// [`keep_by_rank_at`] on a given instruction set.
///
/// # Panics
/// When the row has 2³² elements or more.
pub fn keep_by_rank_at_on<T: Real>(
    isa: Isa,
    stream: Stream,
    places: Places,
    density: f64,
    epsilon: f64,
    row: &mut [T],
    scratch: &mut RankedScratch,
) {
    let most = skipped(places) + bins::words(row.len());
    if scratch.words.len() < most {
        scratch.words.resize(most.next_multiple_of(4), 0);
    }
    isa.run(Draw {
        stream,
        places,
        count: row.len(),
        out: &mut scratch.words,
    });
    let skipped = skipped(places);
    let words = &scratch.words[skipped..skipped + row.len()];
    let thresholds = Thresholds::new(density, epsilon, row.len());
    if thresholds.rise(row.len()) && bins::LENGTHS.contains(&row.len()) {
        let words = &scratch.words[skipped..skipped + bins::words(row.len())];
        let decided = if row.len() < LONG {
            isa.run(Decide {
                thresholds,
                words,
                row,
                bins: &mut scratch.few_bins,
            })
        } else {
            isa.run(Decide {
                thresholds,
                words,
                row,
                bins: &mut scratch.many_bins,
            })
        };
        if decided {
            return;
        }
    }
    scratch.ranks.resize(row.len(), 0);
    ranks(row, &mut scratch.ranking, &mut scratch.ranks);
    for ((value, &rank), &word) in row.iter_mut().zip(&scratch.ranks).zip(words) {
        let dropped = !thresholds.keep(rank, word) && value.key() != T::Key::ZERO;
        *value = if dropped { T::ZERO } else { *value };
    }
}

/// What a word must be less than for its element to stay, by the element's rank.
#[derive(Debug, Clone, Copy)]
struct Thresholds {
    least: f64,
    step: f64,
}

impl Thresholds {
    fn new(density: f64, epsilon: f64, count: usize) -> Self {
        if count <= 1 {
            return Self {
                least: density,
                step: 0.0,
            };
        }
        Self {
            least: density - epsilon,
            step: 2.0 * epsilon / (count - 1) as f64,
        }
    }

    #[inline(always)]
    fn of(self, rank: u32) -> f64 {
        (self.least + self.step * f64::from(rank)) * WORDS
    }

    #[inline(always)]
    fn keep(self, rank: u32, word: u32) -> bool {
        f64::from(word) < self.of(rank)
    }

    /// Whether no rank has less than a lower one, and all are from 0 to 2³² − 1.
    fn rise(self, count: usize) -> bool {
        let highest = self.of(count.saturating_sub(1) as u32);
        self.least >= 0.0 && self.step >= 0.0 && highest <= WORDS - 1.0
    }

    /// That of rank 0 and what each rank adds, rounded down.
    #[inline(always)]
    fn in_words(self) -> (u32, u32) {
        ((self.least * WORDS) as u32, (self.step * WORDS) as u32)
    }
}
