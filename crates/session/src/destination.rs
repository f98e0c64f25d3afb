//! Where a merged model goes: a folder here, an object store, the hub.

use std::path::{Path, PathBuf};

use weightsmith::model::{LocatedKind, hub_name, is_in_store};
use weightsmith::output::{LOCK_FILE, Lock, Publication, PublicationOptions};
use weightsmith::plan::Planned;
use weightsmith_hub::{HubError, ModelName, PushOptions};
use weightsmith_stores::{Address, StoreError, Survey, UploadFile, UploadOptions};

use crate::error::Kept;
use crate::moving::Moving;
use crate::staging::Staging;
use crate::{Monitor, Session, SessionError, Work, replace_file};

/// Where a merged model goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A folder of an object store.
    Store(Address),
    /// A repository on the hub.
    Hub(ModelName),
}

/// A model cannot go where it was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// The address is none.
    #[error(transparent)]
    Address(StoreError),
    /// The name is none.
    #[error(transparent)]
    Name(HubError),
    /// A name on the hub without an account, or with a revision.
    #[error("`{text}` is not a destination for a model, expected `hf://ACCOUNT/NAME`")]
    NotARepository {
        /// As it was given.
        text: String,
    },
    /// The result would be among what is read.
    #[error("`{out}` contains or is inside the input `{input}`")]
    Input {
        /// The destination.
        out: Address,
        /// The model.
        input: Address,
    },
    /// The repository has weights.
    #[error("there is already a model at `hf://{name}`")]
    Published {
        /// The repository.
        name: ModelName,
    },
    /// Another process merges to the same place.
    #[error("another process is merging to `{destination}`, in {}", folder.display())]
    Busy {
        /// The destination.
        destination: String,
        /// Its staging folder.
        folder: PathBuf,
    },
}

impl DestinationError {
    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Address(_) | Self::Name(_) => return Vec::new(),
            Self::NotARepository { .. } => "models are published to the `main` branch",
            Self::Input { .. } => "choose another prefix in the store",
            Self::Published { .. } => {
                "use `--force` to replace it; the repository's history keeps the old one"
            }
            Self::Busy { .. } => "wait for it, or choose another folder with `--staging`",
        };
        vec![hint.to_owned()]
    }

    /// Whether what was asked for makes no sense.
    pub(crate) fn is_usage(&self) -> bool {
        !matches!(self, Self::Published { .. } | Self::Busy { .. })
    }
}

impl Destination {
    /// Takes an address for what it says, and everything else for a folder.
    ///
    /// # Errors
    /// When it looks like an address and is none.
    pub fn parse(out: PathBuf) -> Result<Self, DestinationError> {
        let Some(text) = out.to_str() else {
            return Ok(Self::Folder(out));
        };
        if is_in_store(text) {
            let address = text.parse().map_err(DestinationError::Address);
            return Ok(Self::Store(address?));
        }
        let Some(name) = hub_name(text) else {
            return Ok(Self::Folder(out));
        };
        let name: ModelName = name.parse().map_err(DestinationError::Name)?;
        if !name.repository.contains('/') || name.revision != "main" {
            return Err(DestinationError::NotARepository {
                text: text.to_owned(),
            });
        }
        Ok(Self::Hub(name))
    }
}

/// A place that was looked at before any work is done for it. For one elsewhere, a folder here to merge into first, which goes when
/// nothing was put there.
#[derive(Debug)]
pub struct Target {
    pub(crate) place: Place,
    pub(crate) force: bool,
}

#[derive(Debug)]
pub(crate) enum Place {
    Folder(PathBuf),
    Elsewhere {
        staging: Staging,
        /// What to call it.
        name: String,
        repository: Repository,
    },
}

#[derive(Debug)]
pub(crate) enum Repository {
    Store(Box<Survey>, Address),
    Hub(ModelName),
}

/// A model that is where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The address, or the folder.
    pub place: String,
    /// Files that went to a store; nothing for a folder or the hub.
    pub sent: Option<usize>,
    /// Files that an earlier run had sent.
    pub resumed: usize,
    /// What was done on the hub.
    pub published: Option<crate::Published>,
}

impl Session {
    /// Looks at the place for a merge, before any work is done for it. `staging` is where models are merged that go elsewhere, in the
    /// place of the usual folder. With `force`, what is there may be replaced.
    ///
    /// # Errors
    /// When the model cannot go there.
    pub fn target(
        &self,
        destination: &Destination,
        staging: Option<PathBuf>,
        force: bool,
    ) -> Result<Target, SessionError> {
        let base = staging.unwrap_or_else(|| self.staging());
        let place = match destination {
            Destination::Folder(out) => Place::Folder(out.clone()),
            Destination::Store(address) => {
                let name = address.to_string();
                let staging = Staging::open(&base, &name)?;
                let survey = self.stores()?.survey(address, LOCK_FILE)?;
                survey.allow(&staging.record(), force)?;
                Place::Elsewhere {
                    staging,
                    name,
                    repository: Repository::Store(Box::new(survey), address.clone()),
                }
            }
            Destination::Hub(repository) => {
                let name = format!("hf://{repository}");
                let staging = Staging::open(&base, &name)?;
                self.refuse_published(repository, force)?;
                Place::Elsewhere {
                    staging,
                    name,
                    repository: Repository::Hub(repository.clone()),
                }
            }
        };
        Ok(Target { place, force })
    }

    /// Sends the merged model where it belongs, and removes the folder here. What was merged into a folder is there already.
    ///
    /// # Errors
    /// When it cannot be sent; it is kept then.
    pub fn deliver(&self, target: Target, monitor: Monitor<'_>) -> Result<Delivered, SessionError> {
        let Target { place, force } = target;
        let (staging, name, repository) = match place {
            Place::Folder(out) => {
                return Ok(Delivered {
                    place: out.display().to_string(),
                    sent: None,
                    resumed: 0,
                    published: None,
                });
            }
            Place::Elsewhere {
                staging,
                name,
                repository,
            } => (staging, name, repository),
        };
        let publication = self.fit_to_send(&staging, monitor)?;
        let mut delivered = Delivered {
            place: name,
            sent: None,
            resumed: 0,
            published: None,
        };
        match repository {
            Repository::Store(survey, _) => {
                write_changed(publication)?;
                let uploaded = self.upload(&survey, &staging, force, monitor)?;
                delivered.sent = Some(uploaded.sent);
                delivered.resumed = uploaded.resumed;
            }
            Repository::Hub(name) => {
                let options = PushOptions {
                    private: false,
                    pull_request: false,
                    message: "Add a merge made with weightsmith".to_owned(),
                };
                let name = name.to_string();
                delivered.published =
                    Some(self.publish(publication, Some(&name), &options, monitor)?);
            }
        }
        staging.remove()?;
        Ok(delivered)
    }

    /// What leaves this machine of the staged model, as [`Self::publish`] has it: without local paths, and nothing at all with what looks like a key.
    fn fit_to_send(
        &self,
        staging: &Staging,
        monitor: Monitor<'_>,
    ) -> Result<Publication, SessionError> {
        let folder = staging.model();
        let gathered = self.gather_publication(&folder, &PublicationOptions::default(), monitor);
        gathered.or_else(|error| {
            // merged anew next time: what is wrong is in a file of the donor, and may be right then
            staging.begin()?;
            Err(SessionError::Kept(Box::new(Kept {
                error,
                folder,
                resumable: false,
            })))
        })
    }

    /// A repository that has weights gets others only by force; its history keeps them.
    fn refuse_published(&self, name: &ModelName, force: bool) -> Result<(), SessionError> {
        let hub = self.hub()?;
        hub.account()?;
        match hub.look(name) {
            Err(HubError::NoModel { .. } | HubError::NoRevision { .. }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(listing) => {
                let is_weights = |path: &str| path.ends_with(".safetensors");
                if force || !listing.files.iter().any(|file| is_weights(&file.path)) {
                    return Ok(());
                }
                Err(DestinationError::Published { name: name.clone() }.into())
            }
        }
    }

    fn upload(
        &self,
        survey: &Survey,
        staging: &Staging,
        force: bool,
        monitor: Monitor<'_>,
    ) -> Result<weightsmith_stores::Uploaded, SessionError> {
        let folder = staging.model();
        let lock = Lock::read(&folder)?;
        let files: Vec<UploadFile> = lock
            .files
            .iter()
            .map(|file| file_of(&folder, &file.name, file.bytes))
            .collect();
        let size = fs_err::metadata(folder.join(LOCK_FILE))?.len();
        let old = survey.lock().and_then(|lock| Lock::parse(lock).ok());
        let replaced = old.map(|lock| lock.files.into_iter().map(|file| file.name).collect());
        let replaced: Vec<String> = replaced.unwrap_or_default();
        let options = UploadOptions {
            lock: &file_of(&folder, LOCK_FILE, size),
            replaced: &replaced,
            record: staging.record(),
            force,
            interrupt: monitor.cancel.flag(),
        };
        let _working = monitor.begin(Work::Uploading);
        let moving = Moving::new(monitor);
        let uploaded = self.stores()?.upload(survey, &files, &options, &moving);
        uploaded.map_err(|error| {
            SessionError::Kept(Box::new(Kept {
                error: error.into(),
                folder,
                resumable: true,
            }))
        })
    }
}

impl Target {
    /// Refuses a place that a model of the recipe is read from.
    pub(crate) fn refuse_inputs(&self, planned: &Planned) -> Result<(), DestinationError> {
        let Place::Elsewhere {
            repository: Repository::Store(_, out),
            ..
        } = &self.place
        else {
            return Ok(());
        };
        for model in planned.models.as_slice() {
            if let LocatedKind::Store { address, .. } = &model.kind
                && let Ok(input) = address.parse::<Address>()
                && (out.holds(&input) || input.holds(out))
            {
                return Err(DestinationError::Input {
                    out: out.clone(),
                    input,
                });
            }
        }
        Ok(())
    }
}

/// Puts what is published in the place of the staged files that differ from it.
fn write_changed(publication: Publication) -> Result<(), SessionError> {
    for file in publication.files {
        if let Some(content) = file.content {
            replace_file(&file.source, &content)?;
        }
    }
    Ok(())
}

fn file_of(folder: &Path, name: &str, size: u64) -> UploadFile {
    UploadFile {
        name: name.to_owned(),
        path: folder.join(name),
        size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_scheme_is_a_folder() {
        let parse = |text: &str| Destination::parse(text.into());
        assert!(matches!(parse("s3/out"), Ok(Destination::Folder(_))));
        assert!(matches!(parse("/out"), Ok(Destination::Folder(_))));
        assert!(matches!(parse("s3://b/out"), Ok(Destination::Store(_))));
        assert!(matches!(parse("hf://me/out"), Ok(Destination::Hub(_))));
        for wrong in ["s3://", "hf://out", "hf://me/out@v1", "gs://b//a"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
