//! How two checkpoints differ, tensor by tensor, layer by layer and as a whole.
//!
//! Values are compared in `f64`, to which every float type widens exactly. Sums are taken over fixed blocks in a fixed
//! order, so that the same models give the same numbers on any number of threads.

mod compare;
mod difference;
mod error;
mod pairing;
mod sums;

pub use compare::{DiffOptions, diff};
pub use difference::{
    Difference, Group, Kinship, Measures, State, Summary, TaskMeasures, TensorDifference,
};
pub use error::DiffError;

#[cfg(test)]
mod tests;
