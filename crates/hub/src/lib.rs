//! Models on the Hugging Face Hub: downloaded into the shared cache, read in part, published.
//!
//! - [`Hub::look`] looks up a model's files and whether they can be read.
//! - [`Hub::search`] finds models by parts of their names.
//! - [`Hub::pull`] downloads what a merge needs to the shared cache.
//! - [`Hub::open`] opens a model's weights remotely: headers immediately, tensors when they are read.
//! - [`Hub::push`] publishes a merged model.
//!
//! All calls block; each connection is a thread.

mod answer;
mod cache;
mod client;
mod download;
mod error;
mod hash;
mod hub;
mod lfs_header;
mod listing;
mod location;
mod model_name;
mod own_files;
mod pace;
mod pieces;
mod progress;
mod push;
mod remote;
mod search;
mod select;
mod settings;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod upload;

pub use client::TokenUse;
pub use error::HubError;
pub use hub::Hub;
pub use listing::{HubFile, Listing};
pub use model_name::ModelName;
pub use progress::{Progress, Silent};
pub use push::{Publication, PushOptions, Pushed};
pub use search::FoundModel;
pub use settings::HubSettings;
pub use token::Token;
pub use upload::Content;
