//! A base and the models that were tuned from it.

use weightsmith_tensors::Real;

use super::{Several, Tiles};
use crate::{Objection, Operation, Reason};

/// Positions of the sources of an operation that has a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Family {
    /// The base.
    pub(super) base: usize,
    /// The others, in the order of the recipe.
    pub(super) tuned: Vec<usize>,
}

impl Family {
    /// The family of an operation that [`Family::validate`] accepts.
    pub(super) fn of(operation: &Operation) -> Self {
        let base = operation.base.unwrap_or(0);
        let tuned = (0..operation.sources.len())
            .filter(|source| *source != base)
            .collect();
        Self { base, tuned }
    }

    /// The others in a tile.
    pub(super) fn vectors<'a, T: Real>(&self, tiles: &Tiles<'a, T>) -> Several<'a, T> {
        tiles.several(&self.tuned)
    }

    /// Whether the base is among the sources: it may lack a tensor that others have.
    pub(super) fn validate(operation: &Operation) -> Result<(), Objection> {
        match operation.base {
            Some(_) => Ok(()),
            None => Err(Objection::to_sources(Reason::NoBase {
                tensor: operation.sources[0].tensor.clone(),
                method: operation.method.clone(),
            })),
        }
    }

    /// The base's position, where there is nothing to merge into it.
    pub(super) fn lone(operation: &Operation) -> Option<usize> {
        (operation.sources.len() == 1).then_some(0)
    }
}
