//! Why a server does not start.

use std::net::SocketAddr;

/// An error of starting or running a server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },

    /// Others could reach the server, and it has no key.
    #[error("{address} can be reached from other machines, and there is no API key")]
    KeyNeeded {
        /// The address.
        address: SocketAddr,
    },

    /// Two models have the same name.
    #[error("two models are called `{name}`")]
    SameName {
        /// The name.
        name: String,
    },

    /// A limit makes no sense.
    #[error("{name} is {found}; expected {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },

    /// The system refuses something.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
