//! What a person does with models, once for every front end: the command line, the studio and programs.
//!
//! - [`Session::open`] finds a model by its name: a path, a cached model, a model of the Hub or of an object store.
//! - [`Session::prepare`] reads, checks and plans a recipe, after its models were found. Mistakes are part of the [`Outcome`].
//! - [`Session::target`], [`Session::merge`] and [`Session::deliver`] write the merge: to a folder, a store or the Hub.
//! - [`TextModels`] opens models and merges that were not written, to generate text and to measure.
//! - [`Session::compare`], [`Session::pull`] and [`Session::publish`] do what they are called.
//!
//! All calls block. They tell a [`Progress`] how far they are and end when their [`Cancel`] says so. Nothing here writes to a
//! terminal or serves HTTP.

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
