//! Writes what a tokenizer makes of some texts, for comparison with other programs:
//! `cargo run --profile dist -p weightsmith-infer --example tokens -- FOLDER < TEXTS`.
//!
//! TEXTS is a JSON string on each line; for each there is a line with an object: the tokens, the text they stand for, and the
//! text that a stream of them gives, piece by piece.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that prints"
)]

use std::env;
use std::io::stdin;
use std::path::PathBuf;
use std::time::Instant;

use weightsmith_infer::Tokenizer;
use weightsmith_infer::text::TextStream;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(env::args().nth(1).ok_or("no FOLDER")?).join("tokenizer.json");
    let begun = Instant::now();
    let tokenizer = Tokenizer::from_bytes(&fs_err::read(&path)?, &path)?;
    eprintln!("tokenizer read in {:.3} s", begun.elapsed().as_secs_f64());
    for line in stdin().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let tokens = tokenizer.encode(&text, true)?;
        let mut stream = TextStream::new(&[], false);
        let mut streamed = String::new();
        for &token in &tokens {
            streamed += &stream.push(&tokenizer, token)?;
        }
        streamed += &stream.finish(&tokenizer)?;
        let decoded = tokenizer.decode(&tokens, false)?;
        let found =
            serde_json::json!({ "tokens": tokens, "decoded": decoded, "streamed": streamed });
        println!("{found}");
    }
    Ok(())
}
