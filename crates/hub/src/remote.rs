//! Weights that stay on the hub.

use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::RemoteRead;

use crate::HubError;
use crate::client::Client;
use crate::location::Location;

/// A file of weights, read by ranges.
#[derive(Debug)]
pub(crate) struct OnHub {
    pub(crate) client: Arc<Client>,
    pub(crate) location: Location,
}

impl RemoteRead for OnHub {
    type Error = HubError;

    fn name(&self) -> &str {
        self.location.path()
    }

    fn size(&self) -> u64 {
        self.location.size()
    }

    fn read(&self, range: Range<u64>) -> Result<Vec<u8>, HubError> {
        self.location.read(&self.client, range, Vec::new(), &|_| ())
    }
}
