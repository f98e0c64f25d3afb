//! Names of files that a merge writes beside the weights.

/// The recipe as it was given.
pub const RECIPE_FILE: &str = "mergekit_config.yml";

/// The model card.
pub const MODEL_CARD: &str = "README.md";

/// The picture of the shares that the card shows.
pub const SHARE_PICTURE: &str = "weightsmith-shares.svg";
