//! Plain floats by plain floats.

use std::array;
use std::cell::RefCell;
use std::ops::Range;

use weightsmith_tensors::{DType, widen_f32};

#[cfg(target_arch = "x86_64")]
use super::amx;
use super::columns::Columns;
use super::lanes::{BF16, Element, F16, F32, Lanes, MAX_INPUTS, MAX_WIDTH, STRIP};
use super::level::{Kernel, Level};
use super::tile::{LINE, tile};
use crate::pool::Pool;

/// Columns whose products are added up in registers. The sums of such spans are then added in their order.
pub(super) const SPAN: usize = 1024;

/// Up to so many inputs, weights are widened in registers; beyond, once for many inputs.
const FEW: usize = 16;

/// Rows that are widened for many inputs at a time: with [`SPAN`] a quarter of a MiB, a part of the second-level cache.
const ROWS: usize = 64;

/// Inputs of a part.
const INPUTS: usize = 192;

thread_local! {
    /// Widened weights, then inputs.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A product of weights (rows × cols, little-endian `dtype`) and inputs (count × cols).
pub(in crate::linear) struct DenseProduct<'a> {
    pub(in crate::linear) level: Level,
    pub(in crate::linear) dtype: DType,
    pub(in crate::linear) weights: &'a [u8],
    pub(in crate::linear) cols: usize,
    pub(in crate::linear) inputs: &'a [f32],
}

/// The share of one part.
struct Part<'a> {
    product: &'a DenseProduct<'a>,
    out: Columns<'a>,
    rows: Range<usize>,
    inputs: Range<usize>,
}

/// Where a tile begins, and over how many columns it goes.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    input: usize,
    start: usize,
    length: usize,
    /// Memory that is needed next.
    ahead: Option<*const u8>,
}

/// Weights that are widened as they are loaded.
struct InPlace<'a>(Part<'a>);

/// Weights that are widened once for many inputs.
struct Widened<'a>(Part<'a>);

impl DenseProduct<'_> {
    /// Writes count × rows outputs.
    ///
    /// # Panics
    /// When the lengths do not fit one another or the type is not F32, F16 or BF16.
    pub(in crate::linear) fn write(&self, pool: &Pool, out: &mut [f32]) {
        let count = self.inputs.len() / self.cols;
        if count == 0 {
            return;
        }
        let rows = out.len() / count;
        let stride = self.stride();
        assert_eq!(self.inputs.len(), count * self.cols, "whole inputs");
        assert_eq!(self.weights.len(), rows * stride, "whole rows");
        #[cfg(target_arch = "x86_64")]
        if let Some(unit) = self.level.amx()
            && self.dtype == DType::BF16
            && amx::fits(rows, self.cols)
        {
            unit.write(self, pool, out);
            return;
        }
        let out = Columns::new(out, rows);
        if count <= FEW {
            let each = STRIP * share(rows.div_ceil(STRIP), STRIP * stride, pool.threads());
            pool.run(rows.div_ceil(each), &|part| {
                self.level.run(InPlace(Part {
                    product: self,
                    out,
                    rows: part * each..rows.min((part + 1) * each),
                    inputs: 0..count,
                }));
            });
        } else {
            let across = rows.div_ceil(ROWS);
            pool.run(across * count.div_ceil(INPUTS), &|part| {
                let (row, input) = (part % across * ROWS, part / across * INPUTS);
                self.level.run(Widened(Part {
                    product: self,
                    out,
                    rows: row..rows.min(row + ROWS),
                    inputs: input..count.min(input + INPUTS),
                }));
            });
        }
    }

    fn stride(&self) -> usize {
        self.cols * self.dtype.bits() as usize / 8
    }
}

/// How many of `units` a part takes: enough that taking it costs nothing beside doing it, few enough that all threads end
/// at about the same time, and no more bytes than stay in the second-level cache.
pub(super) fn share(units: usize, bytes_of_unit: usize, threads: usize) -> usize {
    let bytes = (units * bytes_of_unit / (8 * threads)).clamp(16 << 10, 256 << 10);
    (bytes / bytes_of_unit).max(1)
}

/// `length` values that begin with a line of the cache, so that no vector lies on two lines.
fn aligned(scratch: &mut Vec<f32>, length: usize) -> &mut [f32] {
    let spare = LINE / size_of::<f32>();
    if scratch.len() < length + spare {
        scratch.resize(length + spare, 0.0);
    }
    let start = scratch.as_ptr().align_offset(LINE).min(spare);
    &mut scratch[start..start + length]
}

/// Splits inputs into tiles of nearly equal size, at most `most`.
pub(super) fn tiles(inputs: Range<usize>, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = inputs.len();
    let tiles = count.div_ceil(most);
    (0..tiles).map(move |tile| {
        let start = count * tile / tiles;
        (inputs.start + start, count * (tile + 1) / tiles - start)
    })
}

impl Kernel for InPlace<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self, lanes: V) {
        match self.0.product.dtype {
            DType::F32 => self.0.in_place::<V, F32>(lanes),
            DType::BF16 => self.0.in_place::<V, BF16>(lanes),
            DType::F16 if V::F16 => self.0.in_place::<V, F16>(lanes),
            _ => self.0.widened(lanes),
        }
    }
}

impl Kernel for Widened<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self, lanes: V) {
        self.0.widened(lanes);
    }
}

impl Part<'_> {
    #[inline(always)]
    fn in_place<V: Lanes, E: Element>(&self, lanes: V) {
        let cols = self.product.cols;
        debug_assert_eq!(self.product.dtype, E::DTYPE);
        for row in self.rows.clone().step_by(STRIP) {
            let height = STRIP.min(self.rows.end - row);
            for start in (0..cols).step_by(SPAN) {
                let length = SPAN.min(cols - start);
                let next = (row + STRIP < self.rows.end).then(|| {
                    let at = ((row + STRIP) * cols + STRIP * start) * E::BYTES;
                    self.product.weights.as_ptr().wrapping_add(at)
                });
                for (input, count) in tiles(self.inputs.clone(), V::INPUTS) {
                    // SAFETY: `write` checked that there are `rows.end` rows of `cols` weights; rows past the last of the
                    // part are replaced by it. That there are so many inputs is checked where they are sliced.
                    unsafe {
                        let weights = array::from_fn(|index| {
                            let row = row + index.min(height - 1);
                            let at = (row * cols + start) * E::BYTES;
                            self.product.weights.as_ptr().add(at)
                        });
                        let place = Place {
                            row,
                            input,
                            start,
                            length,
                            ahead: next.filter(|_| input == self.inputs.start),
                        };
                        let inputs = &self.product.inputs[input * cols..(input + count) * cols];
                        let inputs = (inputs[start..].as_ptr(), cols);
                        self.tile::<V, E>(lanes, weights, inputs, count, place);
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn widened<V: Lanes>(&self, lanes: V) {
        // taken, not borrowed within a closure, which would not be compiled for the instruction set
        let mut scratch = SCRATCH.take();
        let rows = self.rows.len() * SPAN;
        let (weights, inputs) = aligned(&mut scratch, rows + V::INPUTS * SPAN).split_at_mut(rows);
        let cols = self.product.cols;
        for start in (0..cols).step_by(SPAN) {
            let length = SPAN.min(cols - start);
            let stride = length.next_multiple_of(MAX_WIDTH);
            self.widen(start, length, stride, weights);
            for (input, count) in tiles(self.inputs.clone(), V::INPUTS) {
                let of = self.product.inputs[input * cols..].chunks_exact(cols);
                for (copy, of) in inputs.chunks_exact_mut(stride).zip(of.take(count)) {
                    copy[..length].copy_from_slice(&of[start..][..length]);
                }
                for row in self.rows.clone().step_by(STRIP) {
                    let height = STRIP.min(self.rows.end - row);
                    let place = Place {
                        row,
                        input,
                        start,
                        length,
                        ahead: None,
                    };
                    // SAFETY: so many rows and inputs were just written; rows past the last are replaced by it.
                    unsafe {
                        let weights = array::from_fn(|index| {
                            let row = row - self.rows.start + index.min(height - 1);
                            weights.as_ptr().add(row * stride).cast()
                        });
                        self.tile::<V, F32>(
                            lanes,
                            weights,
                            (inputs.as_ptr(), stride),
                            count,
                            place,
                        );
                    }
                }
            }
        }
        SCRATCH.set(scratch);
    }

    /// Widens a span of the part's rows.
    fn widen(&self, start: usize, length: usize, stride: usize, out: &mut [f32]) {
        let DenseProduct {
            dtype,
            weights,
            cols,
            ..
        } = *self.product;
        let size = dtype.bits() as usize / 8;
        for (row, out) in self.rows.clone().zip(out.chunks_exact_mut(stride)) {
            let bytes = &weights[(row * cols + start) * size..][..length * size];
            widen_f32(dtype, bytes, &mut out[..length]).expect("a plain float");
        }
    }

    /// A span of [`STRIP`] rows and `count` inputs.
    ///
    /// # Safety
    /// `place.length` weights can be read at each pointer, and as many values of each input, which are so far apart.
    #[inline(always)]
    unsafe fn tile<V: Lanes, E: Element>(
        &self,
        lanes: V,
        weights: [*const u8; STRIP],
        inputs: (*const f32, usize),
        count: usize,
        place: Place,
    ) {
        const { assert!(V::INPUTS <= MAX_INPUTS) };
        // SAFETY: the same contract.
        unsafe {
            match count {
                1 => self.tile_of::<V, E, 1>(lanes, weights, inputs, place),
                2 => self.tile_of::<V, E, 2>(lanes, weights, inputs, place),
                3 if V::INPUTS >= 3 => self.tile_of::<V, E, 3>(lanes, weights, inputs, place),
                4 if V::INPUTS >= 4 => self.tile_of::<V, E, 4>(lanes, weights, inputs, place),
                5 if V::INPUTS >= 5 => self.tile_of::<V, E, 5>(lanes, weights, inputs, place),
                6 if V::INPUTS >= 6 => self.tile_of::<V, E, 6>(lanes, weights, inputs, place),
                _ => unreachable!("`tiles` makes none of {count}"),
            }
        }
    }

    /// # Safety
    /// `place.length` weights can be read at each pointer, and as many values of each input, which are so far apart.
    #[inline(always)]
    unsafe fn tile_of<V: Lanes, E: Element, const C: usize>(
        &self,
        lanes: V,
        weights: [*const u8; STRIP],
        (inputs, stride): (*const f32, usize),
        place: Place,
    ) {
        let Place {
            row,
            input,
            start,
            length,
            ahead,
        } = place;
        // SAFETY: the memory is the caller's promise. The places of these rows and inputs are of this part alone, and `rows`
        // of the part ends where the next begins.
        unsafe {
            let inputs = array::from_fn(|index| inputs.add(index * stride));
            let sums = tile::<V, E, C>(lanes, weights, inputs, length, ahead);
            for (index, sums) in sums.iter().enumerate() {
                let length = STRIP.min(self.rows.end - row);
                let out = self.out.of(input + index, row, length);
                for (out, sum) in out.iter_mut().zip(sums) {
                    *out = if start == 0 { *sum } else { *out + *sum };
                }
            }
        }
    }
}
