//! NaN and infinite elements of a file's tensors, counted while the file is hashed.

use std::ops::Range;

use weightsmith_tensors::{Checkpoint, DType, TensorSource, non_finite_in};

use super::finding::{Finding, Problem};

/// The elements that begin in one block may end in the next: bytes to read behind a block.
pub(super) const OVERHANG: u64 = 16;

/// The tensors of one file, by their place.
#[derive(Debug)]
pub(super) struct FileTensors {
    tensors: Vec<Placed>,
}

#[derive(Debug)]
struct Placed {
    /// Index in the checkpoint.
    tensor: usize,
    dtype: DType,
    /// Bytes of an element.
    element: u64,
    bytes: Range<u64>,
}

impl FileTensors {
    /// The tensors of a file whose elements are whole bytes; none for a file without weights.
    pub(super) fn of(checkpoint: Option<&Checkpoint>, name: &str) -> Self {
        let Some((checkpoint, file)) = checkpoint.and_then(|checkpoint| {
            let file = checkpoint
                .files()
                .iter()
                .position(|file| file.name == name)?;
            Some((checkpoint, file))
        }) else {
            return Self {
                tensors: Vec::new(),
            };
        };
        let in_file =
            (0..checkpoint.tensors().len()).filter(|&tensor| checkpoint.file_of(tensor) == file);
        let mut tensors: Vec<Placed> = in_file
            .map(|tensor| {
                let info = &checkpoint.tensors()[tensor].info;
                let start = checkpoint.offset_of(tensor);
                Placed {
                    tensor,
                    dtype: info.dtype,
                    element: info.dtype.bits() / 8,
                    bytes: start..start + info.bytes(),
                }
            })
            .filter(|placed| placed.element > 0)
            .collect();
        tensors.sort_by_key(|placed| placed.bytes.start);
        Self { tensors }
    }

    /// Counts elements that begin in `block`; `bytes` starts there and goes on for [`OVERHANG`] bytes where the file does.
    pub(super) fn count(&self, block: &Range<u64>, bytes: &[u8]) -> Vec<(usize, u64)> {
        let first = self
            .tensors
            .partition_point(|placed| placed.bytes.end <= block.start);
        let touched = self.tensors[first..]
            .iter()
            .take_while(|placed| placed.bytes.start < block.end);
        touched
            .filter_map(|placed| {
                let elements = placed.elements_in(block, bytes)?;
                Some((placed.tensor, non_finite_in(placed.dtype, elements)))
            })
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

impl Placed {
    /// The bytes of the elements that begin in the block.
    fn elements_in<'a>(&self, block: &Range<u64>, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let edge = |at: u64| {
            let within = at.clamp(self.bytes.start, self.bytes.end) - self.bytes.start;
            self.bytes.start + within.div_ceil(self.element) * self.element
        };
        let start = usize::try_from(edge(block.start).checked_sub(block.start)?).ok()?;
        let end = usize::try_from(edge(block.end).checked_sub(block.start)?).ok()?;
        bytes.get(start..end)
    }
}

/// Damage for each tensor with such elements, unless the run allowed exactly as many.
pub(super) fn findings(found: &[(String, u64)], allowed: u64) -> Vec<Finding> {
    if found.iter().map(|(_, count)| count).sum::<u64>() == allowed {
        return Vec::new();
    }
    let problems = found.iter().map(|(tensor, count)| Problem::NonFinite {
        tensor: tensor.clone(),
        count: *count,
    });
    problems.map(Finding::of_model).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nan_at(elements: &[usize], count: usize) -> Vec<u8> {
        let values = (0..count).map(|index| {
            if elements.contains(&index) {
                f32::NAN
            } else {
                1.0
            }
        });
        values.flat_map(f32::to_le_bytes).collect()
    }

    #[test]
    fn an_element_across_two_blocks_is_counted_once() {
        // element 1 of the tensor lies in bytes 6..10, across the blocks 0..8 and 8..16
        let tensors = FileTensors {
            tensors: vec![Placed {
                tensor: 0,
                dtype: DType::F32,
                element: 4,
                bytes: 2..14,
            }],
        };
        let mut file = vec![0xff, 0xff];
        file.extend(nan_at(&[1, 2], 3));
        file.extend([0xff; 2]);
        assert_eq!(tensors.count(&(0..8), &file), [(0, 1)]);
        assert_eq!(tensors.count(&(8..16), &file[8..]), [(0, 1)]);
    }

    #[test]
    fn as_many_as_were_allowed_are_no_damage() {
        let found = [("a".to_owned(), 2), ("b".to_owned(), 1)];
        assert!(findings(&found, 3).is_empty());
        assert_eq!(findings(&found, 0).len(), 2);
    }
}
