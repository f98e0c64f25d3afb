//! Compares two sources, block by block on several threads.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use indexmap::IndexMap;
use weightsmith_tensors::kernels::{REDUCTION_BLOCK, TILE};
use weightsmith_tensors::{DType, TensorInfo, TensorSource, widen_f64};

use super::difference::{Difference, Group, Kinship, State, Summary, TensorDifference};
use super::error::DiffError;
use super::pairing::{Comparable, Pair, pairs};
use super::sums::{Sums, Tile, changed_elements, changed_values};
use weightsmith::run::Reporter;

/// Below this cosine over all matrices, two models are strangers. Fine-tunes of one model have 0.9 and more, models that
/// were trained apart less than 0.1.
const SIBLING_COSINE: f64 = 0.5;

/// What a comparison depends on besides its inputs.
#[derive(Debug, Clone, Copy)]
pub struct DiffOptions<'a> {
    /// Number of threads; the result does not depend on it.
    pub threads: usize,
    /// Set from outside to stop.
    pub interrupt: &'a AtomicBool,
}

/// Compares all tensors of two sources; with a base, also what each has learnt since.
///
/// # Errors
/// When a tensor cannot be read, or the interrupt flag is set.
pub fn diff(
    a: &dyn TensorSource,
    b: &dyn TensorSource,
    base: Option<&dyn TensorSource>,
    options: &DiffOptions<'_>,
    reporter: &dyn Reporter,
) -> Result<Difference, DiffError> {
    let pairs = pairs(a, b, base);
    let blocks = blocks(&pairs);
    reporter.started(
        blocks
            .iter()
            .map(|block| bytes(&pairs[block.pair], &block.elements))
            .sum(),
        0,
    );
    let comparison = Comparison {
        a,
        b,
        base,
        pairs: &pairs,
        blocks: &blocks,
        options,
        reporter,
    };
    let sums = comparison.run()?;
    for source in [Some(a), Some(b), base].into_iter().flatten() {
        source.ensure_not_rewritten().map_err(DiffError::Changed)?;
    }
    Ok(difference(pairs, &sums))
}

/// Some elements of a pair.
#[derive(Debug)]
struct Block {
    pair: usize,
    elements: Range<u64>,
}

/// The work: every comparable pair, cut into blocks of a fixed size.
fn blocks(pairs: &[Pair]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        let Some(comparable) = pair.comparable() else {
            continue;
        };
        let elements = comparable.a.1.elements();
        let mut start = 0;
        while start < elements {
            let end = elements.min(start + REDUCTION_BLOCK);
            blocks.push(Block {
                pair: index,
                elements: start..end,
            });
            start = end;
        }
    }
    blocks
}

/// Bytes that are read for some elements of a pair.
fn bytes(pair: &Pair, elements: &Range<u64>) -> u64 {
    let count = elements.end - elements.start;
    let of = |side: &Option<(usize, TensorInfo)>| {
        side.as_ref()
            .map_or(0, |(_, info)| (count * info.dtype.bits()).div_ceil(8))
    };
    of(&pair.a) + of(&pair.b) + of(&pair.base)
}

struct Comparison<'a> {
    a: &'a dyn TensorSource,
    b: &'a dyn TensorSource,
    base: Option<&'a dyn TensorSource>,
    pairs: &'a [Pair],
    blocks: &'a [Block],
    options: &'a DiffOptions<'a>,
    reporter: &'a dyn Reporter,
}

/// Memory of a thread.
#[derive(Default)]
struct Scratch {
    bytes: [Vec<u8>; 3],
    values: [Vec<f64>; 3],
}

impl Comparison<'_> {
    /// The sums of every pair.
    fn run(&self) -> Result<Vec<Sums>, DiffError> {
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let worker = || {
            let result = self.work(&next, &failed);
            if result.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            result
        };
        let threads = self.options.threads.clamp(1, self.blocks.len().max(1));
        let results: Vec<Result<Vec<(usize, Sums)>, DiffError>> = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
            let mut results = vec![worker()];
            results.extend(others.into_iter().map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }));
            results
        });
        let mut of_blocks = vec![Sums::default(); self.blocks.len()];
        for result in results {
            for (block, sums) in result? {
                of_blocks[block] = sums;
            }
        }
        let mut of_pairs = vec![Sums::default(); self.pairs.len()];
        for (block, sums) in self.blocks.iter().zip(&of_blocks) {
            of_pairs[block.pair].add(sums);
        }
        Ok(of_pairs)
    }

    fn work(
        &self,
        next: &AtomicUsize,
        failed: &AtomicBool,
    ) -> Result<Vec<(usize, Sums)>, DiffError> {
        let mut scratch = Scratch {
            values: std::array::from_fn(|_| vec![0.0; TILE]),
            ..Scratch::default()
        };
        let mut done = Vec::new();
        loop {
            if self.options.interrupt.load(Ordering::Relaxed) {
                return Err(DiffError::Interrupted);
            }
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = self
                .blocks
                .get(index)
                .filter(|_| !failed.load(Ordering::Relaxed))
            else {
                return Ok(done);
            };
            let pair = &self.pairs[block.pair];
            if let Some(comparable) = pair.comparable() {
                done.push((
                    index,
                    self.compare(&pair.name, comparable, &block.elements, &mut scratch)?,
                ));
            }
            self.reporter.written(bytes(pair, &block.elements));
        }
    }

    /// Checks that nothing was made of bytes that are gone.
    fn ensure_intact(&self) -> Result<(), weightsmith_tensors::Error> {
        self.a.ensure_intact()?;
        self.b.ensure_intact()?;
        self.base.map_or(Ok(()), TensorSource::ensure_intact)
    }

    fn compare(
        &self,
        name: &str,
        pair: Comparable<'_>,
        elements: &Range<u64>,
        scratch: &mut Scratch,
    ) -> Result<Sums, DiffError> {
        let [bytes_a, bytes_b, bytes_base] = &mut scratch.bytes;
        let failed = |source| DiffError::Read {
            tensor: name.to_owned(),
            source,
        };
        let (dtype_a, dtype_b) = (pair.a.1.dtype, pair.b.1.dtype);
        let a = self
            .a
            .read(pair.a.0, elements.clone(), bytes_a)
            .map_err(failed)?;
        let b = self
            .b
            .read(pair.b.0, elements.clone(), bytes_b)
            .map_err(failed)?;
        let base = match (self.base, pair.base) {
            (Some(source), Some((index, info))) => Some((
                info.dtype,
                source
                    .read(index, elements.clone(), bytes_base)
                    .map_err(failed)?,
            )),
            _ => None,
        };
        let count = elements.end - elements.start;
        let mut sums = Sums::of(count);
        if dtype_a == dtype_b {
            sums.changed = changed_elements(dtype_a.bits(), count, a, b);
        }
        if !pair.values {
            self.ensure_intact().map_err(failed)?;
            return Ok(sums);
        }
        let cast = |source| DiffError::Cast {
            tensor: name.to_owned(),
            source,
        };
        let [values_a, values_b, values_base] = &mut scratch.values;
        for start in (0..count as usize).step_by(TILE) {
            let length = TILE.min(count as usize - start);
            widen_f64(
                dtype_a,
                part(a, dtype_a, start, length),
                &mut values_a[..length],
            )
            .map_err(cast)?;
            widen_f64(
                dtype_b,
                part(b, dtype_b, start, length),
                &mut values_b[..length],
            )
            .map_err(cast)?;
            if let Some((dtype, base)) = base {
                widen_f64(
                    dtype,
                    part(base, dtype, start, length),
                    &mut values_base[..length],
                )
                .map_err(cast)?;
            }
            if dtype_a != dtype_b {
                sums.changed += changed_values(&values_a[..length], &values_b[..length]);
            }
            sums.add_values(&mut Tile {
                a: &mut values_a[..length],
                b: &mut values_b[..length],
                base: base.is_some().then_some(&mut values_base[..length]),
            });
        }
        self.ensure_intact().map_err(failed)?;
        Ok(sums)
    }
}

/// The bytes of some elements of a type of whole bytes.
fn part(bytes: &[u8], dtype: DType, start: usize, length: usize) -> &[u8] {
    let size = (dtype.bits() / 8) as usize;
    &bytes[start * size..(start + length) * size]
}

/// Puts the result together.
fn difference(pairs: Vec<Pair>, sums: &[Sums]) -> Difference {
    let mut layers = Groups::default();
    let mut kinds = Groups::default();
    let mut tensors = Vec::with_capacity(pairs.len());
    let (mut whole, mut matrices) = (Sums::default(), Sums::default());
    for (pair, sums) in pairs.into_iter().zip(sums) {
        let state = pair.state(sums.changed);
        layers.add(pair.layer.unwrap_or(u64::MAX), state, sums);
        kinds.add(pair.kind.clone(), state, sums);
        whole.add(sums);
        if pair
            .a
            .as_ref()
            .is_some_and(|(_, info)| info.shape.len() >= 2)
        {
            matrices.add(sums);
        }
        let measures = pair.comparable().map(|_| sums.measures());
        tensors.push(TensorDifference {
            name: pair.name,
            layer: pair.layer,
            kind: pair.kind,
            a: pair.a.map(|(_, info)| info),
            b: pair.b.map(|(_, info)| info),
            state,
            measures,
        });
    }
    layers.groups.sort_unstable_keys();
    Difference {
        summary: summary(&tensors, &whole, &matrices),
        layers: layers.finish(|layer| match layer {
            u64::MAX => "outside the layers".to_owned(),
            layer => format!("layer {layer}"),
        }),
        kinds: kinds.finish(|kind| kind),
        tensors,
    }
}

fn summary(tensors: &[TensorDifference], whole: &Sums, matrices: &Sums) -> Summary {
    let count = |state: State| {
        tensors
            .iter()
            .filter(|tensor| tensor.state == state)
            .count()
    };
    let tensors_same = count(State::Same);
    Summary {
        same: tensors_same == tensors.len(),
        tensors_same,
        tensors_different: count(State::Different),
        tensors_of_two_types: count(State::TypeDiffers),
        tensors_of_two_shapes: count(State::ShapeDiffers),
        tensors_only_in_a: count(State::OnlyInA),
        tensors_only_in_b: count(State::OnlyInB),
        measures: whole.measures(),
        kinship: matrices.cosine().map(|cosine| Kinship {
            cosine,
            siblings: cosine >= SIBLING_COSINE,
        }),
    }
}

/// Sums of tensors that belong together.
struct Groups<K> {
    groups: IndexMap<K, GroupSums>,
}

impl<K> Default for Groups<K> {
    fn default() -> Self {
        Self {
            groups: IndexMap::new(),
        }
    }
}

#[derive(Default)]
struct GroupSums {
    tensors: usize,
    same: usize,
    sums: Sums,
}

impl<K: std::hash::Hash + Eq> Groups<K> {
    fn add(&mut self, key: K, state: State, sums: &Sums) {
        let group = self.groups.entry(key).or_default();
        group.tensors += 1;
        group.same += usize::from(state == State::Same);
        group.sums.add(sums);
    }

    fn finish(self, name: impl Fn(K) -> String) -> Vec<Group> {
        let group = |(key, group): (K, GroupSums)| Group {
            name: name(key),
            tensors: group.tensors,
            same: group.same,
            measures: group.sums.measures(),
        };
        self.groups.into_iter().map(group).collect::<Vec<Group>>()
    }
}
