//! The one thing that a checkpoint on disk and an unwritten merge have in common: tensors that can be read.

use std::fmt::Debug;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{DType, Error};

/// Type and shape of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TensorInfo {
    /// Type of the elements.
    pub dtype: DType,
    /// Sizes of the axes, outermost first; empty for a scalar.
    pub shape: Vec<u64>,
}

impl TensorInfo {
    /// Number of elements; 1 for a scalar. Headers whose product overflows are rejected when they are read.
    pub fn elements(&self) -> u64 {
        self.shape.iter().product()
    }

    /// Size in bytes, the last byte of a packed type rounded up.
    pub fn bytes(&self) -> u64 {
        (self.elements() * self.dtype.bits()).div_ceil(8)
    }

    /// Length of one index of the first axis, in elements: what "a row" means for a tensor of any rank.
    pub fn row_elements(&self) -> u64 {
        self.shape.iter().skip(1).product()
    }
}

/// A tensor of a source: its name, type and shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorEntry {
    /// The full name, such as `model.layers.0.mlp.up_proj.weight`.
    pub name: String,
    /// Type and shape.
    pub info: TensorInfo,
}

/// Tensors that can be read by name and range: a checkpoint on disk, or a planned merge that was never written.
///
/// Tensors are addressed by their index in [`TensorSource::tensors`].
pub trait TensorSource: Send + Sync + Debug {
    /// All tensors, in the order in which the source stores them.
    fn tensors(&self) -> &[TensorEntry];

    /// Index of the tensor of that name.
    fn find(&self, name: &str) -> Option<usize>;

    /// The little-endian bytes of a range of a tensor's elements (row-major).
    ///
    /// A source that has them in memory lends them; another fills `scratch` and lends that. A mapped file can become shorter
    /// while its bytes are lent; they read as zeros then. So whoever made something of them asks
    /// [`ensure_intact`](Self::ensure_intact) before it is used.
    /// The range of a packed type must begin and end on a byte.
    ///
    /// # Errors
    /// When the bytes cannot be read or computed.
    ///
    /// # Panics
    /// When the index or the range lies outside of the source.
    fn read<'a>(
        &'a self,
        tensor: usize,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error>;

    /// Checks that all bytes that were lent so far were the source's own. It costs next to nothing.
    ///
    /// # Errors
    /// What happened to the file that lost some: whatever was made of its bytes may be wrong.
    fn ensure_intact(&self) -> Result<(), Error> {
        Ok(())
    }

    /// The same source as one that computes its tensors, where it does.
    fn computed(&self) -> Option<&dyn ComputedSource> {
        None
    }

    /// Checks that files that are lent from memory were not written to since they were opened. It asks the file system.
    ///
    /// # Errors
    /// [`Error::Changed`] for the first that was.
    fn ensure_not_rewritten(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A source that computes its tensors when they are read, and what that takes.
pub trait ComputedSource {
    /// Memory that is taken as long as there is the source, in bytes.
    fn fixed_memory(&self) -> u64;

    /// Memory that reading a tensor takes besides what it is read into, in ranges of at most so many elements.
    fn read_memory(&self, tensor: usize, elements: u64) -> ReadMemory;

    /// Says that nobody will read the tensor soon: what is remembered of it can go. Whoever reads it nevertheless gets the
    /// same bytes.
    fn forget(&self, tensor: usize);
}

/// Memory that reading a tensor takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadMemory {
    /// For each thread that reads.
    pub worker: u64,
    /// However many read, until the tensor is forgotten.
    pub shared: u64,
}
