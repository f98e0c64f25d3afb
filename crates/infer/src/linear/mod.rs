//! A weight matrix: plain stand-in.

use std::sync::Arc;

use weightsmith_tensors::{Error, TensorSource, widen_f32};

use crate::Pool;

/// A weight matrix [rows = outputs, cols = inputs], row-major.
#[derive(Debug)]
pub struct Linear {
    rows: usize,
    cols: usize,
    weights: Vec<f32>,
}

impl Linear {
    /// Reads the matrix.
    pub fn open(source: &Arc<dyn TensorSource>, tensor: usize) -> Result<Self, Error> {
        let info = source.tensors()[tensor].info.clone();
        let mut scratch = Vec::new();
        let bytes = source.read(tensor, 0..info.elements(), &mut scratch)?;
        let mut weights = vec![0.0; info.elements() as usize];
        widen_f32(info.dtype, bytes, &mut weights)?;
        Ok(Self {
            rows: info.shape[0] as usize,
            cols: info.row_elements() as usize,
            weights,
        })
    }

    /// Outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Size in memory.
    pub fn bytes(&self) -> u64 {
        self.weights.len() as u64 * 4
    }

    /// out = inputs · weightsᵀ.
    pub fn forward(&self, _pool: &Pool, inputs: &[f32], out: &mut [f32]) {
        for (input, out) in inputs.chunks(self.cols).zip(out.chunks_mut(self.rows)) {
            for (row, out) in self.weights.chunks(self.cols).zip(out) {
                *out = row.iter().zip(input).map(|(w, x)| w * x).sum();
            }
        }
    }

    /// A row as numbers.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.weights[row * self.cols..][..self.cols]);
    }
}

impl Linear {
    /// Stand-in.
    pub fn quantize_q8_0(&self, _pool: &Pool) -> Result<Self, Error> {
        Ok(Self {
            rows: self.rows,
            cols: self.cols,
            weights: self.weights.clone(),
        })
    }
}
