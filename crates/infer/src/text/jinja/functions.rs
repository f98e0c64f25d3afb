//! Functions that every template has.

use std::cell::Cell;
use std::rc::Rc;

use jiff::ZonedDateTime;

use super::problem::{Problem, Result, fail};
use super::run::Run;
use super::run::arguments::{Arguments, int, required};
use super::value::{Cycler, Dict, Heap, Joiner, Object, Range, Value, repr, sequence};

/// The longest range, as Jinja's sandbox has it.
const MAX_RANGE: usize = 100_000;
/// Letters of what a template says when it refuses.
const MAX_MESSAGE: usize = 2000;
/// A format of a time may be so long.
const MAX_TIME_FORMAT: usize = 4096;

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Range,
    Dict,
    Namespace,
    Cycler,
    Joiner,
    RaiseException,
    StrftimeNow,
}

impl Function {
    /// A function by its name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "range" => Self::Range,
            "dict" => Self::Dict,
            "namespace" => Self::Namespace,
            "cycler" => Self::Cycler,
            "joiner" => Self::Joiner,
            "raise_exception" => Self::RaiseException,
            "strftime_now" => Self::StrftimeNow,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::Dict => "dict",
            Self::Namespace => "namespace",
            Self::Cycler => "cycler",
            Self::Joiner => "joiner",
            Self::RaiseException => "raise_exception",
            Self::StrftimeNow => "strftime_now",
        }
    }
}

/// Calls a function.
pub(super) fn call(run: &Run<'_>, function: Function, arguments: Arguments) -> Result<Value> {
    let heap = &run.heap;
    match function {
        Function::Range => range(arguments),
        Function::Dict => Ok(heap.dict(dict(heap, arguments)?)),
        Function::Namespace => {
            let dict = dict(heap, arguments)?;
            for entry in dict.iter() {
                check_attribute(entry.key.as_text().unwrap_or_default())?;
            }
            heap.meter.make(size_of::<Dict>())?;
            let mut namespaces = heap.namespaces.borrow_mut();
            namespaces.push(dict);
            Ok(Value::Object(Object::Namespace(namespaces.len() - 1)))
        }
        Function::Cycler => {
            if arguments.positional.is_empty() || !arguments.named.is_empty() {
                fail!("`cycler` takes one or more values");
            }
            Ok(Value::Object(Object::Cycler(Rc::new(Cycler {
                items: heap.items(arguments.positional)?,
                index: Cell::new(0),
            }))))
        }
        Function::Joiner => {
            let [separator] = arguments.bind("joiner", ["sep"])?;
            let separator = separator.unwrap_or_else(|| Value::literal(", "));
            heap.depth([&separator])?;
            Ok(Value::Object(Object::Joiner(Rc::new(Joiner {
                separator,
                used: Cell::new(false),
            }))))
        }
        Function::RaiseException => {
            let [message] = arguments.bind("raise_exception", ["message"])?;
            let message = required(message, "raise_exception", "message")?;
            let message = repr::display(&message, heap)?;
            let message: String = message.chars().take(MAX_MESSAGE).collect();
            fail!("it refuses this conversation: {message}")
        }
        Function::StrftimeNow => {
            let [format] = arguments.bind("strftime_now", ["format"])?;
            let format = required(format, "strftime_now", "format")?;
            let text = super::run::arguments::text(&format, "strftime_now")?;
            if text.len() > MAX_TIME_FORMAT {
                fail!(
                    "the format of a time has {} bytes; it may have {MAX_TIME_FORMAT}",
                    text.len()
                );
            }
            heap.text(time(text, run.now.as_ref())?)
        }
    }
}

fn range(arguments: Arguments) -> Result<Value> {
    let [first, second, step] = arguments.bind_positional("range")?;
    let first = int(&required(first, "range", "stop")?, "range")?;
    let second = second.map(|value| int(&value, "range")).transpose()?;
    let step = step.map_or(Ok(1), |value| int(&value, "range"))?;
    if step == 0 {
        fail!("the step of a range is zero");
    }
    let range = match second {
        None => Range {
            start: 0,
            stop: first,
            step,
        },
        Some(stop) => Range {
            start: first,
            stop,
            step,
        },
    };
    if range.len() > MAX_RANGE {
        fail!("a range of more than {MAX_RANGE} numbers");
    }
    Ok(Value::Range(range))
}

/// `dict(mapping or pairs, **named)`.
fn dict(heap: &Heap, mut arguments: Arguments) -> Result<Dict> {
    if arguments.positional.len() > 1 {
        fail!("`dict` takes one mapping");
    }
    let mut dict = Dict::default();
    match arguments.positional.pop() {
        None => {}
        Some(Value::Dict(other)) => {
            for entry in other.iter() {
                dict.insert(entry.key.clone(), entry.value.clone(), heap)?;
            }
        }
        Some(pairs) => {
            for pair in sequence::values(&pairs, heap)? {
                let Ok([key, value]) = <[Value; 2]>::try_from(sequence::values(&pair, heap)?)
                else {
                    fail!("`dict` takes a mapping or pairs");
                };
                dict.insert(key, value, heap)?;
            }
        }
    }
    for (name, value) in arguments.named {
        dict.insert(heap.text(name)?, value, heap)?;
    }
    Ok(dict)
}

/// `dict.fromkeys(keys, value)`.
pub(super) fn from_keys(heap: &Heap, arguments: Arguments) -> Result<Value> {
    let [keys, value] = arguments.bind_positional("fromkeys")?;
    let value = value.unwrap_or(Value::None);
    let mut dict = Dict::default();
    for key in sequence::values(&required(keys, "fromkeys", "keys")?, heap)? {
        dict.insert(key, value.clone(), heap)?;
    }
    Ok(heap.dict(dict))
}

/// Sets an attribute of a namespace.
pub(super) fn set_attribute(heap: &Heap, place: usize, name: &str, value: Value) -> Result<()> {
    check_attribute(name)?;
    let key = heap.text(name)?;
    if let Some(dict) = heap.namespaces.borrow_mut().get_mut(place) {
        dict.insert(key, value, heap)?;
    }
    Ok(())
}

fn check_attribute(name: &str) -> Result<()> {
    if name.starts_with('_') {
        fail!("an attribute of a namespace cannot begin with `_`: `{name}`");
    }
    Ok(())
}

fn time(format: &str, now: Option<&ZonedDateTime>) -> Result<String> {
    let now = now.cloned().unwrap_or_else(ZonedDateTime::now);
    jiff::fmt::strtime::format(format, &now).map_err(|problem| Problem::new(problem.to_string()))
}
