//! `eval`: measures a model on texts and questions.

mod report;
mod work;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use weightsmith_infer::evaluate::{
    Tasks, TextUnit, WindowOptions, compare, exact_match, multiple_choice, perplexity, read_tasks,
    windows,
};
use weightsmith_infer::{Decoder, Model};

use self::report::{Evaluation, TaskRow, TaskScore, TextRow};
use self::work::Work;
use crate::args::EvalArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::text_model::{TextModel, TextModels};

/// Context of a text where nothing else is said.
const WINDOW: usize = 2048;

/// Measures everything, then shows it.
pub(crate) fn run(args: &EvalArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    // mistakes in the data are found before any model is opened
    let data = args
        .data
        .iter()
        .map(|path| Data::read(path, args.limit))
        .collect::<Result<Vec<_>, _>>()?;
    if !args.against.is_empty()
        && !data
            .iter()
            .any(|data| matches!(data.content, Content::Text(_)))
    {
        return Err(Failure::usage(
            "`--against` compares models on texts, and there is none among the data",
        )
        .hint("add a text file to `--data`"));
    }
    let models = TextModels::new(&args.options);
    let opened = match models.open(&args.model, printer)? {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let mut others = Vec::new();
    for name in &args.against {
        match models.open(name, printer)? {
            Ok(other) => others.push(other),
            Err(code) => return Ok(code),
        }
    }
    let mut evaluation = Evaluation::new(&opened);
    for data in &data {
        match &data.content {
            Content::Text(text) => {
                text_rows(&mut evaluation, &opened, &others, data, text, args, printer)?;
            }
            Content::Tasks(tasks) => {
                let score = task_score(&opened.model, data, tasks, args, printer)?;
                let file = data.name();
                evaluation.tasks.push(TaskRow { file, score });
            }
        }
    }
    if args.json {
        printer.json(&evaluation)?;
    } else {
        printer.data().write_all(evaluation.text().as_bytes())?;
    }
    Ok(ExitCode::Done)
}

/// A file to measure on.
#[derive(Debug)]
struct Data<'a> {
    path: &'a Path,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Text(String),
    Tasks(Tasks),
}

impl<'a> Data<'a> {
    fn read(path: &'a PathBuf, limit: Option<usize>) -> Result<Self, Failure> {
        let text = fs_err::read_to_string(path)?;
        let is_jsonl = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"));
        let content = if is_jsonl {
            let mut tasks = read_tasks(&text, path)?;
            tasks.questions.truncate(limit.unwrap_or(usize::MAX).max(1));
            Content::Tasks(tasks)
        } else {
            Content::Text(text)
        };
        Ok(Self { path, content })
    }

    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

/// Perplexity of a text, and how others differ on it.
fn text_rows(
    evaluation: &mut Evaluation,
    opened: &TextModel,
    others: &[TextModel],
    data: &Data<'_>,
    text: &str,
    args: &EvalArgs,
    printer: &Printer,
) -> Result<(), Failure> {
    let decoder = &opened.model.decoder;
    let windows = windows(
        text,
        &opened.model.companions,
        &window_options(args, decoder),
    )?;
    if windows.is_empty() {
        return Err(Failure::usage(format!(
            "{} is too short to measure anything on",
            data.path.display()
        ))
        .hint("a text needs two tokens or more"));
    }
    let file = data.name();
    if others.is_empty() {
        let work = Work::new(printer, &file);
        let perplexity = perplexity(decoder, &windows, &mut work.progress())?;
        evaluation.texts.push(TextRow { file, perplexity });
        return Ok(());
    }
    let mut own = None;
    for other in others {
        let work = Work::new(printer, &format!("{file} against {}", other.label));
        let comparison = compare(
            decoder,
            &other.model.decoder,
            &windows,
            &mut work.progress(),
        )?;
        own = Some(comparison.model.clone());
        evaluation.compared(&file, &other.label, comparison);
    }
    evaluation
        .texts
        .extend(own.map(|perplexity| TextRow { file, perplexity }));
    Ok(())
}

fn window_options(args: &EvalArgs, decoder: &Decoder) -> WindowOptions {
    let positions = decoder.config().positions;
    let window = args.window.unwrap_or(WINDOW.min(positions)).min(positions);
    WindowOptions {
        unit: if args.documents {
            TextUnit::Documents
        } else {
            TextUnit::Whole
        },
        window,
        stride: args.stride.unwrap_or((window / 2).max(1)),
        limit: args.limit,
    }
}

fn task_score(
    model: &Model,
    data: &Data<'_>,
    tasks: &Tasks,
    args: &EvalArgs,
    printer: &Printer,
) -> Result<TaskScore, Failure> {
    let work = Work::new(printer, &data.name());
    let questions = &tasks.questions;
    if tasks.multiple_choice {
        let score = multiple_choice(model, questions, &mut work.progress())?;
        return Ok(TaskScore::Choice(score));
    }
    let mut told = |question: &weightsmith_infer::evaluate::Question, answer: &str, right: bool| {
        let verdict = if right { "right" } else { "wrong" };
        printer.detail(&format!(
            "{}:{}: {verdict}: {answer:?}",
            data.name(),
            question.line
        ));
    };
    let score = exact_match(
        model,
        questions,
        args.max_tokens,
        &mut work.progress(),
        &mut told,
    )?;
    Ok(TaskScore::Exact(score))
}
