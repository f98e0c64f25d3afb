//! Recipes of the page, planned.

use std::sync::Arc;

use weightsmith_session::{
    Access, Cancel, Monitor, Outcome, PrepareOptions, RecipeText, SessionError, Silent,
};

use super::remote::Remotes;
use crate::models::Catalogue;
use crate::settings::StudioSettings;

/// What messages call a recipe that has no file.
const NAME: &str = "recipe.yml";

/// Plans the recipes of the studio.
#[derive(Debug)]
pub(crate) struct Planner {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) remotes: Arc<Remotes>,
    pub(super) settings: Arc<StudioSettings>,
}

impl Planner {
    /// A planner of recipes that name models of the table, of the hub and of stores.
    pub(crate) fn new(
        catalogue: Arc<Catalogue>,
        remotes: Arc<Remotes>,
        settings: Arc<StudioSettings>,
    ) -> Self {
        Self {
            catalogue,
            remotes,
            settings,
        }
    }

    /// Plans a recipe, for somebody who waits. That it has mistakes is no failure but part of the outcome.
    ///
    /// # Errors
    /// When a model cannot be asked for.
    pub(crate) fn plan(&self, text: &str, access: Access) -> Result<Outcome, SessionError> {
        let monitor = Monitor {
            progress: &Silent,
            cancel: &Cancel::default(),
        };
        self.plan_watched(text, access, monitor)
    }

    /// The same for who wants to know how far it is.
    ///
    /// # Errors
    /// When a download was stopped or failed.
    pub(crate) fn plan_watched(
        &self,
        text: &str,
        access: Access,
        monitor: Monitor<'_>,
    ) -> Result<Outcome, SessionError> {
        let session = self.catalogue.session(self.remotes.session());
        let recipe = RecipeText::new(NAME, text);
        session.prepare(recipe, &PrepareOptions::default(), access, monitor)
    }
}
