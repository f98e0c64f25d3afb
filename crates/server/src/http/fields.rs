//! Fields of a request, with errors that name them.

use serde_json::{Map, Value};

use super::failure::ApiError;

/// The fields of a JSON object. Those that nobody asks for are ignored, as OpenAI does, and `null` means that a field is not there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The fields of a request's body.
    pub(super) fn of(body: &'a Value) -> Result<Self, ApiError> {
        match body {
            Value::Object(fields) => Ok(Self(fields)),
            other => {
                let message = format!("the body is {}; expected an object", kind(other));
                Err(ApiError::invalid(message))
            }
        }
    }

    /// A field, unless it is `null`.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(self, name: &str) -> Result<Option<&'a str>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(wrong(name, value, "a string")),
        }
    }

    /// True or false; false if it is not there.
    pub(super) fn flag(self, name: &str) -> Result<bool, ApiError> {
        self.flag_or(name, false)
    }

    /// True or false.
    pub(super) fn flag_or(self, name: &str, default: bool) -> Result<bool, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        value
            .as_bool()
            .ok_or_else(|| wrong(name, value, "true or false"))
    }

    /// A number within bounds.
    pub(super) fn number(self, name: &str, least: f64, most: f64) -> Result<Option<f32>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let expected = format!("a number from {least} to {most}");
        match value.as_f64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number as f32)),
            _ => Err(wrong(name, value, &expected)),
        }
    }

    /// A whole number within bounds.
    pub(super) fn integer(
        self,
        name: &str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match whole(value) {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => {
                let expected = format!("a whole number from {least} to {most}");
                Err(wrong(name, value, &expected))
            }
        }
    }

    /// A count, from a least number on.
    pub(super) fn count(self, name: &str, least: u32) -> Result<Option<usize>, ApiError> {
        let number = self.integer(name, i64::from(least), i64::from(i32::MAX))?;
        Ok(number.map(|number| number as usize))
    }

    /// A number of tokens at most, under the first of some names that is given; -1 is no limit, as other local servers have it.
    pub(super) fn most(self, names: &[&str], least: u32) -> Result<Option<Most>, ApiError> {
        let mut found = None;
        for name in names {
            let Some(value) = self.get(name) else {
                continue;
            };
            let most = i64::from(i32::MAX);
            let one = match whole(value) {
                Some(-1) => Most::NoLimit,
                Some(number) if (i64::from(least)..=most).contains(&number) => {
                    Most::Tokens(number as usize)
                }
                _ => {
                    let expected =
                        format!("a whole number from {least} to {most}, or -1 for no limit");
                    return Err(wrong(name, value, &expected));
                }
            };
            found = found.or(Some(one));
        }
        Ok(found)
    }

    /// An object.
    pub(super) fn object(self, name: &str) -> Result<Option<Fields<'a>>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value {
            Value::Object(fields) => Ok(Some(Fields(fields))),
            _ => Err(wrong(name, value, "an object")),
        }
    }

    /// A list.
    pub(super) fn list(self, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value {
            Value::Array(list) => Ok(Some(list)),
            _ => Err(wrong(name, value, "a list")),
        }
    }

    /// All of them.
    pub(super) fn all(self) -> &'a Map<String, Value> {
        self.0
    }
}

/// Tokens of a continuation at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Most {
    /// As many as there is room for.
    NoLimit,
    /// So many.
    Tokens(usize),
}

impl Most {
    /// The number, if there is one.
    pub(super) fn tokens(self) -> Option<usize> {
        match self {
            Self::NoLimit => None,
            Self::Tokens(count) => Some(count),
        }
    }
}

/// Whether a field's value asks for something: `null`, `false`, 0 and what is empty do not.
pub(super) fn is_used(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// A whole number; in JSON `1.0` is one.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        // the largest numbers that are sure to fit
        let is_whole = number.fract() == 0.0 && number.abs() < 9e18;
        is_whole.then_some(number as i64)
    })
}

/// A field has a value that it cannot have.
pub(super) fn wrong(name: &str, value: &Value, expected: &str) -> ApiError {
    ApiError::field(name, &shown(value), expected)
}

/// A field is not there.
pub(super) fn missing(name: &str) -> ApiError {
    ApiError::invalid(format!("`{name}` is missing")).param(name)
}

/// A value as it is shown in messages: numbers as they are, others by their kind.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => kind(other).to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(error: &ApiError) -> String {
        error.body()["error"]["message"].to_string()
    }

    #[test]
    fn values_of_the_wrong_kind_are_named() {
        let body = json!({"n": "1", "stop": true, "a": 1.0, "b": 1.5, "c": null, "d": -1});
        let fields = Fields::of(&body).unwrap();
        assert_eq!(
            message(&fields.count("n", 1).unwrap_err()),
            "\"`n` is a string; expected a whole number from 1 to 2147483647\""
        );
        assert!(fields.text("stop").is_err());
        assert_eq!(fields.count("a", 1).unwrap(), Some(1));
        assert!(fields.count("b", 1).is_err());
        assert_eq!(fields.count("c", 1).unwrap(), None);
        assert!(fields.count("d", 0).is_err());
        assert!(Fields::of(&json!([1])).is_err());
    }

    #[test]
    fn the_first_name_of_a_limit_counts_and_all_are_checked() {
        let most = |body: &Value| Fields::of(body).unwrap().most(&["new", "old"], 1);
        let found = most(&json!({"new": 5, "old": 7})).unwrap();
        assert_eq!(found, Some(Most::Tokens(5)));
        assert_eq!(
            most(&json!({"new": null, "old": -1})).unwrap(),
            Some(Most::NoLimit)
        );
        assert_eq!(most(&json!({})).unwrap(), None);
        assert!(most(&json!({"new": 5, "old": 0})).is_err());
        assert_eq!(
            message(&most(&json!({"new": -2})).unwrap_err()),
            "\"`new` is -2; expected a whole number from 1 to 2147483647, or -1 for no limit\""
        );
    }
}
