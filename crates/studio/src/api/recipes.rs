//! Recipes: `/api/check`, `/api/methods`, `/api/gallery`, `/api/names` and `/api/previews`.

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
use crate::recipes;

type Answer = Result<Json<Value>, Refusal>;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .post(
            "/check",
            check,
            &Operation::new("Problems and plan of a recipe").takes(&["recipe"]),
        )
        .get("/methods", methods, &Operation::new("The merge methods"))
        .get(
            "/gallery",
            gallery,
            &Operation::new("Example recipes"),
        )
        .get(
            "/names",
            names,
            &Operation::new("An unused name for a merge").asks(&["method"]),
        )
        .post(
            "/previews",
            preview,
            &Operation::new("Make an unmerged recipe available for chats")
                .takes(&["recipe"])
                .gives(201),
        )
        .delete(
            "/previews/{name}",
            remove,
            &Operation::new("Remove a preview").gives(204),
        )
}

#[derive(Debug, Deserialize)]
struct Recipe {
    recipe: String,
}

async fn check(State(app): State<Arc<App>>, Body(wanted): Body<Recipe>) -> Answer {
    apart(&app, move |app| {
        let recipe = &wanted.value.recipe;
        recipes::check(app, recipe).map(Json)
    })
    .await
}

async fn methods() -> Json<Value> {
    Json(json!({"methods": recipes::methods()}))
}

async fn gallery() -> Json<Value> {
    Json(json!({"recipes": recipes::gallery()}))
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default = "any")]
    method: String,
}

fn any() -> String {
    "merge".to_owned()
}

async fn names(State(app): State<Arc<App>>, Query(Named { method }): Query<Named>) -> Answer {
    apart(&app, move |app| {
        let name = recipes::proposed(app, &method)?;
        Ok(Json(json!({"name": name})))
    })
    .await
}

async fn preview(
    State(app): State<Arc<App>>,
    Body(wanted): Body<Recipe>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let made = apart(&app, move |app| {
        let recipe = &wanted.value.recipe;
        recipes::make_preview(app, recipe)
    })
    .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    apart(&app, move |app| {
        if app.catalogue.remove_preview(app, &name) {
            return Ok(StatusCode::NO_CONTENT);
        }
        let message = format!("no preview `{name}`");
        Err(Refusal::not_found("unknown_model", message))
    })
    .await
}
