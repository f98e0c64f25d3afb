//! Merges: from a recipe to a model of the studio.

use axum::http::StatusCode;
use weightsmith::plan::Plan;
use weightsmith::run::RunError;
use weightsmith_report::explain::explain;
use weightsmith_session::quantities::{bytes, seconds};
use weightsmith_session::{Access, Destination, MergeOptions, Merged, SessionError};

use super::kinds::given;
use super::resources::Resources;
use crate::error::Refusal;
use crate::models::Catalogue;
use crate::progress::{RunFailure, RunProgress, monitor};
use crate::recipes::{self, Planner};
use crate::wire::{MergeRequest, MergeResult};

/// Letters of a name at most.
const LONGEST: usize = 96;

/// What to do about a disk that is full.
const FREE: &str = "free some space and resume";

/// Looks at a request; gives the name of the model that it makes.
pub(super) fn check(
    catalogue: &Catalogue,
    planner: &Planner,
    request: &MergeRequest,
) -> Result<String, Refusal> {
    let recipe = given(&request.recipe, "recipe")?;
    let name = name(request)?;
    refuse_taken(catalogue, request)?;
    let outcome = planner.plan(recipe, Access::Headers)?;
    match outcome.planned {
        Some(_) => Ok(name),
        None => Err(recipes::refusal(&outcome)),
    }
}

/// A name that is free, or that the request wants to replace.
pub(super) fn refuse_taken(catalogue: &Catalogue, request: &MergeRequest) -> Result<(), Refusal> {
    refuse_others(catalogue, request, request.replaces())
}

/// A name that is free, or that of a model that was made here: it may be the request's own result, of a studio that ended before it could
/// say so, which shows when the merge is planned.
pub(super) fn refuse_foreign(catalogue: &Catalogue, request: &MergeRequest) -> Result<(), Refusal> {
    refuse_others(catalogue, request, true)
}

fn refuse_others(
    catalogue: &Catalogue,
    request: &MergeRequest,
    may_be_made: bool,
) -> Result<(), Refusal> {
    let name = name(request)?;
    let entry = catalogue.find(&name);
    let made = catalogue.place(&name);
    let exists = made.symlink_metadata().is_ok();
    let is_made = exists
        && entry
            .as_ref()
            .is_none_or(|entry| entry.folder.as_ref() == Some(&made));
    if entry.is_none() && !exists {
        return Ok(());
    }
    if is_made && may_be_made {
        return Ok(());
    }
    let message = format!("a model named `{name}` already exists");
    let refusal = Refusal::new(StatusCode::CONFLICT, "name_taken", message);
    Err(if is_made {
        refusal.hint("choose another name, or replace it")
    } else {
        refusal.hint("choose another name; only models merged in the studio can be replaced")
    })
}

/// The request with a name that nobody has: its own, else one with a number. It replaces nothing, whatever it did before.
pub(super) fn with_free_name(
    catalogue: &Catalogue,
    mut request: MergeRequest,
    is_under_way: &dyn Fn(&str) -> bool,
) -> MergeRequest {
    let Ok(wanted) = name(&request) else {
        return request;
    };
    if let Some(options) = &mut request.options {
        options.replace = None;
    }
    let is_free = |request: &MergeRequest, name: &str| {
        refuse_taken(catalogue, request).is_ok() && !is_under_way(name)
    };
    let stem: String = wanted.chars().take(LONGEST - 5).collect();
    let mut count = 2;
    let mut candidate = wanted;
    while !is_free(&request, &candidate) && count < 10_000 {
        candidate = format!("{stem}-{count}");
        request.name.clone_from(&candidate);
        count += 1;
    }
    request
}

/// The work of a run.
pub(super) fn run(
    resources: &Resources,
    request: &MergeRequest,
    progress: &dyn RunProgress,
) -> Result<MergeResult, RunFailure> {
    let Resources {
        settings,
        session,
        catalogue,
        planner,
        ..
    } = resources;
    let recipe = given(&request.recipe, "recipe")?;
    let name = name(request)?;
    refuse_foreign(catalogue, request)?;
    progress.stage("planning");
    let monitor = monitor(progress);
    let outcome = planner.plan_watched(recipe, Access::Download, monitor);
    let planned = outcome.and_then(|outcome| outcome.into_plan(monitor));
    let planned = planned.map_err(|error| stopped_or(progress, error.into()))?;
    progress.log(&introduction(&planned.plan));
    let out = catalogue.place(&name);
    let destination = Destination::Folder(out.clone());
    let target = session.target(&destination, None, request.replaces())?;
    let options = MergeOptions {
        max_memory: settings.max_memory,
        threads: settings.threads,
        sync: false,
        allow_non_finite: request.allows_non_finite(),
        fresh: false,
    };
    let merged = session.merge(&target, &planned, recipe, &options, monitor);
    let report = match merged {
        Ok(Merged::Written(report)) => report,
        // only what goes elsewhere is merged before it is sent
        Ok(Merged::Before) => return Err(RunFailure::of("there is nothing to merge")),
        Err(SessionError::Run(error)) => return Err(failure(&error)),
        Err(error) => return Err(error.into()),
    };
    progress.log(&if report.already_there {
        format!("`{name}` was already complete")
    } else {
        format!(
            "`{name}` is complete: {} in {}",
            bytes(report.bytes_written),
            seconds(report.seconds)
        )
    });
    catalogue.refresh();
    Ok(MergeResult {
        name,
        path: out.display().to_string(),
        report,
        words: explain(&planned.plan).words,
    })
}

/// Removes what a merge left for going on with it, unless another is at it.
pub(super) fn discard(catalogue: &Catalogue, request: &MergeRequest) -> Result<(), Refusal> {
    let Ok(name) = name(request) else {
        return Ok(());
    };
    match weightsmith::run::discard(&catalogue.place(&name)) {
        Ok(_) | Err(RunError::Busy { .. }) => Ok(()),
        Err(error) => {
            let message = format!("cannot remove the partial output of `{name}`: {error}");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Err(Refusal::new(status, "not_removed", message))
        }
    }
}

/// What goes wrong after somebody asked to stop is that.
fn stopped_or(progress: &dyn RunProgress, failure: RunFailure) -> RunFailure {
    if progress.cancel().is_cancelled() {
        RunFailure::Stopped
    } else {
        failure
    }
}

/// The name that a request gives: nothing that could be a path.
fn name(request: &MergeRequest) -> Result<String, Refusal> {
    let name = given(&request.name, "name")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.len() <= LONGEST && !name.starts_with('.') && name.bytes().all(is_plain) {
        return Ok(name.to_owned());
    }
    let message =
        "invalid `name`: use up to 96 letters, digits, `.`, `_` and `-`, not starting with `.`";
    Err(Refusal::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_name",
        message,
    ))
}

fn introduction(plan: &Plan) -> String {
    let inputs: Vec<&str> = plan.inputs.iter().map(|one| one.label.as_str()).collect();
    format!(
        "{} of {}: {} tensors, {} to read, {} to write",
        plan.method,
        inputs.join(", "),
        plan.tensors.len(),
        bytes(plan.bytes_read),
        bytes(plan.bytes_written),
    )
}

/// An error of a merge in the words of the studio: there is no command line to give options to.
fn failure(error: &RunError) -> RunFailure {
    let is_full = |error: &std::io::Error| {
        matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        )
    };
    let hint = match error {
        RunError::Interrupted => return RunFailure::Stopped,
        RunError::NoSpace { .. } => Some(FREE),
        RunError::Io(error) if is_full(error) => Some(FREE),
        RunError::OutputExists { .. } => Some("choose another name, or replace the model"),
        RunError::NonFiniteInput { .. } => Some(
            "the input is damaged or its training diverged; set `allow_non_finite` to merge it anyway",
        ),
        RunError::Overflow { .. } => Some(
            "set `out_dtype: bfloat16` or `float32`, or allow infinities with `allow_non_finite`",
        ),
        RunError::Budget { .. } => Some("restart the server with a larger `--max-memory`"),
        _ => None,
    };
    let hints = match hint {
        Some(hint) => vec![hint.to_owned()],
        None => error.hints(),
    };
    match RunFailure::caused(error) {
        RunFailure::Failed { message, .. } => RunFailure::Failed { message, hints },
        RunFailure::Stopped => RunFailure::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_paths() {
        let of = |text: &str| {
            name(&MergeRequest {
                name: text.to_owned(),
                ..MergeRequest::default()
            })
        };
        for good in ["a", "weightsmith-slerp-abcdefg", "A.b_c-1", &"x".repeat(96)] {
            assert_eq!(of(good).expect("a name"), good);
        }
        for bad in [
            "",
            " ",
            ".",
            "..",
            ".hidden",
            "a/b",
            "../a",
            "a\\b",
            "a b",
            "ü",
            "a\0",
            "a%2fb",
            &"x".repeat(97),
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_full_disk_says_that_it_can_be_gone_on_with() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let space = RunError::NoSpace {
            path: "/disk".into(),
            needed: 2,
            available: 1,
        };
        for error in [RunError::Io(full), space] {
            let RunFailure::Failed { hints, .. } = failure(&error) else {
                panic!("it is no stop");
            };
            assert_eq!(hints, [FREE]);
        }
        assert_eq!(failure(&RunError::Interrupted), RunFailure::Stopped);
    }
}
