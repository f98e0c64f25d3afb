//! `value.name` and `value[item]`: what the sandbox lets a template see.

use std::rc::Rc;

use crate::text::jinja::methods;
use crate::text::jinja::problem::{Problem, Result};
use crate::text::jinja::value::{Heap, Loop, Method, Object, Value, sequence};

/// `value.name`: an attribute, else an item.
pub(in crate::text::jinja) fn attribute(value: &Value, name: &str, heap: &Heap) -> Result<Value> {
    if let Value::Undefined(text) = value {
        return Err(Problem::new(&**text));
    }
    if let Some(found) = own(value, name, heap)? {
        return Ok(found);
    }
    let item = match value {
        Value::Dict(dict) => dict.get_text(name).cloned(),
        _ => None,
    };
    Ok(item.unwrap_or_else(|| absent(value, name)))
}

/// `value[index]`: an item, else an attribute.
pub(in crate::text::jinja) fn item(value: &Value, index: &Value, heap: &Heap) -> Result<Value> {
    if let Some(found) = sequence::get(value, index, heap)? {
        return Ok(found);
    }
    match index.as_text() {
        Some(name) => Ok(match own(value, name, heap)? {
            Some(found) => found,
            None => absent(value, name),
        }),
        None => Ok(Value::undefined(format!(
            "`{}` has no such element",
            value.kind()
        ))),
    }
}

/// An attribute of the value itself.
pub(in crate::text::jinja) fn own(value: &Value, name: &str, heap: &Heap) -> Result<Option<Value>> {
    if name.starts_with('_') {
        return Ok(None);
    }
    match value {
        Value::Object(Object::Namespace(place)) => {
            let namespaces = heap.namespaces.borrow();
            Ok(namespaces
                .get(*place)
                .and_then(|dict| dict.get_text(name))
                .cloned())
        }
        Value::Object(Object::Loop(object)) => {
            Ok(of_loop(object, name).or_else(|| bound(value, name)))
        }
        Value::Object(Object::Cycler(cycler)) if name == "current" => {
            Ok(cycler.items.values.get(cycler.index.get()).cloned())
        }
        Value::Object(Object::Macro(object)) if name == "name" => {
            Ok(Some(match &object.def.name {
                Some(name) => heap.text(name)?,
                None => Value::None,
            }))
        }
        Value::Tuple(items) if items.group && name == "grouper" => {
            Ok(Some(items.values[0].clone()))
        }
        Value::Tuple(items) if items.group && name == "list" => Ok(Some(items.values[1].clone())),
        Value::Int(_) | Value::Bool(_) | Value::Float(_)
            if ["real", "imag", "numerator", "denominator"].contains(&name) =>
        {
            Ok(methods::number::part(value, name))
        }
        Value::Range(range) => Ok(match name {
            "start" => Some(Value::Int(range.start)),
            "stop" => Some(Value::Int(range.stop)),
            "step" => Some(Value::Int(range.step)),
            name => bound(value, name),
        }),
        value => Ok(bound(value, name)),
    }
}

fn bound(value: &Value, name: &str) -> Option<Value> {
    let name = methods::find(value, name)?;
    Some(Value::Object(Object::Method(Rc::new(Method {
        of: value.clone(),
        name,
    }))))
}

fn absent(value: &Value, name: &str) -> Value {
    Value::undefined(format!("`{}` has no attribute `{name}`", value.kind()))
}

fn of_loop(object: &Loop, name: &str) -> Option<Value> {
    let (index, length) = (object.index.get(), object.items.values.len());
    let number = |number: usize| Some(Value::Int(number as i128));
    let neighbour = |place: Option<usize>| {
        let found = place
            .and_then(|place| object.items.values.get(place))
            .cloned();
        Some(found.unwrap_or_else(|| Value::undefined("there is no such item in the loop")))
    };
    match name {
        "index" => number(index + 1),
        "index0" => number(index),
        "revindex" => number(length.saturating_sub(index)),
        "revindex0" => number(length.saturating_sub(index + 1)),
        "first" => Some(Value::Bool(index == 0)),
        "last" => Some(Value::Bool(index + 1 >= length)),
        "length" => number(length),
        "depth" => number(object.level + 1),
        "depth0" => number(object.level),
        "previtem" => neighbour(index.checked_sub(1)),
        "nextitem" => neighbour(Some(index + 1)),
        _ => None,
    }
}
