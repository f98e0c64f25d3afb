//! Where the studio finds models.

use weightsmith::model::LocateOptions;
use weightsmith_session::{Confinement, Session};

use super::Catalogue;
use crate::wire::Origin;

impl Catalogue {
    /// As the settings say, with the table's names before everything else: a recipe names a model as the list does.
    pub(crate) fn locate(&self) -> LocateOptions {
        let mut options = self.settings.locate.clone();
        for entry in self.list() {
            // the cache knows its own names, with their commits
            if entry.origin != Origin::Cache
                && let Some(folder) = &entry.folder
            {
                options.named.insert(entry.name.clone(), folder.clone());
            }
        }
        options
    }

    /// A session that finds models so. Paths lead into the studio's folders or nowhere.
    pub(crate) fn session(&self, session: &Session) -> Session {
        let roots = self.roots();
        let mut session = session.clone().confined(Confinement { roots });
        session.locate = self.locate();
        session
    }
}
