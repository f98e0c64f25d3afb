//! The graph of the Llama-like families: tokens in, logits out.

mod pass;
mod step;
mod weights;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weightsmith_tensors::TensorSource;

use crate::cache::{CacheType, KvCache};
use crate::config::DecoderConfig;
use crate::{Error, Pool};

pub use step::{Collected, Control, MAX_PASS_TOKENS, Observer, SequenceStep, Wants};
pub use weights::expected_tensors;

/// How a decoder computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecoderOptions {
    /// Keys and values are kept in `f32` instead of `bf16`.
    pub exact: bool,
    /// Matrices are kept as Q8_0: eight bits and a scale for each 32 weights.
    pub quantize_q8_0: bool,
}

/// A model that can be run.
#[derive(Debug)]
pub struct Decoder {
    config: DecoderConfig,
    options: DecoderOptions,
    source: Arc<dyn TensorSource>,
    weights: weights::Weights,
    pool: Arc<Pool>,
    /// When the files of the weights were looked at.
    looked: Mutex<Instant>,
}

/// How long a look at the files of the weights counts. One that became shorter is noticed at once, whatever this is.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

impl Decoder {
    /// Checks that a source has the tensors a configuration asks for, and opens them.
    ///
    /// # Errors
    /// When tensors are missing, misshaped, of a type that is not multiplied, or cannot be read.
    pub fn open(
        source: Arc<dyn TensorSource>,
        config: DecoderConfig,
        pool: Arc<Pool>,
        options: DecoderOptions,
    ) -> Result<Self, Error> {
        let weights = weights::Weights::open(&source, &config, &pool, options.quantize_q8_0);
        // what was read of a file that is gone says nothing about the model
        source.ensure_intact()?;
        let weights = weights?;
        source.ensure_not_rewritten()?;
        Ok(Self {
            looked: Mutex::new(Instant::now()),
            config,
            options,
            source,
            weights,
            pool,
        })
    }

    /// What it is.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// How it computes.
    pub fn options(&self) -> DecoderOptions {
        self.options
    }

    /// The threads it computes on.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Memory of the matrices, mapped or private.
    pub fn weight_bytes(&self) -> u64 {
        self.weights.bytes()
    }

    /// An empty cache, of the type that fits the options.
    pub fn new_cache(&self) -> KvCache {
        let kind = if self.options.exact {
            CacheType::F32
        } else {
            CacheType::Bf16
        };
        KvCache::new(&self.config, kind)
    }

    /// Bytes a position takes in the cache.
    pub fn cache_bytes_per_position(&self) -> u64 {
        let kind = if self.options.exact {
            CacheType::F32
        } else {
            CacheType::Bf16
        };
        (2 * self.config.layers.len() * self.config.kv_width() * kind.bytes()) as u64
    }

    /// Checks that the weights are still those that were opened. It asks the file system.
    ///
    /// # Errors
    /// What happened to the file that is damaged or was written to.
    pub fn ensure_unchanged(&self) -> Result<(), Error> {
        self.source.ensure_intact()?;
        // what was copied into memory stays what it was
        if self.weights.embedding.is_lent() {
            self.source.ensure_not_rewritten()?;
        }
        Ok(())
    }

    /// As [`Self::ensure_unchanged`], unless that was asked a moment ago.
    fn ensure_unchanged_lately(&self) -> Result<(), Error> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.elapsed() < LOOK_AGAIN {
            return Ok(());
        }
        *looked = Instant::now();
        drop(looked);
        self.ensure_unchanged()
    }

    /// Names of the source's tensors that the graph has no use for.
    pub fn unused_tensors(&self) -> Vec<&str> {
        let used = &self.weights.used;
        let all = used.embedding.iter().chain(&used.head);
        let all: std::collections::BTreeSet<usize> =
            all.chain(used.layers.iter().flatten()).copied().collect();
        self.source
            .tensors()
            .iter()
            .enumerate()
            .filter(|(index, _)| !all.contains(index))
            .map(|(_, entry)| entry.name.as_str())
            .collect()
    }

    /// True when a cache of one length does not serve a sequence of another, since the rotary embedding of the short and
    /// the long context differ (LongRoPE): the sequence is then computed anew.
    pub fn must_recompute(&self, before: usize, after: usize) -> bool {
        before > 0
            && self
                .config
                .ropes
                .iter()
                .any(|rope| rope.changes_between(before, after))
    }

    /// An error that names the first tensor to blame for numbers that are not finite.
    fn blame(&self, place: Place) -> Error {
        let used = &self.weights.used;
        let layers = match place {
            Place::Embedding => 0,
            Place::Attention(layer) | Place::FeedForward(layer) => layer + 1,
            Place::Head => used.layers.len(),
        };
        let tensors = used
            .embedding
            .iter()
            .chain(used.layers[..layers].iter().flatten())
            .chain(used.head.iter().filter(|_| place == Place::Head))
            .copied();
        Error::NonFinite {
            place: place.to_string(),
            tensor: weights::first_non_finite(self.source.as_ref(), tensors),
        }
    }
}

/// A place in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Embedding,
    Attention(usize),
    FeedForward(usize),
    Head,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Embedding => write!(f, "the embedding"),
            Self::Attention(layer) => write!(f, "layer {layer}'s attention"),
            Self::FeedForward(layer) => write!(f, "layer {layer}'s feed-forward block"),
            Self::Head => write!(f, "the head"),
        }
    }
}
