//! The ranks of a row's elements by magnitude.

use super::Key;
use crate::Real;

/// Bits of a digit, at most.
const DIGIT: u32 = 11;

/// Memory that is used again from row to row.
#[derive(Debug, Clone, Default)]
pub struct RankScratch {
    keys: Vec<u64>,
    order: Vec<u32>,
    next: Vec<u32>,
    counts: Vec<u32>,
}

/// The rank of each element in ascending order of magnitude, from 0; of equal ones the earlier has the lower rank.
///
/// −0 is equal to 0; NaN is above infinity.
///
/// # Panics
/// When the lengths differ or are 2³² or more.
pub fn ranks<T: Real>(values: &[T], scratch: &mut RankScratch, out: &mut [u32]) {
    assert_eq!(values.len(), out.len(), "one rank for each element");
    let count = u32::try_from(values.len()).expect("a row of less than 2^32 elements");
    let RankScratch {
        keys,
        order,
        next,
        counts,
    } = scratch;
    keys.clear();
    keys.extend(values.iter().map(|value| value.key().to_u64()));
    order.clear();
    order.extend(0..count);
    next.resize(values.len(), 0);
    let first = keys.first().copied().unwrap_or(0);
    let varying = keys.iter().fold(0, |varying, key| varying | (key ^ first));
    let mut shift = 0;
    while shift < u64::BITS && varying >> shift != 0 {
        let digit = |key: u64| ((key >> shift) & ((1 << DIGIT) - 1)) as usize;
        counts.clear();
        counts.resize(1 << DIGIT, 0);
        for &key in keys.iter() {
            counts[digit(key)] += 1;
        }
        let mut sum = 0;
        for count in counts.iter_mut() {
            sum += std::mem::replace(count, sum);
        }
        for &index in order.iter() {
            let place = &mut counts[digit(keys[index as usize])];
            next[*place as usize] = index;
            *place += 1;
        }
        std::mem::swap(order, next);
        shift += DIGIT;
    }
    for (rank, &index) in order.iter().enumerate() {
        out[index as usize] = rank as u32;
    }
}
