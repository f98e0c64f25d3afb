//! A model: tensors, other files, and what tells it from any other model.

mod companion;
mod files;
mod folder;
mod identity;
mod links;
mod source;

pub use companion::{Companion, CompanionError};
pub use files::ModelFiles;
pub use folder::{ModelFolder, comes_along};
pub use identity::ModelIdentity;
pub use links::foreign_target;
pub use source::ModelSource;
