//! Where the studio finds models.

use weightsmith_session::{Confinement, Session};

use crate::app::App;

/// The studio's session, with the table's names before everything else: a recipe names a model as the list does. Paths lead into the
/// studio's folders or nowhere.
pub(crate) fn session(app: &App) -> Session {
    let settings = &app.settings;
    let mut session = app.session.clone();
    let mut roots = vec![settings.made(), settings.locate.hub_cache.clone()];
    roots.extend(settings.folders.iter().cloned());
    for entry in app.catalogue.list() {
        let Some(folder) = &entry.folder else {
            continue;
        };
        // the cache knows its own names, with their commits
        if entry.origin != super::Origin::Cache {
            let named = &mut session.locate.named;
            named.insert(entry.name.clone(), folder.clone());
        }
        roots.push(folder.clone());
    }
    session.confined(Confinement { roots })
}
