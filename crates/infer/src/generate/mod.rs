//! From logits to text: sampling, stopping, streaming.

mod defaults;
mod sampler;
mod session;

pub use defaults::{GenerationDefaults, GenerationSettings};
pub use sampler::{Sampler, SamplingSettings};
pub use session::{Finish, Generation, Report, Session};
