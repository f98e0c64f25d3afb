//! Fields of a JSON object, with messages that name them.

use serde_json::Value;

use crate::ConfigError;

/// A JSON object whose fields are asked for by name; `null` counts as missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Value);

impl<'a> Fields<'a> {
    pub(super) fn value(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// The object in a field.
    pub(super) fn object(self, name: &str) -> Option<Self> {
        self.value(name).filter(|value| value.is_object()).map(Self)
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.value(name).and_then(Value::as_str)
    }

    pub(super) fn flag(self, name: &str, default: bool) -> Result<bool, ConfigError> {
        self.typed(name, "true or false", Value::as_bool)
            .map(|found| found.unwrap_or(default))
    }

    pub(super) fn number(self, name: &str) -> Result<Option<f64>, ConfigError> {
        self.typed(name, "a number", |value| {
            value.as_f64().filter(|number| number.is_finite())
        })
    }

    pub(super) fn required_number(self, name: &str) -> Result<f64, ConfigError> {
        self.number(name)?
            .ok_or_else(|| ConfigError::Missing(name.to_owned()))
    }

    /// A whole number above zero, small enough that products of a few of them cannot overflow.
    pub(super) fn count(self, name: &str) -> Result<Option<usize>, ConfigError> {
        self.typed(name, "a whole number from 1 to 2^31", |value| {
            let number = value.as_f64()?;
            let whole = number.fract() == 0.0 && (1.0..=2_147_483_648.0).contains(&number);
            whole.then_some(number as usize)
        })
    }

    pub(super) fn required_count(self, name: &str) -> Result<usize, ConfigError> {
        self.count(name)?
            .ok_or_else(|| ConfigError::Missing(name.to_owned()))
    }

    pub(super) fn numbers(self, name: &str) -> Result<Option<Vec<f64>>, ConfigError> {
        self.typed(name, "a list of numbers", |value| {
            value.as_array()?.iter().map(Value::as_f64).collect()
        })
    }

    pub(super) fn texts(self, name: &str) -> Result<Option<Vec<&'a str>>, ConfigError> {
        self.typed(name, "a list of texts", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    fn typed<T>(
        self,
        name: &str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(ConfigError::Invalid {
                field: name.to_owned(),
                found: shortened(&value.to_string()),
                expected: expected.to_owned(),
            }),
        }
    }
}

/// A text of at most 60 characters.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        text.chars().take(59).chain(['…']).collect()
    }
}
