//! `pull`: models from the hub into the shared cache.

use std::io::Write as _;
use std::path::Path;

use weightsmith::recipe;
use weightsmith_hub::{Hub, Listing, ModelName};

use crate::args::PullArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::planning;
use crate::printer::Printer;
use crate::quantities::{bytes, counted};
use crate::remote::{failure, hub_with};
use crate::settings::locate_options;
use crate::terminal_text::safe;
use crate::transfer::Transfer;

/// Looks at all models, then downloads them.
pub(crate) fn run(args: PullArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let PullArgs {
        models,
        dry_run,
        connections,
        transformers_cache,
    } = args;
    let hub = hub_with(&locate_options(transformers_cache), |settings| {
        settings.connections = connections.into();
    })?;
    let mut listings: Vec<Listing> = Vec::new();
    for name in names(&models)? {
        if listings.iter().all(|known| known.name != name) {
            listings.push(hub.look(&name).map_err(failure)?);
        }
    }
    if dry_run {
        return sizes(&hub, &listings, printer);
    }
    let transfer = Transfer::new(printer, "downloading");
    let folders = hub.pull(&listings, &transfer);
    transfer.finish();
    for (listing, folder) in listings.iter().zip(folders.map_err(failure)?) {
        printer.detail(&format!("{} is at commit {}", listing.name, listing.commit));
        writeln!(printer.data(), "{}", safe(&folder.display().to_string()))?;
    }
    printer.talk(&match transfer.moved() {
        0 => "everything is already downloaded".to_owned(),
        moved => format!("{} came", bytes(moved)),
    });
    Ok(ExitCode::Done)
}

fn sizes(hub: &Hub, listings: &[Listing], printer: &Printer) -> Result<ExitCode, Failure> {
    let transfer = Transfer::new(printer, "downloading");
    let folders = hub.pull_companions(listings, &transfer);
    transfer.finish();
    for (listing, folder) in listings.iter().zip(folders.map_err(failure)?) {
        let weights = hub.weight_bytes(listing, &folder).map_err(failure)?;
        writeln!(
            printer.data(),
            "{} at {}: {} of weights, {} in the repository",
            listing.name,
            listing.commit,
            bytes(weights),
            counted(listing.files.len(), "file"),
        )?;
    }
    Ok(ExitCode::Done)
}

/// The names of models, those of recipes among them.
fn names(texts: &[String]) -> Result<Vec<ModelName>, Failure> {
    let mut names = Vec::new();
    for text in texts {
        let is_recipe =
            [".yml", ".yaml"].iter().any(|end| text.ends_with(end)) && Path::new(text).is_file();
        if is_recipe {
            names.extend(of_recipe(text)?);
        } else {
            names.push(text.parse().map_err(|error| {
                failure(error).hint("Hub models are written `organization/name`")
            })?);
        }
    }
    Ok(names)
}

/// The models of a recipe that are no local folders.
fn of_recipe(path: &str) -> Result<Vec<ModelName>, Failure> {
    let text = planning::read(Path::new(path))?;
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let exists = |model: &str| Path::new(model).exists() || folder.join(model).exists();
    let parsed = recipe::parse(&text.text, &exists);
    let mut names = Vec::new();
    for reference in parsed.recipes.iter().flat_map(recipe::Recipe::references) {
        let model = &reference.value;
        if !exists(&model.path)
            && let Ok(name) = ModelName::new(&model.path, model.revision.as_deref())
        {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Err(
            Failure::usage(format!("`{path}` names no Hub models")).hint(format!(
                "run `weightsmith check {path}` to find problems in the recipe"
            )),
        );
    }
    Ok(names)
}
