//! `str` and `repr`.

use super::heap::Writer;
use super::number::float_repr;
use super::text::{by_number, is_printable};
use super::{Dict, Heap, Object, Part, Value, bytes, sequence};
use crate::text::jinja::limits::MAX_DEPTH;
use crate::text::jinja::problem::{Result, fail};

const TOO_DEEP: &str = "a value that is nested too deep cannot be written";

/// `str(value)`.
pub(in crate::text::jinja) fn display(value: &Value, heap: &Heap) -> Result<String> {
    let mut out = Writer::new(heap);
    write_display(value, &mut out)?;
    Ok(out.text)
}

/// `str(value)` at the end of a text.
pub(in crate::text::jinja) fn write_display(value: &Value, out: &mut Writer<'_>) -> Result<()> {
    match value {
        Value::Text(text) => out.push(&text.text),
        Value::Undefined(_) => Ok(()),
        value => write(value, out, 0),
    }
}

/// `repr(value)`.
pub(in crate::text::jinja) fn repr(value: &Value, heap: &Heap) -> Result<String> {
    let mut out = Writer::new(heap);
    write(value, &mut out, 0)?;
    Ok(out.text)
}

fn write(value: &Value, out: &mut Writer<'_>, level: usize) -> Result<()> {
    out.heap.meter.work(1)?;
    if level > MAX_DEPTH {
        fail!("{TOO_DEEP}");
    }
    match value {
        Value::Undefined(_) => out.push("Undefined"),
        Value::None => out.push("None"),
        Value::Bool(true) => out.push("True"),
        Value::Bool(false) => out.push("False"),
        Value::Int(int) => out.push(&int.to_string()),
        Value::Float(float) => out.push(&float_repr(*float)),
        Value::Text(text) if text.safe => {
            out.push("Markup(")?;
            write_quoted(&text.text, out)?;
            out.push(")")
        }
        Value::Text(text) => write_quoted(&text.text, out),
        Value::Bytes(content) => out.push(&bytes::repr(content)),
        Value::List(items) => write_all(("[", "]"), &items.values, out, level),
        Value::Tuple(items) if items.values.len() == 1 => {
            write_all(("(", ",)"), &items.values, out, level)
        }
        Value::Tuple(items) => write_all(("(", ")"), &items.values, out, level),
        Value::Dict(dict) => write_dict(dict, out, level),
        Value::Range(range) => {
            let (start, stop) = (range.start, range.stop);
            out.push(&if range.step == 1 {
                format!("range({start}, {stop})")
            } else {
                format!("range({start}, {stop}, {})", range.step)
            })
        }
        Value::View(_, part) => {
            let name = match part {
                Part::Keys => "dict_keys([",
                Part::Values => "dict_values([",
                Part::Items => "dict_items([",
            };
            let values = sequence::values(value, out.heap)?;
            write_all((name, "])"), &values, out, level)
        }
        Value::Stream(stream) => out.push(&format!("<{} object>", stream.kind)),
        Value::Object(object) => write_object(object, out, level),
    }
}

fn write_object(object: &Object, out: &mut Writer<'_>, level: usize) -> Result<()> {
    match object {
        Object::Namespace(place) => {
            let heap = out.heap;
            let namespaces = heap.namespaces.borrow();
            if out.within.contains(place) {
                return out.push("<Namespace {...}>");
            }
            out.within.push(*place);
            out.push("<Namespace ")?;
            if let Some(dict) = namespaces.get(*place) {
                write_dict(dict, out, level + 1)?;
            }
            out.within.pop();
            out.push(">")
        }
        Object::Loop(object) => {
            let (index, length) = (object.index.get() + 1, object.items.values.len());
            out.push(&format!("<LoopContext {index}/{length}>"))
        }
        Object::Macro(object) => match &object.def.name {
            Some(name) => {
                out.push("<Macro ")?;
                write_quoted(name, out)?;
                out.push(">")
            }
            None => out.push("<Macro anonymous>"),
        },
        Object::Method(method) => out.push(&format!(
            "<built-in method {} of {} object>",
            method.name,
            method.of.kind()
        )),
        Object::Function(function) => out.push(&format!("<function {}>", function.name())),
        Object::Cycler(_) => out.push("<Cycler object>"),
        Object::Joiner(_) => out.push("<Joiner object>"),
    }
}

fn write_dict(dict: &Dict, out: &mut Writer<'_>, level: usize) -> Result<()> {
    if level > MAX_DEPTH {
        fail!("{TOO_DEEP}");
    }
    out.push("{")?;
    for (index, entry) in dict.iter().enumerate() {
        if index > 0 {
            out.push(", ")?;
        }
        write(&entry.key, out, level + 1)?;
        out.push(": ")?;
        write(&entry.value, out, level + 1)?;
    }
    out.push("}")
}

fn write_all(
    (open, close): (&str, &str),
    values: &[Value],
    out: &mut Writer<'_>,
    level: usize,
) -> Result<()> {
    out.push(open)?;
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.push(", ")?;
        }
        write(value, out, level + 1)?;
    }
    out.push(close)
}

fn write_quoted(text: &str, out: &mut Writer<'_>) -> Result<()> {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.heap.meter.read(text.len())?;
    let mut quoted = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter == quote || letter == '\\' => quoted.extend(['\\', letter]),
            letter if is_printable(letter) => quoted.push(letter),
            letter => quoted.push_str(&by_number(letter)),
        }
    }
    quoted.push(quote);
    out.push(&quoted)
}
