//! The L1 norms of task vectors, and of what stays of them.

use std::sync::Arc;

use weightsmith_tensors::{Real, kernels};

use super::mix::Mix;
use super::settings::Settings;
use super::thin::Thinning;
use crate::methods::{Gathered, Gathers, Measure, Stage, Statistic, Tiles, Workspace};

/// Norms that are smaller say nothing.
const LEAST_NORM: f64 = 1e-7;

/// Measures both norms of each task vector that was thinned out.
#[derive(Debug)]
pub(super) struct Norms {
    pub(super) settings: Settings,
    pub(super) thinnings: Vec<Thinning>,
}

impl<T: Real> Measure<T> for Norms {
    fn gathers(&self) -> Gathers {
        Gathers {
            sums: 2 * self.thinnings.len(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        let base = tiles.source(self.settings.base);
        let mut values = std::mem::take(&mut room.values);
        values.resize(tiles.len(), T::ZERO);
        let terms = self.settings.terms.iter().zip(&self.thinnings);
        for ((term, thinning), sums) in terms.zip(found.sums.chunks_exact_mut(2)) {
            if matches!(thinning, Thinning::Keep) {
                continue;
            }
            kernels::scale_difference(&mut values, T::ONE, tiles.source(term.source), base);
            sums[0] += kernels::sum_abs(&values);
            thinning.apply(tiles.first(), &mut values, room);
            sums[1] += kernels::sum_abs(&values);
        }
        room.values = values;
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let norms = statistic.sums.chunks_exact(2);
        let scales: Vec<f64> = norms.map(|norms| scale(norms[0], norms[1])).collect();
        let settings = self.settings.clone();
        let thinnings = self.thinnings.clone();
        Stage::Apply(Arc::new(Mix::new(settings, thinnings, &scales)))
    }
}

/// What gives the rest the norm of the whole.
pub(super) fn scale(whole: f64, rest: f64) -> f64 {
    if whole < LEAST_NORM || rest < LEAST_NORM {
        return 1.0;
    }
    whole / rest
}
