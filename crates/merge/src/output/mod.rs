//! What stands beside the weights of a merged model.

mod chat_template;
mod config_editor;
mod config_file;
mod file_names;
mod json_text;
mod layer_patterns;
mod layer_settings;
mod local_paths;
mod lock;
mod model_files;
mod parent_files;
mod publication;
mod published_recipe;
mod secrets;
#[cfg(test)]
mod tests;

pub use chat_template::chat_template_file;
pub use config_file::{ConfigEdit, ConfigError, ConfigFile, EditedConfig};
pub use file_names::{MODEL_CARD, RECIPE_FILE, SHARE_PICTURE};
pub use json_text::JsonError;
pub(crate) use local_paths::{is_searched, without_local_paths};
pub use lock::{
    LOCK_FILE, LOCK_FORMAT, Lock, LockError, LockFacts, LockedFile, LockedInput, LockedInputFile,
};
pub use parent_files::parent_readme;
pub use publication::{
    Mention, Publication, PublicationError, PublicationOptions, PublishedFile, model_name,
    publication,
};
pub use published_recipe::published_recipe;
pub use secrets::Secret;
