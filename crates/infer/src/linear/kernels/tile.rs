//! The innermost loop: a few rows by a few inputs, all sums in registers.

use std::array;

use super::lanes::{Element, F32, Lanes, MAX_WIDTH, STRIP};

/// Dot products of [`STRIP`] rows and `C` inputs over `length` columns.
///
/// # Safety
/// `length` elements can be read at each pointer, aligned or not.
#[inline(always)]
pub(super) unsafe fn tile<V: Lanes, E: Element, const C: usize>(
    lanes: V,
    rows: [*const u8; STRIP],
    inputs: [*const f32; C],
    length: usize,
) -> [[f32; STRIP]; C] {
    let mut sums = [[lanes.zero(); STRIP]; C];
    let whole = length - length % V::WIDTH;
    let mut column = 0;
    while column < whole {
        // SAFETY: the columns up to `column + WIDTH` are within `length`.
        unsafe {
            let rows = rows.map(|row| row.add(column * E::BYTES));
            let inputs = inputs.map(|input| input.add(column));
            step::<V, E, C>(lanes, rows, inputs, &mut sums);
        }
        column += V::WIDTH;
    }
    if whole < length {
        // SAFETY: the columns from `whole` to `length` are within it, fewer than `MAX_WIDTH`, of 4 bytes at most.
        unsafe {
            let rows =
                rows.map(|row| padded(row.add(whole * E::BYTES), (length - whole) * E::BYTES));
            let inputs =
                inputs.map(|input| padded(input.add(whole).cast(), (length - whole) * F32::BYTES));
            let rows = array::from_fn(|index| rows[index].as_ptr());
            let inputs = array::from_fn(|index| inputs[index].as_ptr().cast());
            step::<V, E, C>(lanes, rows, inputs, &mut sums);
        }
    }
    let mut out = [[0.0; STRIP]; C];
    for (out, sums) in out.iter_mut().zip(sums) {
        *out = lanes.sums(sums);
    }
    out
}

/// # Safety
/// `V::WIDTH` elements can be read at each pointer, aligned or not.
#[inline(always)]
unsafe fn step<V: Lanes, E: Element, const C: usize>(
    lanes: V,
    rows: [*const u8; STRIP],
    inputs: [*const f32; C],
    sums: &mut [[V::Vector; STRIP]; C],
) {
    // loops, not closures: those would be compiled on their own, without the instructions
    let mut weights = [lanes.zero(); STRIP];
    for (weights, row) in weights.iter_mut().zip(rows) {
        // SAFETY: the same contract.
        *weights = unsafe { E::load(lanes, row) };
    }
    for (sums, input) in sums.iter_mut().zip(inputs) {
        // SAFETY: the same contract.
        let input = unsafe { lanes.load_f32(input.cast()) };
        for (sum, weights) in sums.iter_mut().zip(weights) {
            *sum = lanes.multiply_add(weights, input, *sum);
        }
    }
}

/// A few bytes, followed by zeros.
///
/// # Safety
/// `length` bytes can be read at `from`, at most `4 * MAX_WIDTH`.
#[inline(always)]
unsafe fn padded(from: *const u8, length: usize) -> [u8; 4 * MAX_WIDTH] {
    let mut bytes = [0; 4 * MAX_WIDTH];
    // SAFETY: the same contract.
    unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), length) };
    bytes
}
