//! Limits, addresses and keys of a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::{EngineSettings, ServerError};

/// Texts at once at most: with a chunk of a prompt they are one pass of the decoder.
const MOST_PARALLEL: usize = 256;

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub address: SocketAddr,
    /// The key that requests must bring, if there is one.
    pub api_key: Option<String>,
    /// Names that requests may call the server by, beside those of this machine; `*`: any.
    pub hosts: Vec<String>,
    /// Web pages that may use the server, such as `https://example.org`; `*`: any.
    pub origins: Vec<String>,
    /// Limits of each model's engine.
    pub engine: EngineSettings,
    /// Requests that wait for their turn, at most, beside those that run.
    pub queue: usize,
    /// Memory of the weights of loaded models, in bytes; `None`: nothing is unloaded.
    pub memory_budget: Option<u64>,
    /// Positions that are served; `None`: as many as the model has.
    pub context: Option<usize>,
    /// Size of a request at most, in bytes, whatever it is for.
    pub body_bytes: usize,
    /// Memory that the bodies of all requests may take together, read ones included, in bytes.
    pub body_memory: u64,
    /// How long a client may take for the head of a request, how long for its body, and how long a connection may be idle.
    pub patience: Duration,
    /// Connections at once; `None`: as many as there are descriptors for.
    pub connections: Option<usize>,
    /// How long a request may take, waiting included.
    pub timeout: Duration,
    /// Where sessions that were ended by a logout are kept; `None`: only as long as the server runs.
    pub ended_sessions: Option<PathBuf>,
    /// How long what runs may go on when the server is asked to end.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            api_key: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            engine: EngineSettings::default(),
            queue: 64,
            memory_budget: None,
            context: None,
            body_bytes: 8 << 20,
            body_memory: 128 << 20,
            patience: Duration::from_secs(30),
            connections: None,
            timeout: Duration::from_mins(10),
            ended_sessions: None,
            grace: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// Checks that they make sense together.
    ///
    /// # Errors
    /// For the first that does not: above all an address that others reach, without a key.
    pub fn check(&self) -> Result<(), ServerError> {
        let address = self.address;
        if !address.ip().is_loopback() && self.api_key.is_none() {
            return Err(ServerError::KeyNeeded { address });
        }
        if !(1..=MOST_PARALLEL).contains(&self.engine.parallel) {
            return Err(ServerError::Setting {
                name: "parallel",
                found: self.engine.parallel.to_string(),
                expected: "a number from 1 to 256",
            });
        }
        if self.context == Some(0) {
            return Err(ServerError::Setting {
                name: "context",
                found: "0".to_owned(),
                expected: "a number from 1",
            });
        }
        if self.api_key.as_ref().is_some_and(String::is_empty) {
            return Err(ServerError::Setting {
                name: "api_key",
                found: "empty".to_owned(),
                expected: "a text that nobody guesses",
            });
        }
        Ok(())
    }
}
