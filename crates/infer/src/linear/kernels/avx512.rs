//! AVX-512: 16 lanes, 32 registers.

#![allow(
    clippy::wildcard_imports,
    clippy::cast_ptr_alignment,
    reason = "the names of instructions; all reads are unaligned ones"
)]

use std::arch::x86_64::*;

use super::int8::{BLOCK, GROUP, GROUP_BYTES, Int8, QUADS, QuantizedInput};
use super::lanes::{Lanes, STRIP};

/// How far ahead of the weights in 8 bits memory is asked for.
const AHEAD: usize = 4096;

/// AVX-512 F, BW, DQ and VL with fused multiply-add.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

/// The same with dot products of 8-bit integers.
#[derive(Clone, Copy)]
pub(super) struct Avx512Vnni(());

impl Avx512 {
    /// # Safety
    /// The CPU has the features.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Avx512Vnni {
    /// # Safety
    /// The CPU has the features.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Lanes for Avx512 {
    type Vector = __m512;

    const WIDTH: usize = 16;
    const INPUTS: usize = 6;
    const F16: bool = true;

    #[inline(always)]
    fn zero(self) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn load_f32(self, from: *const u8) -> __m512 {
        // SAFETY: `self` proves the features, the caller the memory.
        unsafe { _mm512_loadu_ps(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> __m512 {
        // SAFETY: `self` proves the features, the caller the memory.
        unsafe {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves))
        }
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> __m512 {
        // SAFETY: `self` proves the features, the caller the memory.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.cast())) }
    }

    #[inline(always)]
    fn prefetch(self, from: *const u8) {
        // SAFETY: an instruction that all CPUs with vectors have, and that no address can upset.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) };
    }

    #[inline(always)]
    fn multiply_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` proves the features.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn sums(self, [a, b, c, d]: [__m512; STRIP]) -> [f32; STRIP] {
        // SAFETY: `self` proves the features; the array has the size of the register.
        unsafe {
            let ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
            let quarters = _mm512_add_ps(
                _mm512_shuffle_ps::<0b01_00_01_00>(ab, cd),
                _mm512_shuffle_ps::<0b11_10_11_10>(ab, cd),
            );
            let halves = _mm256_add_ps(
                _mm512_castps512_ps256(quarters),
                _mm512_extractf32x8_ps::<1>(quarters),
            );
            let sums = _mm_add_ps(
                _mm256_castps256_ps128(halves),
                _mm256_extractf128_ps::<1>(halves),
            );
            let mut out = [0.0; STRIP];
            _mm_storeu_ps(out.as_mut_ptr(), sums);
            out
        }
    }
}

impl Int8 for Avx512Vnni {
    const INPUTS: usize = 8;

    #[inline(always)]
    unsafe fn group<const C: usize>(
        self,
        group: *const u8,
        blocks: usize,
        inputs: [QuantizedInput; C],
    ) -> [[f32; GROUP]; C] {
        // SAFETY: `self` proves the features, the caller the memory; the arrays have the size of the register.
        unsafe {
            let mut sums = [_mm512_setzero_ps(); C];
            // weights + 128 as unsigned; the inputs' offsets take 128 × input away again
            let flip = _mm512_set1_epi8(i8::MIN);
            for block in 0..blocks {
                let at = group.add(block * GROUP_BYTES);
                let scales = _mm512_cvtph_ps(_mm256_loadu_si256(at.cast()));
                for line in 0..=QUADS {
                    _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(AHEAD + 64 * line).cast());
                }
                let mut weights = [flip; QUADS];
                for (quad, weights) in weights.iter_mut().enumerate() {
                    let values = _mm512_loadu_si512(at.add(2 * GROUP + quad * 64).cast());
                    *weights = _mm512_xor_si512(values, flip);
                }
                for (input, sum) in inputs.iter().zip(&mut sums) {
                    let values = input.values.add(block * BLOCK).cast::<i32>();
                    let mut dots = _mm512_set1_epi32(*input.offsets.add(block));
                    for (quad, &weights) in weights.iter().enumerate() {
                        let values = _mm512_set1_epi32(values.add(quad).read_unaligned());
                        dots = _mm512_dpbusd_epi32(dots, weights, values);
                    }
                    let scale = _mm512_mul_ps(scales, _mm512_set1_ps(*input.scales.add(block)));
                    *sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scale, *sum);
                }
            }
            let mut out = [[0.0; GROUP]; C];
            for (out, sum) in out.iter_mut().zip(sums) {
                _mm512_storeu_ps(out.as_mut_ptr(), sum);
            }
            out
        }
    }
}
/// Swaps rows and columns of 16 by 16 numbers of 32 bits.
///
/// # Safety
/// The CPU has AVX-512 F; 1,024 bytes can be read and written at `numbers`.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn transpose(numbers: *mut u32) {
    // SAFETY: the caller proves the memory.
    unsafe {
        let mut rows: [__m512i; 16] =
            std::array::from_fn(|row| _mm512_loadu_si512(numbers.add(16 * row).cast()));
        let mut next = rows;
        for pair in 0..8 {
            let (a, b) = (rows[2 * pair], rows[2 * pair + 1]);
            next[2 * pair] = _mm512_unpacklo_epi32(a, b);
            next[2 * pair + 1] = _mm512_unpackhi_epi32(a, b);
        }
        for four in 0..4 {
            let [a, b, c, d] = std::array::from_fn(|row| next[4 * four + row]);
            rows[4 * four] = _mm512_unpacklo_epi64(a, c);
            rows[4 * four + 1] = _mm512_unpackhi_epi64(a, c);
            rows[4 * four + 2] = _mm512_unpacklo_epi64(b, d);
            rows[4 * four + 3] = _mm512_unpackhi_epi64(b, d);
        }
        // lane `l` of row `4 f + i` has rows 4 f to 4 f + 3 of column 4 l + i
        for column in 0..4 {
            let [a, b, c, d] = std::array::from_fn(|four| rows[4 * four + column]);
            let low = _mm512_shuffle_i32x4::<0b10_00_10_00>(a, b);
            let high = _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b);
            let low2 = _mm512_shuffle_i32x4::<0b10_00_10_00>(c, d);
            let high2 = _mm512_shuffle_i32x4::<0b11_01_11_01>(c, d);
            next[column] = _mm512_shuffle_i32x4::<0b10_00_10_00>(low, low2);
            next[8 + column] = _mm512_shuffle_i32x4::<0b11_01_11_01>(low, low2);
            next[4 + column] = _mm512_shuffle_i32x4::<0b10_00_10_00>(high, high2);
            next[12 + column] = _mm512_shuffle_i32x4::<0b11_01_11_01>(high, high2);
        }
        for (row, values) in next.into_iter().enumerate() {
            _mm512_storeu_si512(numbers.add(16 * row).cast(), values);
        }
    }
}
