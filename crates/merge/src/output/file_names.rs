//! Names of files that a merge writes beside the weights.

/// The model card.
pub const MODEL_CARD: &str = "README.md";

/// The picture of the shares that the card shows.
pub const SHARE_PICTURE: &str = "weightsmith-shares.svg";
