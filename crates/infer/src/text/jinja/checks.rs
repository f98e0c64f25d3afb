//! Tests: what stands behind `is`.

use super::filters::filter;
use super::problem::Result;
use super::run::Run;
use super::run::arguments::{Arguments, required};
use super::run::operator::binary;
use super::syntax::tree::Operator;
use super::value::dict::Key;
use super::value::{Value, compare, repr, sequence};

/// A test.
pub(super) type Check = fn(&mut Run<'_>, &Value, Arguments) -> Result<bool>;

/// A test by its name.
pub(super) fn check(name: &str) -> Option<Check> {
    Some(match name {
        "defined" => |_, value, arguments| plain(arguments, !value.is_undefined()),
        "undefined" => |_, value, arguments| plain(arguments, value.is_undefined()),
        "none" => |_, value, arguments| plain(arguments, matches!(value, Value::None)),
        "boolean" => |_, value, arguments| plain(arguments, matches!(value, Value::Bool(_))),
        "true" => |_, value, arguments| plain(arguments, matches!(value, Value::Bool(true))),
        "false" => |_, value, arguments| plain(arguments, matches!(value, Value::Bool(false))),
        "integer" => |_, value, arguments| plain(arguments, matches!(value, Value::Int(_))),
        "float" => |_, value, arguments| plain(arguments, matches!(value, Value::Float(_))),
        "number" => |_, value, arguments| {
            plain(
                arguments,
                matches!(value, Value::Int(_) | Value::Float(_) | Value::Bool(_)),
            )
        },
        "string" => |_, value, arguments| plain(arguments, matches!(value, Value::Text(_))),
        "mapping" => |_, value, arguments| plain(arguments, matches!(value, Value::Dict(_))),
        "sequence" => |_, value, arguments| plain(arguments, sequence::is_sequence(value)),
        "iterable" => |_, value, arguments| plain(arguments, sequence::is_iterable(value)),
        "callable" => |_, value, arguments| {
            let callable = matches!(value, Value::Object(_) | Value::Undefined(_));
            plain(arguments, callable && is_callable(value))
        },
        "escaped" => {
            |_, value, arguments| plain(arguments, matches!(value, Value::Text(text) if text.safe))
        }
        "odd" => |run, value, arguments| rest_is(run, value, 2, 1, arguments),
        "even" => |run, value, arguments| rest_is(run, value, 2, 0, arguments),
        "divisibleby" => |run, value, arguments| {
            let [number] = arguments.bind("divisibleby", ["num"])?;
            let number = required(number, "divisibleby", "num")?;
            let rest = binary(Operator::Modulo, value, &number, &run.heap)?;
            compare::equal(&rest, &Value::Int(0), &run.heap)
        },
        "lower" => |run, value, arguments| {
            let text = repr::display(value, &run.heap)?;
            plain(arguments, super::methods::is_cased(&text, false))
        },
        "upper" => |run, value, arguments| {
            let text = repr::display(value, &run.heap)?;
            plain(arguments, super::methods::is_cased(&text, true))
        },
        "filter" => |run, value, arguments| {
            let known = known(run, value)?;
            plain(arguments, known.is_some_and(|name| filter(name).is_some()))
        },
        "test" => |run, value, arguments| {
            let known = known(run, value)?;
            plain(arguments, known.is_some_and(|name| check(name).is_some()))
        },
        "sameas" => |run, value, arguments| {
            let [other] = arguments.bind("sameas", ["other"])?;
            compare::same(value, &required(other, "sameas", "other")?, &run.heap)
        },
        "in" => |run, value, arguments| {
            let [container] = arguments.bind("in", ["seq"])?;
            compare::contains(&required(container, "in", "seq")?, value, &run.heap)
        },
        "==" | "eq" | "equalto" => {
            |run, value, arguments| compare::equal(value, &other(arguments)?, &run.heap)
        }
        "!=" | "ne" => {
            |run, value, arguments| Ok(!compare::equal(value, &other(arguments)?, &run.heap)?)
        }
        "<" | "lt" | "lessthan" => {
            |run, value, arguments| compare::less(value, &other(arguments)?, &run.heap)
        }
        ">" | "gt" | "greaterthan" => {
            |run, value, arguments| compare::less(&other(arguments)?, value, &run.heap)
        }
        "<=" | "le" => |run, value, arguments| {
            let order = compare::order(value, &other(arguments)?, &run.heap)?;
            Ok(order.is_some_and(std::cmp::Ordering::is_le))
        },
        ">=" | "ge" => |run, value, arguments| {
            let order = compare::order(value, &other(arguments)?, &run.heap)?;
            Ok(order.is_some_and(std::cmp::Ordering::is_ge))
        },
        _ => return None,
    })
}

/// The answer of a test that takes nothing.
fn plain(arguments: Arguments, answer: bool) -> Result<bool> {
    arguments.none("this test")?;
    Ok(answer)
}

fn other(arguments: Arguments) -> Result<Value> {
    let [other] = arguments.bind_positional("this test")?;
    required(other, "this test", "a value")
}

/// The name of a filter or test, if it is one; what cannot be a key cannot be asked for.
fn known<'v>(run: &Run<'_>, value: &'v Value) -> Result<Option<&'v str>> {
    Key::of(value, &run.heap)?;
    Ok(value.as_text())
}

fn is_callable(value: &Value) -> bool {
    use super::value::Object;
    // an undefined value has `__call__`, which fails
    !matches!(
        value,
        Value::Object(Object::Namespace(_) | Object::Cycler(_))
    )
}

fn rest_is(
    run: &Run<'_>,
    value: &Value,
    by: i128,
    rest: i128,
    arguments: Arguments,
) -> Result<bool> {
    arguments.none("this test")?;
    let found = binary(Operator::Modulo, value, &Value::Int(by), &run.heap)?;
    compare::equal(&found, &Value::Int(rest), &run.heap)
}
