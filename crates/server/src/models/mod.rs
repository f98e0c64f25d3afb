//! The models that are served: cold until they are asked for, then loaded, and unloaded when memory is short.

mod counted_source;
mod facts;
mod progress;
mod registry;

pub use counted_source::CountedSource;
pub use facts::ServedModel;
pub use progress::LoadProgress;
pub(crate) use registry::{Lease, ModelId, Unavailable};
pub use registry::{ModelRegistry, ModelState};
