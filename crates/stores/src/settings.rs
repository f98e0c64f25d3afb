//! How stores are used.

use std::path::PathBuf;

/// What a [`Stores`](crate::Stores) is made from. Credentials, regions and endpoints come from the process's environment.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The folder for small files of models in stores.
    pub cache: PathBuf,
    /// Requests that are made at the same time.
    pub connections: usize,
    /// How often a request is made again before it counts as failed.
    pub retries: usize,
    /// Bytes of a part of an upload; smaller files go up in one. Stores want 5 MiB at least.
    pub part: u64,
}

impl StoreSettings {
    /// Settings with a folder for small files.
    pub fn new(cache: PathBuf) -> Self {
        Self {
            cache,
            connections: 8,
            retries: 4,
            part: 8 << 20,
        }
    }
}
