//! The arguments of calls.

use std::rc::Rc;

use crate::text::jinja::problem::{Result, fail};
use crate::text::jinja::value::Value;

/// What a function, method, filter or test is called with.
#[derive(Debug, Clone, Default)]
pub(in crate::text::jinja) struct Arguments {
    pub(in crate::text::jinja) positional: Vec<Value>,
    pub(in crate::text::jinja) named: Vec<(Rc<str>, Value)>,
}

impl Arguments {
    /// The values of parameters, by position or name.
    pub(in crate::text::jinja) fn bind<const N: usize>(
        self,
        function: &str,
        names: [&str; N],
    ) -> Result<[Option<Value>; N]> {
        if self.positional.len() > N {
            fail!(
                "`{function}` takes at most {N} arguments, not {}",
                self.positional.len()
            );
        }
        let mut bound = [const { None }; N];
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let Some(place) = names.iter().position(|known| **known == *name) else {
                fail!("`{function}` takes no argument `{name}`");
            };
            if bound[place].replace(value).is_some() {
                fail!("`{function}` is given `{name}` twice");
            }
        }
        Ok(bound)
    }

    /// The same, where Python takes no names.
    pub(in crate::text::jinja) fn bind_positional<const N: usize>(
        self,
        function: &str,
    ) -> Result<[Option<Value>; N]> {
        if let Some((name, _)) = self.named.first() {
            fail!("`{function}` takes no argument `{name}` by name");
        }
        self.bind(function, [""; N])
    }

    /// Where nothing may be given.
    pub(in crate::text::jinja) fn none(self, function: &str) -> Result<()> {
        self.bind(function, []).map(|[]| ())
    }

    /// Takes a named argument out.
    pub(in crate::text::jinja) fn take(&mut self, name: &str) -> Option<Value> {
        let place = self.named.iter().position(|(known, _)| **known == *name)?;
        Some(self.named.remove(place).1)
    }
}

/// An argument that must be given.
pub(in crate::text::jinja) fn required(
    value: Option<Value>,
    function: &str,
    name: &str,
) -> Result<Value> {
    match value {
        Some(value) => Ok(value),
        None => fail!("`{function}` needs `{name}`"),
    }
}

/// An argument that is a whole number.
pub(in crate::text::jinja) fn int(value: &Value, function: &str) -> Result<i128> {
    match value.as_int() {
        Some(int) => Ok(int),
        None => fail!("`{function}` takes a whole number, not `{}`", value.kind()),
    }
}

/// An argument that is a text.
pub(in crate::text::jinja) fn text<'v>(value: &'v Value, function: &str) -> Result<&'v str> {
    match value.as_text() {
        Some(text) => Ok(text),
        None => fail!("`{function}` takes a text, not `{}`", value.kind()),
    }
}

/// A width or count: what is negative is nothing, what is too large will not fit.
pub(in crate::text::jinja) fn size(number: i128) -> usize {
    usize::try_from(number.max(0)).unwrap_or(usize::MAX)
}
