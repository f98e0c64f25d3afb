//! Running a template.

pub(super) mod arguments;
pub(super) mod attribute;
mod call;
mod expression;
pub(super) mod operator;
mod scope;
mod statement;

use jiff::ZonedDateTime;

use super::limits::{MAX_RECURSION, Meter};
use super::problem::{Result, fail};
use super::syntax::tree::Name;
use super::template::Template;
use super::value::{Heap, Value};
use scope::Scopes;

/// A run of a template.
pub(super) struct Run<'t> {
    pub(super) heap: Heap,
    pub(super) now: Option<ZonedDateTime>,
    template: &'t Template,
    scopes: Scopes,
    /// The texts being written: the template's, and within it those of macros and `set` blocks.
    out: Vec<String>,
    level: usize,
}

impl<'t> Run<'t> {
    pub(super) fn new(template: &'t Template, meter: Meter, now: Option<ZonedDateTime>) -> Self {
        Self {
            heap: Heap::new(meter),
            now,
            template,
            scopes: Scopes::default(),
            out: vec![String::new()],
            level: 0,
        }
    }

    /// Gives the template a variable, which may be one that it does not mention.
    pub(super) fn define(&mut self, name: &str, value: Value) {
        if let Some(name) = self.template.tree.names.get(name) {
            self.scopes.set(Scopes::ROOT, *name, value);
        }
    }

    /// Runs it.
    pub(super) fn finish(mut self) -> Result<String> {
        let template = self.template;
        self.body(&template.tree.body, Scopes::ROOT)?;
        Ok(self.out.swap_remove(0))
    }

    /// Runs what is one level deeper.
    fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.level == MAX_RECURSION {
            fail!("its macros, loops or values call each other more than {MAX_RECURSION} deep");
        }
        self.level += 1;
        let outcome = run(self);
        self.level -= 1;
        outcome
    }

    /// Runs a filter or test that another one names.
    pub(super) fn within<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.nested(run)
    }

    /// Writes.
    fn emit(&mut self, text: &str) -> Result<()> {
        let Some(out) = self.out.last_mut() else {
            return Ok(());
        };
        self.heap.meter.fits(out.len() + text.len())?;
        self.heap.meter.read(text.len())?;
        out.push_str(text);
        Ok(())
    }

    /// What is written meanwhile, as a text.
    fn capture(&mut self, run: impl FnOnce(&mut Self) -> Result<()>) -> Result<Value> {
        self.out.push(String::new());
        run(self)?;
        let text = self.out.pop().unwrap_or_default();
        self.heap.text(text)
    }

    fn spelling(&self, name: Name) -> &'t str {
        let spellings = &self.template.tree.spellings;
        spellings.get(name as usize).map_or("", |text| text)
    }
}
