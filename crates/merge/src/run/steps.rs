//! A kernel at work on one tensor: its stages, measured block by block by any number of workers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use weightsmith_tensors::kernels::{REDUCTION_BLOCK, TILE};
use weightsmith_tensors::{Real, TensorInfo};

use crate::methods::{Apply, Gathers, Kernel, Measure, Stage, Statistic, Unit};

/// The stages of a kernel for one tensor, as far as they are known.
#[derive(Debug)]
pub(super) struct Steps<T: Real> {
    geometry: Geometry,
    /// The first, and the one after each pass.
    stages: Vec<OnceLock<Stage<T>>>,
    partials: Vec<Mutex<Partials>>,
    kept_bytes: u64,
}

/// Memory for statistics of a tensor that grow with its shape, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StatisticsMemory {
    /// From the first pass to the end of the run.
    pub(crate) kept: u64,
    /// While the tensor is measured.
    pub(crate) whole: u64,
    /// For a block that is measured, or waits to be added.
    pub(crate) block: u64,
}

/// How a tensor is cut up. Nothing here depends on threads or budgets, since sums are added along these cuts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    elements: u64,
    /// Elements that must lie in one tile.
    pub(super) unit: u64,
    /// Elements of a tile: whole units.
    pub(super) tile: u64,
    /// Elements that are summed together: whole tiles.
    pub(super) block: u64,
}

impl Geometry {
    pub(super) fn new(info: &TensorInfo, unit: Unit) -> Self {
        let elements = info.elements();
        let unit = unit.elements(info);
        let tile = (TILE as u64 / unit).max(1) * unit;
        let block = (REDUCTION_BLOCK / tile).max(1) * tile;
        Self {
            elements,
            unit,
            tile,
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
    /// What the first `next` blocks hold, and the counts of all that were measured.
    total: Statistic,
    next: u64,
    /// Blocks that were measured before an earlier one.
    waiting: BTreeMap<u64, Statistic>,
}

impl<T: Real> Steps<T> {
    pub(super) fn new(kernel: &dyn Kernel<T>, info: &TensorInfo) -> Self {
        let geometry = Geometry::new(info, kernel.unit());
        let passes = kernel.passes();
        let steps = Self {
            geometry,
            stages: (0..=passes).map(|_| OnceLock::new()).collect(),
            partials: (0..passes).map(|_| Mutex::default()).collect(),
            kept_bytes: kernel.kept_bytes(info),
        };
        steps.enter(0, kernel.begin(info));
        steps
    }

    pub(super) fn geometry(&self) -> Geometry {
        self.geometry
    }

    pub(super) fn memory(&self) -> StatisticsMemory {
        let gathers = match self.stages[0].get() {
            Some(Stage::Measure(measure)) => measure.gathers(),
            _ => Gathers::default(),
        };
        let sums = (gathers.column_sums * size_of::<f64>()) as u64;
        StatisticsMemory {
            kept: self.kept_bytes,
            whole: gathers.columns as u64 * sums,
            block: gathers.touched(self.geometry.block) as u64 * sums,
        }
    }

    pub(super) fn passes(&self) -> usize {
        self.partials.len()
    }

    /// What measures in a pass; nothing where the kernel needs no such pass.
    pub(super) fn measure(&self, pass: usize) -> Option<Arc<dyn Measure<T>>> {
        match self.stages[pass].get() {
            Some(Stage::Measure(measure)) => Some(Arc::clone(measure)),
            _ => None,
        }
    }

    /// What computes the result, once all that it needs is measured.
    pub(super) fn apply(&self) -> Option<Arc<dyn Apply<T>>> {
        let apply = self.stages.iter().find_map(|stage| match stage.get() {
            Some(Stage::Apply(apply)) => Some(apply),
            _ => None,
        });
        apply.map(Arc::clone)
    }

    /// Why there will be no result, where a kernel found what it cannot work with.
    pub(super) fn refusal(&self) -> Option<Arc<str>> {
        self.stages.iter().find_map(|stage| match stage.get() {
            Some(Stage::Refuse(reason)) => Some(Arc::clone(reason)),
            _ => None,
        })
    }

    /// True when no more needs to be measured.
    pub(super) fn is_settled(&self) -> bool {
        let settles = |stage: &OnceLock<Stage<T>>| {
            matches!(stage.get(), Some(Stage::Apply(_) | Stage::Refuse(_)))
        };
        self.stages.iter().any(settles)
    }

    /// True when a pass is over, or will never be needed.
    pub(super) fn is_measured(&self, pass: usize) -> bool {
        self.stages[pass + 1].get().is_some() || self.is_settled()
    }

    /// True when a block of a pass was measured.
    pub(super) fn has(&self, pass: usize, block: u64) -> bool {
        // the lock first: who ends a pass holds it until the next stage is known
        let partials = self.lock(pass);
        self.is_measured(pass) || partials.has(block)
    }

    /// Takes what was found in a block; the last one ends the pass.
    pub(super) fn add(&self, pass: usize, block: u64, found: Statistic) {
        let mut partials = self.lock(pass);
        if partials.has(block) {
            return;
        }
        let block_elements = self.geometry.block;
        let gathers = self.measure(pass).map(|measure| measure.gathers());
        partials.add(block, found, |block| ColumnPlace {
            gathers: gathers.unwrap_or_default(),
            first: block * block_elements,
        });
        if partials.next == self.geometry.blocks() {
            let statistic = std::mem::take(&mut partials.total);
            self.finish(pass, statistic);
        }
    }

    fn finish(&self, pass: usize, statistic: Statistic) {
        if let Some(measure) = self.measure(pass) {
            self.enter(pass + 1, measure.next(statistic));
        }
    }

    /// Enters a stage; an empty tensor has nothing to measure and goes straight on.
    fn enter(&self, index: usize, stage: Stage<T>) {
        let empty = match &stage {
            Stage::Measure(measure) if self.geometry.elements == 0 => Some(measure.gathers()),
            _ => None,
        };
        if self.stages[index].set(stage).is_ok()
            && let Some(gathers) = empty
        {
            self.finish(index, nothing(gathers));
        }
    }

    fn lock(&self, pass: usize) -> std::sync::MutexGuard<'_, Partials> {
        self.partials[pass]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is found in a tensor without elements.
fn nothing(gathers: Gathers) -> Statistic {
    Statistic {
        sums: vec![0.0; gathers.sums],
        counts: vec![0; gathers.counts],
        tile_counts: Vec::new(),
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
    fn has(&self, block: u64) -> bool {
        block < self.next || self.waiting.contains_key(&block)
    }

    fn add(&mut self, block: u64, mut found: Statistic, place: impl Fn(u64) -> ColumnPlace) {
        let counts = std::mem::take(&mut found.counts);
        self.total.counts.resize(counts.len(), 0);
        for (sum, count) in self.total.counts.iter_mut().zip(counts) {
            *sum += count;
        }
        self.waiting.insert(block, found);
        while let Some(part) = self.waiting.remove(&self.next) {
            self.total.tile_counts.extend(part.tile_counts);
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
