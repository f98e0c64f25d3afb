//! Filters that look at each item: attributes, other filters, tests.

use super::filter;
use crate::text::jinja::checks::check;
use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::run::Run;
use crate::text::jinja::run::arguments::{Arguments, required};
use crate::text::jinja::run::attribute::{attribute, item, own};
use crate::text::jinja::value::{Heap, Value, sequence};

/// The way to a value within another: `message.content`, `parts.0`.
pub(super) struct Path(Vec<Value>);

impl Path {
    pub(super) fn new(attribute: &Value) -> Result<Self> {
        Ok(Self(match attribute {
            Value::None => Vec::new(),
            Value::Text(text) => text
                .text
                .split('.')
                .map(|part| match part.parse() {
                    Ok(number) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
                        Value::Int(number)
                    }
                    _ => Value::literal(part),
                })
                .collect(),
            other => vec![other.clone()],
        }))
    }

    /// What it leads to; `default` where there is nothing.
    pub(super) fn of(&self, value: &Value, default: Option<&Value>, heap: &Heap) -> Result<Value> {
        let mut found = value.clone();
        for part in &self.0 {
            heap.meter.work(1)?;
            found = item(&found, part, heap)?;
            if let Some(default) = default.filter(|_| found.is_undefined()) {
                found = default.clone();
            }
        }
        Ok(found)
    }
}

pub(super) fn default(_: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [default, boolean] = arguments.bind("default", ["default_value", "boolean"])?;
    let boolean = boolean.is_some_and(|boolean| boolean.is_true());
    Ok(if value.is_undefined() || boolean && !value.is_true() {
        default.unwrap_or_else(|| Value::literal(""))
    } else {
        value
    })
}

pub(super) fn attr(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    let [name] = arguments.bind("attr", ["name"])?;
    let name = required(name, "attr", "name")?;
    let Some(name) = name.as_text() else {
        fail!("`attr` takes a text");
    };
    if value.is_undefined() {
        return attribute(&value, name, &run.heap);
    }
    let found = own(&value, name, &run.heap)?;
    Ok(found.unwrap_or_else(|| {
        Value::undefined(format!("`{}` has no attribute `{name}`", value.kind()))
    }))
}

pub(super) fn map(run: &mut Run<'_>, value: Value, mut arguments: Arguments) -> Result<Value> {
    if !value.is_true() {
        return run.heap.stream(Vec::new(), "generator");
    }
    let mut mapped = Vec::new();
    if arguments.positional.is_empty()
        && let Some(attribute) = arguments.take("attribute")
    {
        let [default] = arguments.bind("map", ["default"])?;
        let default = default.filter(|default| !matches!(default, Value::None));
        let path = Path::new(&attribute)?;
        for item in sequence::values(&value, &run.heap)? {
            mapped.push(path.of(&item, default.as_ref(), &run.heap)?);
        }
        return run.heap.stream(mapped, "generator");
    }
    if arguments.positional.is_empty() {
        fail!("`map` needs a filter or an attribute");
    }
    let name = arguments.positional.remove(0);
    for item in sequence::values(&value, &run.heap)? {
        run.heap.meter.work(1)?;
        let Some(function) = name.as_text().and_then(filter) else {
            fail!("there is no filter of the name that `map` is given");
        };
        mapped.push(run.within(|run| function(run, item, arguments.clone()))?);
    }
    run.heap.stream(mapped, "generator")
}

pub(super) fn select(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    selected(run, &value, arguments, false, true)
}

pub(super) fn reject(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    selected(run, &value, arguments, false, false)
}

pub(super) fn selectattr(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    selected(run, &value, arguments, true, true)
}

pub(super) fn rejectattr(run: &mut Run<'_>, value: Value, arguments: Arguments) -> Result<Value> {
    selected(run, &value, arguments, true, false)
}

fn selected(
    run: &mut Run<'_>,
    value: &Value,
    mut arguments: Arguments,
    by_attribute: bool,
    wanted: bool,
) -> Result<Value> {
    if !value.is_true() {
        return run.heap.stream(Vec::new(), "generator");
    }
    let path = if by_attribute {
        if arguments.positional.is_empty() {
            fail!("the name of an attribute is missing");
        }
        Path::new(&arguments.positional.remove(0))?
    } else {
        Path::new(&Value::None)?
    };
    let test = if arguments.positional.is_empty() {
        None
    } else {
        Some(arguments.positional.remove(0))
    };
    let mut kept = Vec::new();
    for item in sequence::values(value, &run.heap)? {
        run.heap.meter.work(1)?;
        let looked_at = path.of(&item, None, &run.heap)?;
        let holds = match &test {
            None => looked_at.is_true(),
            Some(name) => {
                let check = name.as_text().and_then(check);
                let check = check.ok_or_else(|| Problem::new("there is no test of that name"))?;
                run.within(|run| check(run, &looked_at, arguments.clone()))?
            }
        };
        if holds == wanted {
            kept.push(item);
        }
    }
    run.heap.stream(kept, "generator")
}
