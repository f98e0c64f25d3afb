//! Which tensors of two sources are compared with each other.

use weightsmith_tensors::{TensorInfo, TensorSource, can_widen};

use super::difference::State;
use weightsmith::architecture::Architecture;

/// A tensor of A, of B or of both.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) layer: Option<u64>,
    pub(super) kind: String,
    /// Index in A, with type and shape.
    pub(super) a: Option<(usize, TensorInfo)>,
    pub(super) b: Option<(usize, TensorInfo)>,
    /// Index in the base, where it has the tensor in that shape and a type with arithmetic.
    pub(super) base: Option<(usize, TensorInfo)>,
}

impl Pair {
    /// Type and shape in A and B when elements can be compared one by one.
    pub(super) fn comparable(&self) -> Option<Comparable<'_>> {
        let (Some((index_a, a)), Some((index_b, b))) = (&self.a, &self.b) else {
            return None;
        };
        let values = can_widen(a.dtype) && can_widen(b.dtype);
        (a.shape == b.shape && (values || a.dtype == b.dtype)).then_some(Comparable {
            a: (*index_a, a),
            b: (*index_b, b),
            base: self
                .base
                .as_ref()
                .filter(|_| values)
                .map(|(index, info)| (*index, info)),
            values,
        })
    }

    /// The outcome, when it is known how many elements changed.
    pub(super) fn state(&self, changed: u64) -> State {
        match (&self.a, &self.b) {
            (Some((_, a)), Some((_, b))) if a.shape != b.shape => State::ShapeDiffers,
            (Some((_, a)), Some((_, b))) if a.dtype != b.dtype => State::TypeDiffers,
            (Some(_), Some(_)) if changed > 0 => State::Different,
            (Some(_), Some(_)) => State::Same,
            (Some(_), None) => State::OnlyInA,
            (None, _) => State::OnlyInB,
        }
    }
}

/// A tensor that A and B have in one shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparable<'a> {
    pub(super) a: (usize, &'a TensorInfo),
    pub(super) b: (usize, &'a TensorInfo),
    pub(super) base: Option<(usize, &'a TensorInfo)>,
    /// Whether both types have arithmetic.
    pub(super) values: bool,
}

/// Every tensor of either source, in A's order, then those that only B has.
pub(super) fn pairs(
    a: &dyn TensorSource,
    b: &dyn TensorSource,
    base: Option<&dyn TensorSource>,
) -> Vec<Pair> {
    let architecture = Architecture::infer(None, a.tensors());
    let pair = |name: &str, in_a: Option<usize>, in_b: Option<usize>| {
        let (layer, kind) = place(&architecture, name);
        let info =
            |source: &dyn TensorSource, index: usize| (index, source.tensors()[index].info.clone());
        let in_a = in_a.map(|index| info(a, index));
        let in_base = base
            .and_then(|base| base.find(name).map(|index| info(base, index)))
            .filter(|(_, info)| can_widen(info.dtype))
            .filter(|(_, info)| in_a.as_ref().is_some_and(|(_, a)| a.shape == info.shape));
        Pair {
            name: name.to_owned(),
            layer,
            kind,
            a: in_a,
            b: in_b.map(|index| info(b, index)),
            base: in_base,
        }
    };
    let of_a = a
        .tensors()
        .iter()
        .enumerate()
        .map(|(index, entry)| pair(&entry.name, Some(index), b.find(&entry.name)));
    let of_b = b
        .tensors()
        .iter()
        .enumerate()
        .filter(|(_, entry)| a.find(&entry.name).is_none());
    of_a.chain(of_b.map(|(index, entry)| pair(&entry.name, None, Some(index))))
        .collect()
}

/// The layer of the main stack, and the name without its number.
fn place(architecture: &Architecture, name: &str) -> (Option<u64>, String) {
    match architecture.layer_of(name) {
        Some(position) if Some(position.stack) == architecture.main_stack() => {
            (Some(position.index), position.rest.to_owned())
        }
        Some(position) => (None, format!("{}*.{}", position.prefix, position.rest)),
        None => (None, name.to_owned()),
    }
}
