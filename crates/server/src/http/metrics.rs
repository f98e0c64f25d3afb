//! `/metrics`: counts in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::{Request, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::admission::App;
use crate::ModelState;
use crate::engine::{Durations, Statistics, get};

/// Responses by route and status.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<BTreeMap<(String, u16), u64>>);

/// Counts an answer.
pub(super) async fn count(
    State(app): State<Arc<App>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let answers = &app.answers.0;
    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    *answers.entry((route, status)).or_default() += 1;
    response
}

/// A number of a model's engine: its name, kind, help, and where it is.
type Number = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Statistics) -> u64,
);

const NUMBERS: [Number; 7] = [
    ("running_sequences", "gauge", "Active sequences.", |one| {
        get(&one.running)
    }),
    ("waiting_requests", "gauge", "Queued prompts.", |one| {
        get(&one.waiting)
    }),
    ("cache_bytes", "gauge", "Memory of the KV cache.", |one| {
        get(&one.cache_bytes)
    }),
    (
        "prompt_tokens_total",
        "counter",
        "Prompt tokens computed.",
        |one| get(&one.prompt_tokens),
    ),
    (
        "reused_tokens_total",
        "counter",
        "Prompt tokens reused from the cache.",
        |one| get(&one.reused_tokens),
    ),
    (
        "generated_tokens_total",
        "counter",
        "Tokens generated.",
        |one| get(&one.generated_tokens),
    ),
    (
        "cancelled_total",
        "counter",
        "Sequences whose client disconnected.",
        |one| get(&one.cancelled),
    ),
];

/// A duration of a model's engine: its name, help, and where it is.
type Timing = (&'static str, &'static str, fn(&Statistics) -> &Durations);

const TIMINGS: [Timing; 2] = [
    ("step_seconds", "Duration of a step.", |one| &one.steps),
    (
        "first_token_seconds",
        "Time from a request's arrival to its first token.",
        |one| &one.first_token,
    ),
];

/// All of them.
pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let text = render(&app);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

fn render(app: &App) -> String {
    let mut text = String::new();
    head(
        &mut text,
        "answers_total",
        "counter",
        "Responses by route and status.",
    );
    let answers = app.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
    for ((route, status), count) in &*answers {
        let route = escape(route);
        let _ = writeln!(
            text,
            "weightsmith_answers_total{{route=\"{route}\",status=\"{status}\"}} {count}"
        );
    }
    drop(answers);
    head(
        &mut text,
        "turned_away_total",
        "counter",
        "Requests rejected because the queue was full.",
    );
    let _ = writeln!(
        text,
        "weightsmith_turned_away_total {}",
        get(&app.turned_away)
    );
    head(
        &mut text,
        "model_state",
        "gauge",
        "1 for the current state of a model.",
    );
    let models = app.registry.models();
    for model in &models {
        let state = match app.registry.state(&model.name) {
            Some(ModelState::Cold) | None => "cold",
            Some(ModelState::Loading(_)) => "loading",
            Some(ModelState::Warm) => "warm",
            Some(ModelState::Failed(_)) => "failed",
        };
        let name = escape(&model.name);
        let _ = writeln!(
            text,
            "weightsmith_model_state{{model=\"{name}\",state=\"{state}\"}} 1"
        );
    }
    for (name, kind, help, read) in NUMBERS {
        head(&mut text, name, kind, help);
        for model in &models {
            let number = app
                .registry
                .visit(&model.name, |one| read(one.statistics()));
            if let Some(number) = number {
                let model = escape(&model.name);
                let _ = writeln!(text, "weightsmith_{name}{{model=\"{model}\"}} {number}");
            }
        }
    }
    for (name, help, read) in TIMINGS {
        head(&mut text, name, "histogram", help);
        for model in &models {
            let label = escape(&model.name);
            let lines = app.registry.visit(&model.name, |one| {
                histogram(name, &label, read(one.statistics()))
            });
            text += &lines.unwrap_or_default();
        }
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP weightsmith_{name} {help}");
    let _ = writeln!(text, "# TYPE weightsmith_{name} {kind}");
}

fn histogram(name: &str, model: &str, durations: &Durations) -> String {
    let mut text = String::new();
    for (bound, count) in durations.classes() {
        let _ = writeln!(
            text,
            "weightsmith_{name}_bucket{{model=\"{model}\",le=\"{bound}\"}} {count}"
        );
    }
    let count = durations.count();
    let _ = writeln!(
        text,
        "weightsmith_{name}_bucket{{model=\"{model}\",le=\"+Inf\"}} {count}"
    );
    let _ = writeln!(
        text,
        "weightsmith_{name}_sum{{model=\"{model}\"}} {}",
        durations.sum()
    );
    let _ = writeln!(
        text,
        "weightsmith_{name}_count{{model=\"{model}\"}} {count}"
    );
    text
}

fn escape(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
