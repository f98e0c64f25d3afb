//! Checkpoints as bytes and as typed tensors.

mod dtype;
mod error;
mod source;

pub use dtype::{DType, UnknownDType};
pub use error::Error;
pub use source::{TensorEntry, TensorInfo, TensorSource};
