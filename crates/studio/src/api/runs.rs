//! `/api/runs`: what is done, what waits, what was done.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::body::Body;
use super::document::Operation;
use super::extract::{Path, Query};
use super::models::apart;
use super::routes::Routes;
use crate::app::App;
use crate::error::Refusal;
use crate::runs::Filter;
use crate::wire::{Run, RunDetails, RunFilter, RunKind, RunList, RunRequest, RunState};

/// Runs of an answer.
const SHOWN: usize = 100;

/// Runs of an answer at most.
const MOST: usize = 1000;

type Answer = Result<Json<Run>, Refusal>;
type Created = Result<(StatusCode, Json<Run>), Refusal>;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .get(
            "/runs",
            list,
            &Operation::new("Runs, newest first")
                .asks::<RunFilter>()
                .gives::<RunList>(200),
        )
        .post(
            "/runs",
            start,
            &Operation::new("Start a run: `merge`, `evaluate`, `difference`, `pull` or `push`")
                .takes::<RunRequest>()
                .gives::<Run>(201),
        )
        .get(
            "/runs/{id}",
            one,
            &Operation::new("A run with its log").gives::<RunDetails>(200),
        )
        .delete(
            "/runs/{id}",
            delete,
            &Operation::new("Delete a finished run and its partial output"),
        )
        .post(
            "/runs/{id}/cancel",
            cancel,
            &Operation::new("Cancel a run").gives::<Run>(200),
        )
        .post(
            "/runs/{id}/resume",
            resume,
            &Operation::new("Resume an unfinished run").gives::<Run>(200),
        )
        .post(
            "/runs/{id}/rerun",
            rerun,
            &Operation::new("Start a run again").gives::<Run>(201),
        )
}

async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<RunFilter>,
) -> Result<Json<RunList>, Refusal> {
    let filter = Filter {
        kind: named("kind of run", wanted.kind, &RunKind::ALL, RunKind::name)?,
        state: named("state", wanted.state, &RunState::ALL, RunState::name)?,
        model: None,
        before: wanted.before,
        limit: wanted.limit.unwrap_or(SHOWN).clamp(1, MOST),
    };
    apart(&app, move |app| {
        let (runs, more) = app.runs.list(&filter)?;
        Ok(Json(RunList { runs, more }))
    })
    .await
}

/// Which of all somebody means, where somebody means one.
fn named<T: Copy>(
    what: &str,
    wanted: Option<String>,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, Refusal> {
    let Some(wanted) = wanted.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let found = all.iter().copied().find(|one| name(*one) == wanted);
    found.map(Some).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        Refusal::invalid(format!("there is no {what} `{wanted}`"))
            .hint(format!("expected one of {}", names.join(", ")))
    })
}

async fn start(State(app): State<Arc<App>>, body: Body<RunRequest>) -> Created {
    apart(&app, move |app| {
        let run = app.runs.add(&body.value)?;
        Ok((StatusCode::CREATED, Json(run)))
    })
    .await
}

async fn one(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<RunDetails>, Refusal> {
    let id = number(&id)?;
    apart(&app, move |app| {
        let (run, log) = app.runs.get(id)?;
        Ok(Json(RunDetails { run, log }))
    })
    .await
}

async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = number(&id)?;
    apart(&app, move |app| app.runs.delete(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn cancel(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    apart(&app, move |app| app.runs.cancel(id).map(Json)).await
}

async fn resume(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    apart(&app, move |app| app.runs.resume(id).map(Json)).await
}

async fn rerun(State(app): State<Arc<App>>, Path(id): Path<String>) -> Created {
    let id = number(&id)?;
    apart(&app, move |app| {
        let run = app.runs.rerun(id)?;
        Ok((StatusCode::CREATED, Json(run)))
    })
    .await
}

/// A run's number; another text is none that there is.
fn number(text: &str) -> Result<i64, Refusal> {
    text.parse()
        .map_err(|_| Refusal::not_found("unknown_run", format!("no run `{text}`")))
}
