//! One element at a time, without branches, so that loops over them become vector code.
//!
//! The half-precision conversions follow F. Giesen's method (<https://gist.github.com/rygorous/2156668>): normal numbers
//! are shifted and rounded as integers, subnormal ones come out of one exact or correctly rounded float operation.

/// Bits of an `f32`'s fraction.
const F32_FRACTION: u32 = 23;
/// All ones in an `f32`'s exponent.
const F32_INFINITY: u32 = 0x7f80_0000;
const F32_SIGN: u32 = 0x8000_0000;

const F16_NAN: u32 = 0x7e00;
const BF16_NAN: u32 = 0x7fc0;
const F32_NAN: u32 = 0x7fc0_0000;
const F64_NAN: u64 = 0x7ff8_0000_0000_0000;

/// Exact.
#[inline(always)]
pub(super) fn f32_of_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Exact.
#[inline(always)]
pub(super) fn f32_of_f16(bits: u16) -> f32 {
    // exponents differ by 127 - 15; that of infinity and NaN by twice as much
    const REBIAS: u32 = 112 << F32_FRACTION;
    // 2^-14, the smallest normal f16
    const SMALLEST_NORMAL: u32 = 113 << F32_FRACTION;

    let bits = u32::from(bits);
    let sign = (bits & 0x8000) << 16;
    let magnitude = (bits & 0x7fff) << 13;
    let special = if magnitude >= 0x7c00 << 13 { REBIAS } else { 0 };
    let normal = magnitude + REBIAS + special;
    // fraction · 2^-24 as (2^-14 + fraction · 2^-24) - 2^-14: no operand is subnormal, which would be slow
    let subnormal = f32::from_bits(magnitude + SMALLEST_NORMAL) - f32::from_bits(SMALLEST_NORMAL);
    let any = if magnitude < 0x0400 << 13 {
        subnormal.to_bits()
    } else {
        normal
    };
    f32::from_bits(sign | any)
}

/// Exact. OCP 8-bit floating point, E5M2: the upper byte of an F16.
#[inline(always)]
pub(super) fn f32_of_f8_e5m2(bits: u8) -> f32 {
    f32_of_f16(u16::from(bits) << 8)
}

/// Exact. OCP 8-bit floating point, E4M3: no infinities, NaN is all ones behind the sign.
/// <https://www.opencompute.org/documents/ocp-8-bit-floating-point-specification-ofp8-revision-1-0-2023-12-01-pdf-1>
#[inline(always)]
pub(super) fn f32_of_f8_e4m3(bits: u8) -> f32 {
    // exponents differ by 127 - 7
    const REBIAS: u32 = 120 << F32_FRACTION;
    // 2^-6, the smallest normal one
    const SMALLEST_NORMAL: u32 = 121 << F32_FRACTION;

    let bits = u32::from(bits);
    let sign = (bits & 0x80) << 24;
    let magnitude = (bits & 0x7f) << 20;
    let normal = magnitude + REBIAS;
    let subnormal = f32::from_bits(magnitude + SMALLEST_NORMAL) - f32::from_bits(SMALLEST_NORMAL);
    let finite = if magnitude < 0x08 << 20 {
        subnormal.to_bits()
    } else {
        normal
    };
    let any = if magnitude == 0x7f << 20 {
        F32_NAN
    } else {
        finite
    };
    f32::from_bits(sign | any)
}

/// To nearest even.
#[inline(always)]
pub(super) fn bf16_of_f32(value: f32) -> u16 {
    let bits = value.to_bits();
    let odd = (bits >> 16) & 1;
    // wraps for NaN alone, which is replaced
    let rounded = bits.wrapping_add(0x7fff + odd) >> 16;
    let any = if bits & !F32_SIGN > F32_INFINITY {
        BF16_NAN
    } else {
        rounded
    };
    any as u16
}

/// To nearest even.
#[inline(always)]
pub(super) fn f16_of_f32(value: f32) -> u16 {
    // 2^16: all from here on becomes infinite, and what rounds up to it below
    const TOO_LARGE: u32 = (127 + 16) << F32_FRACTION;
    // 2^-14, the smallest normal f16
    const SMALLEST_NORMAL: u32 = 113 << F32_FRACTION;
    // 0.5: its unit in the last place is 2^-24, that of subnormal f16
    const HALF: u32 = 126 << F32_FRACTION;
    const REBIAS: u32 = 112 << F32_FRACTION;

    let bits = value.to_bits();
    let magnitude = bits & !F32_SIGN;
    let sign = (bits ^ magnitude) >> 16;

    let odd = (magnitude >> 13) & 1;
    let bounded = magnitude.min(TOO_LARGE);
    // wraps for subnormal results alone, which are replaced
    let normal = bounded.wrapping_sub(REBIAS).wrapping_add(0xfff + odd) >> 13;
    let sum = f32::from_bits(magnitude.min(SMALLEST_NORMAL)) + f32::from_bits(HALF);
    let subnormal = sum.to_bits() - HALF;

    let any = if magnitude < SMALLEST_NORMAL {
        subnormal
    } else {
        normal
    };
    let any = if magnitude > F32_INFINITY {
        F16_NAN
    } else {
        sign | any
    };
    any as u16
}

/// The value itself, any NaN as the one NaN.
#[inline(always)]
pub(super) fn f32_of_f32(value: f32) -> f32 {
    if value.is_nan() {
        f32::from_bits(F32_NAN)
    } else {
        value
    }
}

/// The value itself, any NaN as the one NaN.
#[inline(always)]
pub(super) fn f64_of_f64(value: f64) -> f64 {
    if value.is_nan() {
        f64::from_bits(F64_NAN)
    } else {
        value
    }
}

/// To nearest even.
#[inline(always)]
pub(super) fn f32_of_f64(value: f64) -> f32 {
    f32_of_f32(value as f32)
}

/// Rounds to odd: an inexact result gets an odd last bit. Rounding it again to fewer bits, at least two, then gives what
/// rounding the source once would have given (S. Boldo, G. Melquiond, "When double rounding is odd", 2005).
#[inline(always)]
fn f32_to_odd(value: f64) -> f32 {
    let nearest = value as f32;
    let back = f64::from(nearest);
    let bits = nearest.to_bits();
    let away = u32::from(back.abs() > value.abs());
    let inexact = u32::from(back != value && !value.is_nan());
    f32::from_bits((bits - away) | inexact)
}

/// To nearest even, rounded once.
#[inline(always)]
pub(super) fn bf16_of_f64(value: f64) -> u16 {
    bf16_of_f32(f32_to_odd(value))
}

/// To nearest even, rounded once.
#[inline(always)]
pub(super) fn f16_of_f64(value: f64) -> u16 {
    f16_of_f32(f32_to_odd(value))
}
