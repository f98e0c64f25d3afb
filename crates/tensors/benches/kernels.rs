//! Kernels and casts on tiles that stay in the first-level cache, per instruction set, in bytes of their inputs per second.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use weightsmith_tensors::DType;
use weightsmith_tensors::cast::{narrow_f32_on, narrow_f64_on, non_finite_in_on, widen_f32_on};
use weightsmith_tensors::kernels::{
    Isa, RankedScratch, Stream, TILE, add_scaled_on, bernoulli_keep_on, count_non_finite_on,
    dot3_on, keep_by_rank_on, lerp_pair_on, sum_abs_on,
};

/// Values like those of a weight matrix: small, of both signs, some subnormal in f16.
fn weights(seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut unit = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX) - 0.5
    };
    (0..TILE)
        .map(|_| (0.04 * (unit() + unit() + unit())) as f32)
        .collect()
}

fn bytes_of(values: &[f32], dtype: DType) -> Vec<u8> {
    let mut bytes = vec![0; values.len() * dtype.bits() as usize / 8];
    narrow_f32_on(Isa::PORTABLE, values, dtype, &mut bytes).expect("a plain float");
    bytes
}

fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    bytes: usize,
) -> criterion::BenchmarkGroup<'a, criterion::measurement::WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group.warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_millis(300));
    group.sample_size(20);
    group
}

/// Runs a benchmark once for each instruction set.
fn each_isa(criterion: &mut Criterion, name: &str, bytes: usize, mut run: impl FnMut(Isa)) {
    let mut group = group(criterion, name, bytes);
    for isa in Isa::available() {
        group.bench_function(BenchmarkId::from_parameter(isa), |bencher| {
            bencher.iter(|| run(black_box(isa)));
        });
    }
}

fn casts(criterion: &mut Criterion) {
    let values = weights(1);
    for dtype in [DType::BF16, DType::F16, DType::F8_E4M3, DType::F64] {
        let bytes = if dtype == DType::F8_E4M3 {
            (0..TILE).map(|code| code as u8).collect()
        } else {
            bytes_of(&values, dtype)
        };
        let mut out = vec![0.0; TILE];
        each_isa(criterion, &format!("widen {dtype}"), bytes.len(), |isa| {
            widen_f32_on(isa, dtype, black_box(&bytes), &mut out).expect("a float");
            black_box(&mut out);
        });
    }
    for dtype in [DType::BF16, DType::F16, DType::F32] {
        let mut out = bytes_of(&values, dtype);
        each_isa(
            criterion,
            &format!("narrow F32 to {dtype}"),
            4 * TILE,
            |isa| {
                narrow_f32_on(isa, black_box(&values), dtype, &mut out).expect("a plain float");
                black_box(&mut out);
            },
        );
    }
    let doubles: Vec<f64> = values.iter().map(|&x| f64::from(x) * 1.1).collect();
    let mut out = bytes_of(&values, DType::BF16);
    each_isa(criterion, "narrow F64 to BF16", 8 * TILE, |isa| {
        narrow_f64_on(isa, black_box(&doubles), DType::BF16, &mut out).expect("a plain float");
        black_box(&mut out);
    });
    let bytes = bytes_of(&values, DType::BF16);
    each_isa(criterion, "non-finite in BF16", bytes.len(), |isa| {
        black_box(non_finite_in_on(isa, DType::BF16, black_box(&bytes)));
    });
}

fn kernels(criterion: &mut Criterion) {
    let (a, b) = (weights(1), weights(2));
    let mut out = vec![0.0; TILE];
    each_isa(criterion, "dot3 F32", 8 * TILE, |isa| {
        black_box(dot3_on(isa, black_box(&a), black_box(&b)));
    });
    each_isa(criterion, "lerp_pair F32", 8 * TILE, |isa| {
        lerp_pair_on(isa, &mut out, 0.3, black_box(&a), 0.7, black_box(&b));
        black_box(&mut out);
    });
    each_isa(criterion, "add_scaled F32", 8 * TILE, |isa| {
        add_scaled_on(isa, &mut out, 1e-9, black_box(&a));
        black_box(&mut out);
    });
    each_isa(criterion, "count_non_finite F32", 4 * TILE, |isa| {
        black_box(count_non_finite_on(isa, black_box(&a)));
    });
}

/// What a merge of two tensors does to a tile.
fn tiles(criterion: &mut Criterion) {
    for dtype in [DType::BF16, DType::F16] {
        let (a, b) = (bytes_of(&weights(1), dtype), bytes_of(&weights(2), dtype));
        let (mut wide_a, mut wide_b, mut sum) = (vec![0.0; TILE], vec![0.0; TILE], vec![0.0; TILE]);
        let mut out = a.clone();
        each_isa(
            criterion,
            &format!("{dtype} tiles: widen, dot3"),
            2 * a.len(),
            |isa| {
                widen_f32_on(isa, dtype, black_box(&a), &mut wide_a).expect("a float");
                widen_f32_on(isa, dtype, black_box(&b), &mut wide_b).expect("a float");
                black_box(dot3_on(isa, &wide_a, &wide_b));
            },
        );
        each_isa(
            criterion,
            &format!("{dtype} tiles: widen, lerp, narrow"),
            2 * a.len(),
            |isa| {
                widen_f32_on(isa, dtype, black_box(&a), &mut wide_a).expect("a float");
                widen_f32_on(isa, dtype, black_box(&b), &mut wide_b).expect("a float");
                lerp_pair_on(isa, &mut sum, 0.3, &wide_a, 0.7, &wide_b);
                narrow_f32_on(isa, &sum, dtype, &mut out).expect("a plain float");
                black_box(&mut out);
            },
        );
    }
}

/// Approximately normal, with a standard deviation of `deviation`.
fn normal(count: usize, seed: u32, deviation: f64) -> Vec<f32> {
    let mut state = seed;
    let mut unit = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state) / f64::from(u32::MAX) - 0.5
    };
    (0..count)
        .map(|_| (deviation * (0..12).map(|_| unit()).sum::<f64>()) as f32)
        .collect()
}

/// What training changed in a row of weights that are stored as BF16.
fn delta(count: usize, seed: u32) -> Vec<f32> {
    let rounded = |x: f32| half::bf16::from_f32(x).to_f32();
    let base = normal(count, seed, 0.02).into_iter().map(rounded);
    let change = normal(count, seed ^ 0x5555, 0.0002);
    base.zip(change)
        .map(|(x, change)| rounded(x + change) - x)
        .collect()
}

/// Draws over whole rows, in elements.
fn draws(criterion: &mut Criterion) {
    let stream = Stream::new(1, "model.layers.0.mlp.up_proj.weight", 1);
    for (kind, make) in [
        (
            "BF16 delta",
            (|n, seed| delta(n, seed)) as fn(usize, u32) -> Vec<f32>,
        ),
        ("continuous", |n, seed| normal(n, seed, 0.01)),
    ] {
        for length in [896, 4864] {
            let rows: Vec<Vec<f32>> = (0..64).map(|seed| make(length, seed)).collect();
            let mut group = criterion.benchmark_group(format!("draw by rank, {kind}, {length}"));
            group.throughput(Throughput::Elements(length as u64));
            group.warm_up_time(Duration::from_millis(100));
            group.measurement_time(Duration::from_millis(500));
            group.sample_size(40);
            for isa in Isa::available() {
                let mut scratch = RankedScratch::default();
                let (mut row, mut next) = (vec![0.0; length], 0);
                group.bench_function(BenchmarkId::from_parameter(isa), |bencher| {
                    bencher.iter(|| {
                        row.copy_from_slice(&rows[next % rows.len()]);
                        let first = (next * length) as u64;
                        next += 1;
                        keep_by_rank_on(isa, stream, first, 0.5, 0.15, &mut row, &mut scratch);
                        black_box(&mut row);
                    });
                });
            }
        }
    }
    let values = weights(1);
    let mut group = criterion.benchmark_group("draw F32");
    group.throughput(Throughput::Elements(TILE as u64));
    group.warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_millis(500));
    group.sample_size(40);
    for isa in Isa::available() {
        let mut kept = values.clone();
        group.bench_function(BenchmarkId::new("bernoulli_keep", isa), |bencher| {
            bencher.iter(|| {
                bernoulli_keep_on(isa, stream, 5, 0.5, &mut kept);
                black_box(&mut kept);
            });
        });
        group.bench_function(BenchmarkId::new("sum_abs", isa), |bencher| {
            bencher.iter(|| black_box(sum_abs_on(isa, black_box(&values))));
        });
    }
}

criterion_group!(benches, casts, kernels, tiles, draws);
criterion_main!(benches);
