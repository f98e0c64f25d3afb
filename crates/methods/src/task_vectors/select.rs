//! Finds which elements of task vectors stay, by magnitude: exactly, of equal ones the first, and without sorting.

use std::ops::Range;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Search};

use super::settings::{Settings, Sparsity};
use super::thin::Thinning;
use super::thinned;
use crate::statistic::Tallies;
use crate::{Measure, Memory, Stage, Tiles, Workspace};

/// A search in each task vector, between two passes.
#[derive(Debug, Clone)]
pub(super) struct Selection<T: Real> {
    settings: Settings,
    thinnings: Vec<Thinning>,
    /// For each task vector that is selected from by magnitude.
    searches: Vec<Option<Search<T>>>,
}

/// Memory of the searches.
pub(super) fn memory<T: Real>(settings: &Settings) -> Memory {
    let cuts = |sparsity| match sparsity {
        Sparsity::Largest(_) => 1,
        Sparsity::Window { .. } => 2,
        Sparsity::Dense | Sparsity::Random { .. } | Sparsity::Ranked { .. } => 0,
    };
    let tallies = settings
        .terms
        .iter()
        .map(|term| Search::<T>::tally_bytes(settings.elements, cuts(term.sparsity)))
        .sum();
    Memory {
        worker: tallies,
        shared: tallies,
    }
}

impl<T: Real> Selection<T> {
    /// More passes than it takes.
    pub(super) const MOST_PASSES: usize = Search::<T>::MOST_PASSES;

    /// The first pass, or what comes after the last one where nothing is selected by magnitude.
    pub(super) fn begin(settings: Settings, thinnings: Vec<Thinning>) -> Stage<T> {
        let search = |sparsity| match sparsity {
            Sparsity::Largest(count) => Some(Search::new(settings.elements, &[count])),
            Sparsity::Window { outer, inner } => {
                Some(Search::new(settings.elements, &[outer, inner]))
            }
            Sparsity::Dense | Sparsity::Random { .. } | Sparsity::Ranked { .. } => None,
        };
        let terms = settings.terms.iter().zip(&thinnings);
        let searches = terms
            .map(|(term, thinning)| match thinning {
                Thinning::Cut(_) | Thinning::Window { .. } => search(term.sparsity),
                _ => None,
            })
            .collect();
        Self {
            settings,
            thinnings,
            searches,
        }
        .stage()
    }

    fn stage(mut self) -> Stage<T> {
        if self.under_way().next().is_some() {
            return Stage::measure(self);
        }
        for (thinning, search) in self.thinnings.iter_mut().zip(&self.searches) {
            match search.as_ref().and_then(Search::cuts).as_deref() {
                Some(&[cut]) => *thinning = Thinning::Cut(cut),
                Some(&[outer, inner]) => *thinning = Thinning::Window { outer, inner },
                _ => {}
            }
        }
        thinned(self.settings, self.thinnings)
    }

    /// The searches that need another pass.
    fn under_way(&self) -> impl Iterator<Item = (usize, &Search<T>)> {
        let searches = self.searches.iter().enumerate();
        searches
            .filter_map(|(term, search)| Some((term, search.as_ref()?)))
            .filter(|(_, search)| search.pieces() > 0)
    }
}

impl<T: Real> Measure<T> for Selection<T> {
    type Found = Tallies;

    fn total(&self) -> Tallies {
        Tallies(self.under_way().map(|(_, search)| search.tally()).collect())
    }

    fn parts(&self, block: Range<u64>) -> Vec<Range<u64>> {
        let mut all = self
            .under_way()
            .map(|(_, search)| search.parts(block.clone()));
        let first = all.next().unwrap_or_default();
        // all searches begin together and look at the same sample; later they look at neighbouring tiles
        all.fold(first, |parts, more| {
            if parts == more {
                parts
            } else {
                hull(&parts, &more)
            }
        })
    }

    fn tile(&self, tiles: &Tiles<'_, T>, room: &mut Workspace<T>, found: &mut Self::Found) {
        let base = tiles.source(self.settings.base);
        room.values.resize(tiles.len(), T::ZERO);
        for ((term, search), tally) in self.under_way().zip(&mut found.0) {
            let tuned = tiles.source(self.settings.terms[term].source);
            kernels::scale_difference(&mut room.values, T::ONE, tuned, base);
            search.count(tiles.first(), &room.values, tally);
        }
    }

    fn next(&self, found: Self::Found) -> Stage<T> {
        let mut next = self.clone();
        let mut tallies = found.0.into_iter();
        for search in next.searches.iter_mut().flatten() {
            if search.pieces() > 0
                && let Some(tally) = tallies.next()
            {
                search.advance(tally);
            }
        }
        next.stage()
    }
}

/// All from the first to the last element of two lists.
fn hull(a: &[Range<u64>], b: &[Range<u64>]) -> Vec<Range<u64>> {
    let all = || a.iter().chain(b);
    let start = all().map(|part| part.start).min();
    let end = all().map(|part| part.end).max();
    start
        .zip(end)
        .map(|(start, end)| start..end)
        .into_iter()
        .collect()
}
