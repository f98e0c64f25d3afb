//! Describes specifications in sentences.

use std::fmt;

use super::{BaseRule, Default, InputCount, Kind, MethodSpec, MissingRule, ParameterSpec, Scope};

impl MethodSpec {
    /// How the method uses `base_model` and how many models it takes, in sentences.
    pub fn models_in_words(&self) -> String {
        let base = match self.base {
            BaseRule::Required => "`base_model` is required.",
            BaseRule::Optional => "`base_model` is optional.",
            BaseRule::Ignored => {
                "A `base_model` is an ordinary input; it also provides the config and the tokenizer."
            }
        };
        let InputCount { min, max } = self.inputs;
        let models = |count: usize| match count {
            1 => "one model".to_owned(),
            _ => format!("{count} models"),
        };
        let count = match max {
            Some(max) if max == min => models(min),
            Some(max) => format!("{min} to {}", models(max)),
            None if min <= 1 => "any number of models".to_owned(),
            None => format!("{} or more", models(min)),
        };
        let with_base = match self.base {
            BaseRule::Required => ", including the base",
            BaseRule::Optional => ", not counting the base",
            BaseRule::Ignored => "",
        };
        format!("{base} The method takes {count}{with_base}.")
    }
}

impl MissingRule {
    /// How tensors that some inputs lack are handled, in sentences.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::MergeRest => {
                "Optional tensors, such as the output head of a model with tied embeddings, are merged from the inputs that have them, \
                 if there are enough for the method. All other tensors must be in all inputs."
            }
            Self::CopyLone => {
                "Optional tensors, such as the output head of a model with tied embeddings, are copied if a single input has them. \
                 All other tensors must be in all inputs."
            }
            Self::CopyLoneBase => {
                "Optional tensors, such as the output head of a model with tied embeddings, are copied if only the base has them. \
                 All other tensors must be in all inputs."
            }
            Self::CopyBaseOrSkip => {
                "Optional tensors, such as the output head of a model with tied embeddings, are merged from the inputs that have them. \
                 If too few inputs have one, the base's is copied, or it is dropped if the base lacks it. All other tensors must \
                 be in all inputs."
            }
        }
    }
}

impl ParameterSpec {
    /// The range of its usual values; empty where it has none.
    pub fn usual_in_words(&self) -> String {
        self.usual.map_or_else(String::new, |(low, high)| {
            format!("{} to {}", number(low), number(high))
        })
    }
}

impl fmt::Display for BaseRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Ignored => "ignored",
        })
    }
}

impl fmt::Display for InputCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) if max == self.min => write!(f, "{max}"),
            Some(max) => write!(f, "{} to {max}", self.min),
            None => write!(f, "{} or more", self.min),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Global => "the merge",
            Self::Model => "each model",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "number",
            Self::Bool => "true or false",
            Self::Text => "text",
        })
    }
}

impl fmt::Display for Default {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Required => f.write_str("required"),
            Self::Number(value) => f.write_str(&number(value)),
            Self::Bool(on) => write!(f, "{on}"),
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Unset => f.write_str("not set"),
        }
    }
}

/// A number as people write it, small ones with an exponent.
pub(super) fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(1e-8), "1e-8");
        assert_eq!(number(0.0), "0");
        assert_eq!(number(0.15), "0.15");
        assert_eq!(number(1000.0), "1000");
    }

    #[test]
    fn counts_are_read_with_their_limits() {
        assert_eq!(InputCount::exactly(2).to_string(), "2");
        assert_eq!(InputCount::at_least(3).to_string(), "3 or more");
        let between = InputCount {
            min: 2,
            max: Some(3),
        };
        assert_eq!(between.to_string(), "2 to 3");
    }
}
