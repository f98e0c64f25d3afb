//! Calling macros, loops, methods and functions.

use std::rc::Rc;

use super::Run;
use super::arguments::Arguments;
use crate::text::jinja::functions;
use crate::text::jinja::methods;
use crate::text::jinja::problem::{Problem, Result, fail};
use crate::text::jinja::syntax::tree::MacroDef;
use crate::text::jinja::value::{Dict, Macro, Object, Value};

impl Run<'_> {
    /// Calls a value.
    pub(in crate::text::jinja) fn call(
        &mut self,
        callee: &Value,
        arguments: Arguments,
    ) -> Result<Value> {
        match callee {
            Value::Undefined(text) => Err(Problem::new(&**text)),
            Value::Object(Object::Macro(object)) => {
                self.nested(|run| run.call_macro(object, arguments))
            }
            Value::Object(Object::Method(method)) => methods::call(&self.heap, method, arguments),
            Value::Object(Object::Function(function)) => {
                functions::call(self, *function, arguments)
            }
            Value::Object(Object::Joiner(joiner)) => {
                arguments.none("joiner")?;
                if joiner.used.replace(true) {
                    Ok(joiner.separator.clone())
                } else {
                    self.heap.text("")
                }
            }
            Value::Object(Object::Loop(object)) => {
                let [over] = arguments.bind("loop", ["iterable"])?;
                let Some((def, scope)) = object.again.clone() else {
                    fail!("only a loop with `recursive` can be called");
                };
                let over = super::arguments::required(over, "loop", "iterable")?;
                let level = object.level + 1;
                self.nested(|run| run.capture(|run| run.loop_over(&def, &over, scope, level)))
            }
            other => fail!("`{}` cannot be called", other.kind()),
        }
    }

    /// A macro with the scope that it is defined in.
    pub(super) fn new_macro(
        &mut self,
        def: &std::sync::Arc<MacroDef>,
        scope: usize,
    ) -> Result<Value> {
        // with the scope that is kept for it
        self.heap.meter.make(640)?;
        self.scopes.keep(scope);
        Ok(Value::Object(Object::Macro(Rc::new(Macro {
            def: def.clone(),
            scope,
        }))))
    }

    fn call_macro(&mut self, object: &Macro, mut arguments: Arguments) -> Result<Value> {
        let def = object.def.clone();
        let scope = self.scopes.open(object.scope);
        let count = def.parameters.len();
        let given = arguments.positional.len().min(count);
        let rest = arguments.positional.split_off(given);
        let mut positional = arguments.positional.drain(..);
        let mut missing = Vec::new();
        for parameter in &def.parameters {
            let value = positional
                .next()
                .or_else(|| take_named(&mut arguments.named, &parameter.text));
            match value {
                Some(value) => self.scopes.set(scope, parameter.name, value),
                None => missing.push(parameter),
            }
        }
        drop(positional);
        self.special_arguments(&def, scope, arguments, rest)?;
        for parameter in missing {
            let value = match &parameter.default {
                Some(default) => self.value(default, scope)?,
                None => {
                    Value::undefined(format!("the parameter `{}` was not given", parameter.text))
                }
            };
            self.scopes.set(scope, parameter.name, value);
        }
        let text = self.capture(|run| run.body(&def.body, scope).map(|_| ()))?;
        self.scopes.close(scope);
        Ok(text)
    }

    /// `caller`, `kwargs` and `varargs`.
    fn special_arguments(
        &mut self,
        def: &MacroDef,
        scope: usize,
        mut arguments: Arguments,
        rest: Vec<Value>,
    ) -> Result<()> {
        let name = def.name.as_deref().unwrap_or("caller");
        if def.takes.caller {
            let caller = match arguments.take("caller") {
                None | Some(Value::None) => Value::undefined("there is no caller"),
                Some(caller) => caller,
            };
            self.set_special(scope, "caller", caller);
        }
        if def.takes.named {
            let mut dict = Dict::default();
            for (name, value) in arguments.named {
                dict.insert(self.heap.text(name)?, value, &self.heap)?;
            }
            let dict = self.heap.dict(dict);
            self.set_special(scope, "kwargs", dict);
        } else if let Some((unknown, _)) = arguments.named.first() {
            fail!("the macro `{name}` takes no argument `{unknown}`");
        }
        if def.takes.positional {
            let rest = self.heap.tuple(rest)?;
            self.set_special(scope, "varargs", rest);
        } else if !rest.is_empty() {
            fail!(
                "the macro `{name}` takes at most {} arguments",
                def.parameters.len()
            );
        }
        Ok(())
    }

    fn set_special(&mut self, scope: usize, name: &str, value: Value) {
        if let Some(name) = self.template.tree.names.get(name) {
            self.scopes.set(scope, *name, value);
        }
    }
}

/// Takes a named argument out of the others.
fn take_named(named: &mut Vec<(Rc<str>, Value)>, name: &str) -> Option<Value> {
    let place = named.iter().position(|(known, _)| **known == *name)?;
    Some(named.remove(place).1)
}
