//! What decides who comes in: wrong keys that were brought, sessions that were ended, and what all requests share.

use std::sync::Arc;

use super::brake::Brake;
use super::caller::Limits;
use super::session::Ended;
use crate::Settings;

/// What the guard keeps.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) brake: Brake,
    pub(super) ended: Ended,
    pub(super) limits: Arc<Limits>,
}

impl Door {
    /// The door of a server.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            brake: Brake::default(),
            ended: Ended::read(settings.ended_sessions.as_deref()),
            limits: Arc::new(Limits::new(settings)),
        }
    }
}
