//! `/api/models`: what there is, and everything about each.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::document::Operation;
use super::extract::{Path, Query};
use super::routes::Routes;
use crate::app::App;
use crate::error::Refusal;
use crate::models::{self, Entry, Picture};
use crate::wire::{
    Card, Difference, EvaluationList, ExplanationAnswer, FileList, Host, ModelDetails, ModelList,
    StateAnswer, TensorList,
};
use crate::{difference, recipes};

/// Pictures can be drawings with scripts in them: they get to do nothing.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

type Answer<T> = Result<Json<T>, Refusal>;

pub(super) fn add(routes: Routes) -> Routes {
    let what = Operation::new;
    routes
        .get(
            "/models",
            list,
            &what("All models, and the configured folders").gives::<ModelList>(200),
        )
        .get(
            "/models/{name}",
            one,
            &what("A model").gives::<ModelDetails>(200),
        )
        .get(
            "/models/{name}/card",
            card,
            &what("A model's card").gives::<Card>(200),
        )
        .get(
            "/models/{name}/files",
            files,
            &what("A model's files").gives::<FileList>(200),
        )
        .get(
            "/models/{name}/files/{file}",
            picture,
            &what("A picture of a model's card").shows(),
        )
        .get(
            "/models/{name}/tensors",
            tensors,
            &what("A model's tensors").gives::<TensorList>(200),
        )
        .get(
            "/models/{name}/explanation",
            explanation,
            &what("Explanation of a model's recipe").gives::<ExplanationAnswer>(200),
        )
        .get(
            "/models/{name}/difference",
            shown_difference,
            &what("Difference between two models")
                .asks::<Against>()
                .gives::<Difference>(200),
        )
        .get(
            "/models/{name}/evaluations",
            evaluations,
            &what("Evaluations of a model").gives::<EvaluationList>(200),
        )
        .get(
            "/models/{name}/host",
            host,
            &what("Host checks of a model").gives::<Host>(200),
        )
        .post(
            "/models/{name}/load",
            load,
            &what("Load a model").gives::<StateAnswer>(202),
        )
        .post(
            "/models/{name}/unload",
            unload,
            &what("Unload a model").gives::<StateAnswer>(202),
        )
}

/// Does work that reads files, away from the threads that answer.
pub(super) async fn apart<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Arc<App>) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || work(&app))
        .await
        .unwrap_or_else(|_| Err(Refusal::internal("internal error; please report it")))
}

/// Does work on a model.
async fn about<T: Send + 'static>(
    app: Arc<App>,
    name: String,
    work: impl FnOnce(&App, &Entry) -> Result<T, Refusal> + Send + 'static,
) -> Answer<T> {
    apart(&app, move |app| work(app, &*known(app, &name)?).map(Json)).await
}

/// A model of the table.
pub(super) fn known(app: &App, name: &str) -> Result<Arc<Entry>, Refusal> {
    if let Some(entry) = app.catalogue.find(name) {
        return Ok(entry);
    }
    // it may have come a moment ago
    app.catalogue.refresh_if_old();
    app.catalogue.find(name).ok_or_else(|| {
        let message = format!("no model `{name}`");
        Refusal::not_found("unknown_model", message).hint("see `GET /api/models`")
    })
}

async fn list(State(app): State<Arc<App>>) -> Answer<ModelList> {
    apart(&app, |app| {
        app.catalogue.refresh_if_old();
        let published = app.runs.published();
        let models = app.catalogue.list();
        let describe = |entry: &Arc<Entry>| {
            let mut model = app.catalogue.describe(entry);
            model.published = published.get(&entry.name).copied();
            model
        };
        Ok(Json(ModelList {
            models: models.iter().map(describe).collect(),
            folders: app.catalogue.folders(),
        }))
    })
    .await
}

async fn one(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answer<ModelDetails> {
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    let server = models::Server::reached(host, app.settings.needs_key);
    about(app, name, move |app, entry| {
        let published = app.runs.published().remove(&entry.name);
        Ok(models::details(&app.catalogue, entry, &server, published))
    })
    .await
}

async fn card(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer<Card> {
    about(app, name, |app, entry| {
        models::card(&app.catalogue, &app.cards, entry)
    })
    .await
}

async fn files(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer<FileList> {
    about(app, name, |_, entry| models::files(entry)).await
}

async fn picture(
    State(app): State<Arc<App>>,
    Path((name, file)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let Picture { kind, bytes } = apart(&app, move |app| {
        models::picture(&*known(app, &name)?, &file)
    })
    .await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(PICTURE_POLICY),
        ),
    ];
    Ok((headers, bytes).into_response())
}

async fn tensors(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer<TensorList> {
    about(app, name, |_, entry| models::tensors(entry)).await
}

async fn explanation(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Answer<ExplanationAnswer> {
    about(app, name, |app, entry| {
        recipes::explanation(&app.planner, entry)
    })
    .await
}

/// What a model is compared with.
#[derive(Debug, Deserialize, JsonSchema)]
struct Against {
    /// The other model.
    against: String,
}

async fn shown_difference(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    Query(Against { against }): Query<Against>,
) -> Answer<Difference> {
    about(app, name, move |app, entry| {
        difference::stored(&app.settings, entry, &*known(app, &against)?)
    })
    .await
}

async fn evaluations(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Answer<EvaluationList> {
    about(app, name, |app, entry| app.runs.evaluations(&entry.name)).await
}

async fn host(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer<Host> {
    about(app, name, |app, entry| models::host(&app.catalogue, entry)).await
}

async fn load(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<StateAnswer>), Refusal> {
    let entry = speaking(&app, name).await?;
    app.registry.warm(&entry.name);
    Ok(accepted(&app, &entry))
}

async fn unload(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<StateAnswer>), Refusal> {
    let entry = speaking(&app, name).await?;
    // freeing much memory takes a moment
    let entry = apart(&app, move |app| {
        if app.registry.cool(&entry.name) {
            return Ok(entry);
        }
        let message = format!("`{}` is in use or being loaded", entry.name);
        Err(Refusal::new(StatusCode::CONFLICT, "model_in_use", message))
    })
    .await?;
    Ok(accepted(&app, &entry))
}

/// A model that can be loaded.
async fn speaking(app: &Arc<App>, name: String) -> Result<Arc<Entry>, Refusal> {
    apart(app, move |app| {
        let entry = known(app, &name)?;
        let facts = &entry.facts;
        match facts.broken.as_ref().or(facts.silent.as_ref()) {
            None => Ok(entry),
            Some(problem) => {
                let code = "cannot_speak";
                Err(Refusal::new(StatusCode::CONFLICT, code, problem.clone()))
            }
        }
    })
    .await
}

fn accepted(app: &App, entry: &Entry) -> (StatusCode, Json<StateAnswer>) {
    let state = app.catalogue.status(entry).state;
    (StatusCode::ACCEPTED, Json(StateAnswer { state }))
}
