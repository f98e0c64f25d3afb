//! AVX2: 8 lanes, 16 registers.

use std::arch::x86_64::*;

use super::int8::{BLOCK, GROUP, GROUP_BYTES, Int8, QUADS, QuantizedInput};
use super::lanes::{Lanes, STRIP};

/// AVX2 with fused multiply-add and conversion from f16.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The CPU has the features.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

impl Lanes for Avx2 {
    type Vector = __m256;

    const WIDTH: usize = 8;
    const INPUTS: usize = 3;
    const F16: bool = true;

    #[inline(always)]
    fn zero(self) -> __m256 {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn load_f32(self, from: *const u8) -> __m256 {
        // SAFETY: `self` proves the features, the caller the memory.
        unsafe { _mm256_loadu_ps(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> __m256 {
        // SAFETY: `self` proves the features, the caller the memory.
        unsafe {
            let halves = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(halves))
        }
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> __m256 {
        // SAFETY: `self` proves the features, the caller the memory.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(from.cast())) }
    }

    #[inline(always)]
    fn multiply_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` proves the features.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn sums(self, [a, b, c, d]: [__m256; STRIP]) -> [f32; STRIP] {
        // SAFETY: `self` proves the features; the array has the size of the register.
        unsafe {
            let ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            let halves = _mm256_add_ps(
                _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
                _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
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

impl Int8 for Avx2 {
    const INPUTS: usize = 4;

    #[inline(always)]
    unsafe fn group<const C: usize>(
        self,
        group: *const u8,
        blocks: usize,
        inputs: [QuantizedInput; C],
    ) -> [[f32; GROUP]; C] {
        // SAFETY: `self` proves the features, the caller the memory; the arrays have twice the size of the register.
        unsafe {
            let mut sums = [[_mm256_setzero_ps(); 2]; C];
            let ones = _mm256_set1_epi16(1);
            for block in 0..blocks {
                let at = group.add(block * GROUP_BYTES);
                for half in 0..2 {
                    let scales = _mm256_cvtph_ps(_mm_loadu_si128(at.add(half * 16).cast()));
                    for (input, sums) in inputs.iter().zip(&mut sums) {
                        let values = input.values.add(block * BLOCK).cast::<i32>();
                        let mut dots = _mm256_setzero_si256();
                        for quad in 0..QUADS {
                            let values = _mm256_set1_epi32(values.add(quad).read_unaligned());
                            let weights = at.add(2 * GROUP + quad * 64 + half * 32).cast();
                            // |input| × (weight with the input's sign): no pair of 127 × 127 overflows 16 bits
                            let signed = _mm256_sign_epi8(_mm256_loadu_si256(weights), values);
                            let pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(values), signed);
                            dots = _mm256_add_epi32(dots, _mm256_madd_epi16(pairs, ones));
                        }
                        let scale = _mm256_mul_ps(scales, _mm256_set1_ps(*input.scales.add(block)));
                        sums[half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots), scale, sums[half]);
                    }
                }
            }
            let mut out = [[0.0_f32; GROUP]; C];
            for (out, [low, high]) in out.iter_mut().zip(sums) {
                _mm256_storeu_ps(out.as_mut_ptr(), low);
                _mm256_storeu_ps(out.as_mut_ptr().add(8), high);
            }
            out
        }
    }
}
