//! Why there is no result for what the sources hold.

/// What a kernel finds in the tensors that leaves it without a result.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The directions of the tensors cancel.
    #[error(
        "the weighted mean of the directions has the length {length:e}, expected at least {least:e} (`eps`): \
         they cancel out, so the result has no direction"
    )]
    NoDirection {
        /// Length of their mean.
        length: f64,
        /// The least length that is a direction.
        least: f64,
    },
    /// There are more elements in a row than can be ranked.
    #[error("its rows have too many elements to be ranked")]
    LongRows,
}
