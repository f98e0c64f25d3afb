//! `/api/runs`: what is done, what waits, what was done.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Body;
use super::document::Operation;
use super::extract::{Path, Query};
use super::models::apart;
use super::routes::Routes;
use crate::app::App;
use crate::error::Refusal;
use crate::runs::{Filter, RunState};

/// Runs of an answer.
const SHOWN: usize = 100;

/// Runs of an answer at most.
const MOST: usize = 1000;

type Answer = Result<Json<Value>, Refusal>;
type Created = Result<(StatusCode, Json<Value>), Refusal>;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .get(
            "/runs",
            list,
            &Operation::new("Runs, newest first").asks(&["kind", "state", "limit", "before"]),
        )
        .post(
            "/runs",
            start,
            &Operation::new("Start a run: `merge`, `evaluate`, `difference`, `pull` or `push`")
                .takes(&["kind"])
                .gives(201),
        )
        .get("/runs/{id}", one, &Operation::new("A run with its log"))
        .delete(
            "/runs/{id}",
            delete,
            &Operation::new("Delete a finished run and its partial output")
                .gives(204),
        )
        .post("/runs/{id}/cancel", cancel, &Operation::new("Cancel a run"))
        .post(
            "/runs/{id}/resume",
            resume,
            &Operation::new("Resume an unfinished run"),
        )
        .post(
            "/runs/{id}/rerun",
            rerun,
            &Operation::new("Start a run again").gives(201),
        )
}

#[derive(Debug, Deserialize)]
struct Wanted {
    kind: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
    before: Option<i64>,
}

async fn list(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Answer {
    let is_given = |text: &String| !text.is_empty();
    let state = match wanted.state.filter(is_given) {
        Some(name) => Some(RunState::named(&name).ok_or_else(|| unknown_state(&name))?),
        None => None,
    };
    let filter = Filter {
        kind: wanted.kind.filter(is_given),
        state,
        model: None,
        before: wanted.before,
        limit: wanted.limit.unwrap_or(SHOWN).clamp(1, MOST),
    };
    apart(&app, move |app| {
        let (runs, more) = app.runs.list(&filter)?;
        Ok(Json(json!({"runs": runs, "more": more})))
    })
    .await
}

fn unknown_state(name: &str) -> Refusal {
    let names = RunState::ALL.map(RunState::name).join(", ");
    Refusal::invalid(format!("unknown state `{name}`")).hint(format!("expected one of {names}"))
}

async fn start(State(app): State<Arc<App>>, Body(request): Body<Value>) -> Created {
    apart(&app, move |app| {
        let run = app.runs.add(app, &request.value)?;
        Ok((StatusCode::CREATED, Json(json!(run))))
    })
    .await
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    apart(&app, move |app| {
        let (run, log) = app.runs.get(id)?;
        let mut shown = json!(run);
        shown["log"] = json!(log);
        Ok(Json(shown))
    })
    .await
}

async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = number(&id)?;
    apart(&app, move |app| app.runs.delete(app, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn cancel(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    apart(&app, move |app| Ok(Json(json!(app.runs.cancel(app, id)?)))).await
}

async fn resume(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer {
    let id = number(&id)?;
    apart(&app, move |app| Ok(Json(json!(app.runs.resume(app, id)?)))).await
}

async fn rerun(State(app): State<Arc<App>>, Path(id): Path<String>) -> Created {
    let id = number(&id)?;
    apart(&app, move |app| {
        let run = app.runs.rerun(app, id)?;
        Ok((StatusCode::CREATED, Json(json!(run))))
    })
    .await
}

/// A run's number; another text is none that there is.
fn number(text: &str) -> Result<i64, Refusal> {
    text.parse()
        .map_err(|_| Refusal::not_found("unknown_run", format!("no run `{text}`")))
}
