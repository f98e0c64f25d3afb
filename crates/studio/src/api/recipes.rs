//! Recipes: `/api/check`, `/api/methods`, `/api/gallery`, `/api/names` and `/api/previews`.

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
use crate::recipes;
use crate::wire::{AskedMethod, Check, Gallery, Methods, PreviewAnswer, ProposedName, RecipeText};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .post(
            "/check",
            check,
            &Operation::new("Problems and plan of a recipe")
                .takes::<RecipeText>()
                .gives::<Check>(200),
        )
        .get(
            "/methods",
            methods,
            &Operation::new("The merge methods").gives::<Methods>(200),
        )
        .get(
            "/gallery",
            gallery,
            &Operation::new("Example recipes").gives::<Gallery>(200),
        )
        .get(
            "/names",
            names,
            &Operation::new("An unused name for a merge")
                .asks::<AskedMethod>()
                .gives::<ProposedName>(200),
        )
        .post(
            "/previews",
            preview,
            &Operation::new("Make an unmerged recipe available for chats")
                .takes::<RecipeText>()
                .gives::<PreviewAnswer>(201),
        )
        .delete(
            "/previews/{name}",
            remove,
            &Operation::new("Remove a preview"),
        )
}

async fn check(
    State(app): State<Arc<App>>,
    body: Body<RecipeText>,
) -> Result<Json<Check>, Refusal> {
    apart(&app, move |app| {
        let speed = app.runs.speed()?;
        recipes::check(&app.planner, &body.value.recipe, speed).map(Json)
    })
    .await
}

async fn methods() -> Json<Methods> {
    Json(recipes::methods())
}

async fn gallery() -> Json<Gallery> {
    Json(recipes::gallery())
}

async fn names(
    State(app): State<Arc<App>>,
    Query(AskedMethod { method }): Query<AskedMethod>,
) -> Result<Json<ProposedName>, Refusal> {
    apart(&app, move |app| {
        let name = recipes::proposed(&app.catalogue, &method)?;
        Ok(Json(ProposedName { name }))
    })
    .await
}

async fn preview(
    State(app): State<Arc<App>>,
    body: Body<RecipeText>,
) -> Result<(StatusCode, Json<PreviewAnswer>), Refusal> {
    let made = apart(&app, move |app| app.previews.make(&body.value.recipe)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    apart(&app, move |app| {
        if app.catalogue.remove_preview(&name) {
            return Ok(StatusCode::NO_CONTENT);
        }
        let message = format!("no preview `{name}`");
        Err(Refusal::not_found("unknown_model", message))
    })
    .await
}
