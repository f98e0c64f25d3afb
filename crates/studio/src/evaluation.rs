//! How good models are on a text or on questions.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use weightsmith_infer::Model;
use weightsmith_infer::evaluate::{
    Tasks, TextUnit, WindowOptions, exact_match, multiple_choice, perplexity, read_tasks,
    windows_while,
};
use weightsmith_server::{LoadProgress, ModelRegistry};
use weightsmith_tensors::read_regular_text;

use crate::clock::now;
use crate::models::{Catalogue, Entry};
use crate::progress::{RunFailure, RunProgress};
use crate::settings::StudioSettings;
use crate::wire::{
    Data, DataKind, EvaluateRequest, EvaluateResult, Evaluation, EvaluationData, Metric, Score,
};

/// Context of a text.
const WINDOW: usize = 2048;

/// Tokens of an answer.
const ANSWER: usize = 256;

/// Files above this size are not measured on.
const LARGEST: u64 = 64 << 20;

/// Steps of progress for each model.
const STEPS: u64 = 1000;

/// What is measured on.
enum Content {
    Text(String),
    Tasks(Tasks),
}

/// The work of a run.
pub(crate) fn run(
    settings: &StudioSettings,
    catalogue: &Catalogue,
    registry: &ModelRegistry,
    request: &EvaluateRequest,
    progress: &dyn RunProgress,
) -> Result<EvaluateResult, RunFailure> {
    let data = &request.data;
    let content = read(settings, data)?;
    let mut models = vec![catalogue.model(&request.model)?];
    for name in request.against.iter().flatten() {
        let other = catalogue.model(name)?;
        if models.iter().all(|known| known.name != other.name) {
            models.push(other);
        }
    }
    progress.expect(models.len() as u64 * STEPS, 0);
    let mut scores = Vec::new();
    let mut vocabulary = None;
    for entry in &models {
        progress.stage(&format!("loading {}", entry.name));
        let model = load(registry, entry)?;
        let size = model.companions.tokenizer.vocabulary();
        if *vocabulary.get_or_insert(size) != size && matches!(content, Content::Text(_)) {
            progress.log(&format!(
                "{} has a different vocabulary, so its perplexity is not comparable",
                entry.name
            ));
        }
        progress.stage(&format!("measuring {}", entry.name));
        let score = measure(&entry.name, &model, &content, progress)?;
        progress.log(&sentence(&score));
        scores.push(score);
    }
    Ok(EvaluateResult {
        evaluation: Evaluation {
            run: None,
            at: now() as u64,
            data: Data {
                name: data_name(data).unwrap_or_else(|| "text".to_owned()),
                kind: data.kind,
            },
            scores,
        },
    })
}

/// A share of questions, with the standard error of a mean.
fn share(model: &str, metric: Metric, right: usize, count: usize) -> Score {
    let value = right as f64 / count.max(1) as f64;
    Score {
        model: model.to_owned(),
        metric,
        value,
        error: (count > 1).then(|| (value * (1.0 - value) / (count - 1) as f64).sqrt()),
        count,
    }
}

fn sentence(score: &Score) -> String {
    let error = score
        .error
        .map_or_else(String::new, |error| format!(" ± {error:.4}"));
    let metric = score.metric.words();
    format!("{}: {metric} {:.4}{error}", score.model, score.value)
}

/// Loads a model for itself: what is being asked for texts meanwhile is not disturbed.
fn load(registry: &ModelRegistry, entry: &Entry) -> Result<Model, RunFailure> {
    let served = registry.models();
    let served = served.iter().find(|one| one.name == entry.name);
    let facts = &entry.facts;
    let reason = facts.broken.as_ref().or(facts.silent.as_ref());
    let served = served.ok_or_else(|| {
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        RunFailure::of(format!("`{}` cannot generate text{reason}", entry.name))
    })?;
    let loaded = served.load(&LoadProgress::default());
    loaded.map_err(|problem| RunFailure::of(format!("`{}`: {problem}", entry.name)))
}

fn measure(
    name: &str,
    model: &Model,
    content: &Content,
    progress: &dyn RunProgress,
) -> Result<Score, RunFailure> {
    let mut told = 0;
    let mut step = |done: usize, total: usize| {
        let now = done as u64 * STEPS / total.max(1) as u64;
        progress.advance(now.saturating_sub(told));
        told = told.max(now);
        if progress.interrupt().load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let failed = |error: weightsmith_infer::Error| RunFailure::caused(&error);
    let score = match content {
        Content::Text(text) => {
            let stopped = || progress.interrupt().load(Ordering::Relaxed);
            let mut goes_on = || {
                if stopped() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let windows = windows_while(text, &model.companions, &options(model), &mut goes_on);
            if stopped() {
                return Err(RunFailure::Stopped);
            }
            let windows = windows.map_err(failed)?;
            if windows.is_empty() {
                return Err(RunFailure::of("the text is too short to measure")
                    .hint("a text needs at least two tokens"));
            }
            let found = perplexity(&model.decoder, &windows, &mut step).map_err(failed)?;
            Score {
                model: name.to_owned(),
                metric: Metric::Perplexity,
                value: found.perplexity,
                error: Some(found.standard_error),
                count: found.tokens,
            }
        }
        Content::Tasks(tasks) if tasks.multiple_choice => {
            let found = multiple_choice(model, &tasks.questions, &mut step).map_err(failed)?;
            share(name, Metric::Accuracy, found.right, found.questions)
        }
        Content::Tasks(tasks) => {
            let questions = &tasks.questions;
            let found = exact_match(model, questions, ANSWER, &mut step, &mut |_, _, _| {})
                .map_err(failed)?;
            share(name, Metric::ExactMatch, found.right, found.questions)
        }
    };
    if progress.interrupt().load(Ordering::Relaxed) {
        return Err(RunFailure::Stopped);
    }
    // whatever the last piece was, this model is done
    let _ = step(1, 1);
    Ok(score)
}

fn options(model: &Model) -> WindowOptions {
    let window = WINDOW.min(model.decoder.config().positions);
    WindowOptions {
        unit: TextUnit::Whole,
        window,
        stride: (window / 2).max(1),
        limit: None,
    }
}

/// What to call it: the name that was given, else that of the file.
pub(crate) fn data_name(data: &EvaluationData) -> Option<String> {
    if data.name.is_some() {
        return data.name.clone();
    }
    let file = Path::new(data.file.as_deref()?).file_name()?;
    Some(file.to_string_lossy().into_owned())
}

/// The text or the questions: in the request, or in a file of a configured folder.
fn read(settings: &StudioSettings, data: &EvaluationData) -> Result<Content, RunFailure> {
    let text = match (&data.text, &data.file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => {
            let path = confined(settings, file)?;
            read_regular_text(&path, LARGEST).map_err(|error| RunFailure::of(error.to_string()))?
        }
        (None, None) => {
            return Err(RunFailure::of("no evaluation data").hint(
                "set `data.text`, or `data.file` to the path of a file in a configured folder",
            ));
        }
    };
    match data.kind {
        DataKind::Perplexity => Ok(Content::Text(text)),
        DataKind::Tasks => {
            let name = data_name(data).unwrap_or_else(|| "tasks".to_owned());
            let tasks = read_tasks(&text, Path::new(&name));
            Ok(Content::Tasks(
                tasks.map_err(|error| RunFailure::caused(&error))?,
            ))
        }
    }
}

/// A file that really lies in one of the configured folders.
fn confined(settings: &StudioSettings, file: &str) -> Result<PathBuf, RunFailure> {
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
        "`{file}` was not found in the studio's folders (limit {LARGEST} bytes)"
    )))
}

#[cfg(test)]
mod tests;
