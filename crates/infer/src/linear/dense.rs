//! Weights as plain floats, in the memory of their source where it lends it.

use std::sync::{Arc, Mutex};

use weightsmith_tensors::{DType, Error, TensorSource, widen_f32};

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
    Owned(Arc<Vec<u8>>),
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
        } else if scratch.as_ptr() == start && scratch.len() == length {
            Place::Owned(Arc::new(scratch))
        } else {
            let mut scratch = Vec::new();
            let bytes = source.read(tensor, 0..info.elements(), &mut scratch)?;
            Place::Owned(Arc::new(bytes.to_vec()))
        };
        Ok(Self {
            dtype: info.dtype,
            place,
        })
    }

    pub(super) fn dtype(&self) -> DType {
        self.dtype
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

    pub(super) fn forward(&self, pool: &Pool, cols: usize, inputs: &[f32], out: &mut [f32]) {
        let count = inputs.len() / cols;
        if count == 0 {
            return;
        }
        let rows = out.len() / count;
        let stride = cols * self.dtype.bits() as usize / 8;
        let columns: Vec<Mutex<Vec<f32>>> = (0..rows).map(|_| Mutex::default()).collect();
        self.with(|bytes| {
            pool.run(rows, &|row| {
                let mut weights = vec![0.0; cols];
                widen_f32(self.dtype, &bytes[row * stride..][..stride], &mut weights)
                    .expect("a plain float");
                let dots = inputs
                    .chunks_exact(cols)
                    .map(|input| input.iter().zip(&weights).map(|(x, w)| x * w).sum::<f32>());
                *columns[row].lock().expect("no panic") = dots.collect();
            });
        })
        .expect("a source that lent its memory lends it again");
        for (row, column) in columns.into_iter().enumerate() {
            for (index, dot) in column
                .into_inner()
                .expect("no panic")
                .into_iter()
                .enumerate()
            {
                out[index * rows + row] = dot;
            }
        }
    }

    pub(super) fn row(&self, row: usize, out: &mut [f32]) {
        let stride = out.len() * self.dtype.bits() as usize / 8;
        self.with(|bytes| widen_f32(self.dtype, &bytes[row * stride..][..stride], out))
            .expect("a source that lent its memory lends it again")
            .expect("a plain float");
    }
}
