//! One tensor of the result: measured block by block, computed range by range.

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use weightsmith_tensors::kernels::{REDUCTION_BLOCK, TILE};
use weightsmith_tensors::{DType, Error, Real, TensorInfo, TensorSource, non_finite_in};

use crate::methods::{Kernel, Statistic, Tiles};

/// Elements read from a source at a time, where it cannot lend its memory.
const PIECE: u64 = 64 * TILE as u64;

/// A tensor of a source.
#[derive(Debug, Clone)]
pub(crate) struct JobSource {
    /// Name of the model, for messages.
    pub(crate) model: String,
    pub(crate) source: Arc<dyn TensorSource>,
    /// Index in the source.
    pub(crate) tensor: usize,
}

impl JobSource {
    pub(crate) fn info(&self) -> &TensorInfo {
        &self.source.tensors()[self.tensor].info
    }

    pub(crate) fn read<'a>(
        &'a self,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        self.source.read(self.tensor, elements, scratch)
    }
}

/// What makes the tensor from its sources.
#[derive(Debug)]
pub(crate) enum Work {
    /// The bytes of the first source; the others must hold the same.
    Copy,
    /// Arithmetic in f32.
    Single(Box<dyn Kernel<f32>>),
    /// Arithmetic in f64.
    Double(Box<dyn Kernel<f64>>),
}

/// A tensor of the result and all that is needed to compute any part of it.
#[derive(Debug)]
pub(crate) struct TensorJob {
    info: TensorInfo,
    sources: Vec<JobSource>,
    work: Work,
    passes: Vec<Pass>,
    conclusion: OnceLock<Vec<f64>>,
}

/// The statistics of one pass: partial sums by block until all are there, then their total.
#[derive(Debug)]
struct Pass {
    partials: Mutex<Partials>,
    total: OnceLock<Statistic>,
}

#[derive(Debug)]
struct Partials {
    blocks: Vec<Option<Statistic>>,
    missing: usize,
}

/// Memory that a worker keeps between calls.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    bytes: Vec<Vec<u8>>,
    single: Vec<f32>,
    double: Vec<f64>,
}

/// A problem with the values of a tensor, found while computing a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Findings {
    /// NaN or infinite elements in the result.
    pub(crate) non_finite: u64,
    /// NaN or infinite elements in each source, counted where the result has some.
    pub(crate) sources: Vec<u64>,
    /// Position of a source that differs from the first where all must be equal.
    pub(crate) unequal: Option<usize>,
}

impl Findings {
    pub(crate) fn is_clean(&self) -> bool {
        self.non_finite == 0 && self.unequal.is_none()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.non_finite += other.non_finite;
        self.sources
            .resize(self.sources.len().max(other.sources.len()), 0);
        for (sum, count) in self.sources.iter_mut().zip(other.sources) {
            *sum += count;
        }
        self.unequal = self.unequal.or(other.unequal);
    }
}

impl TensorJob {
    pub(crate) fn new(info: TensorInfo, sources: Vec<JobSource>, work: Work) -> Self {
        let blocks = info.elements().div_ceil(REDUCTION_BLOCK) as usize;
        let passes = match &work {
            Work::Copy => &[],
            Work::Single(kernel) => kernel.passes(),
            Work::Double(kernel) => kernel.passes(),
        };
        Self {
            passes: passes.iter().map(|sums| Pass::new(blocks, *sums)).collect(),
            conclusion: OnceLock::new(),
            info,
            sources,
            work,
        }
    }

    pub(crate) fn info(&self) -> &TensorInfo {
        &self.info
    }

    pub(crate) fn sources(&self) -> &[JobSource] {
        &self.sources
    }

    /// Number of passes over the whole tensor before any part of it can be computed.
    pub(crate) fn passes(&self) -> usize {
        self.passes.len()
    }

    /// Number of blocks that each pass is done in.
    pub(crate) fn blocks(&self) -> u64 {
        self.info.elements().div_ceil(REDUCTION_BLOCK)
    }

    /// True when all blocks of a pass were measured.
    pub(crate) fn is_measured(&self, pass: usize) -> bool {
        self.passes[pass].total.get().is_some()
    }

    /// True when any part can be computed.
    pub(crate) fn is_ready(&self) -> bool {
        self.passes
            .last()
            .is_none_or(|pass| pass.total.get().is_some())
    }

    /// Measures one block of a pass; all earlier passes must be complete.
    pub(crate) fn measure(
        &self,
        pass: usize,
        block: u64,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let start = block * REDUCTION_BLOCK;
        let elements = start..(start + REDUCTION_BLOCK).min(self.info.elements());
        let earlier: Vec<Statistic> = self.passes[..pass]
            .iter()
            .filter_map(|p| p.total.get().cloned())
            .collect();
        let partial = match &self.work {
            Work::Copy => Vec::new(),
            Work::Single(kernel) => self.sum(kernel.as_ref(), pass, &earlier, elements, scratch)?,
            Work::Double(kernel) => self.sum(kernel.as_ref(), pass, &earlier, elements, scratch)?,
        };
        self.passes[pass].add(block as usize, partial);
        Ok(())
    }

    /// Measures everything that is not measured yet, in this thread.
    pub(crate) fn measure_all(&self, scratch: &mut Scratch) -> Result<(), Error> {
        for pass in 0..self.passes() {
            for block in 0..self.blocks() {
                if !self.passes[pass].has(block as usize) {
                    self.measure(pass, block, scratch)?;
                }
            }
        }
        Ok(())
    }

    /// Computes a range of elements into `out`, which has the result's type. [`TensorJob::is_ready`] must hold.
    pub(crate) fn compute(
        &self,
        elements: Range<u64>,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Findings, Error> {
        match &self.work {
            Work::Copy => self.copy(elements, out, scratch),
            Work::Single(kernel) => self.apply(kernel.as_ref(), elements, out, scratch),
            Work::Double(kernel) => self.apply(kernel.as_ref(), elements, out, scratch),
        }
    }

    /// As [`TensorJob::compute`], for a range of the tensor's bytes.
    pub(crate) fn compute_bytes(
        &self,
        bytes: Range<u64>,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Findings, Error> {
        let bits = self.info.dtype.bits();
        // the fewest elements that fill whole bytes, and those bytes
        let (group, group_bytes) = if bits.is_multiple_of(8) {
            (1, bits / 8)
        } else {
            (8, bits)
        };
        if group == 1 {
            let elements = bytes.start / group_bytes..bytes.end / group_bytes;
            return self.compute(elements, out, scratch);
        }
        // groups that are cut at either end are computed apart
        let mut findings = Findings::default();
        let mut byte = bytes.start;
        while byte < bytes.end {
            let first = byte / group_bytes;
            let cut = byte % group_bytes;
            let whole_groups = (bytes.end - byte) / group_bytes;
            let count = if cut == 0 { whole_groups.max(1) } else { 1 };
            let elements = first * group..((first + count) * group).min(self.info.elements());
            let size = ((elements.end - elements.start) * bits / 8) as usize;
            let room = &mut out[(byte - bytes.start) as usize..];
            let taken = (size - cut as usize).min(room.len());
            if taken == size {
                findings.add(self.compute(elements, &mut room[..size], scratch)?);
            } else {
                let mut whole = [0; 8];
                findings.add(self.compute(elements, &mut whole[..size], scratch)?);
                room[..taken].copy_from_slice(&whole[cut as usize..][..taken]);
            }
            byte += taken as u64;
        }
        Ok(findings)
    }

    /// Number of NaN and infinite elements in each source of a tensor that is computed.
    pub(crate) fn non_finite_sources(&self, scratch: &mut Scratch) -> Result<Vec<u64>, Error> {
        match &self.work {
            Work::Copy => Ok(Vec::new()),
            Work::Single(_) => self.count_non_finite::<f32>(scratch),
            Work::Double(_) => self.count_non_finite::<f64>(scratch),
        }
    }

    fn count_non_finite<T: Widened>(&self, scratch: &mut Scratch) -> Result<Vec<u64>, Error> {
        let mut counts = vec![0; self.sources.len()];
        let elements = 0..self.info.elements();
        self.for_each_tile(elements, scratch, |_, tiles, _: &mut [T]| {
            for (position, count) in counts.iter_mut().enumerate() {
                *count += T::count_non_finite(tiles.source(position));
            }
            Ok(())
        })?;
        Ok(counts)
    }

    fn sum<T: Widened>(
        &self,
        kernel: &dyn Kernel<T>,
        pass: usize,
        earlier: &[Statistic],
        elements: Range<u64>,
        scratch: &mut Scratch,
    ) -> Result<Statistic, Error> {
        let mut sums = vec![0.0; kernel.passes()[pass]];
        self.for_each_tile(elements, scratch, |_, tiles, _| {
            kernel.measure(pass, earlier, tiles, &mut sums);
            Ok(())
        })?;
        Ok(sums)
    }

    fn apply<T: Widened>(
        &self,
        kernel: &dyn Kernel<T>,
        elements: Range<u64>,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Findings, Error> {
        let conclusion = self.conclusion.get_or_init(|| {
            let statistics: Vec<Statistic> = self
                .passes
                .iter()
                .filter_map(|pass| pass.total.get().cloned())
                .collect();
            kernel.conclude(&statistics)
        });
        let width = (self.info.dtype.bits() / 8) as usize;
        let mut findings = Findings::default();
        self.for_each_tile(
            elements.clone(),
            scratch,
            |offset, tiles, result: &mut [T]| {
                kernel.apply(conclusion, tiles, result);
                let out = &mut out[offset * width..][..result.len() * width];
                T::narrow(result, self.info.dtype, out)?;
                let non_finite = non_finite_in(self.info.dtype, out);
                if non_finite > 0 {
                    findings.add(Findings {
                        non_finite,
                        sources: (0..self.sources.len())
                            .map(|s| T::count_non_finite(tiles.source(s)))
                            .collect(),
                        unequal: None,
                    });
                }
                Ok(())
            },
        )?;
        Ok(findings)
    }

    /// Calls `visit` with the offset of each tile from the start of the range, the widened sources, and room for a result.
    fn for_each_tile<T: Widened>(
        &self,
        elements: Range<u64>,
        scratch: &mut Scratch,
        mut visit: impl FnMut(usize, &Tiles<'_, T>, &mut [T]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let count = self.sources.len();
        let (bytes, room) = T::room(scratch);
        bytes.resize_with(count.max(bytes.len()), Vec::new);
        room.resize(room.len().max((count + 1) * TILE), T::from_f64(0.0));
        let (widened, result) = room.split_at_mut(count * TILE);
        let mut piece = elements.start;
        while piece < elements.end {
            let end = (piece + PIECE).min(elements.end);
            let views = self
                .sources
                .iter()
                .zip(bytes.iter_mut())
                .map(|(source, scratch)| source.read(piece..end, scratch))
                .collect::<Result<Vec<_>, _>>()?;
            let mut tile = piece;
            while tile < end {
                let len = (end - tile).min(TILE as u64) as usize;
                for (position, view) in views.iter().enumerate() {
                    let dtype = self.sources[position].info().dtype;
                    let width = (dtype.bits() / 8) as usize;
                    let start = (tile - piece) as usize * width;
                    T::widen(
                        dtype,
                        &view[start..start + len * width],
                        &mut widened[position * TILE..][..len],
                    )?;
                }
                let offset = (tile - elements.start) as usize;
                visit(offset, &Tiles::new(widened, TILE, len), &mut result[..len])?;
                tile += len as u64;
            }
            piece = end;
        }
        Ok(())
    }

    fn copy(
        &self,
        elements: Range<u64>,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Findings, Error> {
        scratch
            .bytes
            .resize_with(scratch.bytes.len().max(2), Vec::new);
        let (first, second) = scratch.bytes.split_at_mut(1);
        let bytes = self.sources[0].read(elements.clone(), &mut first[0])?;
        out.copy_from_slice(bytes);
        let mut findings = Findings {
            non_finite: non_finite_in(self.info.dtype, out),
            sources: Vec::new(),
            unequal: None,
        };
        if findings.non_finite > 0 {
            findings.sources = vec![findings.non_finite];
        }
        for (position, source) in self.sources.iter().enumerate().skip(1) {
            if source.read(elements.clone(), &mut second[0])? != &*out {
                findings.unequal = findings.unequal.or(Some(position));
            }
        }
        Ok(findings)
    }
}

impl Pass {
    fn new(blocks: usize, sums: usize) -> Self {
        let pass = Self {
            partials: Mutex::new(Partials {
                blocks: vec![None; blocks],
                missing: blocks,
            }),
            total: OnceLock::new(),
        };
        if blocks == 0 {
            let _ = pass.total.set(vec![0.0; sums]);
        }
        pass
    }

    fn has(&self, block: usize) -> bool {
        let partials = self.partials.lock().unwrap_or_else(PoisonError::into_inner);
        // the blocks are gone when all are there
        partials.missing == 0 || partials.blocks[block].is_some()
    }

    fn add(&self, block: usize, partial: Statistic) {
        let mut partials = self.partials.lock().unwrap_or_else(PoisonError::into_inner);
        if partials.missing == 0 || partials.blocks[block].is_some() {
            return;
        }
        partials.blocks[block] = Some(partial);
        partials.missing -= 1;
        if partials.missing == 0 {
            let blocks = std::mem::take(&mut partials.blocks);
            let _ = self.total.set(add_in_order(blocks.into_iter().flatten()));
        }
    }
}

/// The sums over all blocks, added in the order of the blocks whatever the order in which they were measured.
fn add_in_order(blocks: impl Iterator<Item = Statistic>) -> Statistic {
    blocks
        .reduce(|mut total, block| {
            for (sum, part) in total.iter_mut().zip(block) {
                *sum += part;
            }
            total
        })
        .unwrap_or_default()
}

/// The precision that a kernel computes in, with its part of the scratch memory.
trait Widened: Real {
    fn room(scratch: &mut Scratch) -> (&mut Vec<Vec<u8>>, &mut Vec<Self>);
}

impl Widened for f32 {
    fn room(scratch: &mut Scratch) -> (&mut Vec<Vec<u8>>, &mut Vec<Self>) {
        (&mut scratch.bytes, &mut scratch.single)
    }
}

impl Widened for f64 {
    fn room(scratch: &mut Scratch) -> (&mut Vec<Vec<u8>>, &mut Vec<Self>) {
        (&mut scratch.bytes, &mut scratch.double)
    }
}

/// The precision in which a tensor is computed: double where an input is.
pub(crate) fn needs_double(sources: &[JobSource]) -> bool {
    sources
        .iter()
        .any(|source| source.info().dtype == DType::F64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are elements of some type.
    #[derive(Debug)]
    struct Bytes {
        entries: Vec<weightsmith_tensors::TensorEntry>,
        bytes: Vec<u8>,
    }

    impl TensorSource for Bytes {
        fn tensors(&self) -> &[weightsmith_tensors::TensorEntry] {
            &self.entries
        }

        fn find(&self, _: &str) -> Option<usize> {
            Some(0)
        }

        fn read<'a>(
            &'a self,
            _: usize,
            elements: Range<u64>,
            _: &'a mut Vec<u8>,
        ) -> Result<&'a [u8], Error> {
            let bits = self.entries[0].info.dtype.bits();
            assert_eq!((elements.start * bits) % 8, 0);
            Ok(&self.bytes
                [(elements.start * bits / 8) as usize..(elements.end * bits / 8) as usize])
        }
    }

    #[test]
    fn any_range_of_a_packed_tensors_bytes_can_be_copied() {
        for (dtype, elements) in [(DType::F4, 34), (DType::F6_E2M3, 28), (DType::BF16, 12)] {
            let bits = dtype.bits();
            let bytes: Vec<u8> = (1..=(elements * bits / 8) as u8).collect();
            let info = TensorInfo {
                dtype,
                shape: vec![elements],
            };
            let entry = weightsmith_tensors::TensorEntry {
                name: "x".into(),
                info: info.clone(),
            };
            let source = JobSource {
                model: "a".into(),
                source: Arc::new(Bytes {
                    entries: vec![entry],
                    bytes: bytes.clone(),
                }),
                tensor: 0,
            };
            let job = TensorJob::new(info, vec![source], Work::Copy);
            let step = if dtype == DType::BF16 { 2 } else { 1 };
            for start in (0..bytes.len()).step_by(step) {
                for end in (start..=bytes.len()).step_by(step) {
                    let mut out = vec![0; end - start];
                    let range = start as u64..end as u64;
                    job.compute_bytes(range, &mut out, &mut Scratch::default())
                        .unwrap();
                    assert_eq!(out, bytes[start..end], "{dtype} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn a_block_is_there_while_the_total_of_all_is_being_added_up() {
        let pass = Pass::new(1, 1);
        let mut partials = pass.partials.lock().unwrap();
        partials.missing = 0;
        partials.blocks = Vec::new();
        drop(partials);
        assert!(pass.has(0));
    }
}
