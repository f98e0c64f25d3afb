//! What every CPU can do; the compiler makes it SSE2 or NEON.

use std::array;

use half::{bf16, f16};

use super::int8::{BLOCK, GROUP, GROUP_BYTES, Int8, QUADS, QuantizedInput};
use super::lanes::{Lanes, STRIP};

/// Plain Rust.
#[derive(Clone, Copy)]
pub(super) struct Portable;

/// Whether the target always has a fused multiply-add; elsewhere `mul_add` would be a slow function.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

impl Lanes for Portable {
    type Vector = [f32; 4];

    const WIDTH: usize = 4;
    const INPUTS: usize = if cfg!(target_arch = "aarch64") { 6 } else { 2 };
    const F16: bool = false;

    #[inline(always)]
    fn zero(self) -> [f32; 4] {
        [0.0; 4]
    }

    #[inline(always)]
    unsafe fn load_f32(self, from: *const u8) -> [f32; 4] {
        // SAFETY: the caller proves the memory.
        let bytes: [[u8; 4]; 4] = unsafe { from.cast::<[[u8; 4]; 4]>().read() };
        bytes.map(f32::from_le_bytes)
    }

    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u8) -> [f32; 4] {
        // SAFETY: the caller proves the memory.
        let bytes: [[u8; 2]; 4] = unsafe { from.cast::<[[u8; 2]; 4]>().read() };
        bytes.map(|bytes| bf16::from_le_bytes(bytes).to_f32())
    }

    #[inline(always)]
    unsafe fn load_f16(self, from: *const u8) -> [f32; 4] {
        // SAFETY: the caller proves the memory.
        let bytes: [[u8; 2]; 4] = unsafe { from.cast::<[[u8; 2]; 4]>().read() };
        bytes.map(|bytes| f16::from_le_bytes(bytes).to_f32())
    }

    #[inline(always)]
    fn multiply_add(self, a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        array::from_fn(|lane| {
            if FUSED {
                a[lane].mul_add(b[lane], c[lane])
            } else {
                a[lane] * b[lane] + c[lane]
            }
        })
    }

    #[inline(always)]
    fn sums(self, vectors: [[f32; 4]; STRIP]) -> [f32; STRIP] {
        vectors.map(|[a, b, c, d]| (a + c) + (b + d))
    }
}

impl Int8 for Portable {
    const INPUTS: usize = 1;

    #[inline(always)]
    unsafe fn group<const C: usize>(
        self,
        group: *const u8,
        blocks: usize,
        inputs: [QuantizedInput; C],
    ) -> [[f32; GROUP]; C] {
        let mut sums = [[0.0; GROUP]; C];
        for block in 0..blocks {
            // SAFETY: the caller proves that there are so many blocks of weights.
            let (scales, weights) = unsafe {
                let at = group.add(block * GROUP_BYTES);
                (
                    at.cast::<[[u8; 2]; GROUP]>().read(),
                    &*at.add(2 * GROUP).cast::<[[[i8; 4]; GROUP]; QUADS]>(),
                )
            };
            for (input, sums) in inputs.iter().zip(&mut sums) {
                // SAFETY: the caller proves that there are so many blocks of inputs.
                let (values, scale) = unsafe {
                    (
                        &*input.values.add(block * BLOCK).cast::<[[i8; 4]; QUADS]>(),
                        *input.scales.add(block),
                    )
                };
                let mut dots = [0; GROUP];
                for (weights, values) in weights.iter().zip(values) {
                    for (dot, weights) in dots.iter_mut().zip(weights) {
                        for (&weight, &value) in weights.iter().zip(values) {
                            *dot += i32::from(weight) * i32::from(value);
                        }
                    }
                }
                for ((sum, dot), bytes) in sums.iter_mut().zip(dots).zip(scales) {
                    *sum += f16::from_le_bytes(bytes).to_f32() * scale * dot as f32;
                }
            }
        }
        sums
    }
}
