//! A hub on loopback that speaks the documented API, with faults on demand.
//!
//! It serves what `huggingface_hub` and this crate ask for: a model's facts and tree, files with ranges, redirects and
//! ETags, and on the way up creation of repositories, preupload, LFS batches (in one piece or in parts) and commits.

mod answer;
mod content;
mod fault;
mod files;
mod request;
mod routes;
mod server;
mod store;
mod uploads;

pub use content::Content;
pub use fault::{Fault, FaultKind};
pub use server::{Seen, TestHub};
pub use store::{Access, GitFile};

/// The number of files that a page of a model's list names.
///
/// # Errors
/// When it is no such page, or names what is no file of a model.
pub fn listed_files(page: &[u8]) -> serde_json::Result<usize> {
    crate::listing::listed_files(page)
}
