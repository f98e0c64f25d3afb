//! How good models are on a text or on questions.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use weightsmith_infer::Model;
use weightsmith_infer::evaluate::{
    Tasks, TextUnit, WindowOptions, exact_match, multiple_choice, perplexity, read_tasks,
    windows_while,
};
use weightsmith_server::LoadProgress;
use weightsmith_tensors::read_regular_text;

use crate::app::App;
use crate::difference::model;
use crate::error::Refusal;
use crate::models::Entry;
use crate::runs::{RunFailure, RunProgress, now};

/// Context of a text.
const WINDOW: usize = 2048;

/// Tokens of an answer.
const ANSWER: usize = 256;

/// Files above this size are not measured on.
const LARGEST: u64 = 64 << 20;

/// Steps of progress for each model.
const STEPS: u64 = 1000;

/// What was measured of a model so far, newest first. What was measured before it was replaced says nothing about it.
pub(crate) fn stored(app: &App, entry: &Entry) -> Result<Value, Refusal> {
    let made = app.runs.made(&entry.name)?.unwrap_or_default();
    let mut evaluations = Vec::new();
    let runs = app.runs.finished("evaluate", &entry.name)?;
    for run in runs.into_iter().filter(|run| run.ended >= made) {
        let mut evaluation = run.result["evaluation"].clone();
        if evaluation.is_object() {
            evaluation["run"] = run.id.into();
            evaluations.push(evaluation);
        }
    }
    Ok(json!({"evaluations": evaluations}))
}

/// The work of a run.
pub(crate) fn run(
    app: &Arc<App>,
    request: &Value,
    progress: &dyn RunProgress,
) -> Result<Value, RunFailure> {
    let data = &request["data"];
    let content = read(app, data)?;
    let mut models = vec![NamedModel::of(app, &request["model"])?];
    for name in request["against"].as_array().into_iter().flatten() {
        let other = NamedModel::of(app, name)?;
        if models.iter().all(|known| known.name() != other.name()) {
            models.push(other);
        }
    }
    progress.expect(models.len() as u64 * STEPS, 0);
    let mut scores = Vec::new();
    let mut vocabulary = None;
    for named in &models {
        let name = named.name();
        progress.stage(&format!("loading {name}"));
        let model = named.load(app, progress)?;
        let size = model.companions.tokenizer.vocabulary();
        if *vocabulary.get_or_insert(size) != size && matches!(content, EvaluationData::Text(_)) {
            progress.log(&format!(
                "{name} has another vocabulary: its perplexity is over other tokens"
            ));
        }
        progress.stage(&format!("measuring {name}"));
        let found = measure(&model, &content, progress)?;
        for score in &found {
            progress.log(&score.sentence(name));
        }
        scores.extend(found.iter().map(|score| score.shown(name)));
    }
    Ok(json!({"evaluation": {
        "run": null,
        "at": now() as u64,
        "data": {"name": data_name(data).as_deref().unwrap_or("text"), "kind": data["kind"]},
        "scores": scores,
    }}))
}

/// A number about a model.
#[derive(Debug, Clone, PartialEq)]
struct Score {
    metric: &'static str,
    value: f64,
    error: Option<f64>,
    count: usize,
}

impl Score {
    /// A share of questions, with the standard error of a mean.
    fn share(metric: &'static str, right: usize, count: usize) -> Self {
        let value = right as f64 / count.max(1) as f64;
        Self {
            metric,
            value,
            error: (count > 1).then(|| (value * (1.0 - value) / (count - 1) as f64).sqrt()),
            count,
        }
    }

    fn shown(&self, model: &str) -> Value {
        json!({
            "model": model, "metric": self.metric, "value": self.value, "error": self.error,
            "count": self.count, "unit": "",
        })
    }

    fn sentence(&self, model: &str) -> String {
        let error = self
            .error
            .map_or_else(String::new, |error| format!(" ± {error:.4}"));
        let metric = self.metric.replace('_', " ");
        format!("{model}: {metric} {:.4}{error}", self.value)
    }
}

fn measure(
    model: &Model,
    content: &EvaluationData,
    progress: &dyn RunProgress,
) -> Result<Vec<Score>, RunFailure> {
    let mut told = 0;
    let mut step = |done: usize, total: usize| {
        let now = done as u64 * STEPS / total.max(1) as u64;
        progress.advance(now.saturating_sub(told));
        told = told.max(now);
    };
    let cancel = progress.cancel();
    let scores = match content {
        EvaluationData::Text(text) => {
            let windows = TextWindows::default().cut(model, text, "the text", cancel)?;
            let windows = windows.ok_or(RunFailure::Stopped)?;
            let found = perplexity(&model.decoder, &windows, &mut steps(&mut step, cancel));
            let found = found.map_err(SessionError::from)?;
            vec![Score {
                metric: "perplexity",
                value: found.perplexity,
                error: Some(found.standard_error),
                count: found.tokens,
            }]
        }
        EvaluationData::Tasks(tasks) => {
            match ask(model, tasks, ANSWER, &mut step, &mut |_, _, _| {}, cancel)? {
                TaskOutcome::Choice(found) => {
                    vec![Score::share("accuracy", found.right, found.questions)]
                }
                TaskOutcome::Exact(found) => {
                    vec![Score::share("exact_match", found.right, found.questions)]
                }
            }
        }
    };
    if cancel.is_cancelled() {
        return Err(RunFailure::Stopped);
    }
    // whatever the last piece was, this model is done
    step(1, 1);
    Ok(scores)
}

/// What to call it: the name that was given, else that of the file.
pub(crate) fn data_name(data: &Value) -> Option<String> {
    let file = || Path::new(data["file"].as_str()?).file_name();
    match data["name"].as_str() {
        Some(name) => Some(name.to_owned()),
        None => Some(file()?.to_string_lossy().into_owned()),
    }
}

/// The text or the questions: in the request, or in a file of a configured folder.
fn read(app: &App, data: &Value) -> Result<EvaluationData, RunFailure> {
    let text = match (data["text"].as_str(), data["file"].as_str()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(file)) => {
            let path = confined(app, file)?;
            read_regular_text(&path, LARGEST).map_err(|error| RunFailure::of(error.to_string()))?
        }
        (None, None) => {
            return Err(RunFailure::of("there is nothing to measure on").hint(
                "give `data.text`, or `data.file` with the path of a file in a configured folder",
            ));
        }
    };
    match data["kind"].as_str() {
        Some("perplexity") => Ok(EvaluationData::Text(text)),
        Some("tasks") => {
            let name = data_name(data).unwrap_or_else(|| "tasks".to_owned());
            let tasks = read_tasks(&text, Path::new(&name));
            Ok(EvaluationData::Tasks(
                tasks.map_err(|error| RunFailure::caused(&error))?,
            ))
        }
        _ => Err(RunFailure::of(
            "`data.kind` is expected to be `perplexity` or `tasks`",
        )),
    }
}

/// A file that really lies in one of the configured folders.
fn confined(app: &App, file: &str) -> Result<PathBuf, RunFailure> {
    let settings = &app.settings;
    let homes = settings.folders.iter().chain([&settings.data]);
    for home in homes.filter_map(|home| home.canonicalize().ok()) {
        // an absolute path replaces the folder
        let Ok(real) = home.join(file).canonicalize() else {
            continue;
        };
        let metadata = fs_err::metadata(&real).ok();
        if real.starts_with(&home)
            && metadata.is_some_and(|found| found.is_file() && found.len() <= LARGEST)
        {
            return Ok(real);
        }
    }
    Err(RunFailure::of(format!(
        "`{file}` is not a file of at most {LARGEST} bytes in one of the studio's folders"
    )))
}

#[cfg(test)]
mod tests;
