//! Numbers to bytes.

use super::{CastError, assert_length, element};
use crate::DType;
use crate::kernels::{Isa, Kernel};

/// `f32` to little-endian bytes, each value rounded once to nearest even.
///
/// # Examples
/// ```
/// use weightsmith_tensors::{DType, narrow_f32};
/// let mut bytes = [0; 4];
/// // 1 + 2^-8 lies between 1 and the next BF16: the even one is 1
/// narrow_f32(&[1.003_906_25, -2.0], DType::BF16, &mut bytes)?;
/// assert_eq!(bytes, [0x80, 0x3f, 0x00, 0xc0]);
/// # Ok::<(), weightsmith_tensors::CastError>(())
/// ```
///
/// # Errors
/// When the type is none of [`super::can_narrow`].
///
/// # Panics
/// When `out` is not as long as `values` in the type.
pub fn narrow_f32(values: &[f32], dtype: DType, out: &mut [u8]) -> Result<(), CastError> {
    narrow_f32_on(Isa::detected(), values, dtype, out)
}

/// [`narrow_f32`] on a given instruction set.
///
/// # Errors
/// When the type is none of [`super::can_narrow`].
///
/// # Panics
/// When `out` is not as long as `values` in the type.
pub fn narrow_f32_on(
    isa: Isa,
    values: &[f32],
    dtype: DType,
    out: &mut [u8],
) -> Result<(), CastError> {
    check(DType::F32, dtype, out, values.len())?;
    isa.run(NarrowF32 { values, dtype, out });
    Ok(())
}

/// `f64` to little-endian bytes, each value rounded once to nearest even (never by way of `f32`).
///
/// # Errors
/// When the type is none of [`super::can_narrow`].
///
/// # Panics
/// When `out` is not as long as `values` in the type.
pub fn narrow_f64(values: &[f64], dtype: DType, out: &mut [u8]) -> Result<(), CastError> {
    narrow_f64_on(Isa::detected(), values, dtype, out)
}

/// [`narrow_f64`] on a given instruction set.
///
/// # Errors
/// When the type is none of [`super::can_narrow`].
///
/// # Panics
/// When `out` is not as long as `values` in the type.
pub fn narrow_f64_on(
    isa: Isa,
    values: &[f64],
    dtype: DType,
    out: &mut [u8],
) -> Result<(), CastError> {
    check(DType::F64, dtype, out, values.len())?;
    isa.run(NarrowF64 { values, dtype, out });
    Ok(())
}

fn check(from: DType, to: DType, out: &[u8], elements: usize) -> Result<(), CastError> {
    if !super::can_narrow(to) {
        return Err(CastError { from, to });
    }
    assert_length(to, elements, out.len());
    Ok(())
}

struct NarrowF32<'a> {
    values: &'a [f32],
    dtype: DType,
    out: &'a mut [u8],
}

impl Kernel for NarrowF32<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { values, dtype, out } = self;
        match dtype {
            DType::BF16 => each(values, out, |x| element::bf16_of_f32(x).to_le_bytes()),
            DType::F16 => each(values, out, |x| element::f16_of_f32(x).to_le_bytes()),
            DType::F32 => each(values, out, |x| element::f32_of_f32(x).to_le_bytes()),
            DType::F64 => each(values, out, |x| element::f64_of_f64(x.into()).to_le_bytes()),
            _ => unreachable!("checked by the caller"),
        }
    }
}

struct NarrowF64<'a> {
    values: &'a [f64],
    dtype: DType,
    out: &'a mut [u8],
}

impl Kernel for NarrowF64<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { values, dtype, out } = self;
        match dtype {
            DType::BF16 => each(values, out, |x| element::bf16_of_f64(x).to_le_bytes()),
            DType::F16 => each(values, out, |x| element::f16_of_f64(x).to_le_bytes()),
            DType::F32 => each(values, out, |x| element::f32_of_f64(x).to_le_bytes()),
            DType::F64 => each(values, out, |x| element::f64_of_f64(x).to_le_bytes()),
            _ => unreachable!("checked by the caller"),
        }
    }
}

#[inline(always)]
fn each<const N: usize, T: Copy>(values: &[T], out: &mut [u8], convert: impl Fn(T) -> [u8; N]) {
    for (&value, out) in values.iter().zip(out.as_chunks_mut::<N>().0) {
        *out = convert(value);
    }
}
