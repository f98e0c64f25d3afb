//! One tensor of the result: measured block by block, computed range by range.

mod findings;
mod steps;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use weightsmith_tensors::{DType, Error, Real, TensorInfo, TensorSource, non_finite_in};

pub use self::findings::Findings;
use self::steps::{Geometry, Steps};

use crate::statistic::AnyFound;
use crate::{Kernel, Memory, OutputTensor, Pass, Refusal, Tiles, Workspace};

/// Tiles read from a source at a time, where it cannot lend its memory.
const PIECE_TILES: u64 = 64;

/// A tensor of a source.
#[derive(Debug, Clone)]
pub struct JobSource {
    /// Name of the model, for messages.
    pub model: String,
    /// Where it is.
    pub source: Arc<dyn TensorSource>,
    /// Index in the source.
    pub tensor: usize,
}

impl JobSource {
    /// Its type and shape.
    pub fn info(&self) -> &TensorInfo {
        &self.source.tensors()[self.tensor].info
    }

    /// Some of its elements, as they are stored.
    pub fn read<'a>(
        &'a self,
        elements: Range<u64>,
        scratch: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        self.source.read(self.tensor, elements, scratch)
    }
}

/// What makes the tensor from its sources.
#[derive(Debug)]
enum Work {
    /// The bytes of the first source; the others must hold the same.
    Copy,
    /// Arithmetic in f32.
    Single(Steps<f32>),
    /// Arithmetic in f64.
    Double(Steps<f64>),
}

/// A tensor of the result and all that is needed to compute any part of it.
#[derive(Debug)]
pub struct TensorJob {
    info: TensorInfo,
    sources: Vec<JobSource>,
    work: Work,
    /// Blocks of output files that are to be written with a part of it.
    blocks_left: AtomicU64,
}

/// Memory that a worker keeps between calls.
#[derive(Debug, Default)]
pub struct Scratch {
    bytes: Vec<Vec<u8>>,
    single: Room<f32>,
    double: Room<f64>,
}

/// The part of the scratch memory that belongs to one precision.
#[derive(Debug, Default)]
struct Room<T> {
    widened: Vec<T>,
    result: Vec<T>,
    workspace: Workspace<T>,
}

impl TensorJob {
    /// A tensor that is copied from the first of its sources.
    pub fn copy(info: TensorInfo, sources: Vec<JobSource>) -> Self {
        Self {
            info,
            sources,
            work: Work::Copy,
            blocks_left: AtomicU64::new(0),
        }
    }

    /// A tensor that is computed, in f64 where a source is F64.
    pub fn merge(
        output: &OutputTensor<'_>,
        sources: Vec<JobSource>,
        single: impl FnOnce() -> Box<dyn Kernel<f32>>,
        double: impl FnOnce() -> Box<dyn Kernel<f64>>,
    ) -> Self {
        let is_double = sources
            .iter()
            .any(|source| source.info().dtype == DType::F64);
        let work = if is_double {
            Work::Double(Steps::new(double().as_ref(), output))
        } else {
            Work::Single(Steps::new(single().as_ref(), output))
        };
        Self {
            info: output.info.clone(),
            sources,
            work,
            blocks_left: AtomicU64::new(0),
        }
    }

    /// Its type and shape.
    pub fn info(&self) -> &TensorInfo {
        &self.info
    }

    /// What it is made from.
    pub fn sources(&self) -> &[JobSource] {
        &self.sources
    }

    /// The most passes over the whole tensor that may be needed before any part of it can be computed.
    pub fn passes(&self) -> usize {
        match &self.work {
            Work::Copy => 0,
            Work::Single(steps) => steps.passes(),
            Work::Double(steps) => steps.passes(),
        }
    }

    /// Number of blocks that each pass is done in.
    pub fn blocks(&self) -> u64 {
        match &self.work {
            Work::Copy => 0,
            Work::Single(steps) => steps.geometry().blocks(),
            Work::Double(steps) => steps.geometry().blocks(),
        }
    }

    /// Memory that the work takes: a tile of each source and of the result, and what the kernel keeps.
    pub fn memory(&self) -> Memory {
        match &self.work {
            Work::Copy => Memory::default(),
            Work::Single(steps) => self.memory_of(steps),
            Work::Double(steps) => self.memory_of(steps),
        }
    }

    fn memory_of<T: Real>(&self, steps: &Steps<T>) -> Memory {
        let of_kernel = steps.memory();
        let tile = steps.geometry().tile.min(self.info.elements());
        let tiles = (self.sources.len() as u64 + 1) * tile * size_of::<T>() as u64;
        Memory {
            worker: of_kernel.worker + tiles,
            ..of_kernel
        }
    }

    /// The most elements of a source that are read at a time for a range of so many of the result.
    pub fn elements_at_once(&self, range: u64) -> u64 {
        let tile = match &self.work {
            Work::Copy => return range,
            Work::Single(steps) => steps.geometry().tile,
            Work::Double(steps) => steps.geometry().tile,
        };
        (PIECE_TILES * tile).min(self.info.elements())
    }

    /// Counts a block of an output file that holds a part of the tensor.
    pub fn expect_block(&self) {
        self.blocks_left.fetch_add(1, Ordering::Relaxed);
    }

    /// Such a block is written; after the last one nothing will be asked for again, and what was found is forgotten.
    /// True for the last one.
    pub fn finish_block(&self) -> bool {
        if self.blocks_left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return false;
        }
        match &self.work {
            Work::Copy => {}
            Work::Single(steps) => steps.release(),
            Work::Double(steps) => steps.release(),
        }
        true
    }

    /// True when all blocks of a pass were measured.
    pub fn is_measured(&self, pass: usize) -> bool {
        match &self.work {
            Work::Copy => true,
            Work::Single(steps) => steps.is_measured(pass),
            Work::Double(steps) => steps.is_measured(pass),
        }
    }

    /// True when any part can be computed, or never will be: see [`TensorJob::refusal`].
    pub fn is_ready(&self) -> bool {
        match &self.work {
            Work::Copy => true,
            Work::Single(steps) => steps.is_settled(),
            Work::Double(steps) => steps.is_settled(),
        }
    }

    /// Why the tensor cannot be computed, once that is known.
    pub fn refusal(&self) -> Option<Refusal> {
        match &self.work {
            Work::Copy => None,
            Work::Single(steps) => steps.refusal(),
            Work::Double(steps) => steps.refusal(),
        }
    }

    /// Measures one block of a pass, if the kernel needs it; all earlier passes must be complete.
    pub fn measure(&self, pass: usize, block: u64, scratch: &mut Scratch) -> Result<(), Error> {
        match &self.work {
            Work::Copy => Ok(()),
            Work::Single(steps) => self.measure_block(steps, pass, block, scratch),
            Work::Double(steps) => self.measure_block(steps, pass, block, scratch),
        }
    }

    /// Measures everything that is not measured yet, in this thread.
    pub fn measure_all(&self, scratch: &mut Scratch) -> Result<(), Error> {
        for pass in 0..self.passes() {
            if self.is_ready() {
                break;
            }
            for block in 0..self.blocks() {
                if !self.has(pass, block) {
                    self.measure(pass, block, scratch)?;
                }
            }
        }
        Ok(())
    }

    /// True when a block of a pass was measured, or will never be needed.
    fn has(&self, pass: usize, block: u64) -> bool {
        match &self.work {
            Work::Copy => true,
            Work::Single(steps) => steps.has(pass, block),
            Work::Double(steps) => steps.has(pass, block),
        }
    }

    /// Checks that nothing was made of bytes that are gone; what goes wrong with them is then no finding about the model.
    fn ensure_intact(&self) -> Result<(), Error> {
        let mut sources = self.sources.iter();
        sources.try_for_each(|source| source.source.ensure_intact())
    }

    /// Computes a range of elements into `out`, which has the result's type. [`TensorJob::is_ready`] must hold.
    pub fn compute(
        &self,
        elements: Range<u64>,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Findings, Error> {
        let findings = match &self.work {
            Work::Copy => self.copy_range(elements, out, scratch),
            Work::Single(steps) => self.compute_range(steps, elements, out, scratch),
            Work::Double(steps) => self.compute_range(steps, elements, out, scratch),
        };
        self.ensure_intact()?;
        findings
    }

    /// As [`TensorJob::compute`], for a range of the tensor's bytes.
    pub fn compute_bytes(
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
    pub fn non_finite_sources(&self, scratch: &mut Scratch) -> Result<Vec<u64>, Error> {
        let counts = match &self.work {
            Work::Copy => Ok(Vec::new()),
            Work::Single(steps) => self.count_non_finite(steps, scratch),
            Work::Double(steps) => self.count_non_finite(steps, scratch),
        };
        self.ensure_intact()?;
        counts
    }

    fn count_non_finite<T: Precision>(
        &self,
        steps: &Steps<T>,
        scratch: &mut Scratch,
    ) -> Result<Vec<u64>, Error> {
        let mut counts = vec![0; self.sources.len()];
        let elements = 0..self.info.elements();
        self.for_each_tile(steps.geometry(), elements, scratch, |tiles, _, _| {
            for (position, count) in counts.iter_mut().enumerate() {
                *count += T::count_non_finite(tiles.source(position));
            }
            Ok(())
        })?;
        Ok(counts)
    }

    fn measure_block<T: Precision>(
        &self,
        steps: &Steps<T>,
        pass: usize,
        block: u64,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let Some(measure) = steps.measure(pass) else {
            return Ok(());
        };
        let found = self.look_at(steps.geometry(), &measure, block, scratch);
        self.ensure_intact()?;
        steps.add(pass, block, found?);
        Ok(())
    }

    fn look_at<T: Precision>(
        &self,
        geometry: Geometry,
        pass: &Pass<T>,
        block: u64,
        scratch: &mut Scratch,
    ) -> Result<AnyFound, Error> {
        let range = geometry.range(block);
        let mut found = pass.block(range.clone());
        for part in pass.parts(range) {
            self.for_each_tile(geometry, part, scratch, |tiles, workspace, _| {
                pass.tile(tiles, workspace, &mut found);
                Ok(())
            })?;
        }
        Ok(found)
    }

    fn compute_range<T: Precision>(
        &self,
        steps: &Steps<T>,
        elements: Range<u64>,
        out: &mut [u8],
        scratch: &mut Scratch,
    ) -> Result<Findings, Error> {
        let (mut non_finite, mut sources) = (0, vec![0; self.sources.len()]);
        let Some(apply) = steps.apply() else {
            // callers wait for readiness, and ask for nothing after the last block; else it is their fault or the kernel's
            return Err(Error::Source(
                "the kernel was asked for a result before it was ready or after it was released"
                    .into(),
            ));
        };
        let geometry = steps.geometry();
        let whole = elements.start / geometry.origin * geometry.origin
            ..elements
                .end
                .next_multiple_of(geometry.unit)
                .min(self.info.elements());
        let width = (self.info.dtype.bits() / 8) as usize;
        self.for_each_tile(
            geometry,
            whole,
            scratch,
            |tiles, workspace, result: &mut [T]| {
                apply.tile(tiles, workspace, result);
                let first = elements.start.max(tiles.first());
                let last = elements.end.min(tiles.first() + tiles.len() as u64);
                if first >= last {
                    return Ok(());
                }
                let result =
                    &result[(first - tiles.first()) as usize..(last - tiles.first()) as usize];
                let out =
                    &mut out[(first - elements.start) as usize * width..][..result.len() * width];
                T::narrow(result, self.info.dtype, out)?;
                for (source, count) in sources.iter_mut().enumerate() {
                    *count += T::count_non_finite(tiles.source(source));
                }
                non_finite += non_finite_in(self.info.dtype, out);
                Ok(())
            },
        )?;
        if sources.iter().all(|count| *count == 0) {
            sources.clear();
        }
        Ok(Findings {
            non_finite,
            sources,
            unequal: None,
        })
    }

    /// Calls `visit` with each tile of the widened sources in a range, a workspace, and room for a result.
    fn for_each_tile<T: Precision>(
        &self,
        geometry: Geometry,
        range: Range<u64>,
        scratch: &mut Scratch,
        mut visit: impl FnMut(&Tiles<'_, T>, &mut Workspace<T>, &mut [T]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let count = self.sources.len();
        let stride = geometry.tile as usize;
        let (bytes, room) = T::room(scratch);
        bytes.resize_with(count.max(bytes.len()), Vec::new);
        room.widened
            .resize(room.widened.len().max(count * stride), T::ZERO);
        room.result.resize(room.result.len().max(stride), T::ZERO);
        let mut piece = range.start;
        while piece < range.end {
            let end = (piece + PIECE_TILES * geometry.tile).min(range.end);
            let views = self
                .sources
                .iter()
                .zip(bytes.iter_mut())
                .map(|(source, scratch)| source.read(piece..end, scratch))
                .collect::<Result<Vec<_>, _>>()?;
            let mut tile = piece;
            while tile < end {
                let len = (end - tile).min(geometry.tile) as usize;
                for (position, view) in views.iter().enumerate() {
                    let dtype = self.sources[position].info().dtype;
                    let width = (dtype.bits() / 8) as usize;
                    let start = (tile - piece) as usize * width;
                    let widened = &mut room.widened[position * stride..][..len];
                    T::widen(dtype, &view[start..start + len * width], widened)?;
                }
                let tiles = Tiles::new(&room.widened, stride, len, tile);
                visit(&tiles, &mut room.workspace, &mut room.result[..len])?;
                tile += len as u64;
            }
            piece = end;
        }
        Ok(())
    }

    fn copy_range(
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
            ..Findings::default()
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

/// The precision that a kernel computes in, with its part of the scratch memory.
trait Precision: Real {
    fn room(scratch: &mut Scratch) -> (&mut Vec<Vec<u8>>, &mut Room<Self>);
}

impl Precision for f32 {
    fn room(scratch: &mut Scratch) -> (&mut Vec<Vec<u8>>, &mut Room<Self>) {
        (&mut scratch.bytes, &mut scratch.single)
    }
}

impl Precision for f64 {
    fn room(scratch: &mut Scratch) -> (&mut Vec<Vec<u8>>, &mut Room<Self>) {
        (&mut scratch.bytes, &mut scratch.double)
    }
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
            let job = TensorJob::copy(info, vec![source]);
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
}
