//! Tests of the crate from outside, against transformers' numbers.

mod bad_models;
mod batching;
mod families;
mod generate;
mod support;
mod tiny_qwen2;
