//! Models from the hub into the shared cache.

use std::path::{Path, PathBuf};

use weightsmith::recipe::{self, Recipe};
use weightsmith_hub::{Listing, ModelName};

use crate::moving::Moving;
use crate::{Monitor, Note, RecipeText, Session, SessionError, Work};

/// Models that were downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// Each of them.
    pub models: Vec<PulledModel>,
    /// Bytes that came.
    pub bytes: u64,
}

/// A model of the Hub that was looked at, or downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledModel {
    /// Its name.
    pub name: ModelName,
    /// The commit that its revision stands for.
    pub commit: String,
    /// Its folder in the cache.
    pub folder: PathBuf,
    /// The size of its weights.
    pub weights: u64,
    /// How many files its repository has.
    pub files: usize,
}

impl Session {
    /// Looks at models of the hub, then downloads what a merge needs of them.
    ///
    /// # Errors
    /// The first that goes wrong. What has come stays, and the same call goes on from there.
    pub fn pull(&self, names: &[ModelName], monitor: Monitor<'_>) -> Result<Pulled, SessionError> {
        let hub = self.hub()?;
        let listings = self.listings(names, monitor)?;
        let moving = Moving::new(monitor);
        let folders = {
            let _working = monitor.begin(Work::Downloading);
            hub.pull(&listings, &moving)
        }?;
        Ok(Pulled {
            models: self.pulled(listings, folders)?,
            bytes: moving.moved(),
        })
    }

    /// Looks at models of the hub; only their small files come.
    ///
    /// # Errors
    /// The first that goes wrong.
    pub fn sizes(
        &self,
        names: &[ModelName],
        monitor: Monitor<'_>,
    ) -> Result<Vec<PulledModel>, SessionError> {
        let hub = self.hub()?;
        let listings = self.listings(names, monitor)?;
        let folders = {
            let _working = monitor.begin(Work::Downloading);
            hub.pull_companions(&listings, &Moving::new(monitor))
        }?;
        self.pulled(listings, folders)
    }

    fn listings(
        &self,
        names: &[ModelName],
        monitor: Monitor<'_>,
    ) -> Result<Vec<Listing>, SessionError> {
        let hub = self.hub()?;
        let mut listings: Vec<Listing> = Vec::new();
        for name in names {
            if listings.iter().all(|known| known.name != *name) {
                let listing = hub.look(name)?;
                monitor.note(&Note::AtCommit {
                    model: &name.to_string(),
                    commit: &listing.commit,
                });
                listings.push(listing);
            }
        }
        Ok(listings)
    }

    fn pulled(
        &self,
        listings: Vec<Listing>,
        folders: Vec<PathBuf>,
    ) -> Result<Vec<PulledModel>, SessionError> {
        let hub = self.hub()?;
        let mut models = Vec::new();
        for (listing, folder) in listings.into_iter().zip(folders) {
            models.push(PulledModel {
                weights: hub.weight_bytes(&listing, &folder)?,
                files: listing.files.len(),
                name: listing.name,
                commit: listing.commit,
                folder,
            });
        }
        Ok(models)
    }
}

/// The names of models, those of recipes among them.
///
/// # Errors
/// When a text is no name, or a recipe has none.
pub fn names_to_pull(texts: &[String]) -> Result<Vec<ModelName>, SessionError> {
    let mut names = Vec::new();
    for text in texts {
        let is_recipe =
            [".yml", ".yaml"].iter().any(|end| text.ends_with(end)) && Path::new(text).is_file();
        if is_recipe {
            names.extend(of_recipe(text)?);
        } else {
            names.push(text.parse()?);
        }
    }
    Ok(names)
}

/// The models of a recipe that are no local folders.
fn of_recipe(path: &str) -> Result<Vec<ModelName>, SessionError> {
    let text = RecipeText::read(Path::new(path))?;
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let exists = |model: &str| Path::new(model).exists() || folder.join(model).exists();
    let parsed = recipe::parse(&text.text, &exists);
    let mut names = Vec::new();
    for reference in parsed.recipes.iter().flat_map(Recipe::references) {
        let model = &reference.value;
        if !exists(&model.path)
            && let Ok(name) = ModelName::new(&model.path, model.revision.as_deref())
        {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(SessionError::NothingToPull {
            recipe: path.to_owned(),
        });
    }
    Ok(names)
}
