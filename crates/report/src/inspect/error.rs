//! Why a model could not be inspected.

/// A model that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// A file could not be read. The message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// The weights are not sound.
    #[error(transparent)]
    Tensors(#[from] weightsmith_tensors::Error),

    /// `config.json` is not sound.
    #[error(transparent)]
    Config(#[from] weightsmith::output::ConfigError),
}
