//! Running statements.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::Run;
use crate::text::jinja::functions;
use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::syntax::tree::{
    Expr, FilterCall, For, MacroDef, Statement, Suffix, Target,
};
use crate::text::jinja::value::{Items, Loop, Object, Value, repr, sequence};

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Through,
    Break,
    Continue,
}

impl Run<'_> {
    /// Runs statements.
    pub(super) fn body(&mut self, body: &[Statement], scope: usize) -> Result<End> {
        for statement in body {
            self.heap.meter.work(1)?;
            let end = match statement {
                Statement::Data(text) => {
                    self.emit(text)?;
                    End::Through
                }
                Statement::Break => End::Break,
                Statement::Continue => End::Continue,
                statement => self.nested(|run| run.statement(statement, scope))?,
            };
            if end != End::Through {
                return Ok(end);
            }
        }
        Ok(End::Through)
    }

    fn statement(&mut self, statement: &Statement, scope: usize) -> Result<End> {
        match statement {
            Statement::Data(_) | Statement::Break | Statement::Continue => {}
            Statement::Print(values, line) => {
                for value in values {
                    self.print(value, scope)
                        .map_err(|problem| problem.at(*line))?;
                }
            }
            Statement::If {
                branches,
                otherwise,
            } => {
                for (test, line, body) in branches {
                    let test = self
                        .value(test, scope)
                        .map_err(|problem| problem.at(*line))?;
                    if test.is_true() {
                        return self.body(body, scope);
                    }
                }
                return self.body(otherwise, scope);
            }
            Statement::For(def) => {
                let run = |run: &mut Self| {
                    let over = run.value(&def.over, scope)?;
                    if def.recursive {
                        let text = run.capture(|run| run.loop_over(def, &over, scope, 0))?;
                        return run.emit(text.as_text().unwrap_or_default());
                    }
                    run.loop_over(def, &over, scope, 0)
                };
                run(self).map_err(|problem| problem.at(def.line))?;
            }
            Statement::Set(target, value, line) => {
                let value = self.value(value, scope);
                value
                    .and_then(|value| self.assign(target, value, scope))
                    .map_err(|problem| problem.at(*line))?;
            }
            Statement::SetBlock {
                target,
                filters,
                body,
                line,
            } => {
                let text = self.filtered_body(filters, body, scope, *line)?;
                self.assign(target, text, scope)
                    .map_err(|problem| problem.at(*line))?;
            }
            Statement::FilterBlock {
                filters,
                body,
                line,
            } => {
                let value = self.filtered_body(filters, body, scope, *line)?;
                let text =
                    repr::display(&value, &self.heap).map_err(|problem| problem.at(*line))?;
                self.emit(&text)?;
            }
            Statement::Macro(name, def) => {
                let object = self.new_macro(def, scope)?;
                self.scopes.set(scope, *name, object);
            }
            Statement::Call { block, call, line } => {
                self.call_block(block, call, scope)
                    .map_err(|problem| problem.at(*line))?;
            }
            Statement::With { values, body, line } => {
                let inner = self.scopes.open(scope);
                for (target, value) in values {
                    let value = self
                        .value(value, scope)
                        .map_err(|problem| problem.at(*line))?;
                    self.assign(target, value, inner)?;
                }
                let end = self.body(body, inner)?;
                self.scopes.close(inner);
                return Ok(end);
            }
            Statement::Block(body) => {
                let inner = self.scopes.open(super::Scopes::ROOT);
                self.body(body, inner)?;
                self.scopes.close(inner);
            }
            Statement::Scope(body) => {
                let inner = self.scopes.open(scope);
                self.body(body, inner)?;
                self.scopes.close(inner);
            }
            Statement::OtherTemplate(line) => {
                let missing = || -> Result<()> { fail!("there are no other templates to include") };
                missing().map_err(|problem| problem.at(*line))?;
            }
        }
        Ok(End::Through)
    }

    fn print(&mut self, value: &Expr, scope: usize) -> Result<()> {
        match self.value(value, scope)? {
            Value::Text(text) => self.emit(&text.text),
            value => {
                let text = repr::display(&value, &self.heap)?;
                self.emit(&text)
            }
        }
    }

    fn filtered_body(
        &mut self,
        filters: &[FilterCall],
        body: &[Statement],
        scope: usize,
        line: u32,
    ) -> Result<Value> {
        let inner = self.scopes.open(scope);
        let mut value = self.capture(|run| run.body(body, inner).map(|_| ()))?;
        for filter in filters {
            value = self
                .filtered(value, filter, inner)
                .map_err(|problem| problem.at(line))?;
        }
        self.scopes.close(inner);
        Ok(value)
    }

    /// The call of a `call` block, which gets the block as `caller`.
    fn call_block(&mut self, block: &Arc<MacroDef>, call: &Expr, scope: usize) -> Result<()> {
        let Expr::Postfix(of, suffixes) = call else {
            fail!("`call` takes a call");
        };
        let Some(((Suffix::Call(last), _), before)) = suffixes.split_last() else {
            fail!("`call` takes a call");
        };
        let mut callee = self.value(of, scope)?;
        for (suffix, _) in before {
            callee = self.suffixed(callee, suffix, scope)?;
        }
        let mut arguments = self.arguments(last, scope)?;
        let caller = self.new_macro(block, scope)?;
        arguments.named.push(("caller".into(), caller));
        let value = self.call(&callee, arguments)?;
        let text = repr::display(&value, &self.heap)?;
        self.emit(&text)
    }

    /// Gives a value to a name, an attribute of a namespace, or several.
    fn assign(&mut self, target: &Target, value: Value, scope: usize) -> Result<()> {
        match target {
            Target::Name(name) => {
                self.scopes.set(scope, *name, value);
                Ok(())
            }
            Target::Attribute(name, attribute) => {
                let (object, _) = self.scopes.get(scope, *name);
                let Some(Value::Object(Object::Namespace(place))) = object else {
                    fail!(
                        "`{}` is no namespace: its attributes cannot be set",
                        self.spelling(*name)
                    );
                };
                functions::set_attribute(&self.heap, *place, attribute, value)
            }
            Target::Tuple(targets) => {
                let values = sequence::values(&value, &self.heap)?;
                if values.len() != targets.len() {
                    fail!("{} values for {} names", values.len(), targets.len());
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value, scope)?;
                }
                Ok(())
            }
        }
    }

    /// Runs a loop over the items of a value.
    pub(super) fn loop_over(
        &mut self,
        def: &Arc<For>,
        over: &Value,
        scope: usize,
        level: usize,
    ) -> Result<()> {
        let mut items = sequence::items(over, &self.heap)?;
        let filters_ahead = def.uses_loop && def.only_if.is_some();
        if filters_ahead {
            let mut kept = Vec::new();
            for item in &items.values {
                if self.passes(def, item, scope)? {
                    kept.push(item.clone());
                }
            }
            items = self.heap.items(kept)?;
        }
        let object = self.new_loop(def, &items, scope, level)?;
        let outcome = self.iterate(def, &items, scope, object.as_ref(), filters_ahead);
        if let Some(object) = object {
            object.last.take();
        }
        if outcome? {
            return Ok(());
        }
        let inner = self.scopes.open(scope);
        self.body(&def.otherwise, inner)?;
        self.scopes.close(inner);
        Ok(())
    }

    fn new_loop(
        &self,
        def: &Arc<For>,
        items: &Rc<Items>,
        scope: usize,
        level: usize,
    ) -> Result<Option<Rc<Loop>>> {
        if !def.uses_loop {
            return Ok(None);
        }
        self.heap.meter.make(size_of::<Loop>())?;
        let object = Loop {
            items: items.clone(),
            index: Cell::new(0),
            level,
            last: RefCell::new(None),
            again: def.recursive.then(|| (def.clone(), scope)),
        };
        Ok(Some(Rc::new(object)))
    }

    /// Whether an item passes the `if` of a loop.
    fn passes(&mut self, def: &For, item: &Value, scope: usize) -> Result<bool> {
        let Some(test) = &def.only_if else {
            return Ok(true);
        };
        let inner = self.scopes.open(scope);
        self.assign(&def.target, item.clone(), inner)?;
        let passes = self.value(test, inner)?.is_true();
        self.scopes.close(inner);
        Ok(passes)
    }

    /// Runs the body for each item; whether one was gone through to its end, which is what decides about `else`.
    fn iterate(
        &mut self,
        def: &For,
        items: &Items,
        scope: usize,
        object: Option<&Rc<Loop>>,
        filtered: bool,
    ) -> Result<bool> {
        let loop_name = self.template.tree.names.get("loop").copied();
        let mut through = false;
        let mut index = 0;
        while let Some(item) = items.values.get(index) {
            self.heap.meter.work(1)?;
            if !filtered && !self.passes(def, item, scope)? {
                index += 1;
                continue;
            }
            let inner = self.scopes.open(scope);
            if let Some(object) = object {
                object.index.set(index);
                if let Some(name) = loop_name {
                    let value = Value::Object(Object::Loop(object.clone()));
                    self.scopes.set(inner, name, value);
                }
            }
            self.assign(&def.target, item.clone(), inner)?;
            let end = self.body(&def.body, inner)?;
            self.scopes.close(inner);
            if end == End::Break {
                return Ok(through);
            }
            through |= end == End::Through;
            // the body may have read the loop to its end
            index = object.map_or(index, |object| object.index.get()) + 1;
        }
        Ok(through)
    }
}
