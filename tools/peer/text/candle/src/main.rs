//! Candle's own Qwen2 model, as its examples use it: `candle-peer f32|bf16 FOLDER PROMPT DECODE`, or `q8_0 FILE.gguf PROMPT DECODE`.
//!
//! Prints a line when the first token is there, then one with tokens per second.

use std::io::Write;
use std::time::Instant;

use candle_core::quantized::gguf_file;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{quantized_qwen2, qwen2};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// New tokens and the position of the first of them, to logits of the last.
type Forward = Box<dyn FnMut(&Tensor, usize) -> candle_core::Result<Tensor>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, mode, path, prompt, decode] = &arguments[..] else {
        return Err("usage: candle-peer MODE PATH PROMPT DECODE".into());
    };
    let (prompt, decode): (usize, usize) = (prompt.parse()?, decode.parse()?);
    let mut forward = open(mode, path)?;
    let tokens: Vec<u32> = (0..prompt as u32).map(|i| (i * 7919 + 13) % 150_000).collect();
    let start = Instant::now();
    let mut next = step(&mut forward, &tokens, 0)?;
    let prompt_seconds = start.elapsed().as_secs_f64();
    println!("first {next}");
    std::io::stdout().flush()?;
    let start = Instant::now();
    for index in 0..decode {
        next = step(&mut forward, &[next], prompt + index)?;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{{\"prompt\": {}, \"decode\": {}, \"last\": {next}}}", prompt as f64 / prompt_seconds, decode as f64 / seconds);
    Ok(())
}

fn open(mode: &str, path: &str) -> Result<Forward> {
    let device = Device::Cpu;
    if mode == "q8_0" {
        let mut file = std::fs::File::open(path)?;
        let content = gguf_file::Content::read(&mut file)?;
        let mut model = quantized_qwen2::ModelWeights::from_gguf(content, &mut file, &device)?;
        return Ok(Box::new(move |tokens, position| model.forward(tokens, position)));
    }
    let dtype = match mode {
        "f32" => DType::F32,
        "bf16" => DType::BF16,
        _ => return Err("MODE is f32, bf16 or q8_0".into()),
    };
    let config: qwen2::Config = serde_json::from_str(&std::fs::read_to_string(format!("{path}/config.json"))?)?;
    let files = [format!("{path}/model.safetensors")];
    // SAFETY: the file is not changed while it is mapped.
    let weights = unsafe { VarBuilder::from_mmaped_safetensors(&files, dtype, &device)? };
    let mut model = qwen2::ModelForCausalLM::new(&config, weights)?;
    Ok(Box::new(move |tokens, position| model.forward(tokens, position)))
}

/// Runs tokens and takes the likeliest next one.
fn step(forward: &mut Forward, tokens: &[u32], position: usize) -> Result<u32> {
    let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
    let logits = forward(&input, position)?.flatten_all()?.to_dtype(DType::F32)?;
    Ok(logits.argmax(0)?.to_scalar()?)
}
