//! `generate`: continues a prompt.

use std::io::{IsTerminal as _, Read as _, Write as _, stdin, stdout};

use anyhow::Context as _;
use weightsmith_infer::{Finish, Message, Model, Session, TemplateOptions};

use crate::args::GenerateArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::prompt_progress::PromptProgress;
use crate::settings::text_models;
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::speakable;
use crate::{interrupt, sampling};

/// Shows the text as it comes.
pub(crate) fn run(args: GenerateArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let GenerateArgs {
        model: name,
        prompt,
        system,
        raw,
        sampling,
        options,
    } = args;
    let prompt = match prompt {
        Some(prompt) => prompt,
        None if name == "-" => {
            return Err(Failure::usage(
                "cannot read both the recipe and the prompt from standard input",
            )
            .hint("give the prompt with `--prompt TEXT`"));
        }
        None => from_stdin()?,
    };
    let progress = TerminalProgress::new(printer);
    let opened = text_models(&options).open(&name, progress.monitor())?;
    let model = &opened.model;
    printer.detail(&opened.introduction());
    if system.is_some() {
        model.companions.template()?; // nothing else says where a system prompt goes
    }
    if !raw && model.companions.template.is_none() {
        printer.note("the model has no chat template; completing the prompt as plain text");
    }
    let mut settings = sampling::settings(&model.companions.defaults, &sampling);
    let tokens = if raw || model.companions.template.is_none() {
        model.prompt_tokens(&prompt, true)?
    } else {
        model.companions.end_turns(&mut settings);
        conversation(model, system.as_deref(), &prompt)?
    };
    interrupt::end_generations()?;
    let mut session = Session::new(model);
    let generating = interrupt::generation();
    let mut generation = session.generate(&tokens, &settings, generating.cancel.clone())?;
    let mut progress = PromptProgress::new(printer);
    generation.read_prompt(&mut |done, total| progress.update(done, total))?;
    drop(progress);
    let is_terminal = stdout().is_terminal();
    let mut out = stdout().lock();
    for piece in generation.by_ref() {
        let piece = piece?;
        let shown = if is_terminal {
            speakable(&piece)
        } else {
            piece.into()
        };
        out.write_all(shown.as_bytes())?;
        out.flush()?;
    }
    out.write_all(b"\n")?;
    let report = generation.report();
    printer.talk(&sampling::summary(
        report,
        settings.sampling.temperature > 0.0,
    ));
    Ok(match report.finish {
        Some(Finish::Cancelled) => ExitCode::Interrupted,
        _ => ExitCode::Done,
    })
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    stdin()
        .read_to_string(&mut text)
        .context("cannot read the prompt from standard input")?;
    // the end of the last line is the file's, not the prompt's
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// The tokens of a message in the chat template.
fn conversation(model: &Model, system: Option<&str>, prompt: &str) -> Result<Vec<u32>, Failure> {
    if prompt.trim().is_empty() {
        return Err(Failure::usage("the prompt is empty")
            .hint("pass a message with `--prompt TEXT`, or complete plain text with `--raw`"));
    }
    let mut messages: Vec<Message> = Vec::new();
    messages.extend(system.map(|text| Message::new("system", text)));
    messages.push(Message::new("user", prompt));
    let options = TemplateOptions {
        generation_prompt: true,
        ..TemplateOptions::default()
    };
    let text = model.companions.template()?.render(&messages, &options)?;
    Ok(model.prompt_tokens(&text, false)?)
}
