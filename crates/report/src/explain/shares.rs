//! How much of each model is in the result.

use indexmap::IndexMap;
use weightsmith_tensors::DType;

use super::curves::{kinds, outside_tensors};
use super::kinds::{group, names};
use super::outside_parts::{add_part, part};
use super::{OutsideShare, ShareGroup, Shares};
use weightsmith::methods;
use weightsmith::plan::{Action, Plan, PlannedTensor};

/// Shares nearer than this are the same: far above rounding in coefficients, far below what a recipe can mean.
const SAME: f64 = 1e-9;

/// The shares of a plan's models; `None` when some tensor's mixture depends on the tensors.
pub(super) fn shares(plan: &Plan) -> Option<Shares> {
    let mut averages = vec![Average::new(plan.inputs.len()); plan.layers.len()];
    let mut curves: IndexMap<String, Vec<Option<Vec<f64>>>> = IndexMap::new();
    let mut fractions = true;
    for tensor in plan.tensors.iter().filter(|tensor| counts(tensor)) {
        let shares = tensor_shares(plan, tensor)?;
        fractions &= are_fractions(&shares);
        let Some(layer) = tensor
            .layer
            .map(|layer| layer as usize)
            .filter(|layer| *layer < plan.layers.len())
        else {
            continue;
        };
        averages[layer].add(&shares, tensor.info.elements());
        let curve = curves
            .entry(tensor.kind.clone())
            .or_insert_with(|| vec![None; plan.layers.len()]);
        curve[layer] = Some(shares);
    }
    Some(Shares {
        fractions,
        layers: averages.into_iter().map(Average::finish).collect(),
        groups: groups(plan, curves),
        outside: outside(plan)?,
    })
}

fn groups(plan: &Plan, curves: IndexMap<String, Vec<Option<Vec<f64>>>>) -> Vec<ShareGroup> {
    let mut all = kinds(plan);
    all.extend(curves.keys().cloned());
    let groups = group(curves, |a, b| same(a, b));
    let kinds: Vec<Vec<String>> = groups.iter().map(|group| group.kinds.clone()).collect();
    groups
        .into_iter()
        .zip(names(&kinds, &all))
        .map(|(group, name)| ShareGroup {
            name,
            kinds: group.kinds,
            layers: group.curve,
        })
        .collect()
}

fn outside(plan: &Plan) -> Option<Vec<OutsideShare>> {
    let mut outside: Vec<OutsideShare> = Vec::new();
    for (tensor, before_layers) in outside_tensors(plan).filter(|(tensor, _)| counts(tensor)) {
        let shares = tensor_shares(plan, tensor)?;
        let part = part(&tensor.name, before_layers);
        if let Some(known) = outside
            .iter_mut()
            .find(|known| same(&known.shares, &shares))
        {
            add_part(&mut known.parts, part);
            known.tensors.push(tensor.name.clone());
        } else {
            outside.push(OutsideShare {
                parts: vec![part],
                tensors: vec![tensor.name.clone()],
                shares,
            });
        }
    }
    Some(outside)
}

/// Weights count; buffers that no arithmetic is done on are the same in all models.
fn counts(tensor: &PlannedTensor) -> bool {
    let buffer =
        matches!(&tensor.action, Action::Copy { operation: None, equal, .. } if !equal.is_empty());
    let integers = matches!(
        tensor.info.dtype,
        DType::BOOL
            | DType::U8
            | DType::I8
            | DType::I16
            | DType::U16
            | DType::I32
            | DType::U32
            | DType::I64
            | DType::U64
    );
    !buffer && !integers
}

/// The share of each of the plan's inputs in a tensor.
fn tensor_shares(plan: &Plan, tensor: &PlannedTensor) -> Option<Vec<f64>> {
    let mut shares = vec![0.0; plan.inputs.len()];
    match (&tensor.action, tensor.action.operation()) {
        (_, Some(operation)) => {
            let coefficients = (methods::find(&operation.method)?.shares)(operation)?;
            for (source, coefficient) in operation.sources.iter().zip(coefficients) {
                *shares.get_mut(source.input)? += coefficient;
            }
        }
        (Action::Copy { source, .. }, None) => *shares.get_mut(source.input)? = 1.0,
        (Action::Merge(_), None) => return None,
    }
    Some(shares)
}

/// True for coefficients that sum to 1 with none below 0.
pub(super) fn are_fractions(shares: &[f64]) -> bool {
    (shares.iter().sum::<f64>() - 1.0).abs() < SAME && shares.iter().all(|share| *share >= -SAME)
}

/// True when two models' shares are the same in both lists.
pub(super) fn same(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < SAME)
}

/// The mean of shares, weighted with the number of elements.
#[derive(Debug, Clone)]
struct Average {
    sums: Vec<f64>,
    elements: u64,
}

impl Average {
    fn new(models: usize) -> Self {
        Self {
            sums: vec![0.0; models],
            elements: 0,
        }
    }

    fn add(&mut self, shares: &[f64], elements: u64) {
        for (sum, share) in self.sums.iter_mut().zip(shares) {
            *sum += share * elements as f64;
        }
        self.elements += elements;
    }

    fn finish(self) -> Option<Vec<f64>> {
        let elements = self.elements as f64;
        (self.elements > 0).then(|| self.sums.into_iter().map(|sum| sum / elements).collect())
    }
}
