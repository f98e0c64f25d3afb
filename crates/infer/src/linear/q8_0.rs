//! Weights in 8 bits: blocks of 32 along a row, each with a scale in f16, as GGUF's Q8_0.
//!
//! The numbers are those of GGUF, the order in memory is not: 16 rows lie together, so that a vector of sums has a lane for
//! each of them, and the rows go by as one stream.

use std::sync::Mutex;

use half::f16;

use super::kernels::{Activations, BLOCK, GROUP, GROUP_BYTES, Int8Product, Level, scale_of};
use super::memory::Memory;
use crate::pool::Pool;

/// A matrix of Q8_0. The last block of a row and the last group of rows are filled up with zeros.
pub(super) struct Q8_0 {
    cols: usize,
    groups: Memory,
}

impl Q8_0 {
    /// `read` gives the weights of a row.
    pub(super) fn quantize(
        pool: &Pool,
        rows: usize,
        cols: usize,
        read: &(dyn Fn(usize, &mut [f32]) + Sync),
    ) -> Self {
        let stride = cols.div_ceil(BLOCK) * GROUP_BYTES;
        let mut groups = Memory::zeroed(rows.div_ceil(GROUP) * stride);
        let parts: Vec<Mutex<&mut [u8]>> =
            groups.chunks_exact_mut(stride).map(Mutex::new).collect();
        pool.run(parts.len(), &|part| {
            let group = &mut **parts[part].lock().expect("each group is locked once");
            let mut values = vec![0.0; cols];
            for row in part * GROUP..rows.min((part + 1) * GROUP) {
                read(row, &mut values);
                let blocks = values
                    .chunks(BLOCK)
                    .zip(group.chunks_exact_mut(GROUP_BYTES));
                for (values, block) in blocks {
                    write_block(values, block, row % GROUP);
                }
            }
        });
        drop(parts);
        Self { cols, groups }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.groups.len() as u64
    }

    pub(super) fn forward(&self, level: Level, pool: &Pool, inputs: &[f32], out: &mut [f32]) {
        let product = Int8Product {
            level,
            groups: &self.groups,
            activations: &Activations::quantize(pool, level, self.cols, inputs),
        };
        product.write(pool, out);
    }

    pub(super) fn row(&self, row: usize, out: &mut [f32]) {
        let stride = self.cols.div_ceil(BLOCK) * GROUP_BYTES;
        let group = &self.groups[row / GROUP * stride..][..stride];
        for (block, out) in group.chunks_exact(GROUP_BYTES).zip(out.chunks_mut(BLOCK)) {
            let [low, high] = scale_place(row % GROUP).map(|place| block[place]);
            let scale = f16::from_le_bytes([low, high]).to_f32();
            for (column, out) in out.iter_mut().enumerate() {
                *out = scale * f32::from(block[value_place(row % GROUP, column)].cast_signed());
            }
        }
    }
}

/// Where the bytes of a row's scale are in a block of a group.
fn scale_place(row: usize) -> [usize; 2] {
    [2 * row, 2 * row + 1]
}

/// Where a weight is in a block of a group.
fn value_place(row: usize, column: usize) -> usize {
    2 * GROUP + column / 4 * (4 * GROUP) + 4 * row + column % 4
}

/// Rounds a block of a row as GGUF's writers do: by the scale before it is rounded itself, halves away from zero.
fn write_block(values: &[f32], block: &mut [u8], row: usize) {
    let mut padded = [0.0; BLOCK];
    padded[..values.len()].copy_from_slice(values);
    let scale = scale_of(&padded);
    let inverse = if scale == 0.0 { 0.0 } else { scale.recip() };
    for (place, byte) in scale_place(row)
        .into_iter()
        .zip(f16::from_f32(scale).to_le_bytes())
    {
        block[place] = byte;
    }
    for (column, value) in padded.into_iter().enumerate() {
        block[value_place(row, column)] = ((value * inverse).round() as i8).cast_unsigned();
    }
}
