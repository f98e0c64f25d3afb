//! Methods of lists, tuples, mappings, bytes, loops and the like.

use std::rc::Rc;

use crate::text::jinja::functions;
use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::run::arguments::{Arguments, int, required, text};
use crate::text::jinja::value::{Dict, Heap, Loop, Object, Part, Value, compare, sequence};

pub(super) fn call(heap: &Heap, value: &Value, name: &str, arguments: Arguments) -> Result<Value> {
    match value {
        Value::List(_) if name == "copy" => {
            arguments.none(name)?;
            heap.list(sequence::values(value, heap)?)
        }
        Value::List(_) | Value::Tuple(_) | Value::Range(_) => search(heap, value, name, arguments),
        Value::Dict(dict) => of_dict(heap, dict, name, arguments),
        Value::Bytes(bytes) => of_bytes(heap, bytes, name, arguments),
        Value::Object(Object::Loop(object)) => of_loop(heap, object, name, arguments),
        Value::Object(Object::Cycler(cycler)) => {
            arguments.none(name)?;
            if name == "reset" {
                cycler.index.set(0);
                return Ok(Value::None);
            }
            let index = cycler.index.get();
            cycler.index.set((index + 1) % cycler.items.values.len());
            Ok(cycler.items.values[index].clone())
        }
        Value::Object(Object::Function(_)) => functions::from_keys(heap, arguments),
        other => fail!("`{}` has no method `{name}`", other.kind()),
    }
}

/// `count` and `index`.
fn search(heap: &Heap, value: &Value, name: &str, arguments: Arguments) -> Result<Value> {
    let [wanted, start, stop] = arguments.bind_positional(name)?;
    let wanted = required(wanted, name, "a value")?;
    let items = sequence::items(value, heap)?;
    if name == "count" {
        if start.is_some() {
            fail!("`count` takes one value");
        }
        let mut count = 0;
        for item in &items.values {
            count += i128::from(compare::equal(item, &wanted, heap)?);
        }
        return Ok(Value::Int(count));
    }
    let len = items.values.len() as i128;
    let bound = |bound: Option<Value>, otherwise: i128| -> Result<i128> {
        let Some(bound) = bound else {
            return Ok(otherwise);
        };
        let bound = int(&bound, name)?;
        Ok(if bound < 0 {
            bound.saturating_add(len)
        } else {
            bound
        }
        .clamp(0, len))
    };
    let (start, stop) = (bound(start, 0)?, bound(stop, len)?);
    for place in start..stop {
        if compare::equal(&items.values[place as usize], &wanted, heap)? {
            return Ok(Value::Int(place));
        }
    }
    fail!("`index`: the value is not in the list")
}

fn of_dict(heap: &Heap, dict: &Rc<Dict>, name: &str, arguments: Arguments) -> Result<Value> {
    let part = match name {
        "get" => {
            let [key, otherwise] = arguments.bind_positional(name)?;
            let key = required(key, name, "a key")?;
            let found = dict.get(&key, heap)?.cloned();
            return Ok(found.or(otherwise).unwrap_or(Value::None));
        }
        "fromkeys" => return functions::from_keys(heap, arguments),
        "copy" => {
            arguments.none(name)?;
            return Ok(Value::Dict(dict.clone()));
        }
        "keys" => Part::Keys,
        "values" => Part::Values,
        _ => Part::Items,
    };
    arguments.none(name)?;
    Ok(Value::View(dict.clone(), part))
}

fn of_bytes(heap: &Heap, bytes: &[u8], name: &str, arguments: Arguments) -> Result<Value> {
    if name == "hex" {
        arguments.none(name)?;
        heap.meter.fits(2 * bytes.len())?;
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        return heap.text(digits.concat());
    }
    let [encoding, errors] = arguments.bind(name, ["encoding", "errors"])?;
    let strict = errors.is_none_or(|errors| errors.as_text() == Some("strict"));
    let encoding = encoding.unwrap_or_else(|| Value::literal("utf-8"));
    is_utf8(text(&encoding, name)?)?;
    match std::str::from_utf8(bytes) {
        Ok(text) => heap.text(text),
        Err(_) if strict => fail!("these bytes are no UTF-8"),
        Err(_) => heap.text(String::from_utf8_lossy(bytes)),
    }
}

/// Whether an encoding is UTF-8 or, which is a part of it, ASCII.
pub(super) fn is_utf8(name: &str) -> Result<bool> {
    match name.to_ascii_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" => Ok(true),
        "ascii" | "us-ascii" => Ok(false),
        _ => fail!("the encoding `{name}`; templates have `utf-8` and `ascii`"),
    }
}

fn of_loop(heap: &Heap, object: &Loop, name: &str, arguments: Arguments) -> Result<Value> {
    if let Some((unknown, _)) = arguments.named.first() {
        fail!("`{name}` takes no argument `{unknown}`");
    }
    if name == "cycle" {
        let count = arguments.positional.len();
        if count == 0 {
            fail!("`cycle` takes one or more values");
        }
        return Ok(arguments.positional[object.index.get() % count].clone());
    }
    let last = object.last.take();
    let mut changed = true;
    if let Some(last) = last
        && last.len() == arguments.positional.len()
    {
        changed = false;
        for (before, now) in last.iter().zip(&arguments.positional) {
            changed |= !compare::equal(before, now, heap)?;
        }
    }
    heap.depth(&arguments.positional)?;
    object.last.replace(Some(arguments.positional));
    Ok(Value::Bool(changed))
}
