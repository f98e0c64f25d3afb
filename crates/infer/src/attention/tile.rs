//! The inner loops of attention: some queries against some keys.

use super::{AttentionShape, Queries, Task};
use crate::cache::{CACHE_BLOCK, Stored};
use crate::exponential::exp;
use crate::fused::{FusedLoop, LANES, Lanes};

/// Keys that a tile of queries meets at once; a divisor of [`CACHE_BLOCK`].
const TILE_KEYS: usize = 64;
/// Queries that share what is loaded of keys and values.
const ROWS: usize = 4;

/// One task, compiled for the CPU at hand.
pub(super) struct Tile<'a> {
    pub(super) shape: AttentionShape,
    pub(super) task: Task,
    pub(super) sequence: &'a Queries<'a>,
    pub(super) states: &'a mut [f32],
}

/// Scores of some queries and a tile of keys.
type Scores = [[f32; TILE_KEYS]; ROWS];

impl FusedLoop for Tile<'_> {
    #[inline(always)]
    fn run<V: Lanes, const GROUPS: usize>(self, lanes: V) {
        let Self {
            shape,
            task,
            sequence,
            states,
        } = self;
        let (dim, padded, state) = (shape.head_dim, shape.padded(), shape.state());
        let rows = task.tokens * shape.group;
        let states = &mut states[..rows * state];
        for state in states.chunks_exact_mut(state) {
            state[padded + 1] = f32::NEG_INFINITY;
        }
        let mut keys = vec![0.0_f32; TILE_KEYS * dim];
        let mut values = vec![0.0_f32; TILE_KEYS * padded];
        let mut scores = [[0.0; TILE_KEYS]; ROWS];
        let mut key = task.keys.0 / TILE_KEYS * TILE_KEYS;
        while key < task.keys.1 {
            let slot = key % CACHE_BLOCK;
            let stored = sequence
                .cache
                .head(shape.layer, task.head, key / CACHE_BLOCK);
            load(stored, slot, dim, padded, &mut keys, &mut values);
            let mut first = 0;
            for states in states.chunks_mut(ROWS * state) {
                let count = states.len() / state;
                let mut seen = [(0, 0); ROWS];
                let mut queries = [&sequence.heads[..0]; ROWS];
                let mut any = false;
                for row in 0..ROWS {
                    // rows beyond the last are that one again, and not used
                    let index = first + row.min(count - 1);
                    let token = task.first + index / shape.group;
                    let head = task.head * shape.group + index % shape.group;
                    let width = shape.kv_heads * shape.group * dim;
                    queries[row] = &sequence.heads[token * width + head * dim..][..dim];
                    seen[row] = visible(shape, task, sequence.start + token, key);
                    any |= seen[row].0 < seen[row].1;
                }
                if any {
                    multiply::<V, GROUPS>(lanes, &queries, &keys, &mut scores);
                    for row in 0..count {
                        let state = &mut states[row * state..][..state];
                        weigh(shape.cap, seen[row], &mut scores[row], state);
                    }
                    accumulate::<V, GROUPS>(lanes, &scores, &values, padded, states);
                }
                first += ROWS;
            }
            key += TILE_KEYS;
        }
    }
}

/// Which of the keys of a tile from `key` on a query at `position` sees, within the task's range.
#[inline(always)]
fn visible(shape: AttentionShape, task: Task, position: usize, key: usize) -> (usize, usize) {
    let begin = match shape.window {
        Some(window) => (position + 1).saturating_sub(window),
        None => 0,
    };
    let begin = begin.max(task.keys.0);
    let end = (position + 1).min(task.keys.1);
    let first = begin.saturating_sub(key).min(TILE_KEYS);
    let end = end.saturating_sub(key).min(TILE_KEYS);
    (first, end)
}

/// A tile of keys, dimension by dimension, and of values, position by position and padded with zeros.
#[inline(always)]
fn load(
    stored: (Stored<'_>, Stored<'_>),
    slot: usize,
    dim: usize,
    padded: usize,
    keys: &mut [f32],
    values: &mut [f32],
) {
    for (index, out) in keys.chunks_exact_mut(TILE_KEYS).enumerate() {
        widen(stored.0, index * CACHE_BLOCK + slot, out);
    }
    for (index, out) in values.chunks_exact_mut(padded).enumerate() {
        widen(stored.1, (slot + index) * dim, &mut out[..dim]);
    }
}

#[inline(always)]
fn widen(stored: Stored<'_>, first: usize, out: &mut [f32]) {
    match stored {
        Stored::Bf16(numbers) => {
            let numbers = &numbers[first..first + out.len()];
            for index in 0..out.len() {
                out[index] = f32::from_bits(u32::from(numbers[index]) << 16);
            }
        }
        Stored::F32(numbers) => out.copy_from_slice(&numbers[first..first + out.len()]),
    }
}

/// Products of queries and keys. The sums of all rows and of `GROUPS` vectors of keys stay in registers, so that what is loaded
/// of either is used several times.
#[inline(always)]
fn multiply<V: Lanes, const GROUPS: usize>(
    lanes: V,
    queries: &[&[f32]; ROWS],
    keys: &[f32],
    scores: &mut Scores,
) {
    let dim = queries[0].len();
    let queries = queries.map(|query| &query[..dim]);
    for first in (0..TILE_KEYS).step_by(GROUPS * LANES) {
        let mut sums = [[lanes.zero(); GROUPS]; ROWS];
        for (index, keys) in keys.chunks_exact(TILE_KEYS).take(dim).enumerate() {
            let keys = vectors::<V, GROUPS>(lanes, &keys[first..first + GROUPS * LANES]);
            for row in 0..ROWS {
                for group in 0..GROUPS {
                    let sum = &mut sums[row][group];
                    *sum = lanes.add_scaled(*sum, queries[row][index], keys[group]);
                }
            }
        }
        for row in 0..ROWS {
            for group in 0..GROUPS {
                lanes.store(sums[row][group], &mut scores[row][first + group * LANES..]);
            }
        }
    }
}

#[inline(always)]
fn vectors<V: Lanes, const GROUPS: usize>(lanes: V, from: &[f32]) -> [V::Vector; GROUPS] {
    let mut vectors = [lanes.zero(); GROUPS];
    for (vector, from) in vectors.iter_mut().zip(from.chunks_exact(LANES)) {
        *vector = lanes.load(from);
    }
    vectors
}

/// Turns a query's scores into weights relative to the largest score so far, and its state with them.
#[inline(always)]
fn weigh(
    cap: Option<f32>,
    (first, end): (usize, usize),
    scores: &mut [f32; TILE_KEYS],
    state: &mut [f32],
) {
    if first >= end {
        scores.fill(0.0);
        return;
    }
    if let Some(cap) = cap {
        for score in scores.iter_mut() {
            // cap · tanh(score / cap)
            *score = cap - 2.0 * cap / (1.0 + exp(2.0 * *score / cap));
        }
    }
    scores[..first].fill(f32::NEG_INFINITY);
    scores[end..].fill(f32::NEG_INFINITY);
    let sum_at = state.len() - 2;
    let before = state[sum_at + 1];
    let mut lanes = [before; LANES];
    for group in 0..TILE_KEYS / LANES {
        for lane in 0..LANES {
            let score = scores[group * LANES + lane];
            lanes[lane] = if score > lanes[lane] {
                score
            } else {
                lanes[lane]
            };
        }
    }
    let mut largest = before;
    for lane in lanes {
        largest = if lane > largest { lane } else { largest };
    }
    let mut sums = [0.0_f32; LANES];
    for group in 0..TILE_KEYS / LANES {
        for lane in 0..LANES {
            let weight = exp(scores[group * LANES + lane] - largest);
            scores[group * LANES + lane] = weight;
            sums[lane] += weight;
        }
    }
    let mut sum = 0.0;
    for lane in sums {
        sum += lane;
    }
    let kept = exp(before - largest);
    state[sum_at] = state[sum_at] * kept + sum;
    state[sum_at + 1] = largest;
    if kept != 1.0 {
        for value in &mut state[..sum_at] {
            *value *= kept;
        }
    }
}

/// Adds the weighted values of a tile to the queries' states.
#[inline(always)]
fn accumulate<V: Lanes, const GROUPS: usize>(
    lanes: V,
    scores: &Scores,
    values: &[f32],
    padded: usize,
    states: &mut [f32],
) {
    let mut first = 0;
    while first + GROUPS * LANES <= padded {
        accumulate_some::<V, GROUPS>(lanes, scores, values, padded, first, states);
        first += GROUPS * LANES;
    }
    while first < padded {
        accumulate_some::<V, 1>(lanes, scores, values, padded, first, states);
        first += LANES;
    }
}

/// `GROUPS` vectors of the values, from dimension `first` on.
#[inline(always)]
fn accumulate_some<V: Lanes, const GROUPS: usize>(
    lanes: V,
    scores: &Scores,
    values: &[f32],
    padded: usize,
    first: usize,
    states: &mut [f32],
) {
    let mut sums = [[lanes.zero(); GROUPS]; ROWS];
    for (key, values) in values.chunks_exact(padded).take(TILE_KEYS).enumerate() {
        let values = vectors::<V, GROUPS>(lanes, &values[first..first + GROUPS * LANES]);
        for row in 0..ROWS {
            for group in 0..GROUPS {
                let sum = &mut sums[row][group];
                *sum = lanes.add_scaled(*sum, scores[row][key], values[group]);
            }
        }
    }
    for (sums, state) in sums.iter().zip(states.chunks_exact_mut(padded + 2)) {
        for group in 0..GROUPS {
            let out = &mut state[first + group * LANES..][..LANES];
            lanes.store(lanes.add_scaled(sums[group], 1.0, lanes.load(out)), out);
        }
    }
}
