//! Methods whose result is a mixture of the inputs that lengths and angles alone decide.
//!
//! All pairwise products of the inputs (their Gram matrix) are measured in one pass. What a method does with it, however
//! many iterations that takes, is work on a handful of numbers, and ends in one coefficient for each input.

use std::fmt::Debug;

use weightsmith_tensors::kernels::pair;
use weightsmith_tensors::{Real, kernels};

use super::delta_sum::DeltaSum;
use super::linear::WeightedSum;
use super::{
    Apply, Kernel, Measure, OutputTensor, Refusal, Several, Stage, Tiles, Unit, Workspace,
};
use crate::Operation;
use crate::statistic::Sums;

/// The inputs as vectors: as they are, or relative to the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Points {
    /// Positions of the sources that are points.
    positions: Vec<usize>,
    /// Position of the source that they are relative to.
    base: Option<usize>,
}

impl Points {
    /// Every source, the base too, as it is.
    pub(super) fn all(operation: &Operation) -> Self {
        Self {
            positions: (0..operation.sources.len()).collect(),
            base: None,
        }
    }

    /// The sources besides the base, relative to it where there is one.
    pub(super) fn tuned(operation: &Operation) -> Self {
        let base = operation.base;
        Self {
            positions: (0..operation.sources.len())
                .filter(|source| Some(*source) != base)
                .collect(),
            base,
        }
    }

    /// Positions of the sources that are points.
    pub(super) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// What the points are relative to, in a tile.
    pub(super) fn origin<'a, T: Real>(&self, tiles: &Tiles<'a, T>) -> Option<&'a [T]> {
        self.base.map(|base| tiles.source(base))
    }

    /// The points in a tile, not moved yet.
    pub(super) fn vectors<'a, T: Real>(&self, tiles: &Tiles<'a, T>) -> Several<'a, T> {
        tiles.several(&self.positions)
    }

    /// Number of products of two points.
    fn pairs(&self) -> usize {
        self.positions.len() * (self.positions.len() + 1) / 2
    }

    fn products<T: Real>(&self, tiles: &Tiles<'_, T>) -> Products {
        let mut sums = vec![0.0; self.pairs()];
        kernels::add_products(&self.vectors(tiles), self.origin(tiles), &mut sums);
        Products::new(self.positions.len(), sums)
    }

    fn square<T: Real>(&self, tiles: &Tiles<'_, T>, coefficients: &[f64]) -> f64 {
        kernels::square_of_sum(&self.vectors(tiles), coefficients, self.origin(tiles))
    }

    /// What makes the mixture, with one coefficient for each point.
    fn mixture<T: Real>(&self, coefficients: &[f64]) -> Mixture<T> {
        match self.base {
            None => Mixture::Points(WeightedSum::of(coefficients)),
            Some(base) => Mixture::Moved(DeltaSum::of(base, &self.positions, coefficients)),
        }
    }
}

/// Σ cᵢ·pᵢ, from the base where there is one.
#[derive(Debug, Clone)]
enum Mixture<T> {
    Points(WeightedSum<T>),
    Moved(DeltaSum<T>),
}

impl<T: Real> Apply<T> for Mixture<T> {
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        match self {
            Self::Points(sum) => sum.tile(tiles, room, out),
            Self::Moved(sum) => sum.tile(tiles, room, out),
        }
    }
}

/// The products of all pairs of points.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Products {
    count: usize,
    /// 0·0, 0·1, …, 1·1 and so on.
    sums: Vec<f64>,
}

impl Products {
    /// Of `count` points, from the products 0·0, 0·1, …, 1·1, 1·2 and so on.
    pub(super) fn new(count: usize, sums: Vec<f64>) -> Self {
        Self { count, sums }
    }

    /// Number of points.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// pᵢ·pⱼ
    pub(super) fn get(&self, i: usize, j: usize) -> f64 {
        self.sums[pair(self.count, i.min(j), i.max(j))]
    }

    /// ‖pᵢ‖
    pub(super) fn norm(&self, i: usize) -> f64 {
        self.get(i, i).sqrt()
    }

    /// The cosine of the angle between two points; 0 where one has no direction.
    pub(super) fn cosine(&self, i: usize, j: usize) -> f64 {
        cosine(self.get(i, i), self.get(j, j), self.get(i, j))
    }

    /// (Σ aᵢ·pᵢ)·(Σ bᵢ·pᵢ)
    pub(super) fn between(&self, a: &[f64], b: &[f64]) -> f64 {
        let row = |i: usize| -> f64 { (0..self.count).map(|j| b[j] * self.get(i, j)).sum() };
        (0..self.count).map(|i| a[i] * row(i)).sum()
    }
}

/// The cosine of an angle from a·a, b·b and a·b; 0 where a or b is zero.
pub(super) fn cosine(aa: f64, bb: f64, ab: f64) -> f64 {
    if aa == 0.0 || bb == 0.0 {
        return 0.0;
    }
    // one root of the product is exact where b is a multiple of a; two roots stay in range where the product does not
    let product = (aa * bb).sqrt();
    let product = if product.is_normal() {
        product
    } else {
        aa.sqrt() * bb.sqrt()
    };
    (ab / product).clamp(-1.0, 1.0)
}

/// How a method mixes points, given their products.
pub(super) trait Mixing: Debug + Clone + Send + Sync + 'static {
    /// The most passes over the points: 2 if [`Mix::Measure`] can be the answer.
    const PASSES: usize;

    /// Decides. `square` is what the last answer asked to measure.
    fn mix(&self, products: &Products, square: Option<f64>) -> Mix;
}

/// What follows from the products of the points.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mix {
    /// The result is Σ cᵢ·pᵢ.
    Of(Vec<f64>),
    /// The products are too coarse: (Σ cᵢ·pᵢ)² must be known, which takes another pass.
    Measure(Vec<f64>),
    /// There is no result, and this is why.
    Refuse(Refusal),
}

/// Mixes whole tensors, each taken as one long vector.
#[derive(Debug, Clone)]
pub(super) struct MixWhole<M> {
    points: Points,
    mixing: M,
}

impl<M: Mixing> MixWhole<M> {
    /// Mixes these points.
    pub(super) fn new(points: Points, mixing: M) -> Self {
        Self { points, mixing }
    }

    fn stage<T: Real>(&self, products: Products, square: Option<f64>) -> Stage<T> {
        match self.mixing.mix(&products, square) {
            Mix::Of(coefficients) => Stage::apply(self.points.mixture::<T>(&coefficients)),
            Mix::Measure(coefficients) => Stage::measure(MeasureSquare {
                method: self.clone(),
                products,
                coefficients,
            }),
            Mix::Refuse(reason) => Stage::Refuse(reason),
        }
    }
}

impl<T: Real, M: Mixing> Kernel<T> for MixWhole<M> {
    fn passes(&self) -> usize {
        M::PASSES
    }

    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T> {
        if output.info.elements() == 0 {
            return Stage::apply(self.points.mixture::<T>(&[]));
        }
        Stage::measure(self.clone())
    }
}

impl<T: Real, M: Mixing> Measure<T> for MixWhole<M> {
    type Found = Sums;

    fn total(&self) -> Self::Found {
        Sums::zeros(self.points.pairs())
    }

    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, found: &mut Self::Found) {
        let points = &self.points;
        kernels::add_products(&points.vectors(tiles), points.origin(tiles), &mut found.0);
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let products = Products::new(self.points.positions.len(), found.0);
        self.stage(products, None)
    }
}

/// Measures the length of a mixture in which points cancel.
#[derive(Debug, Clone)]
struct MeasureSquare<M> {
    method: MixWhole<M>,
    products: Products,
    coefficients: Vec<f64>,
}

impl<T: Real, M: Mixing> Measure<T> for MeasureSquare<M> {
    type Found = [f64; 1];

    fn total(&self) -> Self::Found {
        [0.0]
    }

    fn tile(&self, tiles: &Tiles<'_, T>, _: &mut Workspace<T>, found: &mut Self::Found) {
        found[0] += self.method.points.square(tiles, &self.coefficients);
    }

    fn next(&self, [square]: Self::Found) -> Stage<T> {
        self.method.stage(self.products.clone(), Some(square))
    }
}

/// Mixes row by row along the last axis; a tensor of one axis is one row.
#[derive(Debug, Clone)]
pub(super) struct MixRows<M> {
    points: Points,
    mixing: M,
    /// Elements of a row.
    row: usize,
}

impl<M: Mixing> MixRows<M> {
    /// Mixes rows of these points, with a method that refuses none.
    pub(super) fn new(points: Points, mixing: M) -> Self {
        Self {
            points,
            mixing,
            row: 1,
        }
    }

    fn coefficients<T: Real>(&self, row: &Tiles<'_, T>) -> Vec<f64> {
        let products = self.points.products(row);
        let mut mix = self.mixing.mix(&products, None);
        if let Mix::Measure(coefficients) = &mix {
            let square = self.points.square(row, coefficients);
            mix = self.mixing.mix(&products, Some(square));
        }
        match mix {
            Mix::Of(coefficients) => coefficients,
            // what is not a number is reported by the run
            Mix::Measure(_) | Mix::Refuse(_) => vec![f64::NAN; products.count()],
        }
    }
}

impl<T: Real, M: Mixing> Kernel<T> for MixRows<M> {
    fn unit(&self) -> Unit {
        Unit::Row
    }

    fn begin(&self, output: &OutputTensor<'_>) -> Stage<T> {
        let row = Unit::Row.elements(output.info) as usize;
        Stage::apply(Self {
            row,
            ..self.clone()
        })
    }
}

impl<T: Real, M: Mixing> Apply<T> for MixRows<M> {
    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, out: &mut [T]) {
        for (index, out) in out.chunks_mut(self.row).enumerate() {
            let start = index * self.row;
            let row = tiles.part(start..start + out.len());
            let mixture = self.points.mixture(&self.coefficients(&row));
            mixture.tile(&row, room, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiple_is_parallel_to_the_last_bit() {
        for factor in [3.0f64, -0.7, 1e-30] {
            let x = 0.1f64 * 0.1;
            assert_eq!(cosine(x, x * factor * factor, x * factor), factor.signum());
        }
    }

    #[test]
    fn cosines_of_tiny_and_huge_vectors_are_right() {
        assert_eq!(cosine(1e-200, 4e-200, 1e-200), 0.5);
        assert_eq!(cosine(1e200, 4e200, -1e200), -0.5);
    }

    #[test]
    fn what_has_no_direction_is_orthogonal() {
        assert_eq!(cosine(0.0, 1.0, 0.0), 0.0);
    }

    #[test]
    fn products_of_mixtures_follow_from_those_of_the_points() {
        // p = (1, 2), q = (3, 0): (p + q)·(2p − q) = (4, 2)·(−1, 4)
        let products = Products::new(2, vec![5.0, 3.0, 9.0]);
        assert_eq!(products.between(&[1.0, 1.0], &[2.0, -1.0]), 4.0);
        assert_eq!(products.get(1, 0), 3.0);
        assert_eq!(products.norm(1), 3.0);
    }
}
