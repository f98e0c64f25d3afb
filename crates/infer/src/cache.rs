//! Keys and values of the positions a sequence has been through.

use std::fmt;
use std::sync::Arc;

use half::bf16;

use crate::config::ModelConfig;

/// Positions that a block of the cache holds.
pub const CACHE_BLOCK: usize = 128;

/// The type that keys and values are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheType {
    /// Two bytes for each number, rounded to nearest even.
    #[default]
    Bf16,
    /// Four bytes, exactly what was computed.
    F32,
}

impl CacheType {
    /// Bytes for each number.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Bf16 => 2,
            Self::F32 => 4,
        }
    }
}

/// Keys and values of one sequence, layer by layer, in blocks of [`CACHE_BLOCK`] positions.
///
/// A clone shares the blocks with its original until one of them writes to one, so that many sequences can go on from the
/// same prefix.
#[derive(Clone)]
pub struct KvCache {
    layers: Vec<Vec<Arc<Block>>>,
    shape: Shape,
    length: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    kind: CacheType,
    heads: usize,
    head_dim: usize,
}

impl fmt::Debug for KvCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KvCache")
            .field("layers", &self.layers.len())
            .field("shape", &self.shape)
            .field("length", &self.length)
            .finish()
    }
}

impl KvCache {
    /// An empty cache for a model. It takes no memory before the first token.
    pub fn new(config: &ModelConfig, kind: CacheType) -> Self {
        Self::of_shape(config.layers.len(), config.kv_heads, config.head_dim, kind)
    }

    pub(crate) fn of_shape(layers: usize, heads: usize, head_dim: usize, kind: CacheType) -> Self {
        Self {
            layers: vec![Vec::new(); layers],
            shape: Shape {
                kind,
                heads,
                head_dim,
            },
            length: 0,
        }
    }

    /// Positions it holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// True before the first token.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets all positions from `length` on; the blocks that held only those are freed.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
        let blocks = self.length.div_ceil(CACHE_BLOCK);
        for layer in &mut self.layers {
            layer.truncate(blocks);
        }
    }

    /// Memory of its blocks, those it shares included.
    pub fn bytes(&self) -> u64 {
        let blocks: usize = self.layers.iter().map(Vec::len).sum();
        let numbers = 2 * CACHE_BLOCK * self.shape.heads * self.shape.head_dim;
        (blocks * numbers * self.shape.kind.bytes()) as u64
    }

    pub(crate) fn fits(&self, config: &ModelConfig) -> bool {
        self.layers.len() == config.layers.len()
            && self.shape.heads == config.kv_heads
            && self.shape.head_dim == config.head_dim
    }

    /// Stores keys and values (`count × heads × head_dim` each) of a layer behind the positions that are there.
    ///
    /// They count once [`Self::advance`] says so, after the last layer.
    pub(crate) fn store(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let shape = self.shape;
        let width = shape.heads * shape.head_dim;
        let blocks = &mut self.layers[layer];
        let rows = keys.chunks_exact(width).zip(values.chunks_exact(width));
        for (position, (keys, values)) in (self.length..).zip(rows) {
            let (block, slot) = (position / CACHE_BLOCK, position % CACHE_BLOCK);
            if block == blocks.len() {
                blocks.push(Arc::new(Block::new(shape)));
            }
            Arc::make_mut(&mut blocks[block]).store(shape, slot, keys, values);
        }
    }

    /// The positions that every layer has stored are there from now on.
    pub(crate) fn advance(&mut self, count: usize) {
        self.length += count;
    }

    /// Keys and values of a head in a block of a layer. Keys lie dimension by dimension, [`CACHE_BLOCK`] positions each,
    /// as scores of many positions are computed side by side; values lie position by position.
    pub(crate) fn head(&self, layer: usize, head: usize, block: usize) -> (Stored<'_>, Stored<'_>) {
        let block = &self.layers[layer][block];
        let size = CACHE_BLOCK * self.shape.head_dim;
        let range = head * size..(head + 1) * size;
        (block.keys.slice(range.clone()), block.values.slice(range))
    }
}

/// Numbers of the cache, in their type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stored<'a> {
    Bf16(&'a [u16]),
    F32(&'a [f32]),
}

#[derive(Debug, Clone)]
struct Block {
    keys: Numbers,
    values: Numbers,
}

impl Block {
    fn new(shape: Shape) -> Self {
        let numbers = CACHE_BLOCK * shape.heads * shape.head_dim;
        let zeros = || match shape.kind {
            CacheType::Bf16 => Numbers::Bf16(vec![0; numbers]),
            CacheType::F32 => Numbers::F32(vec![0.0; numbers]),
        };
        Self {
            keys: zeros(),
            values: zeros(),
        }
    }

    fn store(&mut self, shape: Shape, slot: usize, keys: &[f32], values: &[f32]) {
        let dim = shape.head_dim;
        for head in 0..shape.heads {
            let first = head * CACHE_BLOCK * dim;
            let (keys, values) = (&keys[head * dim..][..dim], &values[head * dim..][..dim]);
            self.keys.store(first + slot, CACHE_BLOCK, keys);
            self.values.store(first + slot * dim, 1, values);
        }
    }
}

#[derive(Debug, Clone)]
enum Numbers {
    Bf16(Vec<u16>),
    F32(Vec<f32>),
}

impl Numbers {
    /// Stores numbers, each `stride` behind the one before.
    fn store(&mut self, first: usize, stride: usize, values: &[f32]) {
        match self {
            Self::Bf16(numbers) => {
                let places = numbers[first..].iter_mut().step_by(stride);
                for (place, &value) in places.zip(values) {
                    *place = bf16::from_f32(value).to_bits();
                }
            }
            Self::F32(numbers) => {
                let places = numbers[first..].iter_mut().step_by(stride);
                for (place, &value) in places.zip(values) {
                    *place = value;
                }
            }
        }
    }

    fn slice(&self, range: std::ops::Range<usize>) -> Stored<'_> {
        match self {
            Self::Bf16(numbers) => Stored::Bf16(&numbers[range]),
            Self::F32(numbers) => Stored::F32(&numbers[range]),
        }
    }
}
