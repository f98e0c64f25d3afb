//! Measures what it costs to render chat templates in a process of their own:
//! `cargo run --profile dist -p weightsmith-infer --example templates [FOLDER]`; without FOLDER, those of a fixture.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints"
)]

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use weightsmith_infer::text::{TemplateCommand, template_process, use_template_process};
use weightsmith_infer::{ChatTemplate, Companions, Message, TemplateOptions};

/// The argument of the process that renders.
const PROCESS: &str = "process";
const ROUNDS: usize = 500;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(PROCESS) {
        return template_process();
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tiny-qwen2/instruct");
    let folder = std::env::args().nth(1).map_or(fixture, PathBuf::from);
    let companions = Companions::read(&folder)?;
    let template = companions.template()?;
    let short = vec![Message::new("user", "Where does Anna live?")];
    let long: Vec<Message> = (0..200)
        .map(|turn| Message::new(["user", "assistant"][turn % 2], &"a word ".repeat(50)))
        .collect();

    let on_threads = [render(template, &short)?, render(template, &long)?];
    use_template_process(TemplateCommand::this_program(vec![OsString::from(
        PROCESS,
    )])?);
    let begun = Instant::now();
    template.render(&short, &TemplateOptions::default())?;
    let first = begun.elapsed();
    let in_process = [render(template, &short)?, render(template, &long)?];
    println!("start and first conversation: {first:.2?}");
    for (index, name) in ["1 message", "200 messages"].into_iter().enumerate() {
        println!(
            "{name}: {:.2?} on a thread, {:.2?} in a process",
            on_threads[index], in_process[index]
        );
    }
    Ok(())
}

/// The median time of a conversation.
fn render(
    template: &ChatTemplate,
    messages: &[Message],
) -> Result<Duration, weightsmith_infer::Error> {
    let options = TemplateOptions::default();
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        template.render(messages, &options)?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[ROUNDS / 2])
}
