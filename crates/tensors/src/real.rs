//! The two types that arithmetic is done in.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::cast::{self, CastError};
use crate::{DType, kernels};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32`, or `f64` where an input is `F64`: what merge kernels are generic over.
pub trait Real:
    sealed::Sealed
    + Copy
    + Default
    + Debug
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
    + kernels::Magnitude
{
    /// The element type with the same values.
    const DTYPE: DType;
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;

    /// Rounds to nearest even.
    fn from_f64(value: f64) -> Self;

    /// Exact.
    fn to_f64(self) -> f64;

    /// The value without its sign.
    #[must_use]
    fn abs(self) -> Self;

    /// The square root, correctly rounded.
    #[must_use]
    fn sqrt(self) -> Self;

    /// True unless NaN or infinite.
    fn is_finite(self) -> bool;

    /// Little-endian bytes of type `dtype` to values: [`crate::widen_f32`] or [`crate::widen_f64`].
    ///
    /// # Errors
    /// When there is no such cast; see [`crate::can_widen`].
    ///
    /// # Panics
    /// When `bytes` is not as long as `out` elements of the type.
    fn widen(dtype: DType, bytes: &[u8], out: &mut [Self]) -> Result<(), CastError>;

    /// Values to little-endian bytes of type `dtype`: [`crate::narrow_f32`] or [`crate::narrow_f64`].
    ///
    /// # Errors
    /// When there is no such cast; see [`crate::can_narrow`].
    ///
    /// # Panics
    /// When `out` is not as long as `values` in the type.
    fn narrow(values: &[Self], dtype: DType, out: &mut [u8]) -> Result<(), CastError>;

    /// Number of NaN and infinite values.
    fn count_non_finite(values: &[Self]) -> u64 {
        kernels::count_non_finite(values)
    }
}

impl Real for f32 {
    const DTYPE: DType = DType::F32;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }

    fn widen(dtype: DType, bytes: &[u8], out: &mut [Self]) -> Result<(), CastError> {
        cast::widen_f32(dtype, bytes, out)
    }

    fn narrow(values: &[Self], dtype: DType, out: &mut [u8]) -> Result<(), CastError> {
        cast::narrow_f32(values, dtype, out)
    }
}

impl Real for f64 {
    const DTYPE: DType = DType::F64;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        self.sqrt()
    }

    #[inline(always)]
    fn is_finite(self) -> bool {
        self.is_finite()
    }

    fn widen(dtype: DType, bytes: &[u8], out: &mut [Self]) -> Result<(), CastError> {
        cast::widen_f64(dtype, bytes, out)
    }

    fn narrow(values: &[Self], dtype: DType, out: &mut [u8]) -> Result<(), CastError> {
        cast::narrow_f64(values, dtype, out)
    }
}
