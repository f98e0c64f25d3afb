//! Merges: from a recipe to a model of the studio.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::StatusCode;
use weightsmith::plan::Plan;
use weightsmith::run::{Reporter, RunError, RunOptions, execute};
use weightsmith_report::explain::explain;

use super::kinds::given;
use crate::error::Refusal;
use crate::models::Catalogue;
use crate::progress::{RunFailure, RunProgress};
use crate::recipes::{self, Access, Planner};
use crate::settings::StudioSettings;
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
    let outcome = planner.plan(recipe, &Access::Headers)?;
    match outcome.planned {
        Some(_) => Ok(name),
        None => Err(recipes::refusal(&outcome.diagnostics)),
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
    settings: &StudioSettings,
    catalogue: &Catalogue,
    planner: &Planner,
    request: &MergeRequest,
    progress: &dyn RunProgress,
) -> Result<MergeResult, RunFailure> {
    let refused = |refusal: Refusal| RunFailure::Failed {
        message: refusal.message,
        hints: refusal.hints,
    };
    let recipe = given(&request.recipe, "recipe").map_err(refused)?;
    let name = name(request).map_err(refused)?;
    refuse_foreign(catalogue, request).map_err(refused)?;
    progress.stage("planning");
    let outcome = planner
        .plan(recipe, &Access::Download(progress))
        .map_err(|refusal| stopped_or(progress, refused(refusal)))?;
    for diagnostic in &outcome.diagnostics {
        progress.log(&diagnostic.to_string());
    }
    let Some(planned) = outcome.planned else {
        let refusal = refused(recipes::refusal(&outcome.diagnostics));
        return Err(stopped_or(progress, refusal));
    };
    progress.log(&introduction(&planned.plan));
    let out = catalogue.place(&name);
    let options = RunOptions {
        max_memory: settings.max_memory,
        threads: settings.threads,
        force: request.replaces(),
        sync: false,
        allow_non_finite: request.allows_non_finite(),
        fresh: false,
        interrupt: progress.interrupt(),
    };
    let report = execute(
        &planned,
        &out,
        &options,
        &Merging::new(&planned.plan, progress),
    )
    .map_err(|error| failure(&error))?;
    progress.log(&if report.already_there {
        format!("`{name}` was already complete")
    } else {
        format!(
            "`{name}` is complete: {:.1} MB in {:.2} s",
            megabytes(report.bytes_written),
            report.seconds
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
    if progress.interrupt().load(Ordering::Relaxed) {
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
        "{} of {}: {} tensors, {:.1} MB to read, {:.1} MB to write",
        plan.method,
        inputs.join(", "),
        plan.tensors.len(),
        megabytes(plan.bytes_read),
        megabytes(plan.bytes_written),
    )
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
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

/// A merge as the progress of a run.
struct Merging<'a> {
    progress: &'a dyn RunProgress,
    /// How many bytes are written when each tensor is, in the order of the files.
    ends: Vec<u64>,
    written: AtomicU64,
}

impl<'a> Merging<'a> {
    fn new(plan: &Plan, progress: &'a dyn RunProgress) -> Self {
        let mut written = 0;
        let mut ends = Vec::with_capacity(plan.tensors.len());
        for shard in plan.layout.shards() {
            ends.extend(
                shard
                    .tensors
                    .iter()
                    .map(|one| written + one.offset + one.bytes),
            );
            written += shard.file_size;
        }
        Self {
            progress,
            ends,
            written: AtomicU64::new(0),
        }
    }

    /// Blocks are finished nearly in order, so this is how many tensors are done but for a few.
    fn tell_tensors(&self, written: u64) {
        let done = self.ends.partition_point(|end| *end <= written);
        self.progress.tensors(done as u64, self.ends.len() as u64);
    }
}

impl Reporter for Merging<'_> {
    fn started(&self, total: u64, resumed: u64) {
        self.progress.stage("merging");
        self.progress.expect(total, resumed);
        self.written.store(resumed, Ordering::Relaxed);
        self.tell_tensors(resumed);
        if resumed > 0 {
            self.progress.log(&format!(
                "resuming an earlier run: {:.1} of {:.1} MB already done",
                megabytes(resumed),
                megabytes(total)
            ));
        }
    }

    fn written(&self, bytes: u64) {
        let written = self.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.progress.advance(bytes);
        self.tell_tensors(written);
    }

    fn stage(&self, name: &str) {
        self.progress.stage(name);
    }

    fn note(&self, message: &str) {
        self.progress.log(message);
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
