//! Weights of 8 bits by inputs of 8 bits, with integer dot products of blocks.

use std::array;
use std::ops::Range;
use std::sync::Mutex;

use super::columns::Columns;
use super::dense::{share, tiles};
use super::lanes::Lanes;
use super::level::{Int8Kernel, Kernel, Level};
use crate::pool::Pool;

/// Columns that share a scale.
pub(in crate::linear) const BLOCK: usize = 32;

/// Rows that are stored together.
pub(in crate::linear) const GROUP: usize = 16;

/// Fours of columns in a block: what one lane of an integer dot product takes.
pub(super) const QUADS: usize = BLOCK / 4;

/// Bytes of a block of a group: [`GROUP`] scales in f16, then for each four columns the four weights of each row.
pub(in crate::linear) const GROUP_BYTES: usize = GROUP * (2 + BLOCK);

/// Inputs of a part.
const INPUTS: usize = 192;

/// Integer dot products. A value of such a type proves that the CPU has its instructions.
pub(super) trait Int8: Copy {
    /// How many inputs are multiplied by a group at a time.
    const INPUTS: usize;

    /// Dot products of a group's rows and `C` inputs.
    ///
    /// # Safety
    /// So many blocks can be read of the group and of each input.
    unsafe fn group<const C: usize>(
        self,
        group: *const u8,
        blocks: usize,
        inputs: [QuantizedInput; C],
    ) -> [[f32; GROUP]; C];
}

/// One input of [`Activations`].
#[derive(Clone, Copy)]
pub(super) struct QuantizedInput {
    pub(super) values: *const i8,
    pub(super) scales: *const f32,
    pub(super) offsets: *const i32,
}

/// Inputs in 8 bits: blocks of 32, each with a scale. The last block of an input is filled up with zeros.
pub(in crate::linear) struct Activations {
    blocks: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
    /// -128 times the sum of a block.
    offsets: Vec<i32>,
}

/// Where one input is written to.
struct Slot<'a> {
    values: &'a mut [i8],
    scales: &'a mut [f32],
    offsets: &'a mut [i32],
}

impl Activations {
    /// Rounds each of `inputs` (count × cols).
    pub(in crate::linear) fn quantize(
        pool: &Pool,
        level: Level,
        cols: usize,
        inputs: &[f32],
    ) -> Self {
        let count = inputs.len() / cols;
        let blocks = cols.div_ceil(BLOCK);
        let mut all = Self {
            blocks,
            values: vec![0; count * blocks * BLOCK],
            scales: vec![0.0; count * blocks],
            offsets: vec![0; count * blocks],
        };
        let slots: Vec<Mutex<Slot<'_>>> = all
            .values
            .chunks_exact_mut(blocks * BLOCK)
            .zip(all.scales.chunks_exact_mut(blocks))
            .zip(all.offsets.chunks_exact_mut(blocks))
            .map(|((values, scales), offsets)| {
                Mutex::new(Slot {
                    values,
                    scales,
                    offsets,
                })
            })
            .collect();
        let quantize = |index: usize| {
            let input = &inputs[index * cols..][..cols];
            let slot = &mut *slots[index].lock().expect("each slot is locked once");
            level.run(Quantize { input, slot });
        };
        if count <= 2 {
            (0..count).for_each(quantize);
        } else {
            pool.run(count, &quantize);
        }
        drop(slots);
        all
    }

    fn count(&self) -> usize {
        self.scales.len() / self.blocks
    }

    #[inline(always)]
    fn input(&self, index: usize) -> QuantizedInput {
        let block = index * self.blocks;
        QuantizedInput {
            values: self.values[block * BLOCK..].as_ptr(),
            scales: self.scales[block..].as_ptr(),
            offsets: self.offsets[block..].as_ptr(),
        }
    }
}

/// Rounds one input.
struct Quantize<'a, 'b> {
    input: &'a [f32],
    slot: &'a mut Slot<'b>,
}

impl Kernel for Quantize<'_, '_> {
    #[inline(always)]
    fn run<V: Lanes>(self, _lanes: V) {
        let blocks = self.input.chunks(BLOCK);
        let places = self.slot.values.chunks_exact_mut(BLOCK);
        let rest = self.slot.scales.iter_mut().zip(&mut *self.slot.offsets);
        for ((block, place), (scale, offset)) in blocks.zip(places).zip(rest) {
            let mut padded = [0.0; BLOCK];
            padded[..block.len()].copy_from_slice(block);
            *scale = scale_of(&padded);
            let inverse = if *scale == 0.0 { 0.0 } else { scale.recip() };
            for (place, value) in place.iter_mut().zip(padded) {
                *place = (value * inverse).round_ties_even() as i8;
            }
            *offset = -128 * place.iter().map(|&value| i32::from(value)).sum::<i32>();
        }
    }
}

/// The scale that makes the largest value 127; NaN if any is infinite or NaN, which then makes the product NaN.
#[inline(always)]
pub(in crate::linear) fn scale_of(values: &[f32; BLOCK]) -> f32 {
    let magnitudes = values.iter().map(|value| value.abs().to_bits());
    let largest = f32::from_bits(magnitudes.fold(0, u32::max)); // the bits are ordered as the magnitudes, NaN above all
    if largest.is_finite() {
        largest / 127.0
    } else {
        f32::NAN
    }
}

/// A product of weights in groups (see [`GROUP_BYTES`]) and inputs.
pub(in crate::linear) struct Int8Product<'a> {
    pub(in crate::linear) level: Level,
    pub(in crate::linear) groups: &'a [u8],
    pub(in crate::linear) activations: &'a Activations,
}

/// The share of one part.
struct Part<'a> {
    product: &'a Int8Product<'a>,
    out: Columns<'a>,
    groups: Range<usize>,
    inputs: Range<usize>,
}

impl Int8Product<'_> {
    /// Writes count × rows outputs.
    ///
    /// # Panics
    /// When the lengths do not fit one another.
    pub(in crate::linear) fn write(&self, pool: &Pool, out: &mut [f32]) {
        let count = self.activations.count();
        if count == 0 {
            return;
        }
        let rows = out.len() / count;
        let stride = self.stride();
        let groups = rows.div_ceil(GROUP);
        assert_eq!(self.groups.len(), groups * stride, "whole groups");
        let out = Columns::new(out, rows);
        let each = share(groups, stride, pool.threads());
        let across = groups.div_ceil(each);
        pool.run(across * count.div_ceil(INPUTS), &|part| {
            let (group, input) = (part % across * each, part / across * INPUTS);
            self.level.run_int8(Part {
                product: self,
                out,
                groups: group..groups.min(group + each),
                inputs: input..count.min(input + INPUTS),
            });
        });
    }

    fn stride(&self) -> usize {
        self.activations.blocks * GROUP_BYTES
    }
}

impl Int8Kernel for Part<'_> {
    #[inline(always)]
    fn run<V: Int8>(self, lanes: V) {
        for (input, count) in tiles(self.inputs.clone(), V::INPUTS) {
            for group in self.groups.clone() {
                match count {
                    1 => self.group::<V, 1>(lanes, group, input),
                    2 if V::INPUTS >= 2 => self.group::<V, 2>(lanes, group, input),
                    3 if V::INPUTS >= 3 => self.group::<V, 3>(lanes, group, input),
                    4 if V::INPUTS >= 4 => self.group::<V, 4>(lanes, group, input),
                    5 if V::INPUTS >= 5 => self.group::<V, 5>(lanes, group, input),
                    6 if V::INPUTS >= 6 => self.group::<V, 6>(lanes, group, input),
                    7 if V::INPUTS >= 7 => self.group::<V, 7>(lanes, group, input),
                    8 if V::INPUTS >= 8 => self.group::<V, 8>(lanes, group, input),
                    _ => unreachable!("`tiles` makes none of {count}"),
                }
            }
        }
    }
}

impl Part<'_> {
    #[inline(always)]
    fn group<V: Int8, const C: usize>(&self, lanes: V, group: usize, input: usize) {
        let stride = self.product.stride();
        let activations = self.product.activations;
        // both checked, for they are what the pointers rely on
        let weights = &self.product.groups[group * stride..][..stride];
        assert!(input + C <= activations.count());
        // SAFETY: the group and the inputs were just checked and have `blocks` blocks each. The places of this group's rows
        // are of this part alone.
        unsafe {
            let inputs = array::from_fn(|index| activations.input(input + index));
            let sums: [_; C] = lanes.group(weights.as_ptr(), activations.blocks, inputs);
            for (index, sums) in sums.iter().enumerate() {
                let out = self.out.of(input + index, group * GROUP, GROUP);
                out.copy_from_slice(&sums[..out.len()]);
            }
        }
    }
}
