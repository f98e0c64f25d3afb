//! The studio: what all requests share.

use std::sync::Arc;

use weightsmith_hub::Hub;
use weightsmith_infer::Pool;
use weightsmith_server::{ModelRegistry, Pages};

use crate::events::Events;
use crate::models::{self, CardCache, Catalogue};
use crate::recipes::{Previews, Remotes};
use crate::runs::Runs;
use crate::{StudioError, StudioSettings, api, private};

/// A studio that is open.
#[derive(Debug)]
pub struct Studio {
    app: Arc<App>,
}

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) settings: StudioSettings,
    pub(crate) registry: Arc<ModelRegistry>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) hub: Hub,
    pub(crate) events: Events,
    pub(crate) catalogue: Catalogue,
    pub(crate) cards: CardCache,
    pub(crate) runs: Runs,
    pub(crate) remotes: Remotes,
    pub(crate) previews: Previews,
}

impl Studio {
    /// Opens the history and looks for models; they are added to `registry`, beside those that are there.
    ///
    /// # Errors
    /// When the data folder or the history cannot be used.
    pub fn open(
        settings: StudioSettings,
        registry: Arc<ModelRegistry>,
    ) -> Result<Self, StudioError> {
        let made = settings.made();
        let ready = private::folder(&settings.data).and_then(|()| fs_err::create_dir_all(&made));
        ready.map_err(|source| StudioError::Folder {
            folder: made,
            source,
        })?;
        let app = Arc::new(App {
            pool: Arc::new(Pool::new(settings.threads)),
            hub: Hub::new(&settings.hub),
            events: Events::default(),
            catalogue: Catalogue::default(),
            cards: CardCache::default(),
            runs: Runs::open(&settings)?,
            remotes: Remotes::default(),
            previews: Previews::default(),
            registry,
            settings,
        });
        app.catalogue.refresh(&app);
        models::watch(&app);
        Runs::start(&app);
        Ok(Self { app })
    }

    #[cfg(test)]
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// What a server shows of it.
    pub fn pages(&self) -> Pages {
        api::pages(Arc::clone(&self.app))
    }

    /// Ends what runs, so that it can be gone on with, and what pages listen to.
    pub fn close(&self) {
        self.app.runs.close();
        self.app.events.close();
    }
}
