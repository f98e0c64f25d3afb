//! Runs a prompt of many tokens and tells how far it is: `cargo run --profile dist -p weightsmith-infer --example long_context -- FOLDER TOKENS`.
//!
//! The tokens are pseudo-random, so the folder needs no tokenizer. After every 1,024 tokens a line of numbers goes to standard output,
//! divided by tabs: tokens done, seconds since the start, bytes of the cache. At the end come 16 tokens of greedy continuation and
//! their speed. `THREADS` is 2 if it says nothing else. `tools/peer/long_context.py` runs this and measures its memory.

#![allow(
    clippy::print_stdout,
    reason = "a program that prints a table of measurements"
)]

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use weightsmith_infer::{
    Decoder, DecoderConfig, DecoderOptions, KvCache, Observer, Pool, SequenceStep, Wants,
};
use weightsmith_tensors::Checkpoint;

/// Tokens of a line.
const PIECE: usize = 1024;
/// Tokens that are generated at the end.
const GENERATED: usize = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("no FOLDER")?);
    let count: usize = arguments.next().ok_or("no TOKENS")?.parse()?;
    let threads = env::var("THREADS").unwrap_or("2".to_owned()).parse()?;
    let config = DecoderConfig::read(&folder)?;
    let prompt = tokens(count, config.vocabulary);
    let decoder = Decoder::open(
        Arc::new(Checkpoint::open(&folder)?),
        config,
        Arc::new(Pool::new(threads)),
        DecoderOptions::default(),
    )?;
    println!("# weights\t{}", decoder.weight_bytes());
    println!("# cache of a token\t{}", decoder.cache_bytes_per_position());
    let mut cache = decoder.new_cache();
    let begun = Instant::now();
    let mut last = Last::default();
    for piece in prompt.chunks(PIECE) {
        step(&decoder, &mut cache, piece, &mut last)?;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{}\t{seconds:.3}\t{}", cache.len(), cache.bytes());
    }
    let room = decoder.config().positions - cache.len();
    let begun = Instant::now();
    for _ in 0..GENERATED.min(room) {
        let token = last.greedy();
        step(&decoder, &mut cache, &[token], &mut last)?;
    }
    if room > 0 {
        let speed = GENERATED.min(room) as f64 / begun.elapsed().as_secs_f64();
        println!("# generated, tokens/s\t{speed:.2}");
    }
    Ok(())
}

fn step(
    decoder: &Decoder,
    cache: &mut KvCache,
    tokens: &[u32],
    last: &mut Last,
) -> Result<(), weightsmith_infer::Error> {
    let wants = Wants::Last;
    let mut steps = [SequenceStep {
        tokens,
        cache,
        wants,
    }];
    decoder.step_with(&mut steps, last)
}

/// Keeps the newest logits.
#[derive(Debug, Default)]
struct Last(Vec<f32>);

impl Last {
    fn greedy(&self) -> u32 {
        let best = (0..self.0.len()).max_by(|&a, &b| self.0[a].total_cmp(&self.0[b]));
        best.unwrap_or(0) as u32
    }
}

impl Observer for Last {
    fn logits(&mut self, _sequence: usize, _token: usize, logits: &[f32]) {
        self.0.clear();
        self.0.extend_from_slice(logits);
    }
}

/// Tokens without rhyme or reason.
fn tokens(count: usize, vocabulary: usize) -> Vec<u32> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % vocabulary as u64) as u32
    };
    (0..count).map(|_| next()).collect()
}
