//! Outputs that several threads write to.

use std::marker::PhantomData;

/// Outputs of `count` inputs, `rows` of each, of which each thread writes its own.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    start: *mut f32,
    count: usize,
    rows: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: who writes through it promises that no other thread has the same place.
unsafe impl Send for Columns<'_> {}
// SAFETY: as above.
unsafe impl Sync for Columns<'_> {}

impl<'a> Columns<'a> {
    pub(super) fn new(out: &'a mut [f32], rows: usize) -> Self {
        let count = out.len() / rows;
        assert_eq!(out.len(), count * rows, "whole outputs");
        Self {
            start: out.as_mut_ptr(),
            count,
            rows,
            borrowed: PhantomData,
        }
    }

    /// The places of an input's rows from `row` on, at most `length` of them.
    ///
    /// # Safety
    /// No other thread uses them meanwhile, nor does the caller twice.
    #[inline(always)]
    pub(super) unsafe fn of(&self, input: usize, row: usize, length: usize) -> &'a mut [f32] {
        assert!(input < self.count && row < self.rows);
        let length = length.min(self.rows - row);
        // SAFETY: within the slice that is borrowed for 'a, as just asserted; nobody else has it, as promised.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(input * self.rows + row), length) }
    }
}
