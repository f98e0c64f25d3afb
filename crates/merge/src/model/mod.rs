//! Where the models of a recipe are: local folders, single weight files and the Hugging Face cache.
//!
//! Nothing here reads the process's environment: [`LocateOptions::from_env`] asks a callback.

mod address;
mod cache;
mod error;
mod hub_environment;
mod locate;
mod remote;
mod snapshot_path;
#[cfg(test)]
mod tests;
mod web_address;
mod weights;

pub use address::{hub_name, is_in_store};
pub use error::{Elsewhere, LocateError};
pub use hub_environment::hub_token_file;
pub use locate::{LocateOptions, Located, LocatedKind, locate, locate_folder, similar_folder};
pub use remote::{OpenError, Opened, RemoteModel, RemoteModels, missing_model, open, open_path};
pub(crate) use web_address::{WebAddress, web_address};
