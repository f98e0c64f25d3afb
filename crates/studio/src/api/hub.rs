//! `/api/hub`: models elsewhere.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use weightsmith_hub::HubError;

use super::document::Operation;
use super::extract::Query;
use super::models::apart;
use super::routes::Routes;
use crate::app::App;
use crate::error::Refusal;
use crate::wire::{HubModel, HubModels, HubSearch};

/// Models of an answer.
const FOUND: usize = 30;

pub(super) fn add(routes: Routes) -> Routes {
    let operation = Operation::new("Models of the Hub")
        .asks::<HubSearch>()
        .gives::<HubModels>(200);
    routes.get("/hub/search", search, &operation)
}

async fn search(
    State(app): State<Arc<App>>,
    Query(HubSearch { q }): Query<HubSearch>,
) -> Result<Json<HubModels>, Refusal> {
    let text = q.trim().to_owned();
    if text.is_empty() {
        return Ok(Json(HubModels { models: Vec::new() }));
    }
    let found = apart(&app, move |app| {
        if app.settings.hub.offline {
            return Err(offline());
        }
        app.hub
            .search(&text, FOUND)
            .map_err(|error| refusal(&error))
    })
    .await?;
    let models = found.into_iter().map(|model| HubModel {
        name: model.name,
        downloads: model.downloads,
        likes: model.likes,
        updated: model.updated,
        task: model.task,
        license: model.license,
        gated: model.gated,
    });
    Ok(Json(HubModels {
        models: models.collect(),
    }))
}

fn offline() -> Refusal {
    let message = "the Hub is disabled: `HF_HUB_OFFLINE` is set";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "offline", message)
        .hint("unset `HF_HUB_OFFLINE` and restart")
}

fn refusal(error: &HubError) -> Refusal {
    let (status, code) = match error {
        HubError::Offline { .. } => (StatusCode::SERVICE_UNAVAILABLE, "offline"),
        HubError::Unreachable { .. } | HubError::NoConnection { .. } => {
            (StatusCode::SERVICE_UNAVAILABLE, "hub_unreachable")
        }
        _ => (StatusCode::BAD_GATEWAY, "hub_refused"),
    };
    let mut refusal = Refusal::new(status, code, error.to_string());
    refusal.hints = error.hints();
    refusal
}
