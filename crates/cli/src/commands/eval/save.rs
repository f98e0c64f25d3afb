//! `--save`: what was measured, in the model's folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use weightsmith::output::{LOCK_FILE, MODEL_CARD};
use weightsmith_report::card::{CardScore, CardScores, card_with_scores};
use weightsmith_session::replace_file;
use weightsmith_tensors::{read_companion, read_companion_text};

use super::data::Data;
use super::measures::{Divergence, Measure};
use super::report::Evaluation;
use crate::args::EvalArgs;
use crate::failure::Failure;
use crate::printer::Printer;

/// The folder of results that the Hugging Face Hub reads. <https://huggingface.co/docs/hub/eval-results>
const RESULTS: &str = ".eval_results";
/// The first line of a file that may be replaced.
const OWN: &str = "# written by `weightsmith eval --save`, which replaces it";

/// A folder that results go to.
#[derive(Debug)]
pub(super) struct Save {
    folder: PathBuf,
    benchmarks: Vec<Benchmark>,
    /// Behind the name of a measure, where only a part of the data was measured on.
    part: String,
}

/// A benchmark on the hub, and the file that holds its questions.
#[derive(Debug, PartialEq, Eq)]
struct Benchmark {
    /// The file's name in the evaluation.
    file: String,
    /// `ORG/DATASET`.
    dataset: String,
    task: String,
}

impl Save {
    /// Checks before any work that there is a folder to write to; nothing without `--save`.
    pub(super) fn check(args: &EvalArgs, data: &[Data<'_>]) -> Result<Option<Self>, Failure> {
        if !args.save {
            return Ok(None);
        }
        let folder = PathBuf::from(&args.model);
        if !folder.is_dir() {
            return Err(Failure::usage(format!(
                "`--save` needs a model's folder, and `{}` is not one",
                args.model
            ))
            .hint("merge the recipe with `weightsmith merge` and evaluate the output folder"));
        }
        let benchmarks = args
            .benchmark
            .iter()
            .map(|text| Benchmark::parse(text, data).map_err(Failure::usage))
            .collect::<Result<Vec<_>, _>>()?;
        let part = args
            .limit
            .map_or_else(String::new, |limit| format!(" (first {limit})"));
        let save = Self {
            folder,
            benchmarks,
            part,
        };
        for benchmark in &save.benchmarks {
            check_own(&save.result_path(benchmark))?;
        }
        Ok(Some(save))
    }

    fn result_path(&self, benchmark: &Benchmark) -> PathBuf {
        let dataset = benchmark.dataset.replace('/', "--");
        let name = format!("{dataset}--{}.yaml", benchmark.task);
        self.folder.join(RESULTS).join(name)
    }

    /// Writes the results, then the card.
    pub(super) fn write(&self, evaluation: &Evaluation, printer: &Printer) -> Result<(), Failure> {
        let date = Timestamp::now();
        for benchmark in &self.benchmarks {
            let path = self.result_path(benchmark);
            let Some(yaml) = benchmark.yaml(evaluation, date, &self.part) else {
                continue;
            };
            fs_err::create_dir_all(self.folder.join(RESULTS))?;
            check_own(&path)?;
            replace_file(&path, yaml.as_bytes())?;
            printer.talk(&format!("results in {}", path.display()));
        }
        let path = self.folder.join(MODEL_CARD);
        if !self.folder.join(LOCK_FILE).is_file() || !path.is_file() {
            printer.note("the model card was not changed: weightsmith did not write this folder");
            return Ok(());
        }
        let card = read_companion_text(&path)?;
        let with_scores = card_with_scores(&card, &card_scores(evaluation, date, &self.part));
        replace_file(&path, with_scores.as_bytes())?;
        printer.talk(&format!("saved the results to {}", path.display()));
        Ok(())
    }
}

impl Benchmark {
    /// Reads `FILE=ORG/DATASET:TASK`.
    fn parse(text: &str, data: &[Data<'_>]) -> Result<Self, String> {
        let parts = text.rsplit_once('=').and_then(|(file, rest)| {
            let (dataset, task) = rest.split_once(':')?;
            let (organisation, name) = dataset.split_once('/')?;
            let sound = [organisation, name, task].into_iter().all(is_word);
            sound.then_some((file, dataset, task))
        });
        let Some((file, dataset, task)) = parts else {
            return Err(format!(
                "`--benchmark {text}`: expected FILE=ORG/DATASET:TASK, as in `gpqa.jsonl=Idavidrein/gpqa:gpqa_diamond`"
            ));
        };
        let found = data
            .iter()
            .find(|data| data.name == file || data.path == Path::new(file));
        let found = found.ok_or_else(|| {
            format!("`--benchmark {text}`: `{file}` is not one of the `--data` files")
        })?;
        Ok(Self {
            file: found.name.clone(),
            dataset: dataset.to_owned(),
            task: task.to_owned(),
        })
    }

    /// The file as the hub reads it; nothing where nothing was measured.
    fn yaml(&self, evaluation: &Evaluation, date: Timestamp, part: &str) -> Option<String> {
        let scores = &evaluation.measurement.scores;
        let measures = Measure::all(scores);
        let measure = measures.iter().find(|one| one.file() == self.file)?;
        let value = measure.of(scores)?;
        let value = if measure.is_share() {
            (value * 10_000.0).round() / 100.0
        } else {
            value
        };
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let notes = format!(
            "{}{part}, {}, weightsmith eval {}",
            measure.measure(),
            self.file,
            env!("CARGO_PKG_VERSION")
        );
        let mut yaml = format!("{OWN}\n- dataset:\n");
        let _ = writeln!(yaml, "    id: {}", quoted(&self.dataset));
        let _ = writeln!(yaml, "    task_id: {}", quoted(&self.task));
        let _ = writeln!(yaml, "  value: {value}");
        let date = date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let _ = writeln!(yaml, "  date: {}", quoted(&date));
        let _ = writeln!(yaml, "  notes: {}", quoted(&notes));
        Some(yaml)
    }
}

/// A part of a name on the hub; it is part of a file's name, too.
fn is_word(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && part
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
}

fn card_scores(evaluation: &Evaluation, date: Timestamp, part: &str) -> CardScores {
    let own = &evaluation.measurement.scores;
    let others = &evaluation.against;
    let mut rows: Vec<CardScore> = Measure::all(own)
        .iter()
        .map(|measure| {
            let others = others.iter().map(|one| measure.of(&one.scores));
            CardScore {
                on: measure.file().to_owned(),
                measure: format!("{}{part}", measure.measure()),
                values: std::iter::once(measure.of(own))
                    .chain(others)
                    .map(|value| value.map(|value| format!("{value:.3}")))
                    .collect(),
            }
        })
        .collect();
    for divergence in Divergence::all(&evaluation.measurement) {
        let value = divergence.of(&evaluation.measurement);
        let of_others = others.iter().map(|one| {
            let is_it = one.model == divergence.against;
            value.filter(|_| is_it).map(|value| format!("{value:.6}"))
        });
        rows.push(CardScore {
            on: divergence.file.clone(),
            measure: format!("mean KLD from {}{part}", divergence.against),
            values: std::iter::once(None).chain(of_others).collect(),
        });
    }
    CardScores {
        models: std::iter::once(evaluation.model.clone())
            .chain(others.iter().map(|one| one.model.clone()))
            .collect(),
        rows,
        date,
    }
}

/// What others wrote stays.
fn check_own(path: &Path) -> Result<(), Failure> {
    match read_companion(path) {
        Ok(text) if !text.starts_with(OWN.as_bytes()) => {
            Err(Failure::new(anyhow::Error::msg(format!(
                "{} was not written by `--save` and is not replaced",
                path.display()
            )))
            .hint("move it, or omit its `--benchmark`"))
        }
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
