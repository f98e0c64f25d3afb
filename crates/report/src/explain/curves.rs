//! The values of every parameter over the layers and outside of them.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::kinds::{group, names};
use super::outside_parts::{add_part, part};
use super::{CurveGroup, OutsideValue, ParameterCurves, ParameterSource};
use weightsmith::methods;
use weightsmith::plan::{Operation, Plan, PlannedTensor, Value};

/// A parameter of the merge, or of one of its sources.
type Key = (String, Option<ParameterSource>);

/// Where a parameter may stand: `None` is "this tensor does not set it".
type Cell = Option<Value>;

/// All parameters of a plan: first the merge's own, then the models', each in the order of the recipe's models.
pub(super) fn parameters(plan: &Plan) -> Vec<ParameterCurves> {
    let mut keys: Vec<Key> = Vec::new();
    for tensor in &plan.tensors {
        for (key, _) in tensor.action.operation().into_iter().flat_map(values) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys.sort_by(|a, b| {
        (a.1.is_some(), rank(plan, &a.0), &a.0, a.1).cmp(&(
            b.1.is_some(),
            rank(plan, &b.0),
            &b.0,
            b.1,
        ))
    });
    let all = kinds(plan);
    keys.into_iter()
        .map(|key| curves(plan, &all, key))
        .collect()
}

/// Position in the method's declaration, so that the parameter that matters most comes first.
fn rank(plan: &Plan, name: &str) -> usize {
    methods::find(&plan.method)
        .and_then(|method| {
            method
                .parameters
                .iter()
                .position(|parameter| parameter.name == name)
        })
        .unwrap_or(usize::MAX)
}

/// Names within a layer of all tensors that arithmetic is planned for.
pub(super) fn kinds(plan: &Plan) -> BTreeSet<String> {
    let computed = plan
        .tensors
        .iter()
        .filter(|tensor| tensor.layer.is_some() && tensor.action.operation().is_some());
    computed.map(|tensor| tensor.kind.clone()).collect()
}

/// The parameters of an operation with their owners.
fn values(operation: &Operation) -> Vec<(Key, Value)> {
    let own = operation
        .parameters
        .iter()
        .map(|(name, value)| ((name.clone(), None), value.clone()));
    let sources =
        operation
            .source_parameters
            .iter()
            .enumerate()
            .flat_map(|(position, parameters)| {
                let source = source_at(operation, position);
                parameters
                    .iter()
                    .map(move |(name, value)| ((name.clone(), Some(source)), value.clone()))
            });
    own.chain(sources).collect()
}

fn source_at(operation: &Operation, position: usize) -> ParameterSource {
    let model = operation.sources[position].input;
    let mention = operation.sources[..position]
        .iter()
        .filter(|source| source.input == model)
        .count();
    ParameterSource { model, mention }
}

fn value_of(operation: &Operation, key: &Key) -> Cell {
    values(operation)
        .into_iter()
        .find_map(|(candidate, value)| (candidate == *key).then_some(value))
}

fn curves(plan: &Plan, all: &BTreeSet<String>, key: Key) -> ParameterCurves {
    let groups = group(curves_by_kind(plan, &key), |a, b| a == b);
    let groups: Vec<_> = groups
        .into_iter()
        .filter(|group| group.curve.iter().flatten().flatten().next().is_some())
        .collect();
    let kinds: Vec<Vec<String>> = groups.iter().map(|group| group.kinds.clone()).collect();
    let groups = groups
        .into_iter()
        .zip(names(&kinds, all))
        .map(|(group, name)| CurveGroup {
            name,
            kinds: group.kinds,
            values: group.curve.into_iter().map(Option::flatten).collect(),
        })
        .collect();
    let outside = outside(plan, &key);
    let declared = methods::find(&plan.method).and_then(|method| {
        method
            .parameters
            .iter()
            .find(|parameter| parameter.name == key.0)
    });
    ParameterCurves {
        summary: declared.map_or_else(String::new, |parameter| parameter.summary.to_owned()),
        usual: declared.and_then(|parameter| parameter.usual),
        name: key.0,
        source: key.1,
        groups,
        outside,
    }
}

fn curves_by_kind(plan: &Plan, key: &Key) -> IndexMap<String, Vec<Option<Cell>>> {
    let mut curves = IndexMap::new();
    for tensor in &plan.tensors {
        let (Some(layer), Some(operation)) = (tensor.layer, tensor.action.operation()) else {
            continue;
        };
        let curve = curves
            .entry(tensor.kind.clone())
            .or_insert_with(|| vec![None; plan.layers.len()]);
        if let Some(cell) = curve.get_mut(layer as usize) {
            *cell = Some(value_of(operation, key));
        }
    }
    curves
}

fn outside(plan: &Plan, key: &Key) -> Vec<OutsideValue> {
    let mut outside: Vec<OutsideValue> = Vec::new();
    for (tensor, before_layers) in outside_tensors(plan) {
        let Some(value) = tensor
            .action
            .operation()
            .and_then(|operation| value_of(operation, key))
        else {
            continue;
        };
        let part = part(&tensor.name, before_layers);
        if let Some(same) = outside.iter_mut().find(|known| known.value == value) {
            add_part(&mut same.parts, part);
            same.tensors.push(tensor.name.clone());
        } else {
            outside.push(OutsideValue {
                parts: vec![part],
                tensors: vec![tensor.name.clone()],
                value,
            });
        }
    }
    outside
}

/// The tensors outside the layers, and whether they come before them.
pub(super) fn outside_tensors(plan: &Plan) -> impl Iterator<Item = (&PlannedTensor, bool)> {
    let first_layer = plan
        .tensors
        .iter()
        .position(|tensor| tensor.layer.is_some())
        .unwrap_or(0);
    plan.tensors
        .iter()
        .enumerate()
        .filter(|(_, tensor)| tensor.layer.is_none())
        .map(move |(index, tensor)| (tensor, index < first_layer))
}
