//! Why two checkpoints could not be compared.

/// A comparison that could not be finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// A tensor could not be read.
    #[error("cannot read tensor `{tensor}`")]
    Read {
        /// The tensor.
        tensor: String,
        /// Why.
        #[source]
        source: weightsmith_tensors::Error,
    },

    /// A tensor's type cannot be widened though it is a float.
    #[error("cannot compare tensor `{tensor}`")]
    Cast {
        /// The tensor.
        tensor: String,
        /// Why.
        #[source]
        source: weightsmith_tensors::CastError,
    },

    /// A file was written to while it was compared.
    #[error(transparent)]
    Changed(weightsmith_tensors::Error),

    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
}
