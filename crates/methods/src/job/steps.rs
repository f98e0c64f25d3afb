//! A kernel at work on one tensor: its stages, measured block by block by any number of workers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weightsmith_tensors::kernels::{REDUCTION_BLOCK, Tally};
use weightsmith_tensors::{Real, TensorInfo};

use crate::{Apply, Gathers, Kernel, Measure, Memory, Stage, Statistic, Subject, Unit};

/// The stage that a kernel has reached on one tensor.
#[derive(Debug)]
pub(super) struct Steps<T: Real> {
    geometry: Geometry,
    /// The most passes that it takes.
    passes: usize,
    memory: Memory,
    progress: Mutex<Progress<T>>,
}

/// How far the kernel has come.
#[derive(Debug)]
struct Progress<T: Real> {
    /// Passes that are over.
    passes: usize,
    stage: Stage<T>,
    /// What is known of the pass under way.
    partials: Partials,
}

/// How a tensor is cut up. Nothing here depends on threads or budgets, since sums are added along these cuts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    elements: u64,
    /// Elements that must lie in one tile.
    pub(super) unit: u64,
    /// Elements of a tile: whole units.
    pub(super) tile: u64,
    /// The tiles of any range begin at a multiple of this: where those that were measured began, unless elements do not know each other.
    pub(super) origin: u64,
    /// Elements that are summed together: whole tiles.
    pub(super) block: u64,
}

impl Geometry {
    pub(super) fn new(info: &TensorInfo, unit: Unit) -> Self {
        let elements = info.elements();
        let tile = unit.tile(info);
        let origin = match unit {
            Unit::Element => 1,
            Unit::Tile | Unit::Row | Unit::Slab => tile,
        };
        let unit = unit.elements(info);
        let block = (REDUCTION_BLOCK / tile).max(1) * tile;
        Self {
            elements,
            unit,
            tile,
            origin,
            block,
        }
    }

    pub(super) fn blocks(&self) -> u64 {
        self.elements.div_ceil(self.block)
    }

    /// The elements of a block.
    pub(super) fn range(&self, block: u64) -> std::ops::Range<u64> {
        let start = block * self.block;
        start..(start + self.block).min(self.elements)
    }
}

/// What is known of a pass while it runs.
///
/// Sums are added in the order of the blocks whatever the order in which they were measured, and as soon as that is
/// possible: what waits is no more than what other workers have in hand.
#[derive(Debug, Default)]
struct Partials {
    /// What the first `next` blocks hold, and the counts and tallies of all that were measured.
    total: Statistic,
    next: u64,
    /// Blocks that were measured before an earlier one.
    waiting: BTreeMap<u64, Statistic>,
}

impl<T: Real> Steps<T> {
    pub(super) fn new(kernel: &dyn Kernel<T>, subject: &Subject<'_>) -> Self {
        let geometry = Geometry::new(subject.info, kernel.unit());
        let mut progress = Progress {
            passes: 0,
            stage: kernel.begin(subject),
            partials: Partials::default(),
        };
        if geometry.elements == 0 {
            progress.measure_nothing();
        }
        Self {
            geometry,
            passes: kernel.passes(),
            memory: kernel.memory(subject),
            progress: Mutex::new(progress),
        }
    }

    pub(super) fn geometry(&self) -> Geometry {
        self.geometry
    }

    pub(super) fn passes(&self) -> usize {
        self.passes
    }

    /// What the kernel keeps in memory besides tiles.
    pub(super) fn memory(&self) -> Memory {
        self.memory
    }

    /// What measures in a pass; nothing where the kernel needs no such pass, or has ended it.
    pub(super) fn measure(&self, pass: usize) -> Option<Arc<dyn Measure<T>>> {
        let progress = self.lock();
        match &progress.stage {
            Stage::Measure(measure) if progress.passes == pass => Some(Arc::clone(measure)),
            _ => None,
        }
    }

    /// What computes the result, once all that it needs is measured.
    pub(super) fn apply(&self) -> Option<Arc<dyn Apply<T>>> {
        match &self.lock().stage {
            Stage::Apply(apply) => Some(Arc::clone(apply)),
            _ => None,
        }
    }

    /// Why there will be no result, where a kernel found what it cannot work with.
    pub(super) fn refusal(&self) -> Option<Arc<str>> {
        match &self.lock().stage {
            Stage::Refuse(reason) => Some(Arc::clone(reason)),
            _ => None,
        }
    }

    /// True when no more needs to be measured.
    pub(super) fn is_settled(&self) -> bool {
        self.lock().is_settled()
    }

    /// True when a pass is over, or will never be needed.
    pub(super) fn is_measured(&self, pass: usize) -> bool {
        let progress = self.lock();
        progress.passes > pass || progress.is_settled()
    }

    /// True when a block of a pass was measured.
    pub(super) fn has(&self, pass: usize, block: u64) -> bool {
        let progress = self.lock();
        progress.passes > pass || progress.is_settled() || progress.partials.has(block)
    }

    /// Takes what was found in a block; the last one ends the pass.
    pub(super) fn add(&self, pass: usize, block: u64, found: Statistic) {
        let mut progress = self.lock();
        if progress.passes != pass || progress.is_settled() || progress.partials.has(block) {
            return;
        }
        let gathers = match &progress.stage {
            Stage::Measure(measure) => measure.gathers(),
            Stage::Apply(_) | Stage::Refuse(_) => Gathers::default(),
        };
        let length = self.geometry.block;
        if progress.partials.is_new() {
            let tiles = self.geometry.elements.div_ceil(self.geometry.tile) as usize;
            progress.partials.expect(tiles, gathers);
        }
        progress.partials.add(block, found, |block| ColumnPlace {
            gathers,
            first: block * length,
        });
        if progress.partials.next == self.geometry.blocks() {
            let partials = std::mem::take(&mut progress.partials);
            progress.finish(partials.total);
        }
    }

    /// Forgets what was found: nothing of the tensor will be asked for again.
    pub(super) fn release(&self) {
        self.lock().stage = Stage::Refuse("it is written".into());
    }

    fn lock(&self) -> MutexGuard<'_, Progress<T>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Real> Progress<T> {
    fn is_settled(&self) -> bool {
        !matches!(self.stage, Stage::Measure(_))
    }

    fn finish(&mut self, statistic: Statistic) {
        if let Stage::Measure(measure) = &self.stage {
            self.stage = measure.next(statistic);
            self.passes += 1;
        }
    }

    /// Goes through all passes of a tensor without elements.
    fn measure_nothing(&mut self) {
        while let Stage::Measure(measure) = &self.stage {
            let statistic = nothing(measure.gathers(), measure.tallies());
            self.finish(statistic);
        }
    }
}

/// What is found in a tensor without elements.
fn nothing(gathers: Gathers, tallies: Vec<Tally>) -> Statistic {
    Statistic {
        sums: vec![0.0; gathers.sums],
        counts: vec![0; gathers.counts],
        tile_counts: Vec::new(),
        tile_words: Vec::new(),
        tallies,
        column_sums: vec![0.0; gathers.column_sums * gathers.columns],
    }
}

/// Where a block's column sums belong.
#[derive(Debug, Clone, Copy)]
struct ColumnPlace {
    gathers: Gathers,
    /// The block's first element.
    first: u64,
}

impl ColumnPlace {
    /// Adds the sums of the columns that the block touches to those of all columns.
    fn add(self, total: &mut Vec<f64>, part: &[f64]) {
        let Gathers {
            column_sums: sums,
            columns,
            ..
        } = self.gathers;
        if part.is_empty() {
            return;
        }
        total.resize(sums * columns, 0.0);
        let touched = part.len() / sums;
        // from the block's first column to the last of all, and from the first of all on
        let first = (self.first % columns as u64) as usize;
        let before_end = touched.min(columns - first);
        for (total, part) in total.chunks_mut(columns).zip(part.chunks(touched)) {
            let (to_end, from_start) = part.split_at(before_end);
            let add = |(total, part): (&mut f64, &f64)| *total += part;
            total[first..].iter_mut().zip(to_end).for_each(add);
            total.iter_mut().zip(from_start).for_each(add);
        }
    }
}

impl Partials {
    /// True when nothing was measured yet.
    fn is_new(&self) -> bool {
        self.next == 0 && self.waiting.is_empty()
    }

    /// Makes room for what will be gathered of so many tiles.
    fn expect(&mut self, tiles: usize, gathers: Gathers) {
        self.total
            .tile_counts
            .reserve_exact(tiles * gathers.tile_counts);
        self.total
            .tile_words
            .reserve_exact(tiles * gathers.tile_words);
    }

    fn has(&self, block: u64) -> bool {
        block < self.next || self.waiting.contains_key(&block)
    }

    fn add(&mut self, block: u64, mut found: Statistic, place: impl Fn(u64) -> ColumnPlace) {
        let counts = std::mem::take(&mut found.counts);
        self.total.counts.resize(counts.len(), 0);
        for (sum, count) in self.total.counts.iter_mut().zip(counts) {
            *sum += count;
        }
        self.add_tallies(std::mem::take(&mut found.tallies));
        self.waiting.insert(block, found);
        while let Some(part) = self.waiting.remove(&self.next) {
            self.total.tile_counts.extend(part.tile_counts);
            self.total.tile_words.extend(part.tile_words);
            place(self.next).add(&mut self.total.column_sums, &part.column_sums);
            if self.next == 0 {
                self.total.sums = part.sums;
            } else {
                for (sum, part) in self.total.sums.iter_mut().zip(part.sums) {
                    *sum += part;
                }
            }
            self.next += 1;
        }
    }

    fn add_tallies(&mut self, tallies: Vec<Tally>) {
        if self.total.tallies.is_empty() {
            self.total.tallies = tallies;
            return;
        }
        for (total, tally) in self.total.tallies.iter_mut().zip(tallies) {
            total.merge(tally);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums of 5 columns, from blocks of `block` elements that count their elements, taken in that order.
    fn counted(block: u64, order: &[u64]) -> Vec<f64> {
        let gathers = Gathers {
            column_sums: 1,
            columns: 5,
            ..Gathers::default()
        };
        let mut partials = Partials::default();
        for &index in order {
            let elements = index * block..((index + 1) * block).min(23);
            let touched = gathers.touched(elements.end - elements.start);
            let mut column_sums = vec![0.0; touched];
            for element in elements.clone() {
                column_sums[(element - elements.start) as usize % touched] += element as f64;
            }
            let found = Statistic {
                column_sums,
                ..Statistic::default()
            };
            partials.add(index, found, |index| ColumnPlace {
                gathers,
                first: index * block,
            });
        }
        partials.total.column_sums
    }

    #[test]
    fn column_sums_of_blocks_come_to_their_columns() {
        let expected: Vec<f64> = (0..5u32)
            .map(|column| (column..23).step_by(5).map(f64::from).sum())
            .collect();
        assert_eq!(counted(23, &[0]), expected);
        assert_eq!(counted(7, &[0, 1, 2, 3]), expected);
        assert_eq!(counted(7, &[3, 1, 0, 2]), expected);
        // shorter than a row
        assert_eq!(counted(3, &[0, 2, 1, 3, 4, 7, 6, 5]), expected);
    }
}
