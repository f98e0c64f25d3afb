//! An arc for each column of a tensor: for each vector along its first axis.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into a kernel is compiled for the instruction set that was detected"
)]

use std::ops::Range;

use weightsmith_tensors::kernels::{self, Isa, REDUCTION_BLOCK};
use weightsmith_tensors::{Real, TensorInfo};

use super::column_sums::ColumnSums;
use super::{Decision, Turn};
use crate::gram::{MixWhole, Points};
use crate::{Apply, Kernel, Measure, Memory, OutputTensor, Stage, Tiles, Workspace};

/// a·a, a·b and b·b.
const PRODUCTS: usize = 3;

/// Mixes two points column by column.
///
/// Elements of a column lie a row apart, in many tiles, so each column's products are statistics: while the tensor is measured
/// 24 bytes for each column, and in each worker 24 bytes for each column that its block touches, which are no more than the
/// block's elements; from then on two coefficients for each column, twice where some columns are nearly opposite and need a
/// second pass. The memory budget counts them.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    points: Points,
    turn: Turn,
    /// Elements of a row.
    width: usize,
}

impl Columns {
    pub(super) fn new(points: Points, turn: Turn) -> Self {
        Self {
            points,
            turn,
            width: 1,
        }
    }

    fn pair<'a, T: Real>(&self, tiles: &Tiles<'a, T>) -> Pair<'a, T> {
        let [first, second] = [0, 1].map(|index| self.points.positions()[index]);
        Pair {
            a: tiles.source(first),
            b: tiles.source(second),
            origin: self.points.origin(tiles),
        }
    }
}

fn columns_of(info: &TensorInfo) -> usize {
    info.shape.iter().skip(1).product::<u64>() as usize
}

impl<T: Real> Kernel<T> for Columns {
    fn passes(&self) -> usize {
        2
    }

    fn memory(&self, output: &OutputTensor<'_>) -> Memory {
        let columns = match columns_of(output.info) {
            0 | 1 => return Memory::default(),
            columns => columns as u64,
        };
        let sums = |columns: u64| columns * (PRODUCTS * size_of::<f64>()) as u64;
        Memory {
            // the block in hand, and one that waits for an earlier block
            worker: 2 * sums(columns.min(REDUCTION_BLOCK)),
            shared: sums(columns) + columns * 2 * size_of::<T>() as u64,
        }
    }

    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T> {
        let info = output.info;
        let columns = Self {
            width: columns_of(info),
            ..self.clone()
        };
        if columns.width == 1 {
            return MixWhole::new(self.points.clone(), self.turn).begin(output);
        }
        if info.elements() == 0 {
            return Stage::apply(Mixtures {
                columns,
                coefficients: Coefficients::<T>::new(0),
            });
        }
        Stage::measure(columns)
    }
}

impl<T: Real> Measure<T> for Columns {
    type Found = ColumnSums<PRODUCTS>;

    fn total(&self) -> Self::Found {
        ColumnSums::of_all(self.width)
    }

    fn block(&self, block: Range<u64>) -> Self::Found {
        ColumnSums::of_block(self.width, block)
    }

    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, found: &mut Self::Found) {
        let pair = self.pair(tiles);
        let add = |range: Range<usize>, sums: [&mut [f64]; PRODUCTS]| {
            Isa::detected().run(AddProducts {
                pair: pair.part(range),
                sums,
            });
        };
        found.for_each_run(tiles.first(), tiles.len(), add);
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let columns = self.width;
        let mut coefficients = Coefficients::<T>::new(columns);
        let mut opposite = Vec::new();
        for column in 0..columns {
            match self.turn.decide(found.of(column)) {
                Decision::Mix(mixture) => coefficients.set(column, mixture),
                Decision::Measure(directions) => opposite.push((column, directions)),
            }
        }
        if opposite.is_empty() {
            return Stage::apply(Mixtures {
                columns: self.clone(),
                coefficients,
            });
        }
        Stage::measure(Opposite {
            columns: self.clone(),
            coefficients,
            directions: opposite,
        })
    }
}

/// Measures how far some columns are from being opposite.
#[derive(Debug)]
struct Opposite<T> {
    columns: Columns,
    /// Those of the other columns.
    coefficients: Coefficients<T>,
    /// The columns, in order, and what makes the sum of their directions.
    directions: Vec<(usize, [f64; 2])>,
}

impl<T: Real> Measure<T> for Opposite<T> {
    type Found = ColumnSums<1>;

    fn total(&self) -> Self::Found {
        ColumnSums::of_all(self.columns.width)
    }

    fn block(&self, block: Range<u64>) -> Self::Found {
        ColumnSums::of_block(self.columns.width, block)
    }

    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, found: &mut Self::Found) {
        let pair = self.columns.pair(tiles);
        let width = self.columns.width;
        let add = |range: Range<usize>, [sums]: [&mut [f64]; 1]| {
            let first = (tiles.first() as usize + range.start) % width;
            // a run may go over the end of a row
            for row in [0, width] {
                let from = self
                    .directions
                    .partition_point(|(column, _)| column + row < first);
                for (column, [a, b]) in &self.directions[from..] {
                    let place = column + row - first;
                    if place >= range.len() {
                        break;
                    }
                    let [x, y] = pair.moved(range.start + place);
                    let sum = a * x + b * y;
                    sums[place] += sum * sum;
                }
            }
        };
        found.for_each_run(tiles.first(), tiles.len(), add);
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let mut coefficients = self.coefficients.clone();
        for &(column, _) in &self.directions {
            let [square] = found.of(column);
            coefficients.set(column, self.columns.turn.nearly_opposite(square));
        }
        Stage::apply(Mixtures {
            columns: self.columns.clone(),
            coefficients,
        })
    }
}

/// A coefficient of each point for each column.
#[derive(Debug, Clone)]
struct Coefficients<T> {
    a: Vec<T>,
    b: Vec<T>,
}

impl<T: Real> Coefficients<T> {
    fn new(columns: usize) -> Self {
        Self {
            a: vec![T::ZERO; columns],
            b: vec![T::ZERO; columns],
        }
    }

    fn set(&mut self, column: usize, [a, b]: [f64; 2]) {
        self.a[column] = T::from_f64(a);
        self.b[column] = T::from_f64(b);
    }
}

#[derive(Debug)]
struct Mixtures<T> {
    columns: Columns,
    coefficients: Coefficients<T>,
}

impl<T: Real> Apply<T> for Mixtures<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, out: &mut [T]) {
        let pair = self.columns.pair(tiles);
        let width = self.columns.width;
        let mut done = 0;
        while done < out.len() {
            let column = (tiles.first() as usize + done) % width;
            let len = (width - column).min(out.len() - done);
            Isa::detected().run(MixColumns {
                a: &self.coefficients.a[column..column + len],
                b: &self.coefficients.b[column..column + len],
                pair: pair.part(done..done + len),
                out: &mut out[done..done + len],
            });
            done += len;
        }
    }
}

/// Both points, not moved yet, and what they are relative to.
#[derive(Debug, Clone, Copy)]
struct Pair<'a, T> {
    a: &'a [T],
    b: &'a [T],
    origin: Option<&'a [T]>,
}

impl<T: Real> Pair<'_, T> {
    fn part(&self, range: Range<usize>) -> Self {
        Self {
            a: &self.a[range.clone()],
            b: &self.b[range.clone()],
            origin: self.origin.map(|origin| &origin[range]),
        }
    }

    fn moved(&self, index: usize) -> [f64; 2] {
        let origin = self.origin.map_or(0.0, |origin| origin[index].to_f64());
        [self.a, self.b].map(|values| values[index].to_f64() - origin)
    }
}

/// Adds the products of each element to its column's.
struct AddProducts<'a, 's, T> {
    pair: Pair<'a, T>,
    sums: [&'s mut [f64]; PRODUCTS],
}

impl<T: Real> AddProducts<'_, '_, T> {
    #[inline(always)]
    fn add(a: f64, b: f64, [aa, ab, bb]: [&mut f64; PRODUCTS]) {
        *aa += a * a;
        *ab += a * b;
        *bb += b * b;
    }
}

impl<T: Real> kernels::Kernel for AddProducts<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [aa, ab, bb] = self.sums;
        let sums = aa.iter_mut().zip(ab).zip(bb);
        let values = self.pair.a.iter().zip(self.pair.b);
        match self.pair.origin {
            None => {
                for (((aa, ab), bb), (a, b)) in sums.zip(values) {
                    Self::add(a.to_f64(), b.to_f64(), [aa, ab, bb]);
                }
            }
            Some(origin) => {
                for ((((aa, ab), bb), (a, b)), o) in sums.zip(values).zip(origin) {
                    let o = o.to_f64();
                    Self::add(a.to_f64() - o, b.to_f64() - o, [aa, ab, bb]);
                }
            }
        }
    }
}

/// Mixes a part of a row.
struct MixColumns<'a, T> {
    a: &'a [T],
    b: &'a [T],
    pair: Pair<'a, T>,
    out: &'a mut [T],
}

impl<T: Real> kernels::Kernel for MixColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let coefficients = self.a.iter().zip(self.b);
        let values = self.pair.a.iter().zip(self.pair.b);
        let terms = self.out.iter_mut().zip(coefficients).zip(values);
        match self.pair.origin {
            None => {
                for ((out, (&c, &d)), (&a, &b)) in terms {
                    *out = c * a + d * b;
                }
            }
            Some(origin) => {
                for (((out, (&c, &d)), (&a, &b)), &o) in terms.zip(origin) {
                    // the base last: one rounding at its size
                    *out = (c * (a - o) + d * (b - o)) + o;
                }
            }
        }
    }
}
