//! What stands beside the weights of a merged model.

mod companion_files;
mod config_editor;
mod json_text;
mod layer_patterns;
mod layer_settings;
mod model_config;
#[cfg(test)]
mod tests;

pub use companion_files::{Companion, CompanionError, companions};
pub use json_text::JsonError;
pub use model_config::{ConfigEdit, ConfigError, EditedConfig, ModelConfig};
