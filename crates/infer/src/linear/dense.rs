//! Weights as plain floats, in the memory of their source where it lends it.

use std::sync::Arc;

use weightsmith_tensors::{DType, Error, TensorSource, widen_f32};

use super::kernels::{DenseProduct, Level};
use super::memory::Memory;
use crate::pool::Pool;

/// A matrix of F32, F16 or BF16.
#[derive(Clone)]
pub(super) struct Dense {
    dtype: DType,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Lent {
        source: Arc<dyn TensorSource>,
        tensor: usize,
    },
    Owned(Arc<Memory>),
}

impl Dense {
    pub(super) fn open(source: &Arc<dyn TensorSource>, tensor: usize) -> Result<Self, Error> {
        let info = &source.tensors()[tensor].info;
        let mut scratch = Vec::new();
        let bytes = source.read(tensor, 0..info.elements(), &mut scratch)?;
        let (start, length) = (bytes.as_ptr(), bytes.len());
        let place = if scratch.is_empty() {
            Place::Lent {
                source: Arc::clone(source),
                tensor,
            }
        } else {
            let mut again = Vec::new();
            let bytes = if scratch.as_ptr() == start && scratch.len() == length {
                &scratch[..]
            } else {
                source.read(tensor, 0..info.elements(), &mut again)?
            };
            Place::Owned(Arc::new(Memory::copy_of(bytes)))
        };
        Ok(Self {
            dtype: info.dtype,
            place,
        })
    }

    pub(super) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(super) fn is_lent(&self) -> bool {
        matches!(self.place, Place::Lent { .. })
    }

    /// Gives the bytes to `then`.
    pub(super) fn with<T>(&self, then: impl FnOnce(&[u8]) -> T) -> Result<T, Error> {
        match &self.place {
            Place::Owned(bytes) => Ok(then(bytes)),
            Place::Lent { source, tensor } => {
                let elements = source.tensors()[*tensor].info.elements();
                let mut scratch = Vec::new();
                Ok(then(source.read(*tensor, 0..elements, &mut scratch)?))
            }
        }
    }

    /// Where a file that lent its memory is damaged, `out` becomes NaN: its source tells why when it is asked whether it
    /// is intact, as whoever uses the result must.
    pub(super) fn forward(
        &self,
        level: Level,
        pool: &Pool,
        cols: usize,
        inputs: &[f32],
        out: &mut [f32],
    ) {
        let lent = self.with(|weights| {
            let product = DenseProduct {
                level,
                dtype: self.dtype,
                weights,
                cols,
                inputs,
            };
            product.write(pool, out);
        });
        if lent.is_err() {
            out.fill(f32::NAN);
        }
    }

    /// As [`Self::forward`] where the memory is damaged.
    pub(super) fn row(&self, row: usize, out: &mut [f32]) {
        let stride = out.len() * self.dtype.bits() as usize / 8;
        let lent = self.with(|bytes| {
            widen_f32(self.dtype, &bytes[row * stride..][..stride], out).expect("a plain float");
        });
        if lent.is_err() {
            out.fill(f32::NAN);
        }
    }
}
