//! Attention over the cache, a tile of queries against a tile of keys at a time: memory does not grow with the context.
//!
//! The softmax is computed online (Milakov and Gimelshein 2018): each query keeps the largest score so far, the sum of
//! exponentials relative to it, and the values weighted by them; both are scaled down when a larger score appears. A few
//! queries over a long context are cut into ranges of keys, whose results are put together in order.

mod tile;

use self::tile::Tile;
use crate::Pool;
use crate::cache::KvCache;
use crate::exponential::exp;
use crate::fused::{Fused, LANES};
use crate::parallel::for_chunks;

/// Tokens whose queries are worked on together.
const TILE_TOKENS: usize = 32;
/// Keys of a range, where few queries meet many keys; a multiple of a cache block.
const RANGE_KEYS: usize = 1024;

/// One sequence's part in a pass through a layer.
#[derive(Debug)]
pub(crate) struct Queries<'a> {
    /// The cache, the pass's own keys and values stored.
    pub(crate) cache: &'a KvCache,
    /// Positions before the first query.
    pub(crate) start: usize,
    /// `count × heads × head_dim`, turned and scaled.
    pub(crate) heads: &'a [f32],
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

impl AttentionShape {
    /// Length of a head's values in a query's state: whole groups of lanes.
    #[inline(always)]
    fn padded(self) -> usize {
        self.head_dim.next_multiple_of(LANES)
    }

    /// A query's state: its weighted values, the sum of its weights, its largest score.
    #[inline(always)]
    fn state(self) -> usize {
        self.padded() + 2
    }
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
    attend_with(Fused::detected(), pool, shape, sequences, out);
}

/// [`attend`] by given vector instructions.
fn attend_with(
    fused: Fused,
    pool: &Pool,
    shape: AttentionShape,
    sequences: &[Queries<'_>],
    out: &mut [f32],
) {
    let width = shape.kv_heads * shape.group * shape.head_dim;
    let tasks = tasks(shape, sequences, width);
    let most = tasks.iter().map(|task| task.tokens).max().unwrap_or(0);
    let size = most * shape.group * shape.state();
    let mut partial = vec![0.0_f32; tasks.len() * size];
    for_chunks(pool, &mut partial, size, |index, states| {
        let task = tasks[index];
        fused.run(Tile {
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
            *sum += sequence.heads.len() / width;
            Some(start)
        })
        .collect();
    combine(shape, &tasks, &starts, (&partial, size), out);
}

/// Cuts the work, the ranges of a tile side by side.
fn tasks(shape: AttentionShape, sequences: &[Queries<'_>], width: usize) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (index, sequence) in sequences.iter().enumerate() {
        let count = sequence.heads.len() / width;
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
    (partial, size): (&[f32], usize),
    out: &mut [f32],
) {
    let AttentionShape {
        group, head_dim, ..
    } = shape;
    let (sum_at, largest_at) = (shape.padded(), shape.padded() + 1);
    let same = |a: &Task, b: &Task| (a.sequence, a.head, a.first) == (b.sequence, b.head, b.first);
    let mut done = 0;
    for ranges in tasks.chunk_by(same) {
        let task = ranges[0];
        for row in 0..task.tokens * group {
            let states = (done..done + ranges.len())
                .map(|index| &partial[index * size + row * shape.state()..][..shape.state()]);
            let largest = states
                .clone()
                .map(|state| state[largest_at])
                .fold(f32::NEG_INFINITY, f32::max);
            let token = starts[task.sequence] + task.first + row / group;
            let head = task.head * group + row % group;
            let out = &mut out[(token * shape.kv_heads * group + head) * head_dim..][..head_dim];
            out.fill(0.0);
            let mut sum = 0.0;
            for state in states {
                let weight = exp(state[largest_at] - largest);
                sum += weight * state[sum_at];
                for (out, value) in out.iter_mut().zip(state) {
                    *out += weight * value;
                }
            }
            for out in out {
                *out /= sum;
            }
        }
        done += ranges.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cache::CacheType;

    /// Numbers without rhyme or reason, from -1 to 1.
    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    /// Attention by its definition, in f64.
    fn naive(
        shape: AttentionShape,
        (start, queries): (usize, &[f32]),
        keys: &[f32],
        values: &[f32],
    ) -> Vec<f32> {
        let (dim, kv) = (shape.head_dim, shape.kv_heads * shape.head_dim);
        let heads = shape.kv_heads * shape.group;
        let mut out = Vec::new();
        for (index, query) in queries.chunks_exact(dim).enumerate() {
            let (position, head) = (start + index / heads, index % heads);
            let begin = shape
                .window
                .map_or(0, |window| (position + 1).saturating_sub(window));
            let at = |numbers: &[f32], key: usize, index: usize| {
                f64::from(numbers[key * kv + head / shape.group * dim + index])
            };
            let weight = |key: usize| {
                let product = |index| f64::from(query[index]) * at(keys, key, index);
                let score: f64 = (0..dim).map(product).sum();
                let score = match shape.cap {
                    Some(cap) => f64::from(cap) * (score / f64::from(cap)).tanh(),
                    None => score,
                };
                score.exp()
            };
            let weights: Vec<f64> = (begin..=position).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            out.extend((0..dim).map(|index| {
                let weighted = weights.iter().zip(begin..);
                let total: f64 = weighted
                    .map(|(weight, key)| weight * at(values, key, index))
                    .sum();
                (total / sum) as f32
            }));
        }
        out
    }

    fn cache(shape: AttentionShape, keys: &[f32], values: &[f32]) -> KvCache {
        let mut cache = KvCache::of_shape([None], shape.kv_heads, shape.head_dim, CacheType::F32);
        cache.store(0, keys, values);
        cache
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn it_is_softmax_attention(
            seed in 1_u64..1_000_000,
            (kv_heads, group, head_dim) in (1_usize..3, 1_usize..8, prop_oneof![Just(6), Just(16), Just(40)]),
            before in prop_oneof![0_usize..70, 900_usize..1200, 2000_usize..2200],
            count in prop_oneof![Just(1_usize), 1_usize..40],
            window in prop_oneof![Just(None), (1_usize..150).prop_map(Some)],
            cap in prop_oneof![Just(None), Just(Some(1.5_f32))],
        ) {
            let shape = AttentionShape { layer: 0, kv_heads, group, head_dim, window, cap };
            let (kv, query) = (kv_heads * head_dim, kv_heads * group * head_dim);
            let mut caches = Vec::new();
            let mut sequences = Vec::new();
            for (seed, before, count) in [(seed, before, count), (seed + 1, 3, 2)] {
                let keys = numbers((before + count) * kv, seed);
                let values = numbers((before + count) * kv, seed + 7);
                caches.push(cache(shape, &keys, &values));
                sequences.push((keys, values, before, numbers(count * query, seed + 11)));
            }
            let queries: Vec<Queries<'_>> = sequences
                .iter()
                .zip(&caches)
                .map(|((_, _, start, queries), cache)| Queries { cache, start: *start, heads: queries })
                .collect();
            let expected: Vec<f32> = sequences
                .iter()
                .flat_map(|(keys, values, start, queries)| naive(shape, (*start, queries), keys, values))
                .collect();
            for fused in Fused::available() {
                let mut out = vec![f32::NAN; expected.len()];
                attend_with(fused, &Pool::new(2), shape, &queries, &mut out);
                for (found, expected) in out.iter().zip(&expected) {
                    prop_assert!((found - expected).abs() < 2e-6, "{:?} {} {}", fused, found, expected);
                }
            }
        }
    }
}
