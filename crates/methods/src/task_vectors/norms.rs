//! The L1 norms of task vectors, and of what stays of them.

use std::sync::Arc;

use weightsmith_tensors::{Real, kernels};

use super::mix::Mix;
use super::settings::Settings;
use super::thin::{Noted, Thinning};
use crate::{Gathered, Gathers, Measure, Stage, Statistic, Tiles, Workspace};

/// Norms that are smaller say nothing.
const LEAST_NORM: f64 = 1e-7;

/// Measures both norms of each task vector that was thinned out.
#[derive(Debug)]
pub(super) struct Norms {
    pub(super) settings: Settings,
    pub(super) thinnings: Vec<Thinning>,
    /// Elements of a tile, where it is to be remembered what of them stays: it is costly to draw it again.
    pub(super) remembers: Option<usize>,
}

impl Norms {
    /// Words to remember what stays of a task vector's tile.
    fn words(&self) -> usize {
        self.remembers.map_or(0, kernels::kept_words)
    }
}

impl<T: Real> Measure<T> for Norms {
    fn gathers(&self) -> Gathers {
        Gathers {
            sums: 2 * self.thinnings.len(),
            tile_words: self.words() * self.thinnings.len(),
            ..Gathers::default()
        }
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Gathered<'_>) {
        let base = tiles.source(self.settings.base);
        let mut values = std::mem::take(&mut room.values);
        values.resize(tiles.len(), T::ZERO);
        let terms = self.settings.terms.iter().zip(&self.thinnings);
        let mut words = found.tile_words.chunks_exact_mut(self.words().max(1));
        for ((term, thinning), sums) in terms.zip(found.sums.chunks_exact_mut(2)) {
            let words = words.next();
            if matches!(thinning, Thinning::Keep) {
                continue;
            }
            kernels::scale_difference(&mut values, T::ONE, tiles.source(term.source), base);
            sums[0] += kernels::sum_abs(&values);
            thinning.apply(tiles.first(), &mut values, room);
            sums[1] += kernels::sum_abs(&values);
            if let Some(words) = words {
                kernels::note_kept(&values, words);
            }
        }
        room.values = values;
    }

    fn next(&self, statistic: Statistic) -> Stage<T> {
        let norms = statistic.sums.chunks_exact(2);
        let scales: Vec<f64> = norms.map(|norms| scale(norms[0], norms[1])).collect();
        let settings = self.settings.clone();
        let mut thinnings = self.thinnings.clone();
        if let Some(tile) = self.remembers {
            let noted = Noted::new(statistic.tile_words, tile, thinnings.len());
            for (term, thinning) in thinnings.iter_mut().enumerate() {
                if !matches!(thinning, Thinning::Keep) {
                    *thinning = Thinning::Noted {
                        noted: Arc::clone(&noted),
                        term,
                    };
                }
            }
        }
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
