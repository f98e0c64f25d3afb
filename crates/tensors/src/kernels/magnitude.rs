//! The bits of a float as an integer that grows with its magnitude.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Shr, Sub};

/// A magnitude as an integer: not negative, and signed so that every instruction set compares it at once.
pub trait Key:
    Copy
    + Debug
    + Default
    + Ord
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Shr<u32, Output = Self>
    + 'static
{
    /// Less than every magnitude.
    const BELOW: Self;
    /// That of zero.
    const ZERO: Self;
    /// The largest one, that of a NaN.
    const MAX: Self;

    /// 1 or 0
    fn one_if(condition: bool) -> Self;

    /// Not above [`Key::MAX`].
    fn saturating_from(bits: u64) -> Self;

    /// The same number, of a magnitude.
    fn to_u64(self) -> u64;
}

/// A float that can be ordered by magnitude: the part of [`Real`](crate::Real) that selection and ranking need.
pub trait Magnitude: Copy {
    /// `i32` for `f32`, `i64` for `f64`.
    type Key: Key;

    /// The bits without the sign: −0 is equal to 0, NaN is above infinity.
    fn key(self) -> Self::Key;

    /// The value that is not negative and has a key.
    fn from_key(key: Self::Key) -> Self;
}

macro_rules! magnitude {
    ($float:ty, $signed:ty, $unsigned:ty) => {
        impl Key for $signed {
            const BELOW: Self = -1;
            const ZERO: Self = 0;
            const MAX: Self = <$signed>::MAX;

            #[inline(always)]
            fn one_if(condition: bool) -> Self {
                Self::from(condition)
            }

            #[inline(always)]
            fn saturating_from(bits: u64) -> Self {
                Self::try_from(bits).unwrap_or(Self::MAX)
            }

            #[inline(always)]
            fn to_u64(self) -> u64 {
                self as u64
            }
        }

        impl Magnitude for $float {
            type Key = $signed;

            #[inline(always)]
            fn key(self) -> $signed {
                (self.to_bits() & (<$unsigned>::MAX >> 1)) as $signed
            }

            #[inline(always)]
            fn from_key(key: $signed) -> Self {
                Self::from_bits(key as $unsigned)
            }
        }
    };
}

magnitude!(f32, i32, u32);
magnitude!(f64, i64, u64);
