//! Tests of the crate from outside, against transformers' numbers.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; errors of the numbers are worth a look"
)]

mod bad_models;
mod batching;
mod bf16;
mod families;
mod generate;
mod support;
mod template_bounds;
mod templates;
mod tiny_qwen2;
