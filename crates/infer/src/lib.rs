//! Text from language models: from a checkpoint on disk, or from a merge that was never written.

mod linear;
mod pool;

pub use linear::{Linear, NotAMatrix};
pub use pool::Pool;
