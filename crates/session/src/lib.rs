//! The operations on models, shared by all front ends: the command line, the studio and programs.
//!
//! - [`Session::open`] finds a model by name: a path, a cached model, or a model on the Hub or in an object store.
//! - [`Session::prepare`] finds a recipe's models, checks it and plans it. Problems are part of the [`Outcome`].
//! - [`Session::target`], [`Session::merge`] and [`Session::deliver`] write the merge: to a folder, a store or the Hub.
//! - [`TextModels`] opens models and unmerged recipes for text generation and evaluation.
//! - [`Session::compare`], [`Session::pull`] and [`Session::publish`] compare, download and publish models.
//!
//! All calls block, report to a [`Progress`] and stop when their [`Cancel`] is triggered. Nothing here writes to a terminal or
//! serves HTTP.

mod compare;
mod destination;
mod error;
mod hosted;
mod hub_models;
mod merge;
mod moving;
mod open;
mod outcome;
mod prepare;
mod progress;
mod publish;
mod published;
mod pull;
pub mod quantities;
mod recipe_text;
mod remembered;
mod remote;
mod replace_file;
mod session;
mod staging;
mod stored_models;
mod text_model;
mod verify;

pub use destination::{Delivered, Destination, DestinationError, Target};
pub use error::{Kept, SessionError};
pub use hosted::HostCandidate;
pub use merge::{MergeOptions, Merged};
pub use outcome::{Count, Outcome};
pub use prepare::{Gathered, PrepareOptions};
pub use progress::{Monitor, Note, NoteLevel, Progress, Silent, Work};
pub use publish::Published;
pub use pull::{Pulled, PulledModel, names_to_pull};
pub use recipe_text::{RecipeText, RecipeTextError};
pub use remote::{Access, MissingModel, RemoteName};
pub use replace_file::replace_file;
pub use session::{Session, cache_home};
pub use text_model::{Parent, TextModel, TextModels, TextOptions, UnloadedModel, is_recipe};
pub use weightsmith_tensors::Cancel;
