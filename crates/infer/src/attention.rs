//! Attention over the cache, a tile of queries against a tile of keys at a time: memory does not grow with the context.
//!
//! The softmax is computed online (Milakov and Gimelshein 2018): each query keeps the largest score so far, the sum of
//! exponentials relative to it, and the values weighted by them; both are scaled down when a larger score appears. A few
//! queries over a long context are cut into ranges of keys, whose results are put together in order.

use weightsmith_tensors::kernels::{Isa, Kernel};

use crate::Pool;
use crate::cache::{CACHE_BLOCK, KvCache, Stored};
use crate::exponential::exp;
use crate::parallel::for_chunks;

/// Tokens whose queries are worked on together.
const TILE_TOKENS: usize = 16;
/// Keys that they meet at once.
const TILE_KEYS: usize = 32;
/// Keys of a range, where few queries meet many keys; a multiple of [`CACHE_BLOCK`].
const RANGE_KEYS: usize = 1024;

/// One sequence's part in a pass through a layer.
#[derive(Debug)]
pub(crate) struct Queries<'a> {
    /// The cache, the pass's own keys and values stored.
    pub(crate) cache: &'a KvCache,
    /// Positions before the first query.
    pub(crate) start: usize,
    /// `count × heads × head_dim`, turned and scaled.
    pub(crate) queries: &'a [f32],
}

/// What holds for all sequences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionShape {
    pub(crate) layer: usize,
    pub(crate) kv_heads: usize,
    pub(crate) group: usize,
    pub(crate) head_dim: usize,
    pub(crate) window: Option<usize>,
    pub(crate) cap: Option<f32>,
}

/// A tile of queries of the heads that share keys, and a range of keys.
#[derive(Debug, Clone, Copy)]
struct Task {
    sequence: usize,
    head: usize,
    first: usize,
    tokens: usize,
    keys: (usize, usize),
}

/// Attends: `out` gets the weighted values, `count × heads × head_dim` for the sequences one after the other.
pub(crate) fn attend(
    pool: &Pool,
    shape: AttentionShape,
    sequences: &[Queries<'_>],
    out: &mut [f32],
) {
    let width = shape.kv_heads * shape.group * shape.head_dim;
    let tasks = tasks(shape, sequences, width);
    // for each query: its weighted values, the sum of its weights, its largest score
    let state = shape.head_dim + 2;
    let size = TILE_TOKENS * shape.group * state;
    let mut partial = vec![0.0_f32; tasks.len() * size];
    for_chunks(pool, &mut partial, size, |index, states| {
        let task = tasks[index];
        Isa::detected().run(Tile {
            shape,
            task,
            sequence: &sequences[task.sequence],
            states,
        });
    });
    let starts: Vec<usize> = sequences
        .iter()
        .scan(0, |sum, sequence| {
            let start = *sum;
            *sum += sequence.queries.len() / width;
            Some(start)
        })
        .collect();
    combine(shape, &tasks, &starts, &partial, out);
}

/// Cuts the work, the ranges of a tile side by side.
fn tasks(shape: AttentionShape, sequences: &[Queries<'_>], width: usize) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (index, sequence) in sequences.iter().enumerate() {
        let count = sequence.queries.len() / width;
        for head in 0..shape.kv_heads {
            for first in (0..count).step_by(TILE_TOKENS) {
                let tokens = (count - first).min(TILE_TOKENS);
                let end = sequence.start + first + tokens;
                let begin = shape.window.map_or(0, |window| {
                    (sequence.start + first + 1).saturating_sub(window)
                });
                let range = if count <= TILE_TOKENS {
                    RANGE_KEYS
                } else {
                    end
                };
                let mut key = begin;
                while key < end {
                    let until = (key / range * range + range).min(end);
                    tasks.push(Task {
                        sequence: index,
                        head,
                        first,
                        tokens,
                        keys: (key, until),
                    });
                    key = until;
                }
            }
        }
    }
    tasks
}

/// Puts the ranges of each query together.
fn combine(
    shape: AttentionShape,
    tasks: &[Task],
    starts: &[usize],
    partial: &[f32],
    out: &mut [f32],
) {
    let AttentionShape {
        group, head_dim, ..
    } = shape;
    let state = head_dim + 2;
    let size = TILE_TOKENS * group * state;
    let same = |a: &Task, b: &Task| (a.sequence, a.head, a.first) == (b.sequence, b.head, b.first);
    let mut done = 0;
    for ranges in tasks.chunk_by(same) {
        let task = ranges[0];
        for row in 0..task.tokens * group {
            let states = (done..done + ranges.len())
                .map(|index| &partial[index * size + row * state..][..state]);
            let largest = states
                .clone()
                .map(|state| state[head_dim + 1])
                .fold(f32::NEG_INFINITY, f32::max);
            let token = starts[task.sequence] + task.first + row / group;
            let head = task.head * group + row % group;
            let out = &mut out[(token * shape.kv_heads * group + head) * head_dim..][..head_dim];
            out.fill(0.0);
            let mut sum = 0.0;
            for state in states {
                let weight = exp(state[head_dim + 1] - largest);
                sum += weight * state[head_dim];
                for (out, value) in out.iter_mut().zip(state) {
                    *out += weight * value;
                }
            }
            out.iter_mut().for_each(|out| *out /= sum);
        }
        done += ranges.len();
    }
}

/// One task, compiled for the CPU at hand.
struct Tile<'a> {
    shape: AttentionShape,
    task: Task,
    sequence: &'a Queries<'a>,
    states: &'a mut [f32],
}

impl Kernel for Tile<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            shape,
            task,
            sequence,
            states,
        } = self;
        let dim = shape.head_dim;
        let rows = task.tokens * shape.group;
        let mut keys = vec![0.0_f32; TILE_KEYS * dim];
        let mut values = vec![0.0_f32; TILE_KEYS * dim];
        for state in states.chunks_exact_mut(dim + 2).take(rows) {
            state[dim + 1] = f32::NEG_INFINITY;
        }
        let mut key = task.keys.0;
        while key < task.keys.1 {
            let slot = key % CACHE_BLOCK;
            let count = TILE_KEYS.min(task.keys.1 - key).min(CACHE_BLOCK - slot);
            let stored = sequence.cache.head(
                shape.layer,
                task.head,
                key / CACHE_BLOCK,
                slot..slot + count,
            );
            widen(stored.0, &mut keys);
            widen(stored.1, &mut values);
            for (row, state) in states.chunks_exact_mut(dim + 2).take(rows).enumerate() {
                let token = task.first + row / shape.group;
                let seen = visible(shape, sequence.start + token, key, count);
                if seen.0 < seen.1 {
                    let head = task.head * shape.group + row % shape.group;
                    let width = shape.kv_heads * shape.group * dim;
                    let query = &sequence.queries[token * width + head * dim..][..dim];
                    meet(shape, query, seen, &keys, &values, state);
                }
            }
            key += count;
        }
    }
}

/// Which of `count` keys from `key` on a query at `position` sees.
#[inline(always)]
fn visible(shape: AttentionShape, position: usize, key: usize, count: usize) -> (usize, usize) {
    let begin = shape
        .window
        .map_or(0, |window| (position + 1).saturating_sub(window));
    let first = begin.saturating_sub(key).min(count);
    let end = (position + 1).saturating_sub(key).min(count);
    (first, end)
}

#[inline(always)]
fn widen(stored: Stored<'_>, out: &mut [f32]) {
    match stored {
        Stored::Bf16(numbers) => {
            for (out, &bits) in out.iter_mut().zip(numbers) {
                *out = f32::from_bits(u32::from(bits) << 16);
            }
        }
        Stored::F32(numbers) => out[..numbers.len()].copy_from_slice(numbers),
    }
}

/// Adds a tile of keys and values to a query's state.
#[inline(always)]
fn meet(
    shape: AttentionShape,
    query: &[f32],
    (first, end): (usize, usize),
    keys: &[f32],
    values: &[f32],
    state: &mut [f32],
) {
    let dim = query.len();
    let mut scores = [f32::NEG_INFINITY; TILE_KEYS];
    let mut largest = state[dim + 1];
    for index in first..end {
        let mut score = dot(query, &keys[index * dim..][..dim]);
        if let Some(cap) = shape.cap {
            score = cap * (score / cap).tanh();
        }
        scores[index] = score;
        largest = largest.max(score);
    }
    let kept = exp(state[dim + 1] - largest);
    let mut sum = 0.0;
    for score in &mut scores {
        *score = exp(*score - largest);
    }
    for score in &scores {
        sum += score;
    }
    state[dim] = state[dim] * kept + sum;
    state[dim + 1] = largest;
    let weighted = &mut state[..dim];
    if kept != 1.0 {
        weighted.iter_mut().for_each(|value| *value *= kept);
    }
    for index in first..end {
        let weight = scores[index];
        for (out, value) in weighted.iter_mut().zip(&values[index * dim..][..dim]) {
            *out += weight * value;
        }
    }
}

/// A dot product over sixteen lanes.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0_f32; LANES];
    let (a_groups, a_rest) = a.as_chunks::<LANES>();
    let (b_groups, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_groups.iter().zip(b_groups) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0] + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}
