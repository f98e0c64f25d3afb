//! Where a merged model goes: a folder here, an object store, the hub.

use std::path::{Path, PathBuf};

use weightsmith::model::{LocatedKind, hub_name, is_in_store};
use weightsmith::output::{LOCK_FILE, Lock, Publication, PublicationOptions};
use weightsmith::plan::Planned;
use weightsmith_hub::{HubError, ModelName, PushOptions};
use weightsmith_stores::{
    Address, StoreError, Stores, Survey, UploadFile, UploadOptions, Uploaded,
};

use crate::commands::{gather, push_gathered as push};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::interrupt;
use crate::printer::Printer;
use crate::quantities::counted;
use crate::remote;
use crate::replace_file::replace_file;
use crate::settings::{MergeSettings, locate_options};
use crate::staging::Staging;
use crate::stores::{self, failure};
use crate::terminal_text::safe;
use crate::transfer::Transfer;

/// Where a merged model goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A folder of an object store.
    Store(Address),
    /// A repository on the hub.
    Hub(ModelName),
}

impl Destination {
    /// Takes an address for what it says, and everything else for a folder.
    pub(crate) fn parse(out: PathBuf) -> Result<Self, Failure> {
        let Some(text) = out.to_str() else {
            return Ok(Self::Folder(out));
        };
        if is_in_store(text) {
            let address = text.parse();
            return Ok(Self::Store(
                address.map_err(|error: StoreError| Failure::usage(error.to_string()))?,
            ));
        }
        let Some(name) = hub_name(text) else {
            return Ok(Self::Folder(out));
        };
        let name: ModelName = name
            .parse()
            .map_err(|error: HubError| Failure::usage(error.to_string()))?;
        if !name.repository.contains('/') || name.revision != "main" {
            return Err(Failure::usage(format!(
                "`{text}` is not a destination for a model, expected `hf://ACCOUNT/NAME`"
            ))
            .hint("models are published to the `main` branch"));
        }
        Ok(Self::Hub(name))
    }
}

/// A place elsewhere that was looked at, with a folder here to merge into first.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    pub(crate) staging: Staging,
    /// What to call it.
    pub(crate) name: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Store(Box<(Stores, Survey)>, Address),
    Hub(ModelName),
}

impl Place {
    fn look(settings: &MergeSettings, staging: &Staging) -> Result<Option<Self>, Failure> {
        match &settings.out {
            Destination::Folder(_) => Ok(None),
            Destination::Store(address) => {
                let stores = stores::stores()?;
                let survey = stores.survey(address, LOCK_FILE).map_err(failure)?;
                let allowed = survey.allow(&staging.record(), settings.force);
                allowed.map_err(failure)?;
                let looked = Box::new((stores, survey));
                Ok(Some(Self::Store(looked, address.clone())))
            }
            Destination::Hub(name) => {
                refuse_published(name, settings.force)?;
                Ok(Some(Self::Hub(name.clone())))
            }
        }
    }
}

impl Elsewhere {
    /// Looks at the place, before any work is done for it. Nothing for a folder here.
    pub(crate) fn prepare(settings: &MergeSettings) -> Result<Option<Self>, Failure> {
        let name = match &settings.out {
            Destination::Folder(_) => return Ok(None),
            Destination::Store(address) => address.to_string(),
            Destination::Hub(name) => format!("hf://{name}"),
        };
        let base = settings.staging.clone();
        let base = base.unwrap_or_else(|| stores::cache_home().join("staging"));
        let staging = Staging::open(&base, &name)?;
        match Place::look(settings, &staging) {
            Ok(Some(place)) => Ok(Some(Self {
                staging,
                name,
                place,
            })),
            Ok(None) => Ok(None),
            Err(failure) => {
                staging.remove_empty()?;
                Err(failure)
            }
        }
    }

    /// Refuses a place that a model of the recipe is read from.
    pub(crate) fn refuse_inputs(&self, planned: &Planned) -> Result<(), Failure> {
        let Place::Store(_, out) = &self.place else {
            return Ok(());
        };
        for model in planned.models.as_slice() {
            if let LocatedKind::Store { address, .. } = &model.kind
                && let Ok(input) = address.parse::<Address>()
                && (out.holds(&input) || input.holds(out))
            {
                return Err(Failure::usage(format!(
                    "`{out}` contains or is inside the input `{input}`"
                ))
                .hint("choose another prefix in the store"));
            }
        }
        Ok(())
    }

    /// Sends the merged model there, and removes the folder here.
    pub(crate) fn send(
        self,
        settings: &MergeSettings,
        printer: &Printer,
    ) -> Result<ExitCode, Failure> {
        let publication = self.fit_to_send(printer)?;
        match &self.place {
            Place::Store(looked, _) => {
                let (stores, survey) = &**looked;
                write_changed(publication)?;
                let sent = upload(stores, survey, &self.staging, settings.force, printer)?;
                let Some(Uploaded { sent, resumed }) = sent else {
                    return Ok(ExitCode::Interrupted);
                };
                let earlier = match resumed {
                    0 => String::new(),
                    count => format!(
                        "; {} already sent by an earlier run",
                        counted(count, "file")
                    ),
                };
                printer.talk(&format!(
                    "sent {} to {}{earlier}",
                    counted(sent, "file"),
                    safe(&self.name)
                ));
            }
            Place::Hub(name) => {
                let options = PushOptions {
                    private: false,
                    pull_request: false,
                    message: "Add a merge made with weightsmith".to_owned(),
                };
                push(publication, Some(name.to_string()), &options, printer)?;
            }
        }
        self.staging.remove()?;
        printer.talk(&format!("the model is at {}", safe(&self.name)));
        Ok(ExitCode::Done)
    }

    /// What leaves this machine of the staged model, as `push` has it: without local paths, and nothing at all with what looks like a key.
    fn fit_to_send(&self, printer: &Printer) -> Result<Publication, Failure> {
        let folder = self.staging.model();
        gather(&folder, &PublicationOptions::default(), printer).or_else(|failure| {
            // merged anew next time: what is wrong is in a file of the donor, and may be right then
            self.staging.begin()?;
            Err(failure.hint(format!("the merged model is in {}", folder.display())))
        })
    }
}

/// Puts what is published in the place of the staged files that differ from it.
fn write_changed(publication: Publication) -> Result<(), Failure> {
    for file in publication.files {
        if let Some(content) = file.content {
            replace_file(&file.source, &content)?;
        }
    }
    Ok(())
}

/// A repository that has weights gets others only by force; its history keeps them.
fn refuse_published(name: &ModelName, force: bool) -> Result<(), Failure> {
    let hub = remote::hub(&locate_options(None))?;
    hub.account().map_err(remote::failure)?;
    match hub.look(name) {
        Err(HubError::NoModel { .. } | HubError::NoRevision { .. }) => Ok(()),
        Err(error) => Err(remote::failure(error)),
        Ok(listing) => {
            let is_weights = |path: &str| path.ends_with(".safetensors");
            if force || !listing.files.iter().any(|file| is_weights(&file.path)) {
                return Ok(());
            }
            Err(
                Failure::new(anyhow::anyhow!("there is already a model at `hf://{name}`")).hint(
                    "use `--force` to replace it; the repository's history keeps the old one",
                ),
            )
        }
    }
}

fn upload(
    stores: &Stores,
    survey: &Survey,
    staging: &Staging,
    force: bool,
    printer: &Printer,
) -> Result<Option<Uploaded>, Failure> {
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
        interrupt: interrupt::unset_flag(),
    };
    let transfer = Transfer::new(printer, "uploading");
    let uploaded = stores.upload(survey, &files, &options, &Sending(&transfer));
    transfer.finish();
    match uploaded {
        Ok(uploaded) => Ok(Some(uploaded)),
        Err(StoreError::Interrupted) => {
            printer.stderr("interrupted; run the same command again to resume");
            Ok(None)
        }
        Err(error) => Err(failure(error).hint(format!(
            "the merged model is kept in {}; run the same command again to upload the rest",
            folder.display()
        ))),
    }
}

fn file_of(folder: &Path, name: &str, size: u64) -> UploadFile {
    UploadFile {
        name: name.to_owned(),
        path: folder.join(name),
        size,
    }
}

/// The bar of transfers, for uploads to stores.
struct Sending<'a>(&'a Transfer<'a>);

impl weightsmith_stores::Progress for Sending<'_> {
    fn begin(&self, files: &[(String, u64)]) {
        weightsmith_hub::Progress::begin(self.0, files);
    }

    fn advance(&self, file: usize, bytes: u64) {
        weightsmith_hub::Progress::advance(self.0, file, bytes);
    }

    fn end(&self) {
        weightsmith_hub::Progress::end(self.0);
    }

    fn note(&self, text: &str) {
        weightsmith_hub::Progress::note(self.0, text);
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
