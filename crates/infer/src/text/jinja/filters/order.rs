//! Filters that compare: sorting, groups, the least and the greatest.

use std::collections::HashSet;

use super::select::Path;
use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::run::Run;
use crate::text::jinja::run::arguments::{Arguments, required};
use crate::text::jinja::value::dict::Key;
use crate::text::jinja::value::{Heap, Value, compare, sequence};

/// Sorts, equal ones in their order, by nothing but `less`, which may fail and need not make sense.
pub(in crate::text::jinja) fn sorted<T>(
    mut values: Vec<T>,
    less: impl Fn(&T, &T) -> Result<bool> + Copy,
) -> Result<Vec<T>> {
    if values.len() < 2 {
        return Ok(values);
    }
    let right = values.split_off(values.len() / 2);
    let mut left = sorted(values, less)?.into_iter().peekable();
    let mut right = sorted(right, less)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let next = if less(second, first)? {
            right.next()
        } else {
            left.next()
        };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

/// A text in small letters, unless the case counts.
fn folded(heap: &Heap, value: Value, case_sensitive: bool) -> Result<Value> {
    match value {
        Value::Text(text) if !case_sensitive => heap.text(text.text.to_lowercase()),
        value => Ok(value),
    }
}

fn truth(value: Option<Value>) -> bool {
    value.is_some_and(|value| value.is_true())
}

/// Values with their keys, in the keys' order.
fn by_key(heap: &Heap, pairs: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<(Value, Value)>> {
    // in reverse, equal ones keep their order too
    sorted(pairs, |(left, _), (right, _)| {
        if reverse {
            compare::less(right, left, heap)
        } else {
            compare::less(left, right, heap)
        }
    })
}

pub(super) fn sort(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let names = ["reverse", "case_sensitive", "attribute"];
    let [reverse, case_sensitive, attribute] = arguments.bind("sort", names)?;
    let (reverse, case_sensitive) = (truth(reverse), truth(case_sensitive));
    let heap = &run.heap;
    let paths = match &attribute {
        Some(Value::Text(text)) => text
            .text
            .split(',')
            .map(|part| Path::new(&Value::literal(part)))
            .collect::<Result<Vec<_>>>()?,
        Some(attribute) => vec![Path::new(attribute)?],
        None => vec![Path::new(&Value::None)?],
    };
    let mut pairs = Vec::new();
    for item in sequence::values(&value, heap)? {
        let mut keys = Vec::new();
        for path in &paths {
            keys.push(folded(heap, path.of(&item, None, heap)?, case_sensitive)?);
        }
        pairs.push((heap.list(keys)?, item));
    }
    let sorted = by_key(heap, pairs, reverse)?;
    heap.list(sorted.into_iter().map(|(_, item)| item).collect())
}

pub(super) fn dictsort(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let names = ["case_sensitive", "by", "reverse"];
    let [case_sensitive, by, reverse] = arguments.bind("dictsort", names)?;
    let by_value = match by.as_ref().map(|by| by.as_text()) {
        None | Some(Some("key")) => false,
        Some(Some("value")) => true,
        _ => fail!("`dictsort` sorts by `key` or `value`"),
    };
    let Value::Dict(dict) = &value else {
        fail!("`dictsort` takes a mapping, not `{}`", value.kind());
    };
    let case_sensitive = truth(case_sensitive);
    let heap = &run.heap;
    let mut pairs = Vec::new();
    for entry in dict.iter() {
        let by = if by_value { &entry.value } else { &entry.key };
        let key = folded(heap, by.clone(), case_sensitive)?;
        pairs.push((
            key,
            heap.tuple(vec![entry.key.clone(), entry.value.clone()])?,
        ));
    }
    let sorted = by_key(heap, pairs, truth(reverse))?;
    heap.list(sorted.into_iter().map(|(_, pair)| pair).collect())
}

pub(super) fn unique(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [case_sensitive, attribute] = arguments.bind("unique", ["case_sensitive", "attribute"])?;
    let case_sensitive = truth(case_sensitive);
    let path = Path::new(&attribute.unwrap_or(Value::None))?;
    let heap = &run.heap;
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for item in sequence::values(&value, heap)? {
        let key = folded(heap, path.of(&item, None, heap)?, case_sensitive)?;
        if seen.insert(Key::of(&key, heap)?) {
            kept.push(item);
        }
    }
    heap.stream(kept, "generator")
}

pub(super) fn groupby(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let names = ["attribute", "default", "case_sensitive"];
    let [attribute, default, case_sensitive] = arguments.bind("groupby", names)?;
    let path = Path::new(&required(attribute, "groupby", "attribute")?)?;
    let default = default.filter(|default| !matches!(default, Value::None));
    let case_sensitive = truth(case_sensitive);
    let heap = &run.heap;
    let mut pairs = Vec::new();
    for item in sequence::values(&value, heap)? {
        let key = path.of(&item, default.as_ref(), heap)?;
        pairs.push((folded(heap, key, case_sensitive)?, item));
    }
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in by_key(heap, pairs, false)? {
        match groups.last_mut() {
            Some((last, members)) if compare::equal(last, &key, heap)? => members.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let mut named = Vec::new();
    for (key, members) in groups {
        let key = match members.first() {
            Some(first) if !case_sensitive => path.of(first, default.as_ref(), heap)?,
            _ => key,
        };
        named.push(heap.group(key, heap.list(members)?)?);
    }
    heap.list(named)
}

pub(super) fn min(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    extreme(run, &value, arguments, "min")
}

pub(super) fn max(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    extreme(run, &value, arguments, "max")
}

fn extreme(run: &Run<'_>, value: &Value, arguments: Arguments, name: &str) -> Result<Value> {
    let [case_sensitive, attribute] = arguments.bind(name, ["case_sensitive", "attribute"])?;
    let case_sensitive = truth(case_sensitive);
    let path = Path::new(&attribute.unwrap_or(Value::None))?;
    let heap = &run.heap;
    let mut best: Option<(Value, Value)> = None;
    for item in sequence::values(value, heap)? {
        let key = folded(heap, path.of(&item, None, heap)?, case_sensitive)?;
        let better = match &best {
            None => true,
            Some((least, _)) if name == "min" => compare::less(&key, least, heap)?,
            Some((greatest, _)) => compare::less(greatest, &key, heap)?,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(
        || Value::undefined("of no items, none is the least or greatest"),
        |(_, item)| item,
    ))
}
