//! What stands beside the weights of a merged model.

mod config_editor;
mod front_matter;
mod hub_metadata;
mod json_text;
mod layer_patterns;
mod layer_settings;
mod local_paths;
mod lock;
mod model_card;
mod config_file;
mod model_files;
mod parent_files;
mod picture_style;
mod publication;
mod published_recipe;
mod score_picture;
mod secrets;
mod share_picture;
#[cfg(test)]
mod tests;

pub use front_matter::FrontMatter;

pub use json_text::JsonError;
pub(crate) use local_paths::{is_searched, without_local_paths};
pub use lock::{
    LOCK_FILE, LOCK_FORMAT, Lock, LockError, LockFacts, LockedFile, LockedInput, LockedInputFile,
};
pub use model_card::{CardFacts, CardScore, CardScores, MODEL_CARD, card_with_scores, model_card};
pub use config_file::{ConfigEdit, ConfigError, EditedConfig, ConfigFile};
pub use parent_files::{has_chat_template, parent_readme};
pub use publication::{
    Publication, PublicationError, PublicationOptions, PublishedFile, model_name, publication,
};
pub use published_recipe::published_recipe;
pub use score_picture::{ScoreChart, ScoreLine, ScorePicture, ScoreValues, score_picture};
pub use secrets::Secret;
pub use share_picture::{SHARE_PICTURE, share_picture};
