//! The L1 norms of task vectors, and of what stays of them.

use std::ops::Range;
use std::sync::Arc;

use weightsmith_tensors::{Real, kernels};

use super::mix::Mix;
use super::settings::Settings;
use super::thin::{Noted, Thinning};
use crate::{Measure, Stage, Statistic, Tiles, Workspace};

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

    /// Nothing found, with room for so many elements.
    fn room(&self, elements: u64) -> TermNorms {
        let terms = self.thinnings.len();
        let tiles = self
            .remembers
            .map_or(0, |tile| elements.div_ceil(tile as u64));
        TermNorms {
            norms: vec![[0.0; 2]; terms],
            words: Vec::with_capacity(tiles as usize * self.words() * terms),
        }
    }
}

/// The norms, and what stays.
#[derive(Debug)]
pub(super) struct TermNorms {
    /// Of each task vector the whole's and the rest's.
    norms: Vec<[f64; 2]>,
    /// A bit for each element, see [`Noted`].
    words: Vec<u64>,
}

impl Statistic for TermNorms {
    fn merge(&mut self, block: Self) {
        for (norms, of_block) in self.norms.iter_mut().zip(block.norms) {
            norms.merge(of_block);
        }
        self.words.extend(block.words);
    }
}

impl<T: Real> Measure<T> for Norms {
    type Found = TermNorms;

    fn total(&self) -> TermNorms {
        self.room(self.settings.elements)
    }

    fn block(&self, block: Range<u64>) -> TermNorms {
        self.room(block.end - block.start)
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Self::Found) {
        let base = tiles.source(self.settings.base);
        let mut values = std::mem::take(&mut room.values);
        values.resize(tiles.len(), T::ZERO);
        let terms = self.settings.terms.iter().zip(&self.thinnings);
        let noted = found.words.len();
        let of_tile = self.words() * self.thinnings.len();
        found.words.resize(noted + of_tile, 0);
        let mut words = found.words[noted..].chunks_exact_mut(self.words().max(1));
        for ((term, thinning), [whole, rest]) in terms.zip(&mut found.norms) {
            let words = words.next();
            if matches!(thinning, Thinning::Keep) {
                continue;
            }
            kernels::scale_difference(&mut values, T::ONE, tiles.source(term.source), base);
            *whole += kernels::sum_abs(&values);
            thinning.apply(tiles.first(), &mut values, room);
            *rest += kernels::sum_abs(&values);
            if let Some(words) = words {
                kernels::note_kept(&values, words);
            }
        }
        room.values = values;
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let norms = found.norms.iter();
        let scales: Vec<f64> = norms.map(|&[whole, rest]| scale(whole, rest)).collect();
        let settings = self.settings.clone();
        let mut thinnings = self.thinnings.clone();
        if let Some(tile) = self.remembers {
            let noted = Noted::new(found.words, tile, thinnings.len());
            for (term, thinning) in thinnings.iter_mut().enumerate() {
                if !matches!(thinning, Thinning::Keep) {
                    *thinning = Thinning::Noted {
                        noted: Arc::clone(&noted),
                        term,
                    };
                }
            }
        }
        Stage::apply(Mix::new(settings, thinnings, &scales))
    }
}

/// What gives the rest the norm of the whole.
pub(super) fn scale(whole: f64, rest: f64) -> f64 {
    if whole < LEAST_NORM || rest < LEAST_NORM {
        return 1.0;
    }
    whole / rest
}
