//! Models in object stores: looked at, then opened where they are.

use std::path::PathBuf;
use std::sync::Arc;

use weightsmith::model::{LocateOptions, RemoteModel, RemoteModels, is_in_store};
use weightsmith::recipe::ModelReference;
use weightsmith::{Diagnostic, Spanned};
use weightsmith_stores::{Address, StoreError, StoreSettings, Stores};

use crate::failure::Failure;
use crate::printer::Printer;
use crate::quantities::{bytes, counted};

/// The folder of a program's files that can be made again: `XDG_CACHE_HOME`, else `~/.cache`.
pub(crate) fn cache_home() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || {
        set("HOME")
            .or_else(|| set("USERPROFILE"))
            .map(PathBuf::from)
    };
    set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(home()?.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("weightsmith")
}

/// The stores that the environment's credentials and endpoints lead to.
pub(crate) fn stores() -> Result<Stores, Failure> {
    let settings = StoreSettings::new(cache_home().join("stores"));
    Stores::new(settings).map_err(failure)
}

/// An error of a store with its hints.
pub(crate) fn failure(error: StoreError) -> Failure {
    let hints = error.hints();
    hints.into_iter().fold(Failure::new(error), Failure::hint)
}

/// Models in stores that are ready to be used.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<(String, RemoteModel)>);

/// Models in stores, before those of the hub.
#[derive(Debug)]
struct WithHub {
    stored: Found,
    hub: Option<Arc<dyn RemoteModels>>,
}

impl RemoteModels for WithHub {
    fn find(&self, repo: &str, revision: &str) -> Option<RemoteModel> {
        self.hub.as_ref()?.find(repo, revision)
    }

    fn find_stored(&self, address: &str) -> Option<RemoteModel> {
        let mut found = self.stored.0.iter();
        let (_, model) = found.find(|(known, _)| known == address)?;
        Some(model.clone())
    }
}

impl Found {
    /// Opens the models of a recipe that are in stores. Gives what is wrong with them too, at its place in the recipe.
    pub(crate) fn in_recipe(
        references: &[&Spanned<ModelReference>],
        printer: &Printer,
    ) -> Result<(Self, Vec<Diagnostic>), Failure> {
        let mut found = Self::default();
        let mut refused = Vec::new();
        let mut stored = references
            .iter()
            .filter(|reference| is_in_store(&reference.value.path))
            .peekable();
        if stored.peek().is_none() {
            return Ok((found, refused));
        }
        let stores = stores()?;
        let mut seen = Vec::new();
        for reference in stored {
            let path = reference.value.path.trim_end_matches('/');
            if seen.contains(&path) {
                continue;
            }
            seen.push(path);
            if let Err(error) = found.add(&reference.value.path, &stores, printer) {
                let mut diagnostic = Diagnostic::error(error.to_string(), reference.span);
                diagnostic.hints = error.hints();
                refused.push(diagnostic);
            }
        }
        Ok((found, refused))
    }

    /// Opens those of some models that are in stores.
    pub(crate) fn models(models: &[&str], printer: &Printer) -> Result<Self, Failure> {
        let mut found = Self::default();
        let mut stored = models.iter().filter(|model| is_in_store(model)).peekable();
        if stored.peek().is_none() {
            return Ok(found);
        }
        let stores = stores()?;
        for model in stored {
            found.add(model, &stores, printer).map_err(failure)?;
        }
        Ok(found)
    }

    fn add(&mut self, text: &str, stores: &Stores, printer: &Printer) -> Result<(), StoreError> {
        let address: Address = text.parse()?;
        let name = address.to_string();
        if self.0.iter().any(|(known, _)| *known == name) {
            return Ok(());
        }
        let stored = stores.open(&stores.look(&address)?)?;
        printer.detail(&format!(
            "read the headers of {} of `{name}`, without downloading them: {}",
            counted(stored.checkpoint.files().len(), "file"),
            bytes(stored.checkpoint.bytes()),
        ));
        let model = RemoteModel {
            folder: stored.folder,
            commit: stored.version,
            source: Some(stored.checkpoint),
        };
        self.0.push((name, model));
        Ok(())
    }

    /// Lets a plan find them, beside what comes from the hub.
    pub(crate) fn give_to(self, locate: &mut LocateOptions) {
        if !self.0.is_empty() {
            let hub = locate.remote.take();
            locate.remote = Some(Arc::new(WithHub { stored: self, hub }));
        }
    }
}
