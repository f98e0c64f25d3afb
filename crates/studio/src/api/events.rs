//! `/api/events`: what happens, as it happens; and `/api/system`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::{Extension, Json};
use futures_util::stream::{Stream, unfold};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use weightsmith_server::{Caller, StreamPlace};

use super::document::Operation;
use super::models::apart;
use super::routes::Routes;
use crate::app::App;
use crate::error::Refusal;
use crate::events::{Event, Listening};
use crate::system::system;
use crate::wire::{self, Nothing, System};

/// Time between two signs of life.
const ALIVE: Duration = Duration::from_secs(15);

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .get(
            "/events",
            events,
            &Operation::new("Server-sent events").streams::<wire::Event>(),
        )
        .get(
            "/system",
            show,
            &Operation::new("The machine and the studio's settings").gives::<System>(200),
        )
}

async fn show(State(app): State<Arc<App>>) -> Result<Json<System>, Refusal> {
    apart(&app, |app| Ok(Json(system(&app.settings)))).await
}

async fn events(
    State(app): State<Arc<App>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Refusal> {
    let Extension(caller) = caller.unwrap_or_default();
    let place = caller.stream().ok_or_else(too_many)?;
    let heard = headers.get("last-event-id");
    let heard = heard.and_then(|id| id.to_str().ok()?.trim().parse().ok());
    let Listening {
        last,
        missed,
        coming,
    } = app.events.listen(heard);
    let state = Hearing {
        // whoever is away before anything happened can still go on from here
        greeting: Some(last),
        missed: missed.into(),
        last,
        coming,
        _place: place,
    };
    let stream = unfold(state, |mut state| async {
        let event = state.next().await?;
        Some((Ok(event), state))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE)))
}

fn too_many() -> Refusal {
    let message = "too many pages listen to events";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", message)
        .hint("close some of them")
}

/// What a page still has to hear.
struct Hearing {
    greeting: Option<u64>,
    missed: VecDeque<Event>,
    last: u64,
    coming: Option<Receiver<Event>>,
    /// Among all who listen.
    _place: StreamPlace,
}

impl Hearing {
    async fn next(&mut self) -> Option<sse::Event> {
        if let Some(event) = self.missed.pop_front() {
            self.greeting = None;
            return Some(shown(event.id, &event.told));
        }
        if let Some(last) = self.greeting.take() {
            return Some(shown(last, &wire::Event::Hello(Nothing {})));
        }
        match self.coming.as_mut()?.recv().await {
            Ok(event) => {
                self.last = event.id;
                Some(shown(event.id, &event.told))
            }
            Err(RecvError::Lagged(missed)) => {
                self.last += missed;
                Some(shown(self.last, &wire::Event::Reset(Nothing {})))
            }
            Err(RecvError::Closed) => None,
        }
    }
}

fn shown(id: u64, event: &wire::Event) -> sse::Event {
    sse::Event::default()
        .id(id.to_string())
        .event(event.name())
        .data(event.data())
}
