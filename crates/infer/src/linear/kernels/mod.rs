//! Products of weights and inputs, by the vector instructions of this CPU.
//!
//! All that is `unsafe` about multiplying is in here: instructions that a CPU may lack, reads without bounds checks in the
//! innermost loops, and threads that write to different columns of one slice. What the other modules can call is safe.
//!
//! The order in which products are added depends on the instruction set and the matrix alone: not on the number of inputs, of rows or of
//! threads. So an input gives the same bytes alone, in a batch and within a prompt.

#![expect(
    unsafe_code,
    reason = "vector instructions, loops without bounds checks, columns shared among threads"
)]
#![allow(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod columns;
mod dense;
mod int8;
mod lanes;
mod level;
mod portable;
mod tile;

pub(super) use dense::DenseProduct;
pub(super) use int8::{Activations, BLOCK, GROUP, GROUP_BYTES, Int8Product, scale_of};
pub(super) use level::Level;
