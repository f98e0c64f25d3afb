//! Where the models of a recipe are: local folders, single weight files and the Hugging Face cache.
//!
//! Nothing here reads the process's environment: [`LocateOptions::from_env`] asks a callback.

mod address;
mod cache;
mod error;
mod locate;
mod remote;
#[cfg(test)]
mod tests;
mod weights;

pub use address::{hub_name, is_in_store};
pub use error::LocateError;
pub use locate::{LocateOptions, Located, LocatedKind, locate, locate_folder};
pub use remote::{OpenError, Opened, RemoteModel, RemoteModels, missing_model, open, open_path};
