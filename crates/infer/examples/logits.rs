//! Writes a model's logits for comparison with other programs:
//! `cargo run --profile dist -p weightsmith-infer --example logits -- FOLDER OUT < TOKENS`.
//!
//! TOKENS are numbers with blanks between them; OUT becomes the logits of all positions, one after the other, as 32-bit
//! little-endian floats. With `EXACT=1` the cache is f32, else bf16 as in any conversation. `THREADS` is 2 if it says nothing
//! else.

use std::env;
use std::io::{BufWriter, Read, Write, stdin};
use std::path::PathBuf;
use std::sync::Arc;

use weightsmith_infer::{Decoder, DecoderConfig, DecoderOptions, Pool, SequenceStep, Wants};
use weightsmith_tensors::Checkpoint;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("no FOLDER")?);
    let out = arguments.next().ok_or("no OUT")?;
    let threads = env::var("THREADS").unwrap_or("2".to_owned()).parse()?;
    let options = DecoderOptions {
        exact: env::var("EXACT").is_ok(),
        ..DecoderOptions::default()
    };
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    let tokens: Vec<u32> = text
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;

    let config = DecoderConfig::parse(&fs_err::read_to_string(folder.join("config.json"))?)?;
    let source = Arc::new(Checkpoint::open(&folder)?);
    let decoder = Decoder::open(source, config, Arc::new(Pool::new(threads)), options)?;
    let mut cache = decoder.new_cache();
    let logits = decoder.step(&mut [SequenceStep {
        tokens: &tokens,
        cache: &mut cache,
        wants: Wants::All,
    }])?;
    let mut file = BufWriter::new(fs_err::File::create(out)?);
    for row in logits.rows(0) {
        for logit in row {
            file.write_all(&logit.to_le_bytes())?;
        }
    }
    file.flush()?;
    Ok(())
}
