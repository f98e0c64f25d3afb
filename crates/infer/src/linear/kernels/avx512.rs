//! AVX-512: 16 lanes, 32 registers.

use std::arch::x86_64::*;

use super::int8::{BLOCK, GROUP, GROUP_BYTES, Int8, QUADS, QuantizedInput};
use super::lanes::{Lanes, STRIP};

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
