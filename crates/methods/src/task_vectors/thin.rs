//! Thinning out the tiles of a task vector.

use std::sync::Arc;

use weightsmith_tensors::Real;
use weightsmith_tensors::kernels::{self, Cut, Places, Stream, TILE};

use super::settings::{Sparsity, Term};
use crate::{OutputTensor, Workspace};

/// How a task vector is thinned out, once that is known.
#[derive(Debug, Clone)]
pub(super) enum Thinning {
    /// Everything stays.
    Keep,
    /// What belongs to the largest elements stays; where they end is unknown until [`Selection`](super::Selection) found it.
    Cut(Cut),
    /// What belongs to the outer elements and not to the inner ones stays.
    Window {
        /// All that are not too small.
        outer: Cut,
        /// Those that are too large.
        inner: Cut,
    },
    /// Each element stays with the same probability.
    Random {
        /// The random words of this tensor of this model.
        stream: Stream,
        /// The probability.
        density: f64,
    },
    /// Each element stays with a probability by its rank in its row.
    Ranked {
        /// The random words of this tensor of this model.
        stream: Stream,
        /// The mean probability.
        density: f64,
        /// How far the probabilities reach from it.
        epsilon: f64,
        /// How rows lie in a slab.
        rows: Rows,
    },
    /// What stayed when it was measured stays.
    Noted {
        /// What stayed of all task vectors.
        noted: Arc<Noted>,
        /// Which of them.
        term: usize,
    },
    /// These elements stay.
    #[cfg(test)]
    Given(Arc<[bool]>),
}

/// What stays of task vectors, a bit for each element.
#[derive(Debug)]
pub(super) struct Noted {
    words: Vec<u64>,
    /// Elements of a tile.
    tile: usize,
    /// Number of task vectors.
    terms: usize,
}

impl Noted {
    /// With the words of the first tile's task vectors, of the second's and so on.
    pub(super) fn new(words: Vec<u64>, tile: usize, terms: usize) -> Arc<Self> {
        Arc::new(Self { words, tile, terms })
    }

    /// Bytes for that many elements of as many task vectors.
    pub(super) fn bytes(elements: u64, tile: u64, terms: u64) -> u64 {
        let words = kernels::kept_words(tile as usize) as u64;
        elements.div_ceil(tile) * words * terms * 8
    }

    fn words(&self, tile: u64, term: usize) -> &[u64] {
        let words = kernels::kept_words(self.tile);
        &self.words[(tile as usize * self.terms + term) * words..][..words]
    }
}

/// The rows along the second axis of the elements that share an index of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    /// Elements of a row.
    pub(super) len: usize,
    /// From one element of a row to the next; so many rows lie side by side.
    pub(super) stride: usize,
}

/// Elements of a row along the second axis; a tensor of one axis is one row.
pub(super) fn row_length(shape: &[u64]) -> u64 {
    match *shape {
        [] => 1,
        [only] => only,
        [_, second, ..] => second,
    }
}

impl Rows {
    fn of(shape: &[u64]) -> Self {
        let len = row_length(shape);
        let stride = shape.iter().skip(2).product::<u64>();
        Self {
            len: len.max(1) as usize,
            stride: stride.max(1) as usize,
        }
    }

    fn slab(self) -> usize {
        self.len * self.stride
    }
}

impl Thinning {
    /// That of a model's task vector; what is selected by magnitude has its cuts still to be found.
    pub(super) fn of(term: &Term, output: &OutputTensor<'_>) -> Self {
        let stream = || Stream::new(output.seed, output.name, term.source);
        match term.sparsity {
            Sparsity::Dense => Self::Keep,
            Sparsity::Largest(_) => Self::Cut(Cut::NONE),
            Sparsity::Window { .. } => Self::Window {
                outer: Cut::NONE,
                inner: Cut::NONE,
            },
            Sparsity::Random { density } => Self::Random {
                stream: stream(),
                density,
            },
            Sparsity::Ranked { density, epsilon } => Self::Ranked {
                stream: stream(),
                density,
                epsilon,
                rows: Rows::of(&output.info.shape),
            },
        }
    }

    /// Makes zero what does not stay of the elements from index `first` on: whole tiles or slabs where that matters.
    pub(super) fn apply<T: Real>(&self, first: u64, values: &mut [T], room: &mut Workspace<T>) {
        let tile = first / TILE as u64;
        match self {
            Self::Keep => {}
            Self::Cut(cut) => kernels::keep(cut, tile, values),
            Self::Window { outer, inner } => kernels::keep_between(outer, inner, tile, values),
            Self::Random { stream, density } => {
                kernels::bernoulli_keep(*stream, first, *density, values);
            }
            Self::Ranked {
                stream,
                density,
                epsilon,
                rows,
            } => {
                let draw = Draw {
                    stream: *stream,
                    density: *density,
                    epsilon: *epsilon,
                };
                let firsts = (first..).step_by(rows.slab());
                for (slab, first) in values.chunks_mut(rows.slab()).zip(firsts) {
                    draw.slab(*rows, first, slab, room);
                }
            }
            Self::Noted { noted, term } => {
                let tiles = values.chunks_mut(noted.tile);
                for (tile, values) in (first / noted.tile as u64..).zip(tiles) {
                    kernels::keep_noted(noted.words(tile, *term), values);
                }
            }
            #[cfg(test)]
            Self::Given(kept) => {
                for (value, kept) in values.iter_mut().zip(&kept[first as usize..]) {
                    if !kept {
                        *value = T::ZERO;
                    }
                }
            }
        }
    }
}

/// Dropping elements by their rank.
#[derive(Debug, Clone, Copy)]
struct Draw {
    stream: Stream,
    density: f64,
    epsilon: f64,
}

impl Draw {
    fn slab<T: Real>(&self, rows: Rows, first: u64, slab: &mut [T], room: &mut Workspace<T>) {
        if rows.stride == 1 {
            self.row(first, 1, slab, room);
            return;
        }
        let mut row = std::mem::take(&mut room.others);
        for start in 0..rows.stride {
            row.clear();
            row.extend(slab[start..].iter().step_by(rows.stride));
            self.row(first + start as u64, rows.stride as u64, &mut row, room);
            let places = slab[start..].iter_mut().step_by(rows.stride);
            for (place, value) in places.zip(&row) {
                *place = *value;
            }
        }
        room.others = row;
    }

    /// A row whose elements are `stride` apart in the tensor.
    fn row<T: Real>(&self, first: u64, stride: u64, row: &mut [T], room: &mut Workspace<T>) {
        let places = Places { first, stride };
        let Self {
            stream,
            density,
            epsilon,
        } = *self;
        kernels::keep_by_rank_at(stream, places, density, epsilon, row, &mut room.ranked);
    }
}
