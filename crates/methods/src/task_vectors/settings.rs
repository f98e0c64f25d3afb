//! What an operation of the family asks for.

use weightsmith_tensors::TensorInfo;

use super::breadcrumbs::GAMMA;
use super::della::EPSILON;
use super::parameters::{DENSITY, LAMBDA, NORMALIZE, RESCALE, WEIGHT};
use super::thin::Noted;
use super::{Consensus, Scheme, Sparsifier, lone_base};
use crate::family::Family;
use crate::{Objection, Operation, PerModel, Reason};

/// Sums of weights that are smaller count as zero.
pub(super) const LEAST_SUM: f64 = 1e-8;

/// An operation on a tensor of `elements`.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Position of the base.
    pub(super) base: usize,
    /// The models whose task vectors are in the result.
    pub(super) terms: Vec<Term>,
    pub(super) consensus: Consensus,
    /// λ, over the sum of all weights where that is the divisor.
    pub(super) factor: f64,
    /// Whether each element is divided by the sum of the weights that are left there.
    pub(super) divides: bool,
    /// Whether what stays is scaled to the norm of the whole.
    pub(super) rescale: bool,
    /// Elements of a tile, where what stays of task vectors is remembered from one pass to the next.
    pub(super) remembers: Option<usize>,
    pub(super) elements: u64,
}

/// A model's task vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Term {
    /// Position of the model.
    pub(super) source: usize,
    pub(super) weight: f64,
    pub(super) sparsity: Sparsity,
}

/// What stays of a task vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sparsity {
    /// Everything.
    Dense,
    /// That many elements, the largest.
    Largest(u64),
    /// Of the `outer` largest elements all but the `inner` largest.
    Window {
        /// The larger number.
        outer: u64,
        /// The smaller number.
        inner: u64,
    },
    /// Each element with this probability.
    Random {
        /// From 0 to 1.
        density: f64,
    },
    /// Each element with a probability by its rank in its row.
    Ranked {
        /// The mean probability.
        density: f64,
        /// How far the probabilities of the smallest and the largest element are from it.
        epsilon: f64,
    },
}

impl Sparsity {
    /// That of a source in a tensor of `elements`; nothing where nothing stays.
    fn of(scheme: Scheme, operation: &Operation, source: usize, elements: u64) -> Option<Self> {
        if scheme.sparsifier == Sparsifier::None {
            return Some(Self::Dense);
        }
        let density = operation.of_source(source, DENSITY);
        if density >= 1.0 {
            return Some(Self::Dense);
        }
        if density <= 0.0 || elements == 0 {
            return None;
        }
        let share = |share: f64| (share * elements as f64) as u64;
        match scheme.sparsifier {
            Sparsifier::None => Some(Self::Dense),
            Sparsifier::Magnitude => Some(Self::Largest(share(density).max(1))),
            Sparsifier::Window => {
                let count = share(density);
                let top = share(operation.of_source(source, GAMMA));
                let outer = elements.min(count + top);
                (count > 0).then_some(Self::Window {
                    outer,
                    inner: outer - count,
                })
            }
            Sparsifier::Bernoulli => Some(Self::Random { density }),
            Sparsifier::RankedBernoulli => Some(Self::Ranked {
                density,
                epsilon: operation.of_source(source, EPSILON),
            }),
        }
    }
}

impl Settings {
    /// Those of an operation that [`validate`] accepts.
    pub(super) fn of(operation: &Operation, info: &TensorInfo) -> Self {
        let scheme = Scheme::of(operation);
        let Family { base, tuned } = Family::of(operation);
        let elements = info.elements();
        let term = |&source: &usize| {
            let weight = operation.of_source(source, WEIGHT);
            let sparsity = Sparsity::of(scheme, operation, source, elements)?;
            (weight != 0.0).then_some(Term {
                source,
                weight,
                sparsity,
            })
        };
        Self {
            base,
            terms: tuned.iter().filter_map(term).collect(),
            consensus: scheme.consensus,
            factor: factor(operation, scheme, &tuned),
            divides: scheme.consensus == Consensus::SignSum && operation.get(NORMALIZE),
            rescale: rescales(operation, scheme),
            remembers: None,
            elements,
        }
    }

    /// The same, remembering what is drawn where that is of use and takes no more than so many bytes.
    pub(super) fn remembering(self, tile: u64, spare: u64) -> Self {
        let is_drawn = |term: &Term| {
            matches!(
                term.sparsity,
                Sparsity::Random { .. } | Sparsity::Ranked { .. }
            )
        };
        let remembering = Self {
            remembers: Some(tile as usize),
            ..self
        };
        let is_of_use = remembering.rescale && remembering.terms.iter().any(is_drawn);
        if is_of_use && remembering.remembered_bytes() <= spare {
            return remembering;
        }
        Self {
            remembers: None,
            ..remembering
        }
    }

    /// Memory for what is remembered.
    pub(super) fn remembered_bytes(&self) -> u64 {
        self.remembers.map_or(0, |tile| {
            Noted::bytes(self.elements, tile as u64, self.terms.len() as u64)
        })
    }
}

/// Whether what stays is scaled to the norm of the whole; where nothing is dropped there is no such choice.
pub(super) fn rescales(operation: &Operation, scheme: Scheme) -> bool {
    scheme.sparsifier != Sparsifier::None && operation.get(RESCALE)
}

/// λ, over the sum of all weights where that is the divisor.
fn factor(operation: &Operation, scheme: Scheme, tuned: &[usize]) -> f64 {
    let lambda = operation.get(LAMBDA);
    match scheme.consensus {
        Consensus::SignSum => lambda,
        Consensus::None => lambda / whole_divisor(operation, tuned),
    }
}

/// What the whole sum is divided by: models that are dropped altogether count there.
fn whole_divisor(operation: &Operation, tuned: &[usize]) -> f64 {
    if !operation.get(NORMALIZE) {
        return 1.0;
    }
    let weights = tuned.iter().map(|&s| operation.of_source(s, WEIGHT));
    divisor(weights.sum())
}

/// What is divided by, for a sum of weights.
pub(super) fn divisor(sum: f64) -> f64 {
    if sum.abs() < LEAST_SUM { 1.0 } else { sum }
}

/// Position of the source that the result is equal to, whatever the tensors hold.
pub(super) fn identity(operation: &Operation) -> Option<usize> {
    let base = lone_base(operation);
    // any number of elements will do: what depends on it is neither all nor nothing
    let settings = Settings::of(operation, &any_tensor());
    match settings.terms.as_slice() {
        _ if settings.factor == 0.0 => Some(base),
        [] => Some(base),
        [only] => {
            let divisor = match settings.consensus {
                Consensus::SignSum if settings.divides => divisor(only.weight),
                Consensus::SignSum => 1.0,
                Consensus::None => whole_divisor(operation, &Family::of(operation).tuned),
            };
            // a weight over itself is 1, which a product with its inverse need not be
            let coefficient = operation.get(LAMBDA) * (only.weight / divisor);
            let is_copy = only.sparsity == Sparsity::Dense && coefficient == 1.0;
            is_copy.then_some(only.source)
        }
        _ => None,
    }
}

/// A tensor so large that a density above 0 keeps something of it.
fn any_tensor() -> TensorInfo {
    TensorInfo {
        dtype: weightsmith_tensors::DType::F32,
        shape: vec![1 << 62],
    }
}

/// How much of each source is in the result, where nothing of it depends on the tensors.
pub(super) fn shares(operation: &Operation) -> Option<Vec<f64>> {
    let settings = Settings::of(operation, &any_tensor());
    let is_plain = settings
        .terms
        .iter()
        .all(|term| term.sparsity == Sparsity::Dense);
    if settings.consensus != Consensus::None || !is_plain {
        return None;
    }
    let mut shares = vec![0.0; operation.sources.len()];
    shares[settings.base] = 1.0;
    for term in &settings.terms {
        let share = settings.factor * term.weight;
        shares[term.source] = share;
        shares[settings.base] -= share;
    }
    Some(shares)
}

/// Whether the parameters can be used.
pub(super) fn validate(operation: &Operation) -> Result<(), Objection> {
    Family::validate(operation)?;
    let scheme = Scheme::of(operation);
    for source in Family::of(operation).tuned {
        of_source(scheme, operation, source).map_err(|objection| objection.of_source(source))?;
    }
    Ok(())
}

/// Whether the parameters of one source can be used.
fn of_source(scheme: Scheme, operation: &Operation, source: usize) -> Result<(), Objection> {
    let share = |parameter: PerModel<f64>| share(parameter, operation.of_source(source, parameter));
    match scheme.sparsifier {
        Sparsifier::None => Ok(()),
        Sparsifier::Magnitude | Sparsifier::Bernoulli => share(DENSITY),
        Sparsifier::Window => share(DENSITY).and_then(|()| share(GAMMA)),
        Sparsifier::RankedBernoulli => {
            share(DENSITY)?;
            let density = operation.of_source(source, DENSITY);
            probabilities(density, operation.of_source(source, EPSILON))
        }
    }
}

fn share(parameter: PerModel<f64>, value: f64) -> Result<(), Objection> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    let expected = "a fraction of the task vector's elements, from 0 to 1";
    Err(Objection::to_value(parameter, value, expected))
}

/// What a row's elements stay with lies between 0 and 1.
fn probabilities(density: f64, epsilon: f64) -> Result<(), Objection> {
    if density <= 0.0 || density >= 1.0 {
        return Ok(());
    }
    if epsilon < 0.0 {
        let expected = "a number from 0, so that large elements are kept more often";
        return Err(Objection::to_value(EPSILON, epsilon, expected));
    }
    if density - epsilon > 0.0 && density + epsilon < 1.0 {
        return Ok(());
    }
    Err(Objection {
        parameters: vec![DENSITY.name(), EPSILON.name()],
        source: None,
        reason: Reason::Probabilities { density, epsilon },
    })
}
