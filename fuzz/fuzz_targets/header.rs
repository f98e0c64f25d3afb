//! `header`, guided by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| weightsmith_fuzz::targets::header(input));
