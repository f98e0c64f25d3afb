//! Methods of Python's values. Those that change their value are not there, as in Jinja's sandbox.

mod container;
pub(super) mod number;
mod text;
mod text_check;
mod text_split;

pub(super) use text::{capitalized, strip};
pub(super) use text_check::is_cased;
pub(super) use text_split::replaced;

use super::format::braces;
use super::functions::Function;
use super::problem::Result;
use super::run::arguments::Arguments;
use super::value::{Heap, Method, Object, Value};

const TEXT: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];
const MARKUP: &[&str] = &["striptags", "unescape"];
const BYTES: &[&str] = &["decode", "hex"];
const LIST: &[&str] = &["copy", "count", "index"];
const TUPLE: &[&str] = &["count", "index"];
const DICT: &[&str] = &["copy", "fromkeys", "get", "items", "keys", "values"];
const INT: &[&str] = &["as_integer_ratio", "bit_count", "bit_length", "conjugate"];
const FLOAT: &[&str] = &["as_integer_ratio", "conjugate", "is_integer"];
const LOOP: &[&str] = &["changed", "cycle"];
const CYCLER: &[&str] = &["next", "reset"];

/// A method of a value by its name.
pub(super) fn find(value: &Value, name: &str) -> Option<&'static str> {
    let names = match value {
        Value::Text(text) if text.safe && MARKUP.contains(&name) => MARKUP,
        Value::Text(_) => TEXT,
        Value::Bytes(_) => BYTES,
        Value::List(_) => LIST,
        Value::Tuple(_) | Value::Range(_) => TUPLE,
        Value::Dict(_) => DICT,
        Value::Int(_) | Value::Bool(_) => INT,
        Value::Float(_) => FLOAT,
        Value::Object(Object::Loop(_)) => LOOP,
        Value::Object(Object::Cycler(_)) => CYCLER,
        Value::Object(Object::Function(Function::Dict)) => &["fromkeys"],
        _ => return None,
    };
    names.iter().find(|known| **known == name).copied()
}

/// Calls a method.
pub(super) fn call(heap: &Heap, method: &Method, arguments: Arguments) -> Result<Value> {
    match &method.of {
        Value::Text(text) => match method.name {
            "format" => braces::format(heap, text, &arguments),
            "format_map" => braces::format_map(heap, text, arguments),
            name => {
                heap.meter.read(text.text.len())?;
                text::call(heap, text, name, arguments)
            }
        },
        Value::Int(_) | Value::Bool(_) | Value::Float(_) => {
            arguments.none(method.name)?;
            number::call(heap, &method.of, method.name)
        }
        value => container::call(heap, value, method.name, arguments),
    }
}
