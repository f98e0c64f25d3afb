//! Weights in 8 bits: blocks of 32 along a row, each with a scale in f16, as GGUF's Q8_0.

use std::sync::Mutex;

use half::f16;

use crate::pool::Pool;

/// Weights in a block.
const BLOCK: usize = 32;

/// A matrix of Q8_0. The last block of a row is filled up with zeros.
pub(super) struct Q8_0 {
    rows: usize,
    cols: usize,
    blocks: Vec<Block>,
}

#[derive(Clone)]
struct Block {
    scale: f16,
    values: [i8; BLOCK],
}

impl Q8_0 {
    /// `read` gives the weights of a row.
    pub(super) fn quantize(
        pool: &Pool,
        rows: usize,
        cols: usize,
        read: &(dyn Fn(usize, &mut [f32]) + Sync),
    ) -> Self {
        let done: Vec<Mutex<Vec<Block>>> = (0..rows).map(|_| Mutex::default()).collect();
        pool.run(rows, &|row| {
            let mut values = vec![0.0; cols];
            read(row, &mut values);
            *done[row].lock().expect("no panic") = values.chunks(BLOCK).map(quantized).collect();
        });
        let blocks = done
            .into_iter()
            .flat_map(|row| row.into_inner().expect("no panic"))
            .collect();
        Self { rows, cols, blocks }
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.blocks.len() * size_of::<Block>()) as u64
    }

    pub(super) fn forward(&self, _pool: &Pool, inputs: &[f32], out: &mut [f32]) {
        let per_row = self.cols.div_ceil(BLOCK);
        for (input, out) in inputs
            .chunks_exact(self.cols)
            .zip(out.chunks_exact_mut(self.rows))
        {
            let input: Vec<Block> = input.chunks(BLOCK).map(quantized).collect();
            for (row, out) in self.blocks.chunks_exact(per_row).zip(out) {
                *out = row.iter().zip(&input).map(|(w, x)| w.dot(x)).sum();
            }
        }
    }

    pub(super) fn row(&self, row: usize, out: &mut [f32]) {
        let per_row = self.cols.div_ceil(BLOCK);
        let blocks = &self.blocks[row * per_row..][..per_row];
        for (block, out) in blocks.iter().zip(out.chunks_mut(BLOCK)) {
            for (value, out) in block.values.iter().zip(out) {
                *out = f32::from(block.scale) * f32::from(*value);
            }
        }
    }
}

impl Block {
    fn dot(&self, other: &Self) -> f32 {
        let products = self.values.iter().zip(&other.values);
        let sum: i32 = products.map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
        f32::from(self.scale) * f32::from(other.scale) * sum as f32
    }
}

fn quantized(values: &[f32]) -> Block {
    let largest = values.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { scale.recip() };
    let mut block = Block {
        scale: f16::from_f32(scale),
        values: [0; BLOCK],
    };
    for (out, value) in block.values.iter_mut().zip(values) {
        *out = (value * inverse).round() as i8;
    }
    block
}
