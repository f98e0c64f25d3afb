//! Weight matrices, multiplied in the type in which they are stored.

mod dense;
mod kernels;
mod memory;
mod q8_0;

use std::fmt;
use std::sync::Arc;

use weightsmith_tensors::{CastError, DType, Error, TensorSource, widen_f32};

use crate::pool::Pool;
use dense::Dense;
use kernels::Level;
use q8_0::Q8_0;

/// Why a tensor cannot be used as a weight matrix; within [`Error::Source`].
#[derive(Debug, thiserror::Error)]
#[error("tensor `{name}` has shape {shape:?}; a weight matrix has two axes of at least 1")]
pub struct NotAMatrix {
    /// The tensor.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u64>,
}

/// A weight matrix of `rows` outputs by `cols` inputs, row by row, in the type in which it is stored.
///
/// A clone shares the weights.
#[derive(Clone)]
pub struct Linear {
    rows: usize,
    cols: usize,
    weights: Weights,
}

#[derive(Clone)]
enum Weights {
    Dense(Dense),
    Q8_0(Arc<Q8_0>),
}

impl Linear {
    /// A tensor of type F32, F16 or BF16. Memory that the source lends is used where it is; of another source the tensor is
    /// read into memory once.
    ///
    /// # Errors
    /// When the tensor cannot be read, is not a matrix ([`NotAMatrix`]) or has another type.
    pub fn open(source: &Arc<dyn TensorSource>, tensor: usize) -> Result<Self, Error> {
        let entry = &source.tensors()[tensor];
        let dtype = entry.info.dtype;
        if !matches!(dtype, DType::F32 | DType::F16 | DType::BF16) {
            let (from, to) = (dtype, DType::F32);
            return Err(CastError { from, to }.into());
        }
        let (rows, cols) = match entry.info.shape[..] {
            [rows, cols] if rows > 0 && cols > 0 => (rows as usize, cols as usize),
            _ => {
                return Err(Error::Source(Box::new(NotAMatrix {
                    name: entry.name.clone(),
                    shape: entry.info.shape.clone(),
                })));
            }
        };
        let weights = Weights::Dense(Dense::open(source, tensor)?);
        Ok(Self {
            rows,
            cols,
            weights,
        })
    }

    /// The matrix in 8 bits: blocks of 32 weights of a row, each with a 16-bit scale.
    ///
    /// # Errors
    /// When a source that lent its memory fails.
    pub fn quantize_q8_0(&self, pool: &Pool) -> Result<Self, Error> {
        let weights = match &self.weights {
            Weights::Q8_0(_) => return Ok(self.clone()),
            Weights::Dense(dense) => {
                let dtype = dense.dtype();
                let stride = self.cols * dtype.bits() as usize / 8;
                dense.with(|bytes| {
                    Q8_0::quantize(pool, self.rows, self.cols, &|row, out| {
                        let bytes = &bytes[row * stride..][..stride];
                        widen_f32(dtype, bytes, out).expect("a plain float");
                    })
                })?
            }
        };
        Ok(Self {
            rows: self.rows,
            cols: self.cols,
            weights: Weights::Q8_0(Arc::new(weights)),
        })
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Size of the weights in memory or in the mapped file.
    pub fn bytes(&self) -> u64 {
        match &self.weights {
            Weights::Dense(dense) => {
                self.rows as u64 * self.cols as u64 * (dense.dtype().bits() / 8)
            }
            Weights::Q8_0(weights) => weights.bytes(),
        }
    }

    /// Whether the weights are in memory that the source lends.
    pub(crate) fn is_lent(&self) -> bool {
        match &self.weights {
            Weights::Dense(dense) => dense.is_lent(),
            Weights::Q8_0(_) => false,
        }
    }

    /// Multiplies each of `inputs` (count × cols) by the matrix: `out` (count × rows) = inputs · Wᵀ.
    ///
    /// What becomes of an input depends neither on the number of threads nor on the other inputs. Where the source lent its
    /// memory and lost some of it, the result means nothing, and [`TensorSource::ensure_intact`] says so.
    ///
    /// # Panics
    /// When the lengths are not those of the same count.
    pub fn forward(&self, pool: &Pool, inputs: &[f32], out: &mut [f32]) {
        self.forward_on(Level::detected(), pool, inputs, out);
    }

    fn forward_on(&self, level: Level, pool: &Pool, inputs: &[f32], out: &mut [f32]) {
        let count = inputs.len() / self.cols;
        assert_eq!(inputs.len(), count * self.cols, "inputs of {self:?}");
        assert_eq!(out.len(), count * self.rows, "outputs of {self:?}");
        match &self.weights {
            Weights::Dense(dense) => dense.forward(level, pool, self.cols, inputs, out),
            Weights::Q8_0(weights) => weights.forward(level, pool, inputs, out),
        }
    }

    /// The weights of one row, as of an embedding; with damaged memory as [`Self::forward`].
    ///
    /// # Panics
    /// When there is no such row, or `out` is not as long as a row.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows, "row {row} of {self:?}");
        assert_eq!(out.len(), self.cols, "a row of {self:?}");
        match &self.weights {
            Weights::Dense(dense) => dense.row(row, out),
            Weights::Q8_0(weights) => weights.row(row, out),
        }
    }
}

impl fmt::Debug for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.weights {
            Weights::Dense(dense) => dense.dtype().to_string(),
            Weights::Q8_0(_) => "Q8_0".to_owned(),
        };
        write!(f, "Linear({kind} [{}, {}])", self.rows, self.cols)
    }
}

#[cfg(test)]
mod tests;
