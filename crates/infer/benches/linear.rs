//! Products with weights in the shape of Qwen2.5-0.5B, against what the memory and the arithmetic units of this machine allow.
//!
//! `cargo bench -p weightsmith-infer --bench linear [-- THREADS …]`. Every figure is the best of several rounds, for other
//! programs only ever make a round slower; all that is compared takes turns, so that it meets the same machine.

#![allow(
    clippy::print_stdout,
    clippy::inline_always,
    reason = "a program that prints a table; a loop that is compiled for the instruction set"
)]

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use weightsmith_infer::{Linear, Pool};
use weightsmith_tensors::kernels::{Isa, Kernel};
use weightsmith_tensors::{Checkpoint, TensorSource};

/// Outputs and inputs of a layer: q, k, v, o, gate, up, down.
const LAYER: [(usize, usize); 7] = [
    (896, 896),
    (128, 896),
    (128, 896),
    (896, 896),
    (4864, 896),
    (4864, 896),
    (896, 4864),
];
const LAYERS: usize = 24;
const HEAD: (usize, usize) = (151_936, 896);

/// Layers of the prompt's rounds, and its length. The head sees the last token only.
const PROMPT_LAYERS: usize = 2;
const PROMPT: usize = 512;

const ROUNDS: usize = 12;

/// Bytes that a thread reads at a time.
const CHUNK: usize = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let asked: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let threads = if asked.is_empty() { vec![1, 2] } else { asked };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("model.safetensors");
    write_model(&file)?;
    let bytes = fs_err::read(&file)?.len();
    let source: Arc<dyn TensorSource> = Arc::new(Checkpoint::open(&file)?);
    let open = |tensor| Linear::open(&source, tensor);
    let bf16 = (0..source.tensors().len())
        .map(open)
        .collect::<Result<Vec<Linear>, _>>()?;
    let pool = Pool::new(std::thread::available_parallelism()?.get());
    let quantize = |linear: &Linear| linear.quantize_q8_0(&pool);
    let start = Instant::now();
    let q8_0 = bf16
        .iter()
        .map(quantize)
        .collect::<Result<Vec<Linear>, _>>()?;
    println!(
        "{} MB of bf16, mapped; quantized in {:.2} s; instructions: {}",
        bytes / 1_000_000,
        start.elapsed().as_secs_f64(),
        Isa::detected()
    );
    for threads in threads {
        measure(&source, &bf16, &q8_0, &Pool::new(threads))?;
    }
    Ok(())
}

/// One table.
fn measure(
    source: &Arc<dyn TensorSource>,
    bf16: &[Linear],
    q8_0: &[Linear],
    pool: &Pool,
) -> Result<(), Box<dyn Error>> {
    let models = [("bf16", bf16), ("q8_0", q8_0)];
    let mut scratch = Vec::new();
    let head = source.tensors().len() - 1;
    let elements = source.tensors()[head].info.elements();
    let memory = source.read(head, 0..elements, &mut scratch)?;
    let mut read = Best::default();
    let mut decode = [(); 2].map(|()| [1, 2, 4, 8].map(|count| (count, Best::default())));
    for _ in 0..ROUNDS {
        read.time(|| read_all(pool, memory));
        for ((_, model), counts) in models.iter().zip(&mut decode) {
            for (count, best) in counts {
                let inputs = vec![0.5; 4864 * *count];
                let mut out = vec![0.0; HEAD.0 * *count];
                best.time(|| step(pool, model, *count, &inputs, &mut out));
            }
        }
    }
    let bandwidth = memory.len() as f64 / read.0;
    println!(
        "\n{} threads: reads {:.1} GB/s",
        pool.threads(),
        bandwidth / 1e9
    );
    for ((name, model), counts) in models.iter().zip(&decode) {
        let bytes: u64 = model.iter().map(Linear::bytes).sum();
        for (count, best) in counts {
            let rate = bytes as f64 / best.0;
            println!(
                "{name} decode {count}: {:6.1} tok/s, {:5.1} GB/s, {:3.0} % of reading, {:.2} x one",
                *count as f64 / best.0,
                rate / 1e9,
                100.0 * rate / bandwidth,
                *count as f64 * counts[0].1.0 / best.0,
            );
        }
    }
    prompt(pool, &models);
    Ok(())
}

fn prompt(pool: &Pool, models: &[(&str, &[Linear])]) {
    let inputs: Vec<f32> = (0..4864 * PROMPT)
        .map(|x| (x % 61) as f32 / 30.0 - 1.0)
        .collect();
    let mut out = vec![0.0; 4864 * PROMPT];
    let mut peak = Best::default();
    let mut best = [(); 2].map(|()| Best::default());
    for _ in 0..ROUNDS / 2 {
        peak.time(|| fused_peak(pool));
        for ((_, model), best) in models.iter().zip(&mut best) {
            let layers = &model[..PROMPT_LAYERS * LAYER.len()];
            best.time(|| step(pool, layers, PROMPT, &inputs, &mut out));
        }
    }
    let peak = FUSED_FLOP as f64 * FUSED_PARTS as f64 / peak.0;
    println!("fused multiply-add of f32: {:.0} GFLOP/s", peak / 1e9);
    for ((name, model), best) in models.iter().zip(&best) {
        let layers = &model[..PROMPT_LAYERS * LAYER.len()];
        let weights: usize = layers
            .iter()
            .map(|linear| linear.rows() * linear.cols())
            .sum();
        let rate = 2.0 * (weights * PROMPT) as f64 / best.0;
        let whole = best.0 * LAYERS as f64 / PROMPT_LAYERS as f64;
        println!(
            "{name} prompt {PROMPT}: {:.0} tok/s without the head, {:.0} GFLOP/s, {:.0} % of the peak of f32",
            PROMPT as f64 / whole,
            rate / 1e9,
            100.0 * rate / peak,
        );
    }
}

/// The matrices of a step, one after the other.
fn step(pool: &Pool, model: &[Linear], count: usize, inputs: &[f32], out: &mut [f32]) {
    for linear in model {
        let inputs = &inputs[..count * linear.cols()];
        linear.forward(pool, inputs, &mut out[..count * linear.rows()]);
    }
    black_box(out);
}

/// Seconds of the fastest round.
struct Best(f64);

impl Default for Best {
    fn default() -> Self {
        Self(f64::INFINITY)
    }
}

impl Best {
    fn time(&mut self, round: impl FnOnce()) {
        let start = Instant::now();
        round();
        self.0 = self.0.min(start.elapsed().as_secs_f64());
    }
}

fn read_all(pool: &Pool, memory: &[u8]) {
    let sum = AtomicU64::new(0);
    pool.run(memory.len() / CHUNK, &|part| {
        let part = Isa::detected().run(Read(&memory[part * CHUNK..][..CHUNK]));
        sum.fetch_add(part, Ordering::Relaxed);
    });
    black_box(sum);
}

/// Adds up the bytes, eight by eight.
struct Read<'a>(&'a [u8]);

impl Kernel for Read<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let (eights, _) = self.0.as_chunks();
        let eights = eights.iter().map(|&eight| u64::from_le_bytes(eight));
        eights.fold(0, u64::wrapping_add)
    }
}

const FUSED_PARTS: usize = 64;
const FUSED_STEPS: usize = 50_000;
const FUSED_LANES: usize = 16 * 16;
const FUSED_FLOP: usize = 2 * FUSED_STEPS * FUSED_LANES;

#[expect(
    unsafe_code,
    reason = "calls what is compiled for a detected CPU feature"
)]
fn fused_peak(pool: &Pool) {
    pool.run(FUSED_PARTS, &|_| {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: just detected.
            return unsafe { fused_avx512() };
        } else if is_x86_feature_detected!("fma") && is_x86_feature_detected!("avx2") {
            // SAFETY: just detected.
            return unsafe { fused_avx2() };
        }
        fused::<FUSED_LANES>();
    });
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
fn fused_avx512() {
    fused::<FUSED_LANES>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused_avx2() {
    fused::<{ FUSED_LANES / 4 }>();
    fused::<{ FUSED_LANES / 4 }>();
    fused::<{ FUSED_LANES / 4 }>();
    fused::<{ FUSED_LANES / 4 }>();
}

#[inline(always)]
fn fused<const LANES: usize>() {
    let mut sums = [black_box(1.0_f32); LANES];
    let (factor, term) = (black_box(0.999), black_box(0.001));
    for _ in 0..FUSED_STEPS {
        for sum in &mut sums {
            *sum = sum.mul_add(factor, term);
        }
    }
    black_box(&sums);
}

/// A safetensors file with the model's matrices in bf16.
fn write_model(path: &Path) -> Result<(), Box<dyn Error>> {
    let shapes: Vec<(usize, usize)> = std::iter::repeat_n(LAYER, LAYERS)
        .flatten()
        .chain([HEAD])
        .collect();
    let mut end = 0;
    let tensors = shapes.iter().enumerate().map(|(index, (rows, cols))| {
        let start = end;
        end += 2 * rows * cols;
        format!(r#""{index:04}":{{"dtype":"BF16","shape":[{rows},{cols}],"data_offsets":[{start},{end}]}}"#)
    });
    let header = format!("{{{}}}", tensors.collect::<Vec<_>>().join(","));
    let header = format!("{header:width$}", width = header.len().next_multiple_of(8));
    let mut file = std::io::BufWriter::new(fs_err::File::create(path)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    // small numbers of either sign: the exponents of 2^-9 to 2^-6
    let weights: Vec<u8> = (0..CHUNK as u32 / 2)
        .map(|index| index.wrapping_mul(2_654_435_761) >> 16)
        .flat_map(|noise| (0x3b00 | noise as u16 & 0x81ff).to_le_bytes())
        .collect();
    while end > 0 {
        let length = end.min(CHUNK);
        file.write_all(&weights[..length])?;
        end -= length;
    }
    file.flush()?;
    Ok(())
}
