//! Pictures as SVG: the shares of models in a merge, and what models score.

mod scores;
mod shares;
mod style;

pub use scores::{ScoreChart, ScoreLine, ScorePicture, ScoreValues, score_picture};
pub use shares::{has_share_picture, share_picture};
