//! The machine and the studio's settings.

use schemars::JsonSchema;
use serde::Serialize;

/// The machine and the studio's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct System {
    /// The version of Weightsmith.
    pub(crate) version: String,
    /// The folder of the history.
    pub(crate) data_folder: String,
    /// The folder for merged models.
    pub(crate) models_folder: String,
    /// The configured folders.
    pub(crate) folders: Vec<String>,
    /// The Hub, for search, downloads and publishing.
    pub(crate) hub: HubAccess,
    /// Cores of the machine.
    pub(crate) cores: usize,
    /// Bytes of memory; 0 where the system does not tell.
    pub(crate) memory_total: u64,
    /// Bytes of memory that are free.
    pub(crate) memory_available: u64,
    /// Bytes that are free where models are made.
    pub(crate) disk_free: u64,
    /// Whether requests need a key.
    pub(crate) needs_key: bool,
}

/// The Hub, for search, downloads and publishing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct HubAccess {
    /// Its address.
    pub(crate) endpoint: String,
    /// Whether it is offline.
    pub(crate) offline: bool,
    /// Whether there is a token.
    pub(crate) logged_in: bool,
}
