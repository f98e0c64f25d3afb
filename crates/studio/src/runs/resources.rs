//! What the work of runs needs.

use std::sync::Arc;

use weightsmith_hub::Hub;
use weightsmith_server::ModelRegistry;

use crate::models::Catalogue;
use crate::recipes::Planner;
use crate::settings::StudioSettings;

/// What the work of runs needs.
#[derive(Debug)]
pub(crate) struct Resources {
    pub(crate) settings: Arc<StudioSettings>,
    pub(crate) registry: Arc<ModelRegistry>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) planner: Arc<Planner>,
}
