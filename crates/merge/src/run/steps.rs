//! A kernel at work on one tensor: its stages, measured block by block by any number of workers.

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
#[derive(Debug, Default)]
struct Partials {
    /// Blocks that were measured, with their sums and tile counts; counts of all of them are added up at once.
    blocks: Vec<Option<(Vec<f64>, Vec<u32>)>>,
    counts: Vec<u64>,
    measured: usize,
}

impl<T: Real> Steps<T> {
    pub(super) fn new(kernel: &dyn Kernel<T>, info: &TensorInfo) -> Self {
        let geometry = Geometry::new(info, kernel.unit());
        let passes = kernel.passes();
        let steps = Self {
            geometry,
            stages: (0..=passes).map(|_| OnceLock::new()).collect(),
            partials: (0..passes).map(|_| Mutex::default()).collect(),
        };
        steps.enter(0, kernel.begin(info));
        steps
    }

    pub(super) fn geometry(&self) -> Geometry {
        self.geometry
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

    /// True when a pass is over, or will never be needed.
    pub(super) fn is_measured(&self, pass: usize) -> bool {
        self.stages[pass + 1].get().is_some() || self.apply().is_some()
    }

    /// True when a block of a pass was measured.
    pub(super) fn has(&self, pass: usize, block: u64) -> bool {
        // the lock first: who ends a pass holds it until the next stage is known
        let partials = self.lock(pass);
        self.is_measured(pass)
            || partials
                .blocks
                .get(block as usize)
                .is_some_and(Option::is_some)
    }

    /// Takes what was found in a block; the last one ends the pass.
    pub(super) fn add(&self, pass: usize, block: u64, found: Statistic) {
        let mut partials = self.lock(pass);
        let blocks = self.geometry.blocks() as usize;
        partials.blocks.resize(blocks, None);
        if partials.measured == blocks || partials.blocks[block as usize].is_some() {
            return;
        }
        partials.counts.resize(found.counts.len(), 0);
        for (sum, count) in partials.counts.iter_mut().zip(&found.counts) {
            *sum += count;
        }
        partials.blocks[block as usize] = Some((found.sums, found.tile_counts));
        partials.measured += 1;
        if partials.measured == blocks {
            let statistic = std::mem::take(&mut *partials).total();
            partials.measured = blocks;
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
    }
}

impl Partials {
    /// The sums over all blocks, added in the order of the blocks whatever the order in which they were measured.
    fn total(self) -> Statistic {
        let mut sums: Option<Vec<f64>> = None;
        let mut tile_counts = Vec::new();
        for (part, tiles) in self.blocks.into_iter().flatten() {
            tile_counts.extend(tiles);
            match &mut sums {
                None => sums = Some(part),
                Some(sums) => {
                    for (sum, part) in sums.iter_mut().zip(part) {
                        *sum += part;
                    }
                }
            }
        }
        Statistic {
            sums: sums.unwrap_or_default(),
            counts: self.counts,
            tile_counts,
        }
    }
}
