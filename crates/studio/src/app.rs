//! The studio, and what its handlers share.

use std::sync::Arc;

use weightsmith_hub::Hub;
use weightsmith_infer::Pool;
use weightsmith_server::{ModelRegistry, Pages};

use crate::events::Events;
use crate::models::{self, CardCache, Catalogue};
use crate::recipes::{Planner, Previews, Remotes};
use crate::runs::{Resources, Runs};
use crate::{StudioError, StudioSettings, api, private};

/// A studio that is open.
#[derive(Debug)]
pub struct Studio {
    app: Arc<App>,
}

/// What the handlers share: each part has what it needs, and none has all of it.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) settings: Arc<StudioSettings>,
    pub(crate) registry: Arc<ModelRegistry>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) events: Arc<Events>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) cards: CardCache,
    pub(crate) planner: Arc<Planner>,
    pub(crate) previews: Previews,
    pub(crate) runs: Runs,
}

impl App {
    /// Everything, each with what it needs.
    fn new(
        settings: Arc<StudioSettings>,
        registry: Arc<ModelRegistry>,
    ) -> Result<Self, StudioError> {
        let pool = Arc::new(Pool::new(settings.threads));
        let hub = Arc::new(Hub::new(&settings.hub));
        let events = Arc::new(Events::default());
        let catalogue = Arc::new(Catalogue::new(
            Arc::clone(&settings),
            Arc::clone(&registry),
            Arc::clone(&pool),
            Arc::clone(&events),
        ));
        let remotes = Arc::new(Remotes::new(Arc::clone(&hub), Arc::clone(&events)));
        let planner = Arc::new(Planner::new(
            Arc::clone(&catalogue),
            remotes,
            Arc::clone(&settings),
        ));
        let previews = Previews::new(
            Arc::clone(&planner),
            Arc::clone(&catalogue),
            pool,
            settings.options,
        );
        let resources = Resources {
            settings: Arc::clone(&settings),
            registry: Arc::clone(&registry),
            hub: Arc::clone(&hub),
            catalogue: Arc::clone(&catalogue),
            planner: Arc::clone(&planner),
        };
        let runs = Runs::open(resources, Arc::clone(&events))?;
        Ok(Self {
            settings,
            registry,
            hub,
            events,
            catalogue,
            cards: CardCache::default(),
            planner,
            previews,
            runs,
        })
    }
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
        let app = Arc::new(App::new(Arc::new(settings), registry)?);
        app.catalogue.refresh();
        models::watch(&app.catalogue);
        app.runs.start();
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
