//! Recipes of the page, planned.

use weightsmith_session::{
    Access, Cancel, Monitor, Outcome, PrepareOptions, RecipeText, SessionError, Silent,
};

use crate::app::App;
use crate::models::session;

/// What messages call a recipe that has no file.
const NAME: &str = "recipe.yml";

/// Plans a recipe; nobody waits for downloads.
pub(crate) fn plan(app: &App, text: &str, access: Access) -> Result<Outcome, SessionError> {
    let monitor = Monitor {
        progress: &Silent,
        cancel: &Cancel::default(),
    };
    plan_with(app, text, access, monitor)
}

/// The same for who wants to know how far it is.
pub(crate) fn plan_with(
    app: &App,
    text: &str,
    access: Access,
    monitor: Monitor<'_>,
) -> Result<Outcome, SessionError> {
    let recipe = RecipeText::new(NAME, text);
    session(app).prepare(recipe, &PrepareOptions::default(), access, monitor)
}
