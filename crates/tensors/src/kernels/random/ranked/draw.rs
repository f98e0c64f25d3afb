//! The random words of a row.

use super::Places;
use crate::kernels::Kernel;
use crate::kernels::random::Stream;
use crate::kernels::random::philox::Words;

/// Words in the buffer before those of a row: a contiguous row's start with a whole counter.
pub(super) fn skipped(places: Places) -> usize {
    if places.stride == 1 {
        (places.first % 4) as usize
    } else {
        0
    }
}

/// Writes the words of the elements at some places, after [`skipped`] others.
pub(super) struct Draw<'a> {
    pub(super) stream: Stream,
    pub(super) places: Places,
    pub(super) count: usize,
    pub(super) out: &'a mut [u32],
}

impl Kernel for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Places { first, stride } = self.places;
        let stream = Words::new(self.stream);
        if stride == 1 {
            let counters = (self.count + skipped(self.places)).div_ceil(4);
            let words = self.out.as_chunks_mut::<4>().0;
            stream.fill(first / 4, &mut words[..counters]);
        } else {
            for (place, word) in self.out[..self.count].iter_mut().enumerate() {
                *word = stream.at(first.wrapping_add(stride.wrapping_mul(place as u64)));
            }
        }
    }
}
