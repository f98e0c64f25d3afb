//! Continues a text and tells how fast: `cargo run --profile dist -p weightsmith-infer --example generate -- FOLDER TEXT [N]`.
//!
//! With `CHAT=1` the text is a question; with `Q8_0=1` the weights are kept in 8 bits; with `PROMPT=N` the prompt is cut or
//! repeated to N tokens; `THREADS` is 2 if it says nothing else.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints a text"
)]

use std::env;
use std::io::{Write, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use weightsmith_infer::{
    Cancel, DecoderOptions, GenerationSettings, Message, Model, Pool, Session, TemplateOptions,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("no FOLDER")?);
    let text = arguments.next().ok_or("no TEXT")?;
    let max_tokens = arguments.next().unwrap_or("128".to_owned()).parse()?;
    let threads = env::var("THREADS").unwrap_or("2".to_owned()).parse()?;
    let begun = Instant::now();
    let options = DecoderOptions {
        exact: env::var("EXACT").is_ok(),
        quantize_q8_0: env::var("Q8_0").is_ok(),
    };
    let model = Model::open(&folder, Arc::new(Pool::new(threads)), options)?;
    eprintln!("opened in {:.3} s", begun.elapsed().as_secs_f64());
    let text = if env::var("CHAT").is_ok() {
        let options = TemplateOptions {
            generation_prompt: true,
            ..TemplateOptions::default()
        };
        let messages = [Message::new("user", &text)];
        model.companions.template()?.render(&messages, &options)?
    } else {
        text
    };
    let mut prompt = model.companions.tokenizer.encode(&text, false)?;
    if let Ok(length) = env::var("PROMPT") {
        let length: usize = length.parse()?;
        prompt = prompt.iter().copied().cycle().take(length).collect();
    }
    let mut settings = GenerationSettings {
        max_tokens: Some(max_tokens),
        ..model.companions.defaults.settings()
    };
    if env::var("NO_END").is_ok() {
        settings.end.clear();
    }
    let mut session = Session::new(&model);
    let mut generation = session.generate(&prompt, &settings, Cancel::default())?;
    for piece in &mut generation {
        print!("{}", piece?);
        stdout().flush()?;
    }
    println!();
    let report = generation.report().clone();
    eprintln!(
        "prompt {} tokens, {:.1}/s; {} generated, {:.2}/s; first after {:.3} s; {:?}; cache {} MiB",
        report.prompt_tokens,
        report.prompt_speed(),
        report.generated_tokens,
        report.decode_speed(),
        report.time_to_first_token.unwrap_or_default().as_secs_f64(),
        report.finish,
        session.cache().bytes() >> 20,
    );
    Ok(())
}
