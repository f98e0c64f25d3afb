//! Which name means what, where.

use std::collections::BTreeMap;

use crate::text::jinja::syntax::tree::Name;
use crate::text::jinja::value::Value;

/// The scopes of a run. Each sees those around it; a macro sees the ones where it was defined.
#[derive(Debug)]
pub(super) struct Scopes {
    all: Vec<Scope>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct Scope {
    values: BTreeMap<Name, Value>,
    parent: Option<usize>,
    /// A macro refers to it, so it stays.
    kept: bool,
}

impl Default for Scopes {
    fn default() -> Self {
        Self {
            all: vec![Scope::default()],
            free: Vec::new(),
        }
    }
}

impl Scopes {
    /// The template's own.
    pub(super) const ROOT: usize = 0;

    /// A scope within another.
    pub(super) fn open(&mut self, parent: usize) -> usize {
        let scope = Scope {
            parent: Some(parent),
            ..Scope::default()
        };
        if let Some(place) = self.free.pop() {
            self.all[place] = scope;
            return place;
        }
        self.all.push(scope);
        self.all.len() - 1
    }

    /// Ends a scope.
    pub(super) fn close(&mut self, place: usize) {
        if !self.all[place].kept {
            self.all[place].values.clear();
            self.free.push(place);
        }
    }

    /// Keeps a scope and those around it for the macros that see them.
    pub(super) fn keep(&mut self, place: usize) {
        let mut next = Some(place);
        while let Some(place) = next {
            let scope = &mut self.all[place];
            if std::mem::replace(&mut scope.kept, true) {
                return;
            }
            next = scope.parent;
        }
    }

    pub(super) fn set(&mut self, place: usize, name: Name, value: Value) {
        self.all[place].values.insert(name, value);
    }

    /// What a name means, and how many scopes were asked.
    pub(super) fn get(&self, place: usize, name: Name) -> (Option<&Value>, u64) {
        let mut asked = 1;
        let mut place = place;
        loop {
            let scope = &self.all[place];
            if let Some(value) = scope.values.get(&name) {
                return (Some(value), asked);
            }
            match scope.parent {
                Some(parent) => place = parent,
                None => return (None, asked),
            }
            asked += 1;
        }
    }
}
