//! Who asks: the connection that a request came on, and what all requests share of the server.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::Extensions;

use super::shares::{Budget, Share, Taken};
use crate::Settings;
use crate::places::{Seat, network};

/// Connections where nobody says how many.
const CONNECTIONS: usize = 1024;

/// Event streams in sum at most, and of one session.
const STREAMS: (usize, usize) = (256, 32);

/// Bodies of clients that brought no key, which are those of the login, in sum at most, and of one address.
const STRANGERS: (usize, usize) = (64, 16);

/// The connection that a request came on; the listener puts it there.
#[derive(Debug, Clone)]
pub(crate) struct Connection(pub(crate) Arc<Seat>);

/// Who asks. The guard puts it beside every request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub(super) limits: Arc<Limits>,
    pub(super) seat: Option<Arc<Seat>>,
    /// The address, or the network, that tries and shares are counted for.
    pub(super) address: IpAddr,
    /// A hash of the cookie or of the key.
    pub(super) session: Option<[u8; 32]>,
    /// It may use the server: it brought the key or a session, or there is no key.
    pub(super) is_known: bool,
}

/// An event stream's place; dropped, it is free again.
#[derive(Debug)]
pub struct StreamPlace(#[expect(dead_code, reason = "held")] Taken<Session>);

type Session = (IpAddr, Option<[u8; 32]>);

/// What all requests share.
#[derive(Debug)]
pub(super) struct Limits {
    /// Bytes of a body at most.
    pub(super) body_bytes: usize,
    /// How long a body may take.
    pub(super) patience: Duration,
    /// Memory of all bodies.
    pub(super) memory: Arc<Budget>,
    /// Bodies that are being received.
    pub(super) bodies: Arc<Share<IpAddr>>,
    /// Those of them whose clients are not known.
    pub(super) strangers: Arc<Share<IpAddr>>,
    streams: Arc<Share<Session>>,
}

impl Limits {
    /// The limits of a server.
    pub(super) fn new(settings: &Settings) -> Self {
        let connections = settings.connections.unwrap_or(CONNECTIONS);
        // of each four places one is left to what is over in a moment
        let share = (connections / 4).max(1);
        let (streams, each) = STREAMS;
        Self {
            body_bytes: settings.body_bytes,
            patience: settings.patience,
            memory: Budget::new(settings.body_memory),
            bodies: Share::new(share, share),
            strangers: Share::new(share.min(STRANGERS.0), STRANGERS.1),
            streams: Share::new(share.min(streams), each),
        }
    }
}

impl Caller {
    /// Somebody of whom nothing is known but the connection.
    pub(super) fn new(limits: Arc<Limits>, extensions: &Extensions) -> Self {
        let seat = extensions.get::<Connection>().map(|one| Arc::clone(&one.0));
        let address = seat
            .as_ref()
            .map_or(Ipv4Addr::LOCALHOST.into(), |seat| seat.address());
        Self {
            limits,
            seat,
            address: network(address),
            session: None,
            is_known: false,
        }
    }

    /// A place for an event stream, if there is one: there are so many in sum, and for each session.
    pub fn stream(&self) -> Option<StreamPlace> {
        let owner = (self.address, self.session);
        self.limits.streams.take(&owner).map(StreamPlace)
    }
}

impl Default for Caller {
    /// Somebody on this machine, alone with a server of the usual settings.
    fn default() -> Self {
        let limits = Limits::new(&Settings::default());
        Self {
            is_known: true,
            ..Self::new(Arc::new(limits), &Extensions::new())
        }
    }
}
