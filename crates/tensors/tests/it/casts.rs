//! Casts against the `half` crate, against formulas and against exact rational arithmetic on bits.

use half::{bf16, f16};
use proptest::prelude::*;
use weightsmith_tensors::cast::{
    narrow_f32_on, narrow_f64_on, non_finite_in_on, widen_f32_on, widen_f64_on,
};
use weightsmith_tensors::kernels::Isa;
use weightsmith_tensors::{DType, narrow_f32, narrow_f64, non_finite_in, widen_f32, widen_f64};

use crate::random::Random;

const PLAIN: [DType; 4] = [DType::F16, DType::BF16, DType::F32, DType::F64];
const FLOATS: [DType; 6] = [
    DType::F16,
    DType::BF16,
    DType::F32,
    DType::F64,
    DType::F8_E4M3,
    DType::F8_E5M2,
];

fn all_u16() -> Vec<u8> {
    (0..=u16::MAX).flat_map(u16::to_le_bytes).collect()
}

fn size(dtype: DType) -> usize {
    dtype.bits() as usize / 8
}

fn widened32(dtype: DType, bytes: &[u8]) -> Vec<f32> {
    let mut out = vec![0.0; bytes.len() / size(dtype)];
    widen_f32(dtype, bytes, &mut out).unwrap();
    out
}

fn widened64(dtype: DType, bytes: &[u8]) -> Vec<f64> {
    let mut out = vec![0.0; bytes.len() / size(dtype)];
    widen_f64(dtype, bytes, &mut out).unwrap();
    out
}

fn narrowed32(values: &[f32], dtype: DType) -> Vec<u8> {
    let mut out = vec![0; values.len() * size(dtype)];
    narrow_f32(values, dtype, &mut out).unwrap();
    out
}

fn narrowed64(values: &[f64], dtype: DType) -> Vec<u8> {
    let mut out = vec![0; values.len() * size(dtype)];
    narrow_f64(values, dtype, &mut out).unwrap();
    out
}

/// The single 16-bit code of a value.
fn code64(value: f64, dtype: DType) -> u16 {
    u16::from_le_bytes(narrowed64(&[value], dtype).try_into().unwrap())
}

fn code32(value: f32, dtype: DType) -> u16 {
    u16::from_le_bytes(narrowed32(&[value], dtype).try_into().unwrap())
}

/// Equal bits, or both NaN.
fn same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[test]
fn every_16_bit_pattern_widens_as_the_half_crate_says() {
    let bytes = all_u16();
    let (f16s, bf16s) = (
        widened32(DType::F16, &bytes),
        widened32(DType::BF16, &bytes),
    );
    for code in 0..=u16::MAX {
        let (got, expected) = (f16s[usize::from(code)], f16::from_bits(code).to_f32());
        assert!(same(got, expected), "f16 {code:#06x}: {got} not {expected}");
        let (got, expected) = (bf16s[usize::from(code)], bf16::from_bits(code).to_f32());
        assert!(
            same(got, expected),
            "bf16 {code:#06x}: {got} not {expected}"
        );
    }
    for dtype in [DType::F16, DType::BF16] {
        for (narrow, wide) in widened32(dtype, &bytes)
            .into_iter()
            .zip(widened64(dtype, &bytes))
        {
            assert!(f64::from(narrow) == wide || narrow.is_nan() && wide.is_nan());
        }
    }
}

#[test]
fn every_16_bit_pattern_comes_back_and_nan_comes_back_as_one_nan() {
    let bytes = all_u16();
    for (dtype, infinity, nan) in [(DType::F16, 0x7c00, 0x7e00), (DType::BF16, 0x7f80, 0x7fc0)] {
        let expected: Vec<u8> = (0..=u16::MAX)
            .map(|code| if code & 0x7fff > infinity { nan } else { code })
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(
            narrowed32(&widened32(dtype, &bytes), dtype) == expected,
            "{dtype}"
        );
        assert!(
            narrowed64(&widened64(dtype, &bytes), dtype) == expected,
            "{dtype}"
        );
    }
}

/// Value of an 8-bit float by its definition.
fn f8(code: u8, fraction_bits: u32, bias: i32) -> f64 {
    let sign = if code & 0x80 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from((code & 0x7f) >> fraction_bits);
    let fraction = f64::from(code & ((1 << fraction_bits) - 1)) / f64::from(1 << fraction_bits);
    if exponent == 0 {
        sign * fraction * 2.0_f64.powi(1 - bias)
    } else {
        sign * (1.0 + fraction) * 2.0_f64.powi(exponent - bias)
    }
}

#[test]
fn every_8_bit_float_has_the_value_of_its_definition() {
    let codes: Vec<u8> = (0..=u8::MAX).collect();
    let e4m3 = widened64(DType::F8_E4M3, &codes);
    let e5m2 = widened64(DType::F8_E5M2, &codes);
    for code in codes {
        let got = e4m3[usize::from(code)];
        if code & 0x7f == 0x7f {
            assert!(got.is_nan(), "e4m3 {code:#04x}");
        } else {
            assert_eq!(got.to_bits(), f8(code, 3, 7).to_bits(), "e4m3 {code:#04x}");
        }
        let got = e5m2[usize::from(code)];
        match code & 0x7f {
            0x7c => assert_eq!(got, f64::INFINITY.copysign(f8(code, 2, 15))),
            0x7d.. => assert!(got.is_nan(), "e5m2 {code:#04x}"),
            _ => assert_eq!(got.to_bits(), f8(code, 2, 15).to_bits(), "e5m2 {code:#04x}"),
        }
    }
    assert_eq!(e4m3[0x7e], 448.0);
    assert_eq!(e4m3[0x01], 0.001_953_125);
    assert_eq!(e5m2[0x7b], 57344.0);
}

/// A finite value of a 16-bit type and the next larger one (by magnitude), and what lies exactly between.
fn neighbours(dtype: DType) -> impl Iterator<Item = (u16, f64, f64, f64)> {
    let infinity = if dtype == DType::F16 { 0x7c00 } else { 0x7f80 };
    let values = widened64(dtype, &all_u16());
    (0..infinity).map(move |code| {
        let low = values[usize::from(code)];
        // the step to infinity is as long as the one before
        let high = if code + 1 == infinity {
            low + (low - values[usize::from(code) - 1])
        } else {
            values[usize::from(code) + 1]
        };
        (code, low, f64::midpoint(low, high), high)
    })
}

#[test]
fn ties_go_to_even_and_their_neighbours_to_the_nearer_one() {
    for dtype in [DType::F16, DType::BF16] {
        for (code, low, tie, _) in neighbours(dtype) {
            let even = code + (code & 1);
            let cases = [
                (low, code),
                (tie.next_down(), code),
                (tie, even),
                (tie.next_up(), code + 1),
            ];
            for (value, expected) in cases {
                assert_eq!(code64(value, dtype), expected, "{dtype} {value:e}");
                assert_eq!(
                    code64(-value, dtype),
                    expected | 0x8000,
                    "{dtype} -{value:e}"
                );
            }
        }
    }
}

#[test]
fn ties_of_f32_go_to_even_and_their_neighbours_to_the_nearer_one() {
    for dtype in [DType::F16, DType::BF16] {
        for (code, _, tie, _) in neighbours(dtype) {
            let tie = tie as f32;
            let even = code + (code & 1);
            let cases = [
                (tie.next_down(), code),
                (tie, even),
                (tie.next_up(), code + 1),
            ];
            for (value, expected) in cases {
                assert_eq!(code32(value, dtype), expected, "{dtype} {value:e}");
                assert_eq!(
                    code32(-value, dtype),
                    expected | 0x8000,
                    "{dtype} -{value:e}"
                );
            }
        }
    }
}

#[test]
fn a_value_is_never_rounded_twice() {
    // 1 + 2^-8 + 2^-40 lies above the tie between 1 and 1 + 2^-7; rounded to f32 it would lie on it
    let above_tie = 1.0 + 2.0_f64.powi(-8) + 2.0_f64.powi(-40);
    assert_eq!(code64(above_tie, DType::BF16), 0x3f81);
    assert_eq!(bf16::from_f32(above_tie as f32).to_bits(), 0x3f80);
    // below 1 + 3·2^-8, the tie that would go up
    let below_tie = 1.0 + 3.0 * 2.0_f64.powi(-8) - 2.0_f64.powi(-40);
    assert_eq!(code64(below_tie, DType::BF16), 0x3f81);
    assert_eq!(bf16::from_f32(below_tie as f32).to_bits(), 0x3f82);
    // the same for f16: ties at odd multiples of 2^-11
    let above_tie = 1.0 + 2.0_f64.powi(-11) + 2.0_f64.powi(-40);
    assert_eq!(code64(above_tie, DType::F16), 0x3c01);
    assert_eq!(f16::from_f32(above_tie as f32).to_bits(), 0x3c00);
}

#[test]
fn overflow_gives_infinity_and_underflow_a_signed_zero() {
    for (value, f16_code, bf16_code) in [
        (65519.999, 0x7bff, 0x4780),
        (65520.0, 0x7c00, 0x4780),
        (1e39, 0x7c00, 0x7f80),
        (f64::from(f32::MAX), 0x7c00, 0x7f80),
        (f64::MAX, 0x7c00, 0x7f80),
        (f64::INFINITY, 0x7c00, 0x7f80),
        (2.0_f64.powi(-25), 0x0000, 0x3300),
        (2.0_f64.powi(-25).next_up(), 0x0001, 0x3300),
        (2.0_f64.powi(-134), 0x0000, 0x0000),
        (2.0_f64.powi(-134).next_up(), 0x0000, 0x0001),
        (f64::from_bits(1), 0x0000, 0x0000),
        (0.0, 0x0000, 0x0000),
    ] {
        assert_eq!(code64(value, DType::F16), f16_code, "{value:e}");
        assert_eq!(code64(value, DType::BF16), bf16_code, "{value:e}");
        assert_eq!(code64(-value, DType::F16), f16_code | 0x8000, "-{value:e}");
        assert_eq!(
            code64(-value, DType::BF16),
            bf16_code | 0x8000,
            "-{value:e}"
        );
    }
    let (bytes, tie) = (
        narrowed64(&[f64::MAX, -1e-60], DType::F32),
        3.402_823_567_797_336_6e38,
    );
    assert_eq!(widened32(DType::F32, &bytes)[0], f32::INFINITY);
    assert_eq!(widened32(DType::F32, &bytes)[1].to_bits(), 0x8000_0000);
    let bytes = narrowed64(&[tie, f64::next_down(tie)], DType::F32);
    assert_eq!(widened32(DType::F32, &bytes), [f32::INFINITY, f32::MAX]);
}

#[test]
fn nan_of_any_sign_and_payload_becomes_the_one_quiet_nan() {
    let nans32 = [0x7f80_0001, 0x7fc0_0000, 0xffff_ffff, 0xff80_0001_u32].map(f32::from_bits);
    let nans64 = [
        1,
        0x0008_0000_0000_0000,
        0x800f_ffff_ffff_ffff,
        0x8000_0000_0000_0001_u64,
    ]
    .map(|bits| f64::from_bits(0x7ff0_0000_0000_0000 | bits));
    for (dtype, nan) in [
        (DType::F16, 0x7e00_u16.to_le_bytes().to_vec()),
        (DType::BF16, 0x7fc0_u16.to_le_bytes().to_vec()),
        (DType::F32, 0x7fc0_0000_u32.to_le_bytes().to_vec()),
        (DType::F64, 0x7ff8_0000_0000_0000_u64.to_le_bytes().to_vec()),
    ] {
        assert_eq!(narrowed32(&nans32, dtype), nan.repeat(4), "{dtype}");
        assert_eq!(narrowed64(&nans64, dtype), nan.repeat(4), "{dtype}");
    }
}

#[test]
fn types_without_a_cast_are_refused() {
    for dtype in DType::ALL {
        let bytes = vec![0; 8 * size(dtype).max(1)];
        assert_eq!(
            widen_f32(dtype, &bytes, &mut [0.0; 8]).is_ok(),
            FLOATS.contains(&dtype),
            "{dtype}"
        );
        assert_eq!(
            narrow_f64(&[0.0; 8], dtype, &mut bytes.clone()).is_ok(),
            PLAIN.contains(&dtype),
            "{dtype}"
        );
    }
    let error = narrow_f32(&[], DType::I8, &mut []).unwrap_err();
    assert_eq!(error.to_string(), "no cast from F32 to I8");
}

#[test]
fn unaligned_bytes_are_read_and_written() {
    let values = [1.5_f32, -0.25, 3.0];
    let mut bytes = vec![0xaa];
    bytes.extend(narrowed32(&values, DType::BF16));
    assert_eq!(widened32(DType::BF16, &bytes[1..]), values);
    let mut out = [0; 13];
    narrow_f32(&values, DType::F32, &mut out[1..]).unwrap();
    assert_eq!(widened32(DType::F32, &out[1..]), values);
}

#[test]
#[should_panic(expected = "bytes of 2 elements of BF16")]
fn a_wrong_length_is_a_bug_of_the_caller() {
    let _ = widen_f32(DType::BF16, &[0; 5], &mut [0.0; 2]);
}

#[test]
fn nan_and_infinity_are_counted_in_bytes() {
    let bytes = all_u16();
    // 2 infinities and 2·(2^fraction bits - 1) NaN
    assert_eq!(non_finite_in(DType::F16, &bytes), 2 * 1024);
    assert_eq!(non_finite_in(DType::BF16, &bytes), 2 * 128);
    assert_eq!(non_finite_in(DType::U16, &bytes), 0);
    let codes: Vec<u8> = (0..=u8::MAX).collect();
    for (dtype, expected) in [
        (DType::F8_E4M3, 2),
        (DType::F8_E5M2, 8),
        (DType::F8_E8M0, 1),
        (DType::F8_E4M3FNUZ, 1),
        (DType::F8_E5M2FNUZ, 1),
        (DType::U8, 0),
        (DType::F4, 0),
    ] {
        assert_eq!(non_finite_in(dtype, &codes), expected, "{dtype}");
    }
    let values = [1.0, f64::NAN, -f64::INFINITY, 0.0, f64::MAX];
    assert_eq!(
        non_finite_in(DType::F64, &narrowed64(&values, DType::F64)),
        2
    );
    assert_eq!(
        non_finite_in(DType::F32, &narrowed64(&values, DType::F32)),
        3
    );
    let pairs = [
        f32::NAN,
        f32::NAN,
        1.0,
        f32::INFINITY,
        f32::INFINITY,
        1.0,
        1.0,
        1.0,
    ];
    assert_eq!(
        non_finite_in(DType::C64, &narrowed32(&pairs, DType::F32)),
        3
    );
}

#[test]
fn long_runs_of_nan_are_counted_in_full() {
    let count = (1 << 17) + 3;
    assert_eq!(
        non_finite_in(DType::BF16, &vec![0xff; 2 * count]),
        count as u64
    );
    assert_eq!(
        non_finite_in(DType::F8_E5M2, &vec![0xff; count]),
        count as u64
    );
}

#[test]
fn every_instruction_set_gives_the_same_bytes() {
    let count = (1 << 20) + 7;
    let mut random = Random(1);
    for dtype in FLOATS {
        let bytes = random.bytes(count * size(dtype));
        let mut first: Option<(Vec<u32>, Vec<u64>, u64)> = None;
        for isa in Isa::available() {
            let (mut single, mut double) = (vec![0.0_f32; count], vec![0.0_f64; count]);
            widen_f32_on(isa, dtype, &bytes, &mut single).unwrap();
            widen_f64_on(isa, dtype, &bytes, &mut double).unwrap();
            let got = (
                single.iter().map(|x| x.to_bits()).collect(),
                double.iter().map(|x| x.to_bits()).collect(),
                non_finite_in_on(isa, dtype, &bytes),
            );
            assert!(
                first.get_or_insert_with(|| got.clone()) == &got,
                "{dtype} on {isa}"
            );
        }
    }
    let single: Vec<f32> = (0..count)
        .map(|_| f32::from_bits(random.bits() as u32))
        .collect();
    // near the range of f16, where every kind of rounding happens
    let double: Vec<f64> = random
        .unit_f32(count)
        .into_iter()
        .map(|x| f64::from(x) * 2.0_f64.powi((random.bits() % 48) as i32 - 28))
        .collect();
    for dtype in PLAIN {
        let mut first: Option<(Vec<u8>, Vec<u8>)> = None;
        for isa in Isa::available() {
            let mut got = (vec![0; count * size(dtype)], vec![0; count * size(dtype)]);
            narrow_f32_on(isa, &single, dtype, &mut got.0).unwrap();
            narrow_f64_on(isa, &double, dtype, &mut got.1).unwrap();
            assert!(
                first.get_or_insert_with(|| got.clone()) == &got,
                "{dtype} on {isa}"
            );
        }
    }
}

/// Rounds to nearest even by looking for it: the neighbour with the smaller distance, exact in f64 for f32 values.
fn nearest_by_search(value: f32, dtype: DType) -> u16 {
    let (infinity, limit) = if dtype == DType::F16 {
        (0x7c00, 65520.0)
    } else {
        (0x7f80, 2.0_f64.powi(128) - 2.0_f64.powi(119))
    };
    let wide = |code: u16| widened64(dtype, &code.to_le_bytes())[0];
    let magnitude = f64::from(value).abs();
    let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
    if magnitude >= limit {
        return sign | infinity;
    }
    // the largest code whose value is not above
    let (mut low, mut high) = (0, infinity);
    while high - low > 1 {
        let middle = u16::midpoint(low, high);
        if wide(middle) <= magnitude {
            low = middle;
        } else {
            high = middle;
        }
    }
    if low + 1 == infinity {
        return sign | low;
    }
    let (below, above) = (magnitude - wide(low), wide(low + 1) - magnitude);
    let up = above < below || (above == below && low & 1 == 1);
    sign | (low + u16::from(up))
}

proptest! {
    #[test]
    fn any_f32_narrows_to_the_nearest_value(bits: u32) {
        let value = f32::from_bits(bits);
        prop_assume!(!value.is_nan());
        prop_assert_eq!(code32(value, DType::BF16), nearest_by_search(value, DType::BF16));
        prop_assert_eq!(code32(value, DType::F16), nearest_by_search(value, DType::F16));
        prop_assert_eq!(code32(value, DType::BF16), bf16::from_f32(value).to_bits());
        prop_assert_eq!(code32(value, DType::F16), f16::from_f32(value).to_bits());
    }

    #[test]
    fn f32_values_in_the_range_of_f16_narrow_to_the_nearest(bits in 0x3200_0000_u32..0x4790_0000, negative: bool) {
        let value = f32::from_bits(bits | u32::from(negative) << 31);
        prop_assert_eq!(code32(value, DType::F16), nearest_by_search(value, DType::F16));
        prop_assert_eq!(code32(value, DType::F16), f16::from_f32(value).to_bits());
    }

    #[test]
    fn f64_values_that_are_f32_values_narrow_as_those(bits: u32) {
        let value = f32::from_bits(bits);
        for dtype in PLAIN {
            prop_assert_eq!(narrowed64(&[value.into()], dtype), narrowed32(&[value], dtype));
        }
    }

    #[test]
    fn any_f64_widens_and_narrows_as_the_language_says(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        let bytes = value.to_le_bytes();
        prop_assert_eq!(widened32(DType::F64, &bytes)[0].to_bits(), (value as f32).to_bits());
        prop_assert_eq!(narrowed64(&[value], DType::F32), (value as f32).to_le_bytes());
        prop_assert_eq!(narrowed64(&[value], DType::F64), bytes);
    }
}
