//! Keys and values of the positions a sequence has been through.

use std::fmt;
use std::sync::Arc;

use half::bf16;

use crate::config::DecoderConfig;

/// Positions that a block of the cache holds.
pub const CACHE_BLOCK: usize = 128;

/// Positions behind a window that are kept none the less, so that the end of a sequence can be taken back.
const KEPT_BEHIND: usize = 4 * CACHE_BLOCK;

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
/// same prefix. Of a layer with a sliding window, blocks that no later position sees are freed, but for some behind the window,
/// which [`Self::truncate`] can go back to.
#[derive(Clone)]
pub struct KvCache {
    layers: Vec<Layer>,
    shape: Shape,
    length: usize,
}

/// The blocks of a layer.
#[derive(Debug, Clone)]
struct Layer {
    /// How many positions a token sees, its own included; `None` sees all.
    window: Option<usize>,
    /// Blocks that were freed, all of them before the first of `blocks`.
    freed: usize,
    blocks: Vec<Arc<Block>>,
}

impl Layer {
    /// The first position that a token at `position` or later sees.
    fn first_seen(&self, position: usize) -> usize {
        self.window
            .map_or(0, |window| (position + 1).saturating_sub(window))
    }

    /// Frees what a sequence of this length does not need any more.
    fn free_behind(&mut self, length: usize) {
        let first = self.first_seen(length).saturating_sub(KEPT_BEHIND) / CACHE_BLOCK;
        if first > self.freed {
            self.blocks.drain(..first - self.freed);
            self.freed = first;
        }
    }

    /// Whether a sequence can go on from this length.
    fn goes_on_from(&self, length: usize) -> bool {
        self.freed * CACHE_BLOCK <= self.first_seen(length)
    }
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
    pub fn new(config: &DecoderConfig, kind: CacheType) -> Self {
        let windows = config.layers.iter().map(|layer| layer.window);
        Self::of_shape(windows, config.kv_heads, config.head_dim, kind)
    }

    /// An empty cache of layers with these windows.
    pub(crate) fn of_shape(
        windows: impl IntoIterator<Item = Option<usize>>,
        heads: usize,
        head_dim: usize,
        kind: CacheType,
    ) -> Self {
        let layer = |window| Layer {
            window,
            freed: 0,
            blocks: Vec::new(),
        };
        Self {
            layers: windows.into_iter().map(layer).collect(),
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

    /// Forgets all positions from `length` on, and frees the blocks that held only those.
    ///
    /// Returns how many positions are left: `length` (or fewer, if there were fewer), or 0 when a layer's window before `length`
    /// was freed already and the sequence must be computed anew. Going back by up to 512 positions from the greatest length works.
    #[must_use = "a sequence whose window was freed is forgotten as a whole"]
    pub fn truncate(&mut self, length: usize) -> usize {
        let length = self.length.min(length);
        if !self.layers.iter().all(|layer| layer.goes_on_from(length)) {
            self.clear();
            return 0;
        }
        self.length = length;
        self.drop_unfinished();
        length
    }

    /// Frees blocks that hold only positions of a pass that did not come to its end.
    pub(crate) fn drop_unfinished(&mut self) {
        let blocks = self.length.div_ceil(CACHE_BLOCK);
        for layer in &mut self.layers {
            layer.blocks.truncate(blocks.saturating_sub(layer.freed));
        }
    }

    /// Forgets all positions and frees all blocks.
    pub fn clear(&mut self) {
        self.length = 0;
        for layer in &mut self.layers {
            layer.blocks.clear();
            layer.freed = 0;
        }
    }

    /// Memory of its blocks, those it shares included.
    pub fn bytes(&self) -> u64 {
        let blocks: usize = self.layers.iter().map(|layer| layer.blocks.len()).sum();
        let numbers = 2 * CACHE_BLOCK * self.shape.heads * self.shape.head_dim;
        (blocks * numbers * self.shape.kind.bytes()) as u64
    }

    pub(crate) fn fits(&self, config: &DecoderConfig) -> bool {
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
        let Layer { blocks, freed, .. } = &mut self.layers[layer];
        let rows = keys.chunks_exact(width).zip(values.chunks_exact(width));
        for (position, (keys, values)) in (self.length..).zip(rows) {
            let (block, slot) = (position / CACHE_BLOCK - *freed, position % CACHE_BLOCK);
            if block == blocks.len() {
                blocks.push(Arc::new(Block::new(shape)));
            }
            Arc::make_mut(&mut blocks[block]).store(shape, slot, keys, values);
        }
    }

    /// The positions that every layer has stored are there from now on; what lies behind the windows is freed.
    pub(crate) fn advance(&mut self, count: usize) {
        self.length += count;
        for layer in &mut self.layers {
            layer.free_behind(self.length);
        }
    }

    /// Keys and values of a head in a block of a layer. Keys lie dimension by dimension, [`CACHE_BLOCK`] positions each,
    /// as scores of many positions are computed side by side; values lie position by position.
    pub(crate) fn head(&self, layer: usize, head: usize, block: usize) -> (Stored<'_>, Stored<'_>) {
        let layer = &self.layers[layer];
        let block = &layer.blocks[block - layer.freed];
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};
    use weightsmith_tensors::Checkpoint;

    use super::*;
    use crate::{Decoder, DecoderOptions, MAX_PASS_TOKENS, Pool, SequenceStep, Wants};

    /// Tiny models of families with windows of 12 positions: some layers or all.
    const WINDOWED: [(&str, &str); 4] = [
        ("mistral", "window"),
        ("gemma2", "default"),
        ("gemma3", "default"),
        ("gemma3", "types"),
    ];

    /// A model of the goldens, with positions for long sequences.
    fn decoder(family: &str, case: &str) -> Decoder {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(family);
        let cases = fs_err::read_to_string(folder.join("cases.json")).unwrap();
        let cases: Value = serde_json::from_str(&cases).unwrap();
        let mut config = cases["cases"][case].clone();
        config["max_position_embeddings"] = json!(8192);
        let source = Arc::new(Checkpoint::open(&folder.join("model.safetensors")).unwrap());
        let config = DecoderConfig::from_json(&config).unwrap();
        Decoder::open(
            source,
            config,
            Arc::new(Pool::new(2)),
            DecoderOptions {
                exact: true,
                ..DecoderOptions::default()
            },
        )
        .unwrap()
    }

    fn run(decoder: &Decoder, cache: &mut KvCache, tokens: std::ops::Range<usize>) -> Vec<f32> {
        let tokens: Vec<u32> = tokens.map(|index| (index * index % 47) as u32).collect();
        let mut steps = [SequenceStep {
            tokens: &tokens,
            cache,
            wants: Wants::Last,
        }];
        decoder.step(&mut steps).unwrap().last(0).to_vec()
    }

    /// A cache that frees nothing, whatever the windows.
    fn complete(decoder: &Decoder) -> KvCache {
        let config = decoder.config();
        let windows = vec![None; config.layers.len()];
        KvCache::of_shape(windows, config.kv_heads, config.head_dim, CacheType::F32)
    }

    #[test]
    fn logits_are_those_of_a_cache_that_frees_nothing() {
        for (family, case) in WINDOWED {
            let decoder = decoder(family, case);
            let (mut cache, mut all) = (decoder.new_cache(), complete(&decoder));
            let mut begin = 0;
            for count in [700, 3, 1, 129, 1400, 64]
                .into_iter()
                .chain(std::iter::repeat_n(1, 140))
            {
                let tokens = begin..begin + count;
                let found = run(&decoder, &mut cache, tokens.clone());
                assert_eq!(found, run(&decoder, &mut all, tokens), "{family} {begin}");
                begin += count;
            }
            assert_eq!(cache.len(), all.len());
            assert!(cache.bytes() < all.bytes(), "{family}");
        }
    }

    #[test]
    fn windows_in_all_layers_bound_the_memory() {
        let decoder = decoder("mistral", "window");
        assert!(
            decoder
                .config()
                .layers
                .iter()
                .all(|layer| layer.window == Some(12))
        );
        let mut cache = decoder.new_cache();
        let mut largest = 0;
        for begin in (0..8000).step_by(1000) {
            run(&decoder, &mut cache, begin..begin + 1000);
            largest = largest.max(cache.bytes());
        }
        let positions = (12 + KEPT_BEHIND + CACHE_BLOCK) as u64;
        assert!(
            largest
                <= positions.next_multiple_of(CACHE_BLOCK as u64)
                    * decoder.cache_bytes_per_position(),
            "{largest}"
        );
        // a pass adds no more than its own
        let mut in_a_pass = cache.clone();
        let width = decoder.config().kv_width();
        let numbers = vec![0.0; MAX_PASS_TOKENS * width];
        for layer in 0..decoder.config().layers.len() {
            in_a_pass.store(layer, &numbers, &numbers);
        }
        let pass = (MAX_PASS_TOKENS + CACHE_BLOCK) as u64;
        assert!(in_a_pass.bytes() <= largest + pass * decoder.cache_bytes_per_position());
        in_a_pass.drop_unfinished();
        assert_eq!(in_a_pass.bytes(), cache.bytes());
    }

    #[test]
    fn truncating_beyond_what_is_kept_forgets_everything() {
        for (family, case) in WINDOWED {
            let decoder = decoder(family, case);
            let mut cache = decoder.new_cache();
            run(&decoder, &mut cache, 0..300);
            let prefix = cache.clone();
            let expected = run(&decoder, &mut cache, 300..2000);

            assert_eq!(cache.truncate(5000), 2000);
            assert_eq!(cache.truncate(2000 - KEPT_BEHIND), 2000 - KEPT_BEHIND);
            let again = run(&decoder, &mut cache, 2000 - KEPT_BEHIND..2000);
            assert!(near(&again, &expected), "{family}: after going back");

            // the blocks that the other one freed are still the clone's
            let mut shared = prefix.clone();
            let again = run(&decoder, &mut shared, 300..2000);
            assert_eq!(again, expected, "{family}: from a shared prefix");

            assert_eq!(cache.truncate(300), 0, "{family}");
            assert!(cache.is_empty() && cache.bytes() == 0);
            run(&decoder, &mut cache, 0..300);
            assert_eq!(run(&decoder, &mut cache, 300..2000), expected, "{family}");
        }
    }

    /// Cut into other passes, sums are rounded differently.
    fn near(a: &[f32], b: &[f32]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
    }
}
