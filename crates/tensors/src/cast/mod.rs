//! Bytes to numbers and back: exact on the way in, rounded once to nearest even on the way out.
//!
//! | type | to `f32` | to `f64` | from `f32` and `f64` |
//! |---|---|---|---|
//! | F8_E4M3, F8_E5M2 | exact | exact | – |
//! | F16, BF16, F32 | exact | exact | rounded once |
//! | F64 | rounded once | exact | exact |
//!
//! Overflow gives infinity, as IEEE 754 has it. A NaN stays NaN when it is widened; when it is narrowed it becomes the
//! one quiet NaN with a clear sign and no payload, since CPUs disagree about the NaN that arithmetic makes.

mod element;
mod narrow;
mod non_finite;
mod widen;

pub use narrow::{narrow_f32, narrow_f32_on, narrow_f64, narrow_f64_on};
pub use non_finite::{non_finite_in, non_finite_in_on};
pub use widen::{widen_f32, widen_f32_on, widen_f64, widen_f64_on};

use crate::DType;

/// There is no cast between the two types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no cast from {from} to {to}")]
pub struct CastError {
    /// The type of the source.
    pub from: DType,
    /// The type of the result.
    pub to: DType,
}

/// True for the types that [`widen_f32`] and [`widen_f64`] take.
pub const fn can_widen(dtype: DType) -> bool {
    can_narrow(dtype) || matches!(dtype, DType::F8_E4M3 | DType::F8_E5M2)
}

/// True for the types that [`narrow_f32`] and [`narrow_f64`] give.
pub const fn can_narrow(dtype: DType) -> bool {
    dtype.is_plain_float()
}

/// Bytes that `elements` of a type of whole bytes take.
fn assert_length(dtype: DType, elements: usize, bytes: usize) {
    assert_eq!(
        elements as u64 * (dtype.bits() / 8),
        bytes as u64,
        "bytes of {elements} elements of {dtype}"
    );
}
