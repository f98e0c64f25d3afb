//! Models that are not on this machine: asked for on the hub, then downloaded or opened where they are.

use std::sync::Arc;

use weightsmith::model::{
    LocateOptions, RemoteModel, RemoteModels, hub_token_file, missing_model, similar_folder,
};
use weightsmith::recipe::ModelReference;
use weightsmith::{Diagnostic, Spanned};
use weightsmith_hub::{Hub, HubError, HubSettings, Listing, ModelName};
use weightsmith_tensors::ModelSource;

use crate::failure::Failure;
use crate::printer::Printer;
use crate::quantities::{bytes, counted};
use crate::transfer::Transfer;

/// What is fetched of a model that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Small files and headers; tensors are read where they are, when somebody reads them.
    Headers,
    /// Everything that a merge needs.
    Download,
}

/// Models of the hub that are ready to be used.
#[derive(Debug)]
struct Ready(Vec<(ModelName, RemoteModel)>);

impl RemoteModels for Ready {
    fn find(&self, repo: &str, revision: &str) -> Option<RemoteModel> {
        let is_it = |name: &ModelName| name.repository == repo && name.revision == revision;
        let found = self.0.iter().find(|(name, _)| is_it(name));
        found.map(|(_, model)| model.clone())
    }
}

/// The hub that the environment names, with the cache in which models are looked for.
pub(crate) fn hub(locate: &LocateOptions) -> Result<Hub, Failure> {
    hub_with(locate, |_| ())
}

/// As [`hub`], with some settings changed.
pub(crate) fn hub_with(
    locate: &LocateOptions,
    change: impl FnOnce(&mut HubSettings),
) -> Result<Hub, Failure> {
    let mut settings = hub_settings(locate)?;
    change(&mut settings);
    Ok(Hub::new(&settings))
}

/// What the environment says of the hub.
pub(crate) fn hub_settings(locate: &LocateOptions) -> Result<HubSettings, Failure> {
    let settings = HubSettings::from_env(
        |name| std::env::var_os(name),
        locate.hub_cache.clone(),
        &hub_token_file(|name| std::env::var_os(name)),
        locate.offline,
    );
    settings.map_err(failure)
}

/// An error of the hub with its hints.
pub(crate) fn failure(error: HubError) -> Failure {
    let hints = error.hints();
    hints.into_iter().fold(Failure::new(error), Failure::hint)
}

/// Makes the models of a recipe that are not here ready. Gives what the hub refuses, at its place in the recipe.
///
/// All of them are looked at before anything is downloaded.
pub(crate) fn prepare_recipe(
    references: &[&Spanned<ModelReference>],
    locate: &mut LocateOptions,
    access: Access,
    printer: &Printer,
) -> Result<Vec<Diagnostic>, Failure> {
    let mut wanted: Vec<(ModelName, &Spanned<ModelReference>)> = Vec::new();
    for &reference in references {
        let model = &reference.value;
        let missing = missing_model(&model.path, model.revision.as_deref(), locate);
        if let Some((repo, revision)) = missing
            && let Ok(name) = ModelName::new(&repo, Some(&revision))
            && wanted.iter().all(|(known, _)| *known != name)
        {
            wanted.push((name, reference));
        }
    }
    if wanted.is_empty() || locate.offline {
        return Ok(Vec::new());
    }
    let hub = hub(locate)?;
    let mut listings = Vec::new();
    let mut refused = Vec::new();
    for (name, reference) in wanted {
        match look(&hub, &name, &mut locate.away, printer) {
            Ok(listing) => listings.extend(listing),
            Err(error) => {
                let mut diagnostic = Diagnostic::error(error.to_string(), reference.span);
                let meant = similar_folder(&name.repository, locate);
                let meant = meant.map(|meant| format!("did you mean `{meant}`?"));
                diagnostic.hints = meant.into_iter().chain(error.hints()).collect();
                diagnostic.hints.push(format!(
                    "if `{}` is a folder, write its full path",
                    name.repository
                ));
                refused.push(diagnostic);
            }
        }
    }
    if refused.is_empty() {
        locate.remote = ready(&hub, listings, access, printer)?;
    }
    Ok(refused)
}

/// Makes the models that are not here ready. All of them are looked at before anything is downloaded.
pub(crate) fn prepare_models(
    models: &[&str],
    locate: &mut LocateOptions,
    access: Access,
    printer: &Printer,
) -> Result<(), Failure> {
    let mut wanted: Vec<ModelName> = Vec::new();
    for model in models {
        // only a few old models have no organisation: far more likely a folder's name
        if let Some((repo, revision)) = missing_model(model, None, locate)
            && repo.contains('/')
        {
            let name = ModelName::new(&repo, Some(&revision)).map_err(failure)?;
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
    }
    if wanted.is_empty() || locate.offline {
        return Ok(());
    }
    let hub = hub(locate)?;
    let mut listings = Vec::new();
    for name in &wanted {
        listings.extend(look(&hub, name, &mut locate.away, printer).map_err(failure)?);
    }
    locate.remote = ready(&hub, listings, access, printer)?;
    Ok(())
}

/// Looks at a model. A hub that cannot be reached is no error here: that the model is not on this machine is one by itself, and its hints
/// have the reason.
pub(crate) fn look(
    hub: &Hub,
    name: &ModelName,
    away: &mut Option<String>,
    printer: &Printer,
) -> Result<Option<Listing>, HubError> {
    match hub.look(name) {
        Ok(listing) => Ok(Some(listing)),
        Err(error @ HubError::NoConnection { .. }) => {
            *away = Some(error.to_string());
            Ok(None)
        }
        Err(error @ (HubError::Unreachable { .. } | HubError::Status { .. })) => {
            printer.warning(&format!("`{name}` cannot be looked up on the Hub: {error}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn ready(
    hub: &Hub,
    listings: Vec<Listing>,
    access: Access,
    printer: &Printer,
) -> Result<Option<Arc<dyn RemoteModels>>, Failure> {
    if listings.is_empty() {
        return Ok(None);
    }
    let transfer = Transfer::new(printer, "downloading");
    let folders = match access {
        Access::Headers => hub.pull_companions(&listings, &transfer),
        Access::Download => hub.pull(&listings, &transfer),
    };
    transfer.finish();
    let mut models = Vec::new();
    for (listing, folder) in listings.into_iter().zip(folders.map_err(failure)?) {
        let checkpoint = match access {
            Access::Headers => Some(Arc::new(hub.open(&listing, &folder).map_err(failure)?)),
            Access::Download => None,
        };
        if let Some(checkpoint) = &checkpoint {
            printer.detail(&format!(
                "read the headers of {} of `{}`, without downloading them: {}",
                counted(checkpoint.files().len(), "file"),
                listing.name,
                bytes(checkpoint.bytes()),
            ));
        }
        let model = RemoteModel {
            folder,
            commit: listing.commit,
            source: checkpoint.map(|checkpoint| checkpoint as Arc<dyn ModelSource>),
        };
        models.push((listing.name, model));
    }
    Ok(Some(Arc::new(Ready(models))))
}
