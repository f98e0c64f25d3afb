//! Kernels and casts on first-level-cache tiles, per instruction set, in bytes of their inputs per second.

fn main() {}
