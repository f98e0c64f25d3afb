//! Evaluating expressions.

use std::rc::Rc;

use super::arguments::Arguments;
use super::{Run, attribute, operator};
use crate::text::jinja::functions::Function;
use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::syntax::tree::{
    CallArguments, Comparison, Constant, Expr, FilterCall, Prefix, Suffix,
};
use crate::text::jinja::value::heap::Writer;
use crate::text::jinja::value::{Dict, Object, Value, compare, repr, sequence};

impl Run<'_> {
    /// The value of an expression.
    pub(super) fn value(&mut self, expr: &Expr, scope: usize) -> Result<Value> {
        self.heap.meter.work(1)?;
        match expr {
            Expr::Constant(constant) => self.constant(constant),
            Expr::Name(name) => self.named(*name, scope),
            _ => self.nested(|run| run.compound(expr, scope)),
        }
    }

    fn constant(&self, constant: &Constant) -> Result<Value> {
        Ok(match constant {
            Constant::None => Value::None,
            Constant::Bool(flag) => Value::Bool(*flag),
            Constant::Int(int) => Value::Int(*int),
            Constant::Float(float) => Value::Float(*float),
            Constant::Text(text) => self.heap.text(text)?,
        })
    }

    fn named(&self, name: u32, scope: usize) -> Result<Value> {
        let (found, asked) = self.scopes.get(scope, name);
        self.heap.meter.work(asked / 4)?;
        if let Some(value) = found {
            return Ok(value.clone());
        }
        let name = self.spelling(name);
        Ok(match Function::named(name) {
            Some(function) => Value::Object(Object::Function(function)),
            None => Value::undefined(format!("`{name}` is undefined")),
        })
    }

    fn compound(&mut self, expr: &Expr, scope: usize) -> Result<Value> {
        match expr {
            Expr::Constant(_) | Expr::Name(_) => self.value(expr, scope),
            Expr::List(items) => {
                let values = self.values(items, scope)?;
                self.heap.list(values)
            }
            Expr::Tuple(items) => {
                let values = self.values(items, scope)?;
                self.heap.tuple(values)
            }
            Expr::Dict(entries) => {
                let mut dict = Dict::default();
                for (key, value) in entries {
                    let key = self.value(key, scope)?;
                    let value = self.value(value, scope)?;
                    dict.insert(key, value, &self.heap)?;
                }
                Ok(self.heap.dict(dict))
            }
            Expr::Prefix(prefix, of) => {
                let value = self.value(of, scope)?;
                prefixed(*prefix, &value)
            }
            Expr::Chain(first, parts) => {
                let mut left = self.value(first, scope)?;
                for (operator, right) in parts {
                    let right = self.value(right, scope)?;
                    left = operator::binary(*operator, &left, &right, &self.heap)?;
                }
                Ok(left)
            }
            Expr::Concat(parts) => {
                let values = self.values(parts, scope)?;
                let mut out = Writer::new(&self.heap);
                for value in &values {
                    repr::write_display(value, &mut out)?;
                }
                out.finish()
            }
            Expr::Compare(first, parts) => self.comparisons(first, parts, scope),
            Expr::And(parts) => self.first_with(parts, false, scope),
            Expr::Or(parts) => self.first_with(parts, true, scope),
            Expr::Choice {
                branches,
                otherwise,
            } => {
                for (value, test) in branches {
                    if self.value(test, scope)?.is_true() {
                        return self.value(value, scope);
                    }
                }
                match otherwise {
                    Some(value) => self.value(value, scope),
                    None => Ok(Value::undefined(
                        "the condition of an `if` without `else` does not hold",
                    )),
                }
            }
            Expr::Postfix(of, suffixes) => {
                let mut value = self.value(of, scope)?;
                for (suffix, line) in suffixes {
                    self.heap.meter.work(1)?;
                    value = self
                        .suffixed(value, suffix, scope)
                        .map_err(|problem| problem.at(*line))?;
                }
                Ok(value)
            }
        }
    }

    fn values(&mut self, exprs: &[Expr], scope: usize) -> Result<Vec<Value>> {
        exprs.iter().map(|expr| self.value(expr, scope)).collect()
    }

    /// `and` and `or`: the first value that decides, or the last.
    fn first_with(&mut self, parts: &[Expr], truth: bool, scope: usize) -> Result<Value> {
        let mut last = Value::None;
        for part in parts {
            last = self.value(part, scope)?;
            if last.is_true() == truth {
                break;
            }
        }
        Ok(last)
    }

    /// `a < b < c` holds when both parts do.
    fn comparisons(
        &mut self,
        first: &Expr,
        parts: &[(Comparison, Expr)],
        scope: usize,
    ) -> Result<Value> {
        let mut left = self.value(first, scope)?;
        for (comparison, right) in parts {
            let right = self.value(right, scope)?;
            if !compared(*comparison, &left, &right, self)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    pub(super) fn suffixed(
        &mut self,
        value: Value,
        suffix: &Suffix,
        scope: usize,
    ) -> Result<Value> {
        match suffix {
            Suffix::Attribute(name) => attribute::attribute(&value, name, &self.heap),
            Suffix::Item(index) => {
                let index = self.value(index, scope)?;
                attribute::item(&value, &index, &self.heap)
            }
            Suffix::Slice(bounds) => {
                let mut values = [Value::None, Value::None, Value::None];
                for (value, bound) in values.iter_mut().zip(bounds) {
                    if let Some(bound) = bound {
                        *value = self.value(bound, scope)?;
                    }
                }
                sequence::slice(&value, values.each_ref(), &self.heap)
            }
            Suffix::Call(arguments) => {
                let arguments = self.arguments(arguments, scope)?;
                self.call(&value, arguments)
            }
            Suffix::Filter(filter) => self.filtered(value, filter, scope),
            Suffix::Test {
                name,
                check,
                arguments,
                negated,
            } => {
                let arguments = self.arguments(arguments, scope)?;
                let Some(check) = check else {
                    fail!("there is no test `{name}`");
                };
                Ok(Value::Bool(check(self, &value, arguments)? != *negated))
            }
        }
    }

    /// A value through a filter.
    pub(super) fn filtered(
        &mut self,
        value: Value,
        filter: &FilterCall,
        scope: usize,
    ) -> Result<Value> {
        let arguments = self.arguments(&filter.arguments, scope)?;
        match filter.filter {
            Some(function) => function(self, value, arguments),
            None => fail!("there is no filter `{}`", filter.name),
        }
    }

    /// The arguments of a call.
    pub(super) fn arguments(&mut self, call: &CallArguments, scope: usize) -> Result<Arguments> {
        let mut arguments = Arguments {
            positional: self.values(&call.positional, scope)?,
            named: Vec::new(),
        };
        for (name, value) in &call.named {
            let value = self.value(value, scope)?;
            arguments.named.push((Rc::from(&**name), value));
        }
        if let Some(rest) = &call.rest {
            let rest = self.value(rest, scope)?;
            arguments
                .positional
                .extend(sequence::values(&rest, &self.heap)?);
        }
        if let Some(rest) = &call.named_rest {
            let Value::Dict(dict) = self.value(rest, scope)? else {
                fail!("`**` takes a mapping");
            };
            for entry in dict.iter() {
                let Value::Text(name) = &entry.key else {
                    fail!("`**` takes a mapping with texts as keys");
                };
                if arguments.named.iter().any(|(known, _)| *known == name.text) {
                    fail!("the argument `{}` is given twice", name.text);
                }
                self.heap.meter.work(arguments.named.len() as u64 / 4)?;
                arguments
                    .named
                    .push((name.text.clone(), entry.value.clone()));
            }
        }
        Ok(arguments)
    }
}

fn prefixed(prefix: Prefix, value: &Value) -> Result<Value> {
    if prefix == Prefix::Not {
        return Ok(Value::Bool(!value.is_true()));
    }
    let minus = prefix == Prefix::Minus;
    match value {
        Value::Undefined(text) => Err(Problem::new(&**text)),
        Value::Float(float) => Ok(Value::Float(if minus { -float } else { *float })),
        value => match value.as_int() {
            Some(int) => Ok(Value::Int(if minus { -int } else { int })),
            None => fail!("`{}` has no sign", value.kind()),
        },
    }
}

fn compared(comparison: Comparison, left: &Value, right: &Value, run: &Run<'_>) -> Result<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let heap = &run.heap;
    let ordered = |accepted: &[std::cmp::Ordering]| -> Result<bool> {
        let order = compare::order(left, right, heap)?;
        Ok(order.is_some_and(|order| accepted.contains(&order)))
    };
    match comparison {
        Comparison::Equal => compare::equal(left, right, heap),
        Comparison::Unequal => Ok(!compare::equal(left, right, heap)?),
        Comparison::Less => ordered(&[Less]),
        Comparison::LessOrEqual => ordered(&[Less, Equal]),
        Comparison::Greater => ordered(&[Greater]),
        Comparison::GreaterOrEqual => ordered(&[Greater, Equal]),
        Comparison::In => compare::contains(right, left, heap),
        Comparison::NotIn => Ok(!compare::contains(right, left, heap)?),
    }
}
