//! Tokens per second on given tokens: `cargo run --profile dist -p weightsmith-infer --example speed -- FOLDER bf16|q8_0 PROMPT DECODE THREADS [BATCH]`.
//!
//! Greedy, without a tokenizer: what tools/peer/text/bench.py measures other engines by. Prints a line when the first token is
//! there, then one with tokens per second. With BATCH, so many sequences with the same prompt are decoded at once.

#![allow(
    clippy::print_stdout,
    reason = "a program that prints what it measured"
)]

use std::env;
use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use weightsmith_infer::{Decoder, DecoderConfig, DecoderOptions, Pool, SequenceStep, Wants};
use weightsmith_tensors::Checkpoint;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, mode, numbers @ ..] = &arguments[..] else {
        return Err("FOLDER MODE PROMPT DECODE THREADS [BATCH]".into());
    };
    let numbers = numbers
        .iter()
        .map(|number| number.parse())
        .collect::<Result<Vec<usize>, _>>()?;
    let [prompt, decode, threads, ref batch @ ..] = numbers[..] else {
        return Err("PROMPT DECODE THREADS are needed".into());
    };
    let batch = batch.first().copied().unwrap_or(1);
    let options = DecoderOptions {
        quantize_q8_0: mode == "q8_0",
        ..DecoderOptions::default()
    };
    let folder = Path::new(folder);
    let config = DecoderConfig::read(folder)?;
    let source = Arc::new(Checkpoint::open(folder)?);
    let decoder = Decoder::open(source, config, Arc::new(Pool::new(threads)), options)?;

    let tokens: Vec<u32> = (0..prompt as u32)
        .map(|index| (index * 7919 + 13) % 150_000)
        .collect();
    let mut cache = decoder.new_cache();
    let start = Instant::now();
    let mut first = SequenceStep {
        tokens: &tokens,
        cache: &mut cache,
        wants: Wants::Last,
    };
    let logits = decoder.step(std::slice::from_mut(&mut first))?;
    let prompt_seconds = start.elapsed().as_secs_f64();
    let mut following = vec![largest(logits.last(0)); batch];
    println!("first {}", following[0]);
    stdout().flush()?;

    let mut caches = vec![cache; batch];
    let start = Instant::now();
    for _ in 0..decode {
        let mut steps: Vec<SequenceStep<'_>> = following
            .iter()
            .zip(&mut caches)
            .map(|(token, cache)| SequenceStep {
                tokens: std::slice::from_ref(token),
                cache,
                wants: Wants::Last,
            })
            .collect();
        let logits = decoder.step(&mut steps)?;
        following = (0..batch)
            .map(|sequence| largest(logits.last(sequence)))
            .collect();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{{\"prompt\": {}, \"decode\": {}, \"last\": {}}}",
        prompt as f64 / prompt_seconds,
        (batch * decode) as f64 / seconds,
        following[0]
    );
    Ok(())
}

fn largest(logits: &[f32]) -> u32 {
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.expect("a vocabulary is not empty") as u32
}
