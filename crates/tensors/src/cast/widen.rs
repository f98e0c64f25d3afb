//! Bytes to numbers.

use super::{CastError, assert_length, element};
use crate::DType;
use crate::kernels::{Isa, Kernel};

/// Little-endian bytes, aligned or not, to `f32`: exact, but for F64, which is rounded to nearest even.
///
/// # Errors
/// When the type is none of [`super::can_widen`].
///
/// # Panics
/// When `bytes` is not as long as `out` elements of the type.
pub fn widen_f32(dtype: DType, bytes: &[u8], out: &mut [f32]) -> Result<(), CastError> {
    widen_f32_on(Isa::detected(), dtype, bytes, out)
}

/// [`widen_f32`] on a given instruction set.
///
/// # Errors
/// When the type is none of [`super::can_widen`].
///
/// # Panics
/// When `bytes` is not as long as `out` elements of the type.
pub fn widen_f32_on(
    isa: Isa,
    dtype: DType,
    bytes: &[u8],
    out: &mut [f32],
) -> Result<(), CastError> {
    check(dtype, DType::F32, bytes, out.len())?;
    isa.run(WidenF32 { dtype, bytes, out });
    Ok(())
}

/// Little-endian bytes, aligned or not, to `f64`: exact.
///
/// # Errors
/// When the type is none of [`super::can_widen`].
///
/// # Panics
/// When `bytes` is not as long as `out` elements of the type.
pub fn widen_f64(dtype: DType, bytes: &[u8], out: &mut [f64]) -> Result<(), CastError> {
    widen_f64_on(Isa::detected(), dtype, bytes, out)
}

/// [`widen_f64`] on a given instruction set.
///
/// # Errors
/// When the type is none of [`super::can_widen`].
///
/// # Panics
/// When `bytes` is not as long as `out` elements of the type.
pub fn widen_f64_on(
    isa: Isa,
    dtype: DType,
    bytes: &[u8],
    out: &mut [f64],
) -> Result<(), CastError> {
    check(dtype, DType::F64, bytes, out.len())?;
    isa.run(WidenF64 { dtype, bytes, out });
    Ok(())
}

fn check(from: DType, to: DType, bytes: &[u8], elements: usize) -> Result<(), CastError> {
    if !super::can_widen(from) {
        return Err(CastError { from, to });
    }
    assert_length(from, elements, bytes.len());
    Ok(())
}

struct WidenF32<'a> {
    dtype: DType,
    bytes: &'a [u8],
    out: &'a mut [f32],
}

impl Kernel for WidenF32<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { dtype, bytes, out } = self;
        match dtype {
            DType::BF16 => each(bytes, out, |b| element::f32_of_bf16(u16::from_le_bytes(b))),
            DType::F16 => each(bytes, out, |b| element::f32_of_f16(u16::from_le_bytes(b))),
            DType::F32 => each(bytes, out, f32::from_le_bytes),
            DType::F64 => each(bytes, out, |b| f64::from_le_bytes(b) as f32),
            DType::F8_E4M3 => each(bytes, out, |[b]| element::f32_of_f8_e4m3(b)),
            DType::F8_E5M2 => each(bytes, out, |[b]| element::f32_of_f8_e5m2(b)),
            _ => unreachable!("checked by the caller"),
        }
    }
}

struct WidenF64<'a> {
    dtype: DType,
    bytes: &'a [u8],
    out: &'a mut [f64],
}

impl Kernel for WidenF64<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { dtype, bytes, out } = self;
        match dtype {
            DType::BF16 => each(bytes, out, |b| {
                element::f32_of_bf16(u16::from_le_bytes(b)).into()
            }),
            DType::F16 => each(bytes, out, |b| {
                element::f32_of_f16(u16::from_le_bytes(b)).into()
            }),
            DType::F32 => each(bytes, out, |b| f32::from_le_bytes(b).into()),
            DType::F64 => each(bytes, out, f64::from_le_bytes),
            DType::F8_E4M3 => each(bytes, out, |[b]| element::f32_of_f8_e4m3(b).into()),
            DType::F8_E5M2 => each(bytes, out, |[b]| element::f32_of_f8_e5m2(b).into()),
            _ => unreachable!("checked by the caller"),
        }
    }
}

#[inline(always)]
fn each<const N: usize, T>(bytes: &[u8], out: &mut [T], convert: impl Fn([u8; N]) -> T) {
    for (out, &bytes) in out.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *out = convert(bytes);
    }
}
