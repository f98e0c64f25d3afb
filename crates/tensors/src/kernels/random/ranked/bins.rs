//! Deciding about most elements of a row by roughly where they rank.

use std::ops::RangeInclusive;

use super::Thresholds;
use crate::kernels::{Kernel, Key};
use crate::{DType, Real};

/// Lengths of rows for which it pays and what is counted fits into 16 bits.
pub(super) const LENGTHS: RangeInclusive<usize> = 16..=u16::MAX as usize;
/// Powers of two that have bins of their own; bin 0 is for zeros, bin 1 for all that is small, the last for all that is large.
const OCTAVES: u32 = 8;
/// Bits of the logarithm to base 2 after the point, where it is averaged.
const FRACTION: u32 = 3;
/// From the mean logarithm to the last bin's: 3.5. Among thousands of normally distributed ones no element is above that.
const ABOVE_MEAN: u64 = 28;
/// Parts of the row that are counted side by side, so that one count need not wait for another.
const PARTS: usize = 4;
/// Elements that are ranked by comparing each with the whole row; where it is more, sorting the row is faster.
const COMPARED: usize = 160;

const DROPPED: u8 = 0;
const KEPT: u8 = 1;
const OPEN: u8 = 2;

/// Set in the bin of an element that is not the lowest number in it.
const ODD: u16 = 1 << 15;
/// Elements among which those that are open are looked for at once.
const CHUNK: usize = 32;

/// Elements of each part, whole chunks.
#[inline(always)]
fn part(length: usize) -> usize {
    length.div_ceil(PARTS).next_multiple_of(CHUNK)
}

/// Words that are read for a row.
pub(super) fn words(length: usize) -> usize {
    PARTS * part(length)
}

/// Memory for one row.
#[derive(Debug, Clone)]
pub(super) struct Bins<const BINS: usize> {
    /// The bin of each element, with [`ODD`].
    assigned: Vec<u16>,
    /// For each element how many before it in its part are in its bin.
    places: Vec<u16>,
    /// What is to become of each element.
    fates: Vec<u8>,
    /// Elements that are not decided about.
    open: Vec<u16>,
    /// For each part and bin the number of elements and, in the upper half, that of odd ones. Then the lowest rank of one of
    /// them and, in the upper half, how much higher the highest may be; 0 where the places tell.
    counts: Box<[[u32; BINS]; PARTS]>,
}

impl<const BINS: usize> Default for Bins<BINS> {
    fn default() -> Self {
        Self {
            assigned: Vec::new(),
            places: Vec::new(),
            fates: Vec::new(),
            open: Vec::new(),
            counts: Box::new([[0; BINS]; PARTS]),
        }
    }
}

impl<const BINS: usize> Bins<BINS> {
    fn resize(&mut self, length: usize) {
        if self.assigned.len() < length {
            self.assigned.resize(length, 0);
            self.places.resize(length, 0);
            self.fates.resize(length, 0);
            self.open.resize(length, 0);
        }
    }
}

/// Decides about a row; tells whether it did: it leaves those rows alone that are to be sorted.
pub(super) struct Decide<'a, T, const BINS: usize> {
    pub(super) thresholds: Thresholds,
    pub(super) words: &'a [u32],
    pub(super) row: &'a mut [T],
    pub(super) bins: &'a mut Bins<BINS>,
}

impl<T: Real, const BINS: usize> Kernel for Decide<'_, T, BINS> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let Self {
            thresholds,
            words,
            row,
            bins,
        } = self;
        let part = part(row.len());
        bins.resize(PARTS * part);
        assign::<T, BINS>(row, &mut bins.assigned[..PARTS * part]);
        count(row.len(), bins);
        accumulate(&mut bins.counts);
        decide(thresholds, words, row.len(), bins);
        let open = find_open(&bins.fates[..row.len()], &mut bins.open);
        if open > COMPARED {
            return false;
        }
        for &index in &bins.open[..open] {
            let index = index as usize;
            let kept = thresholds.keep(rank(row, index), words[index]);
            bins.fates[index] = if kept { KEPT } else { DROPPED };
        }
        for (value, &fate) in row.iter_mut().zip(&bins.fates) {
            *value = if fate == DROPPED { T::ZERO } else { *value };
        }
        true
    }
}

/// Gives each element its bin: 0 for zeros, higher ones for larger elements.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "no branches: the loop is to be vectorised"
)]
#[inline(always)]
fn assign<T: Real, const BINS: usize>(row: &[T], bins: &mut [u16]) {
    let significand = match T::DTYPE {
        DType::F64 => 52,
        _ => 23,
    };
    let shift = significand + OCTAVES.ilog2() - BINS.ilog2();
    let one = T::Key::one_if(true);
    let last = T::Key::saturating_from(BINS as u64 - 1);
    let first = highest(row, significand, shift) - last;
    for (value, bin) in row.iter().zip(bins.iter_mut()) {
        let key = value.key();
        let above = (key >> shift) - first;
        let clamped = above.max(one).min(last);
        let zero = key == T::Key::ZERO;
        let rough = if zero { T::Key::ZERO } else { clamped };
        let rest = key.to_u64() & ((1 << shift) - 1);
        let odd = (rest != 0) | ((clamped != above) & !zero);
        *bin = rough.to_u64() as u16 | if odd { ODD } else { 0 };
    }
    bins[row.len()..].fill(0);
}

/// The leading bits of the keys of the last bin: of the largest, or of what is so far above the mean that few are larger.
#[inline(always)]
fn highest<T: Real>(row: &[T], significand: u32, shift: u32) -> T::Key {
    let mut largest = T::Key::ZERO;
    let mut sum = T::Key::ZERO;
    let mut count = T::Key::ZERO;
    for value in row {
        let key = value.key();
        largest = largest.max(key);
        // the logarithm, roughly; it leaves room for the sum
        sum += key >> (significand - FRACTION);
        count += T::Key::one_if(key != T::Key::ZERO);
    }
    let mean = sum.to_u64() / count.to_u64().max(1);
    let high = T::Key::saturating_from((mean + ABOVE_MEAN) << (significand - FRACTION - shift));
    high.min(largest >> shift)
}

/// Counts the elements of each bin and gives each element its place in it.
#[inline(always)]
fn count<const BINS: usize>(length: usize, bins: &mut Bins<BINS>) {
    bins.counts.as_flattened_mut().fill(0);
    let part = part(length);
    let [counts0, counts1, counts2, counts3] = &mut *bins.counts;
    let (bins0, rest) = bins.assigned.split_at(part);
    let (bins1, rest) = rest.split_at(part);
    let (bins2, rest) = rest.split_at(part);
    let bins3 = &rest[..part];
    let (places0, rest) = bins.places.split_at_mut(part);
    let (places1, rest) = rest.split_at_mut(part);
    let (places2, rest) = rest.split_at_mut(part);
    let places3 = &mut rest[..part];
    for i in 0..part {
        place(&mut places0[i], bins0[i], counts0);
        place(&mut places1[i], bins1[i], counts1);
        place(&mut places2[i], bins2[i], counts2);
        place(&mut places3[i], bins3[i], counts3);
    }
    // what fills up the last parts counted as zeros
    for (index, counts) in bins.counts.iter_mut().enumerate() {
        let filled = length.saturating_sub(part * index).min(part);
        counts[0] -= (part - filled) as u32;
    }
}

#[inline(always)]
fn place<const BINS: usize>(place: &mut u16, bin: u16, counts: &mut [u32; BINS]) {
    let count = &mut counts[bin as usize % BINS];
    *place = *count as u16;
    *count += 1 + (u32::from(bin & ODD) << 1);
}

/// From counts to ranks.
#[inline(always)]
fn accumulate<const BINS: usize>(counts: &mut [[u32; BINS]; PARTS]) {
    let [counts0, counts1, counts2, counts3] = counts;
    let mut ranks = [0; BINS];
    for bin in 0..BINS {
        ranks[bin] = (counts0[bin] + counts1[bin] + counts2[bin] + counts3[bin]) & 0xffff;
    }
    let mut sum = 0;
    for rank in &mut ranks {
        sum += std::mem::replace(rank, sum);
    }
    for bin in 0..BINS {
        let first = counts0[bin];
        let second = first + counts1[bin];
        let third = second + counts2[bin];
        let all = third + counts3[bin];
        let mixed = all >> 16 != 0 && all & 0xffff != 1;
        let start = |before: u32| {
            let rest = if mixed { (all - 1) << 16 } else { before };
            ranks[bin] + rest
        };
        counts0[bin] = start(0);
        counts1[bin] = start(first);
        counts2[bin] = start(second);
        counts3[bin] = start(third);
    }
}

/// Decides where the bin tells enough.
///
/// In whole numbers, which are at most by one and one for each rank less than the thresholds.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "no branches: the loop is to be vectorised"
)]
#[inline(always)]
fn decide<const BINS: usize>(
    thresholds: Thresholds,
    words: &[u32],
    length: usize,
    bins: &mut Bins<BINS>,
) {
    let (least, step) = thresholds.in_words();
    let margin = length as u32 + 2;
    let part = part(length);
    let parts = words.chunks(part).zip(&*bins.counts);
    let parts = parts
        .zip(bins.assigned.chunks(part))
        .zip(bins.places.chunks(part));
    for ((((words, ranks), bins), places), fates) in parts.zip(bins.fates.chunks_mut(part)) {
        let words = words.as_chunks::<CHUNK>().0.iter();
        let bins = bins.as_chunks::<CHUNK>().0;
        let places = places.as_chunks::<CHUNK>().0;
        let fates = fates.as_chunks_mut::<CHUNK>().0;
        for (((words, bins), places), fates) in words.zip(bins).zip(places).zip(fates) {
            // in a place of its own, which cannot be that of the ranks
            let mut chunk = [0; CHUNK];
            for lane in 0..CHUNK {
                let (word, bin) = (words[lane], bins[lane]);
                let rank = ranks[bin as usize % BINS];
                let width = rank >> 16;
                let place = u32::from(places[lane]) & u32::from(width == 0).wrapping_neg();
                let rank = (rank & 0xffff) + place;
                let lowest = least.wrapping_add(step.wrapping_mul(rank));
                let highest = lowest.wrapping_add(step.wrapping_mul(width));
                let kept = (word < lowest) | (bin == 0);
                let dropped = word.saturating_sub(margin) > highest;
                let open = !kept & !dropped;
                chunk[lane] = KEPT * u8::from(kept) + OPEN * u8::from(open);
            }
            *fates = chunk;
        }
    }
}

/// Lists the elements that are open; gives back their number.
#[inline(always)]
fn find_open(fates: &[u8], open: &mut [u16]) -> usize {
    let mut found = 0;
    for (chunk, fates) in fates.chunks(CHUNK).enumerate() {
        if fates.iter().fold(0, |any, fate| any | fate) & OPEN == 0 {
            continue;
        }
        for (lane, &fate) in fates.iter().enumerate() {
            open[found] = (chunk * CHUNK + lane) as u16;
            found += usize::from(fate == OPEN);
        }
    }
    found
}

/// The rank of an element, by comparing it with all others.
#[inline(always)]
fn rank<T: Real>(row: &[T], index: usize) -> u32 {
    let own = row[index].key();
    let mut lower = T::Key::ZERO;
    for value in &row[..index] {
        lower += T::Key::one_if(value.key() <= own);
    }
    for value in &row[index + 1..] {
        lower += T::Key::one_if(value.key() < own);
    }
    lower.to_u64() as u32
}
