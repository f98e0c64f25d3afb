//! Tests of the crate from outside, against transformers' numbers.

mod support;
mod tiny_qwen2;
