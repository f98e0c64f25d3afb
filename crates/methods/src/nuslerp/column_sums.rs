//! Sums for each column of a tensor, whose elements lie in all blocks.

use std::ops::Range;

use crate::Statistic;

/// `N` sums for each column: of all columns, or of those that a block touches.
///
/// A block of a million elements has sums for no more than a million columns, however many the tensor has.
#[derive(Debug)]
pub(super) struct ColumnSums<const N: usize> {
    /// Columns of the tensor: its element `i` lies in column `i % columns`.
    columns: usize,
    /// The first element that was looked at; the first sums are its column's.
    start: u64,
    /// Columns that there are sums for.
    width: usize,
    /// The first sum of each column, the second of each and so on.
    sums: Vec<f64>,
}

impl<const N: usize> ColumnSums<N> {
    /// Of a tensor with so many columns.
    pub(super) fn of_all(columns: usize) -> Self {
        Self::of_block(columns, 0..columns as u64)
    }

    /// Of a range of its elements.
    pub(super) fn of_block(columns: usize, block: Range<u64>) -> Self {
        let elements = block.end - block.start;
        let width = columns.min(usize::try_from(elements).unwrap_or(usize::MAX));
        Self {
            columns,
            start: block.start,
            width,
            sums: vec![0.0; N * width],
        }
    }

    /// The sums of a column, where all columns have them.
    pub(super) fn of(&self, column: usize) -> [f64; N] {
        std::array::from_fn(|sum| self.sums[sum * self.width + column])
    }

    /// Calls `visit` with each range of the `len` elements from `first` on that lie in different columns, counted from `first`, and
    /// the sums for each of them.
    pub(super) fn for_each_run(
        &mut self,
        first: u64,
        len: usize,
        mut visit: impl FnMut(Range<usize>, [&mut [f64]; N]),
    ) {
        let first = (first - self.start) as usize;
        let mut start = 0;
        while start < len && self.width > 0 {
            let column = (first + start) % self.width;
            let run = (self.width - column).min(len - start);
            let mut sums = self.sums.chunks_exact_mut(self.width);
            let sums = std::array::from_fn(|_| match sums.next() {
                Some(sums) => &mut sums[column..column + run],
                None => &mut [],
            });
            visit(start..start + run, sums);
            start += run;
        }
    }
}

impl<const N: usize> Statistic for ColumnSums<N> {
    /// Adds the sums of the columns that a block touches to those of all columns.
    fn merge(&mut self, block: Self) {
        if block.width == 0 {
            return;
        }
        // from the block's first column to the last of all, and from the first of all on
        let first = (block.start % self.columns as u64) as usize;
        let before_end = block.width.min(self.columns - first);
        let of_block = block.sums.chunks(block.width);
        for (total, part) in self.sums.chunks_mut(self.columns).zip(of_block) {
            let (to_end, from_start) = part.split_at(before_end);
            let add = |(total, part): (&mut f64, &f64)| *total += part;
            total[first..].iter_mut().zip(to_end).for_each(add);
            total.iter_mut().zip(from_start).for_each(add);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_columns_begin_again() {
        // 3 columns with 2 sums each; a tile of 7 elements that begins at element 4 of its block
        let mut sums = ColumnSums::of_block(3, 12..30);
        let mut runs = Vec::new();
        sums.for_each_run(16, 7, |range, [first, second]: [&mut [f64]; 2]| {
            for (one, other) in first.iter_mut().zip(second) {
                *one += 1.0;
                *other += 0.5;
            }
            runs.push(range);
        });
        assert_eq!(runs, [0..2, 2..5, 5..7]);
        assert_eq!(sums.sums, [2.0, 3.0, 2.0, 1.0, 1.5, 1.0]);
    }

    #[test]
    fn a_block_touches_no_more_columns_than_it_has_elements() {
        let width = |elements: u64| ColumnSums::<1>::of_block(5000, 7..7 + elements).width;
        assert_eq!((width(100), width(9000)), (100, 5000));
    }

    /// The sums of 5 columns over 23 elements, from blocks of `block` elements that add up the elements' indices.
    fn summed(block: u64) -> Vec<f64> {
        let mut total = ColumnSums::<1>::of_all(5);
        for start in (0..23).step_by(block as usize) {
            let elements = start..(start + block).min(23);
            let mut found = ColumnSums::<1>::of_block(5, elements.clone());
            let len = (elements.end - elements.start) as usize;
            found.for_each_run(elements.start, len, |range, [sums]| {
                for (sum, element) in sums.iter_mut().zip(range) {
                    *sum += (start + element as u64) as f64;
                }
            });
            total.merge(found);
        }
        total.sums
    }

    #[test]
    fn sums_of_blocks_come_to_their_columns() {
        let expected: Vec<f64> = (0..5u32)
            .map(|column| (column..23).step_by(5).map(f64::from).sum())
            .collect();
        // all at once, some rows, and less than a row
        for block in [23, 7, 3] {
            assert_eq!(summed(block), expected);
        }
    }
}
