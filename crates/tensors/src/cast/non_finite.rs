//! NaN and infinity in bytes that are copied as they are.

use crate::DType;
use crate::kernels::{Isa, Kernel};

/// Number of NaN and infinite elements in little-endian bytes; 0 for types that have none. A complex number counts once.
///
/// # Panics
/// When `bytes` does not hold whole elements.
pub fn non_finite_in(dtype: DType, bytes: &[u8]) -> u64 {
    non_finite_in_on(Isa::detected(), dtype, bytes)
}

/// [`non_finite_in`] on a given instruction set.
///
/// # Panics
/// When `bytes` does not hold whole elements.
pub fn non_finite_in_on(isa: Isa, dtype: DType, bytes: &[u8]) -> u64 {
    assert_eq!(
        bytes.len() as u64 * 8 % dtype.bits(),
        0,
        "{} bytes of {dtype}",
        bytes.len()
    );
    isa.run(NonFinite { dtype, bytes })
}

struct NonFinite<'a> {
    dtype: DType,
    bytes: &'a [u8],
}

impl Kernel for NonFinite<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let bytes = self.bytes;
        match self.dtype {
            DType::BF16 => count16(bytes, 0x7f80),
            DType::F16 => count16(bytes, 0x7c00),
            DType::F32 => count(bytes, |b| {
                u32::from_le_bytes(b) & 0x7f80_0000 == 0x7f80_0000
            }),
            DType::F64 => count(bytes, |b| {
                u64::from_le_bytes(b) & 0x7ff0_0000_0000_0000 == 0x7ff0_0000_0000_0000
            }),
            DType::C64 => count(bytes, |b| {
                let parts = u64::from_le_bytes(b);
                parts & 0x7f80_0000 == 0x7f80_0000
                    || parts & 0x7f80_0000_0000_0000 == 0x7f80_0000_0000_0000
            }),
            DType::F8_E5M2 => count(bytes, |[b]| b & 0x7c == 0x7c),
            DType::F8_E4M3 => count(bytes, |[b]| b & 0x7f == 0x7f),
            DType::F8_E8M0 => count(bytes, |[b]| b == 0xff),
            DType::F8_E4M3FNUZ | DType::F8_E5M2FNUZ => count(bytes, |[b]| b == 0x80),
            DType::F4
            | DType::F6_E2M3
            | DType::F6_E3M2
            | DType::BOOL
            | DType::U8
            | DType::I8
            | DType::U16
            | DType::I16
            | DType::U32
            | DType::I32
            | DType::U64
            | DType::I64 => 0,
        }
    }
}

/// Elements whose exponent is all ones.
#[inline(always)]
fn count16(bytes: &[u8], exponent: u16) -> u64 {
    // counted in 16 bits, as wide as the elements, in runs that cannot overflow
    const RUN: usize = 1 << 15;
    let mut total = 0;
    for run in bytes.as_chunks::<2>().0.chunks(RUN) {
        let in_run: u16 = run
            .iter()
            .map(|&b| u16::from(u16::from_le_bytes(b) & exponent == exponent))
            .sum();
        total += u64::from(in_run);
    }
    total
}

#[inline(always)]
fn count<const N: usize>(bytes: &[u8], non_finite: impl Fn([u8; N]) -> bool) -> u64 {
    const RUN: usize = 1 << 12;
    let mut total = 0;
    for run in bytes.as_chunks::<N>().0.chunks(RUN) {
        let in_run: u32 = run.iter().map(|&b| u32::from(non_finite(b))).sum();
        total += u64::from(in_run);
    }
    total
}
