//! Parameters: their values, filters and gradients, and what they come to for one tensor.
//!
//! A setting is a list of alternatives, each with an optional filter. For a tensor, the first alternative counts whose filter
//! is `*`, is absent, or is a case-sensitive substring of the tensor's name; if there is none, the setting says
//! nothing about this tensor and the next level of the recipe is asked.
//!
//! A gradient `v[0..n]` is a function of the relative depth `u` of a layer in its slice, 0 for the first and 1 for
//! the last. With `s = u·(n − 1)` and `i = ⌊s⌋`, numbers are interpolated linearly between equally spaced anchors,
//! `(1 − (s − i))·v[i] + (s − i)·v[i+1]`, in f64, and `s` within 10⁻⁹ of a whole number is that number, so that an anchor's layer
//! gets the anchor's value to the last bit. Booleans and texts are not interpolated: they give `v[⌊s⌋]`.
//!
//! Whether a list holds numbers depends on what the parameter takes: the booleans `[true, false]` are the numbers
//! `[1, 0]` to a parameter that takes a number, and the text `1e-5` (which YAML 1.1 does not take for a number) is
//! one, too. So every value is first converted, then interpolated. These conversions are mergekit's.

use std::fmt;

use indexmap::IndexMap;

use super::yaml::python_float;
use crate::Span;

/// How near to an anchor counts as on it: far below the distance of two layers, far above the error of `u·(n − 1)`.
const ANCHOR_TOLERANCE: f64 = 1e-9;

/// The entries of one `parameters:`, in the recipe's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(pub IndexMap<String, Setting>);

impl Parameters {
    /// The setting of that name.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.0.get(name)
    }

    /// Names and settings in the recipe's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0
            .iter()
            .map(|(name, setting)| (name.as_str(), setting))
    }

    /// True when nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a recipe says about one parameter at one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Where the parameter's name stands.
    pub name_span: Span,
    /// Where its value stands.
    pub span: Span,
    /// The alternatives in the recipe's order; a plain value is one without a filter. Empty only when the value could
    /// not be read, which has then been reported.
    pub alternatives: Vec<Alternative>,
}

/// A value, and the tensors that it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Part of the names of the tensors it is for; none, `*` and the empty text mean all.
    pub filter: Option<String>,
    /// The value.
    pub value: ParameterValue,
    /// Where the value stands.
    pub span: Span,
}

/// A single value or one that changes over the layers.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterValue {
    /// The same for all layers.
    Scalar(Scalar),
    /// Anchors over the layers of a slice. Never empty.
    Gradient(Vec<Scalar>),
}

/// A single value as YAML gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A finite number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A text.
    Text(String),
}

/// A value that does not suit its parameter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("expected {expected}, found {found}")]
pub struct UnsuitableParameter {
    /// What the parameter takes, with article.
    pub expected: &'static str,
    /// What the recipe says.
    pub found: Scalar,
    /// Where it stands.
    pub span: Span,
}

impl Scalar {
    /// As a number: a number itself, a boolean as 1 or 0, a text if Python's `float()` reads a finite number in it.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Text(text) => python_float(text).filter(|value| value.is_finite()),
        }
    }

    /// As a whole number: what [`Self::as_number`] gives if it has no fraction and fits; a text must not have an exponent or end in a dot.
    pub fn as_integer(&self) -> Option<i64> {
        if matches!(self, Self::Text(text) if text.contains(['e', 'E']) || text.trim_end().ends_with('.'))
        {
            return None;
        }
        let exact = |value: &f64| value.fract() == 0.0 && value.abs() < 9.007_199_254_740_992e15;
        self.as_number().filter(exact).map(|value| value as i64)
    }

    /// As a boolean: a boolean itself, the numbers 1 and 0, and the texts `1`, `true`, `t`, `yes`, `y`, `on` and `0`, `false`, `f`,
    /// `no`, `n`, `off` in upper or lower case.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Number(1.0) => Some(true),
            Self::Number(0.0) => Some(false),
            Self::Number(_) => None,
            Self::Text(text) => match text.to_lowercase().as_str() {
                "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
                "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
                _ => None,
            },
        }
    }

    /// As a text: only a text is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Bool(_) => None,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => write!(f, "the number `{value}`"),
            Self::Bool(value) => write!(f, "the boolean `{value}`"),
            Self::Text(text) => write!(f, "the string `{text}`"),
        }
    }
}

impl ParameterValue {
    /// The anchors; a single value is one anchor.
    pub fn anchors(&self) -> &[Scalar] {
        match self {
            Self::Scalar(scalar) => std::slice::from_ref(scalar),
            Self::Gradient(anchors) => anchors,
        }
    }
}

impl Setting {
    /// The alternative that counts for a tensor.
    pub fn matching(&self, tensor_name: &str) -> Option<&Alternative> {
        self.alternatives.iter().find(|a| a.matches(tensor_name))
    }

    /// The value for a tensor at the relative depth `u` (clamped to `[0, 1]`), whatever the parameter takes: interpolated when all anchors
    /// are numbers or texts of numbers, else picked. None when no filter matches.
    ///
    /// Where the parameter's type is known, use [`Self::number`], [`Self::integer`], [`Self::flag`] or [`Self::text`].
    pub fn evaluate(&self, tensor_name: &str, u: f64) -> Option<Scalar> {
        let anchors = self.matching(tensor_name)?.value.anchors();
        let is_bool = |scalar: &Scalar| matches!(scalar, Scalar::Bool(_));
        let numbers: Option<Vec<f64>> = if anchors.iter().any(is_bool) {
            None
        } else {
            anchors.iter().map(Scalar::as_number).collect()
        };
        match numbers {
            Some(numbers) => interpolate(&numbers, u).map(Scalar::Number),
            None => pick(anchors, u).cloned(),
        }
    }

    /// The value for a tensor at the relative depth `u`, for a parameter that takes a number.
    ///
    /// None when no filter matches. An error when an anchor is not a number.
    pub fn number(&self, tensor_name: &str, u: f64) -> Result<Option<f64>, UnsuitableParameter> {
        let numbers = self.converted(tensor_name, "a number", Scalar::as_number)?;
        Ok(numbers.and_then(|numbers| interpolate(&numbers, u)))
    }

    /// The value for a tensor at the relative depth `u`, for a parameter that takes a whole number.
    ///
    /// None when no filter matches. An error when an anchor, or the value between two of them, is not a whole number.
    pub fn integer(&self, tensor_name: &str, u: f64) -> Result<Option<i64>, UnsuitableParameter> {
        let expected = "a whole number";
        let Some(anchors) = self.converted(tensor_name, expected, Scalar::as_integer)? else {
            return Ok(None);
        };
        let anchors: Vec<f64> = anchors.into_iter().map(|anchor| anchor as f64).collect();
        let Some(value) = interpolate(&anchors, u).map(Scalar::Number) else {
            return Ok(None);
        };
        match value.as_integer() {
            Some(value) => Ok(Some(value)),
            None => Err(UnsuitableParameter {
                expected,
                found: value,
                span: self.span,
            }),
        }
    }

    /// The value for a tensor at the relative depth `u`, for a parameter that takes a boolean.
    ///
    /// None when no filter matches. An error when an anchor is not a boolean.
    pub fn flag(&self, tensor_name: &str, u: f64) -> Result<Option<bool>, UnsuitableParameter> {
        let flags = self.converted(tensor_name, "a boolean", Scalar::as_bool)?;
        Ok(flags.and_then(|flags| pick(&flags, u).copied()))
    }

    /// The value for a tensor at the relative depth `u`, for a parameter that takes a text.
    ///
    /// None when no filter matches. An error when an anchor is not a text.
    pub fn text(&self, tensor_name: &str, u: f64) -> Result<Option<String>, UnsuitableParameter> {
        let owned = |scalar: &Scalar| scalar.as_text().map(str::to_owned);
        let texts = self.converted(tensor_name, "a string", owned)?;
        Ok(texts.and_then(|texts| pick(&texts, u).cloned()))
    }

    /// The anchors for a tensor, each converted.
    fn converted<T>(
        &self,
        tensor_name: &str,
        expected: &'static str,
        convert: impl Fn(&Scalar) -> Option<T>,
    ) -> Result<Option<Vec<T>>, UnsuitableParameter> {
        let Some(alternative) = self.matching(tensor_name) else {
            return Ok(None);
        };
        let unsuitable = |found: &Scalar| UnsuitableParameter {
            expected,
            found: found.clone(),
            span: alternative.span,
        };
        alternative
            .value
            .anchors()
            .iter()
            .map(|anchor| convert(anchor).ok_or_else(|| unsuitable(anchor)))
            .collect::<Result<_, _>>()
            .map(Some)
    }
}

impl Alternative {
    fn matches(&self, tensor_name: &str) -> bool {
        match self.filter.as_deref() {
            None | Some("*") => true,
            Some(filter) => tensor_name.contains(filter),
        }
    }
}

/// `u·(n − 1)` for `n` anchors, with `u` clamped to `[0, 1]`.
fn position(anchors: usize, u: f64) -> f64 {
    let u = if u.is_nan() { 0.0 } else { u.clamp(0.0, 1.0) };
    u * anchors.saturating_sub(1) as f64
}

fn interpolate(anchors: &[f64], u: f64) -> Option<f64> {
    let exact = position(anchors.len(), u);
    let nearest = exact.round();
    if (exact - nearest).abs() < ANCHOR_TOLERANCE {
        return anchors.get(nearest as usize).copied();
    }
    let lower = exact.floor();
    let (a, b) = (
        *anchors.get(lower as usize)?,
        *anchors.get(lower as usize + 1)?,
    );
    // Equal anchors would otherwise be off by a rounding.
    if a == b {
        return Some(a);
    }
    let fraction = exact - lower;
    Some((1.0 - fraction) * a + fraction * b)
}

fn pick<T>(anchors: &[T], u: f64) -> Option<&T> {
    anchors.get(position(anchors.len(), u).floor() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span {
        line: 1,
        column: 1,
        start: 0,
        end: 0,
    };

    fn setting(alternatives: Vec<(Option<&str>, ParameterValue)>) -> Setting {
        Setting {
            name_span: SPAN,
            span: SPAN,
            alternatives: alternatives
                .into_iter()
                .map(|(filter, value)| Alternative {
                    filter: filter.map(str::to_owned),
                    value,
                    span: SPAN,
                })
                .collect(),
        }
    }

    fn numbers(values: &[f64]) -> ParameterValue {
        ParameterValue::Gradient(values.iter().copied().map(Scalar::Number).collect())
    }

    fn plain(value: ParameterValue) -> Setting {
        setting(vec![(None, value)])
    }

    #[test]
    fn numbers_are_interpolated_between_equally_spaced_anchors() {
        let v = plain(numbers(&[0.0, 0.5, 1.0, 0.5, 0.0]));
        for (u, expected) in [
            (0.0, 0.0),
            (0.125, 0.25),
            (0.5, 1.0),
            (0.875, 0.25),
            (1.0, 0.0),
        ] {
            assert_eq!(v.number("x", u), Ok(Some(expected)), "at {u}");
            assert_eq!(v.evaluate("x", u), Some(Scalar::Number(expected)));
        }
    }

    #[test]
    fn an_anchor_on_a_layer_gives_the_anchor_to_the_last_bit() {
        // 6/49 · 49 and the like are not whole in floating point.
        let values: Vec<f64> = (0..50).map(|i| f64::from(i).sqrt() / 7.0).collect();
        let setting = plain(numbers(&values));
        for (layer, value) in values.iter().enumerate() {
            let u = layer as f64 / 49.0;
            assert_eq!(setting.number("x", u), Ok(Some(*value)), "layer {layer}");
        }
    }

    #[test]
    fn equal_anchors_give_their_value_everywhere() {
        let setting = plain(numbers(&[0.3, 0.3]));
        for step in 0..=100 {
            assert_eq!(setting.number("x", f64::from(step) / 100.0), Ok(Some(0.3)));
        }
    }

    #[test]
    fn a_depth_outside_is_clamped() {
        let setting = plain(numbers(&[1.0, 2.0]));
        assert_eq!(setting.number("x", -1.0), Ok(Some(1.0)));
        assert_eq!(setting.number("x", 7.0), Ok(Some(2.0)));
        assert_eq!(setting.number("x", f64::NAN), Ok(Some(1.0)));
    }

    #[test]
    fn booleans_and_texts_are_picked_by_the_floor() {
        let setting = plain(ParameterValue::Gradient(vec![
            Scalar::Bool(true),
            Scalar::Bool(false),
        ]));
        assert_eq!(setting.evaluate("x", 0.99), Some(Scalar::Bool(true)));
        assert_eq!(setting.evaluate("x", 1.0), Some(Scalar::Bool(false)));
        assert_eq!(setting.flag("x", 0.99), Ok(Some(true)));
        // To a parameter that takes a number they are numbers, and are interpolated.
        assert_eq!(setting.number("x", 0.25), Ok(Some(0.75)));
    }

    #[test]
    fn texts_of_numbers_are_interpolated() {
        let value =
            ParameterValue::Gradient(vec![Scalar::Text("1e-1".to_owned()), Scalar::Number(0.3)]);
        assert_eq!(plain(value).evaluate("x", 0.0), Some(Scalar::Number(0.1)));
    }

    #[test]
    fn the_first_matching_filter_counts() {
        let one = |value: f64| ParameterValue::Scalar(Scalar::Number(value));
        let setting = setting(vec![
            (Some("self_attn"), one(1.0)),
            (Some("attn"), one(2.0)),
            (Some("*"), one(3.0)),
            (Some("mlp"), one(4.0)),
        ]);
        let value = |name: &str| setting.number(name, 0.0);
        assert_eq!(value("layers.0.self_attn.q_proj"), Ok(Some(1.0)));
        assert_eq!(value("layers.0.cross_attn"), Ok(Some(2.0)));
        assert_eq!(value("layers.0.mlp"), Ok(Some(3.0)));
        assert_eq!(value("layers.0.SELF_ATTN"), Ok(Some(3.0)));
    }

    #[test]
    fn no_matching_filter_says_nothing() {
        let value = ParameterValue::Scalar(Scalar::Number(1.0));
        let setting = setting(vec![(Some("mlp"), value)]);
        assert_eq!(setting.evaluate("embed", 0.0), None);
        assert_eq!(setting.number("embed", 0.0), Ok(None));
    }

    #[test]
    fn what_cannot_be_converted_is_an_error_that_says_what_it_is() {
        let setting = plain(ParameterValue::Scalar(Scalar::Text("fast".to_owned())));
        let error = setting.number("x", 0.0).expect_err("not a number");
        assert_eq!(
            error.to_string(),
            "expected a number, found the string `fast`"
        );
        assert!(setting.flag("x", 0.0).is_err());
        assert_eq!(setting.text("x", 0.0), Ok(Some("fast".to_owned())));
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let setting = plain(numbers(&[1.0, 2.0]));
        assert_eq!(setting.integer("x", 1.0), Ok(Some(2)));
        let error = setting.integer("x", 0.5).expect_err("1.5 is between");
        assert_eq!(
            error.to_string(),
            "expected a whole number, found the number `1.5`"
        );
    }

    #[test]
    fn texts_and_numbers_become_booleans_as_in_mergekit() {
        let text = |text: &str| Scalar::Text(text.to_owned()).as_bool();
        assert_eq!(text("Yes"), Some(true));
        assert_eq!(text("f"), Some(false));
        assert_eq!(text("2"), None);
        assert_eq!(Scalar::Number(1.0).as_bool(), Some(true));
        assert_eq!(Scalar::Number(0.5).as_bool(), None);
    }
}
