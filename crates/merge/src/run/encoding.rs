//! Tensors as a format stores them.

use std::ops::Range;

use weightsmith_tensors::{Encoding, Error, OutputFormat};

use crate::methods::job::{Findings, Scratch, TensorJob};

/// Units that are encoded at a time, so that little memory is taken besides the block.
const PIECE: u64 = 1 << 10;

/// Computes bytes of a tensor as the format stores them, into `out`.
pub(super) fn stored_bytes(
    format: &dyn OutputFormat,
    job: &TensorJob,
    bytes: Range<u64>,
    out: &mut [u8],
    scratch: &mut Scratch,
) -> Result<Findings, Error> {
    let dtype = job.info().dtype;
    let encoding = format.encoding(dtype);
    let plain = Encoding::plain(dtype);
    if encoding == plain {
        return job.compute_bytes(bytes, out, scratch);
    }
    let mut findings = Findings::default();
    let (mut elements, mut stored) = (Vec::new(), Vec::new());
    let mut byte = bytes.start;
    while byte < bytes.end {
        let first = byte / encoding.unit_bytes;
        let last = bytes.end.div_ceil(encoding.unit_bytes).min(first + PIECE);
        let piece = first * encoding.unit_elements..last * encoding.unit_elements;
        let count = piece.end - piece.start;
        elements.resize((count * dtype.bits() / 8) as usize, 0);
        findings.add(job.compute(piece, &mut elements, scratch)?);
        stored.resize(((last - first) * encoding.unit_bytes) as usize, 0);
        format.encode(dtype, &elements, &mut stored);
        // units that are cut at either end are made for each of the two blocks
        let cut = (byte - first * encoding.unit_bytes) as usize;
        let room = &mut out[(byte - bytes.start) as usize..];
        let taken = (stored.len() - cut).min(room.len());
        room[..taken].copy_from_slice(&stored[cut..][..taken]);
        byte += taken as u64;
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use weightsmith_tensors::{
        DType, LayoutError, Shard, ShardLayout, TensorEntry, TensorInfo, TensorSource, WrittenError,
    };

    use super::*;
    use crate::methods::job::JobSource;

    /// Four bytes of U8 and their sum, in the place of four.
    #[derive(Debug)]
    struct Summed;

    const UNITS: u64 = 3 * PIECE + 5;

    impl OutputFormat for Summed {
        fn encoding(&self, _: DType) -> Encoding {
            Encoding {
                unit_elements: 4,
                unit_bytes: 5,
            }
        }

        fn layout(&self, _: &[TensorEntry], _: Option<u64>) -> Result<ShardLayout, LayoutError> {
            unreachable!("nothing is laid out")
        }

        fn preamble(&self, _: &Shard) -> Vec<u8> {
            Vec::new()
        }

        fn index(&self, _: &ShardLayout) -> Option<(&'static str, String)> {
            None
        }

        fn encode(&self, _: DType, elements: &[u8], stored: &mut [u8]) {
            for (unit, stored) in elements.chunks(4).zip(stored.chunks_mut(5)) {
                stored[..4].copy_from_slice(unit);
                stored[4] = unit.iter().fold(0, |sum, byte| sum.wrapping_add(*byte));
            }
        }

        fn verify(&self, _: &Path, _: &ShardLayout, _: &[TensorEntry]) -> Result<(), WrittenError> {
            Ok(())
        }
    }

    /// A tensor whose elements count up.
    #[derive(Debug)]
    struct Counting([TensorEntry; 1]);

    impl TensorSource for Counting {
        fn tensors(&self) -> &[TensorEntry] {
            &self.0
        }

        fn find(&self, _: &str) -> Option<usize> {
            Some(0)
        }

        fn read<'a>(
            &'a self,
            _: usize,
            elements: Range<u64>,
            scratch: &'a mut Vec<u8>,
        ) -> Result<&'a [u8], Error> {
            scratch.clear();
            scratch.extend(elements.map(|element| element as u8));
            Ok(scratch)
        }
    }

    fn job() -> TensorJob {
        let info = TensorInfo {
            dtype: DType::U8,
            shape: vec![UNITS * 4],
        };
        let entry = TensorEntry {
            name: "x".into(),
            info: info.clone(),
        };
        let source = JobSource {
            model: "a".into(),
            source: Arc::new(Counting([entry])),
            tensor: 0,
        };
        TensorJob::copy(info, vec![source])
    }

    #[test]
    fn packed_units_are_the_same_wherever_blocks_cut_them() {
        let job = job();
        let mut scratch = Scratch::default();
        let mut bytes = |range: Range<u64>| {
            let mut out = vec![0; (range.end - range.start) as usize];
            stored_bytes(&Summed, &job, range, &mut out, &mut scratch).unwrap();
            out
        };
        let whole = bytes(0..UNITS * 5);
        for (unit, stored) in whole.chunks(5).enumerate() {
            let first = (unit * 4) as u8;
            let sum = (0..4u8).fold(0u8, |sum, more| sum.wrapping_add(first.wrapping_add(more)));
            assert_eq!((stored[0], stored[4]), (first, sum), "unit {unit}");
        }
        for cut in [1, 4, 5, 7, PIECE * 5 + 2, UNITS * 5 - 1] {
            let (before, after) = (bytes(0..cut), bytes(cut..UNITS * 5));
            assert_eq!([before, after].concat(), whole, "cut at {cut}");
        }
        assert_eq!(bytes(6..8), whole[6..8]);
    }
}
