//! For tests of methods: kernels on numbers in memory, and formulas that results are held against.

mod bytes;
mod declared;
pub(crate) mod evaluate;
pub(crate) mod oracle;
