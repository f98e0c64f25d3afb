//! A kernel at work on one tensor: its stages, measured block by block by any number of workers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weightsmith_tensors::kernels::REDUCTION_BLOCK;
use weightsmith_tensors::{Real, TensorInfo};

use crate::statistic::AnyFound;
use crate::{Apply, Kernel, Memory, OutputTensor, Pass, Refusal, Stage, Unit};

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
    /// What is known of the pass under way, once a block of it is.
    partials: Option<Partials>,
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
/// Blocks are merged in their order whatever the order in which they were measured, and as soon as that is possible: what
/// waits is no more than what other workers have in hand. Where the order does not matter nothing waits.
#[derive(Debug)]
struct Partials {
    /// What the first `next` blocks hold, or all that were measured where the order does not matter.
    total: AnyFound,
    next: u64,
    /// Blocks that were measured before an earlier one, and what they hold if it is not merged.
    waiting: BTreeMap<u64, Option<AnyFound>>,
}

impl<T: Real> Steps<T> {
    pub(super) fn new(kernel: &dyn Kernel<T>, output: &OutputTensor<'_>) -> Self {
        let geometry = Geometry::new(output.info, kernel.unit());
        let mut progress = Progress {
            passes: 0,
            stage: kernel.begin(output),
            partials: None,
        };
        if geometry.elements == 0 {
            progress.measure_nothing();
        }
        Self {
            geometry,
            passes: kernel.passes(),
            memory: kernel.memory(output),
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
    pub(super) fn measure(&self, pass: usize) -> Option<Pass<T>> {
        let progress = self.lock();
        match &progress.stage {
            Stage::Measure(measure) if progress.passes == pass => Some(measure.clone()),
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
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match &self.lock().stage {
            Stage::Refuse(refusal) => Some(*refusal),
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
        progress.has(pass, block)
    }

    /// Takes what was found in a block; the last one ends the pass.
    pub(super) fn add(&self, pass: usize, block: u64, found: AnyFound) {
        let mut progress = self.lock();
        if progress.has(pass, block) {
            return;
        }
        let Progress {
            stage, partials, ..
        } = &mut *progress;
        let Stage::Measure(measure) = stage else {
            return;
        };
        let partials = partials.get_or_insert_with(|| Partials::new(measure));
        partials.add(measure, block, found);
        if partials.next == self.geometry.blocks()
            && let Some(partials) = progress.partials.take()
        {
            progress.finish(partials.total);
        }
    }

    /// Forgets what was found: nothing of the tensor will be asked for again.
    pub(super) fn release(&self) {
        self.lock().stage = Stage::Released;
    }

    fn lock(&self) -> MutexGuard<'_, Progress<T>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Real> Progress<T> {
    fn is_settled(&self) -> bool {
        !matches!(self.stage, Stage::Measure(_))
    }

    /// True when a block of a pass was measured, or will never be needed.
    fn has(&self, pass: usize, block: u64) -> bool {
        let is_merged = |partials: &Partials| partials.has(block);
        self.passes > pass || self.is_settled() || self.partials.as_ref().is_some_and(is_merged)
    }

    fn finish(&mut self, total: AnyFound) {
        if let Stage::Measure(measure) = &self.stage {
            self.stage = measure.next(total);
            self.passes += 1;
        }
    }

    /// Goes through all passes of a tensor without elements.
    fn measure_nothing(&mut self) {
        while let Stage::Measure(measure) = &self.stage {
            let total = measure.total();
            self.finish(total);
        }
    }
}

impl Partials {
    /// Nothing yet of a pass.
    fn new<T: Real>(measure: &Pass<T>) -> Self {
        Self {
            total: measure.total(),
            next: 0,
            waiting: BTreeMap::new(),
        }
    }

    fn has(&self, block: u64) -> bool {
        block < self.next || self.waiting.contains_key(&block)
    }

    fn add<T: Real>(&mut self, measure: &Pass<T>, block: u64, found: AnyFound) {
        let found = if measure.is_in_order() {
            Some(found)
        } else {
            measure.merge(&mut self.total, found);
            None
        };
        self.waiting.insert(block, found);
        while let Some(part) = self.waiting.remove(&self.next) {
            if let Some(part) = part {
                measure.merge(&mut self.total, part);
            }
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use weightsmith_tensors::DType;

    use super::*;
    use crate::{Measure, Statistic, Tiles, Workspace};

    /// The blocks in the order in which they are merged.
    #[derive(Debug)]
    struct Listed<const IN_ORDER: bool>(Vec<u64>);

    impl<const IN_ORDER: bool> Statistic for Listed<IN_ORDER> {
        const IN_ORDER: bool = IN_ORDER;

        fn merge(&mut self, block: Self) {
            self.0.extend(block.0);
        }
    }

    /// Lists blocks, and applies nothing once the list is as it should be.
    #[derive(Debug, Clone)]
    struct List<const IN_ORDER: bool> {
        expected: Vec<u64>,
    }

    impl<const IN_ORDER: bool> Measure<f32> for List<IN_ORDER> {
        type Found = Listed<IN_ORDER>;

        fn total(&self) -> Self::Found {
            Listed(Vec::new())
        }

        fn block(&self, block: Range<u64>) -> Self::Found {
            Listed(vec![block.start / REDUCTION_BLOCK])
        }

        fn tile(&self, _: &Tiles<'_, f32>, _: &mut Workspace<f32>, _: &mut Self::Found) {}

        fn next(&self, found: Self::Found) -> Stage<f32> {
            assert_eq!(found.0, self.expected);
            Stage::Refuse(Refusal::LongRows)
        }
    }

    impl<const IN_ORDER: bool> Kernel<f32> for List<IN_ORDER> {
        fn passes(&self) -> usize {
            1
        }

        fn begin(&self, _: &OutputTensor<'_>) -> Stage<f32> {
            Stage::measure(self.clone())
        }
    }

    /// Takes four blocks in an order; they are expected to be merged in another.
    fn take<const IN_ORDER: bool>(order: [u64; 4], expected: [u64; 4]) -> Steps<f32> {
        let info = TensorInfo {
            dtype: DType::F32,
            shape: vec![3 * REDUCTION_BLOCK + 1],
        };
        let output = OutputTensor {
            name: "x",
            info: &info,
            seed: 0,
            spare: 0,
        };
        let expected = expected.to_vec();
        let steps = Steps::new(&List::<IN_ORDER> { expected }, &output);
        for block in order {
            assert!(!steps.has(0, block) && !steps.is_measured(0));
            let pass = steps.measure(0).expect("a pass");
            let found = || pass.block(steps.geometry().range(block));
            steps.add(0, block, found());
            assert!(steps.has(0, block));
            // once is enough
            steps.add(0, block, found());
        }
        assert!(steps.is_measured(0) && steps.measure(0).is_none());
        steps
    }

    #[test]
    fn blocks_are_merged_in_order_where_it_matters() {
        take::<true>([3, 1, 0, 2], [0, 1, 2, 3]);
        take::<false>([3, 1, 0, 2], [3, 1, 0, 2]);
    }

    #[test]
    fn what_was_found_is_forgotten() {
        let steps = take::<true>([0, 1, 2, 3], [0, 1, 2, 3]);
        assert_eq!(steps.refusal(), Some(Refusal::LongRows));
        steps.release();
        assert_eq!(steps.refusal(), None);
        assert!(steps.is_settled() && steps.apply().is_none());
    }

    #[test]
    fn a_tensor_without_elements_goes_through_all_passes() {
        let info = TensorInfo {
            dtype: DType::F32,
            shape: vec![0],
        };
        let output = OutputTensor {
            name: "x",
            info: &info,
            seed: 0,
            spare: 0,
        };
        let list = List::<true> {
            expected: Vec::new(),
        };
        assert!(Steps::new(&list, &output).is_settled());
    }
}
