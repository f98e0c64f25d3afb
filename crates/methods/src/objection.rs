//! Why a method cannot work with an operation, in terms that callers can act on.

use std::fmt;

use crate::{Parameter, ParameterScope, ParameterType};

/// Why a method cannot work with the sources and parameters of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Objection {
    /// Names of the parameters that are to blame, the most likely one first; none where the sources are.
    pub parameters: Vec<&'static str>,
    /// Position of the source whose parameters they are; none where they are the merge's, or those of several sources.
    pub source: Option<usize>,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with an operation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    /// A parameter without default has no value, or one of another kind.
    #[error("`{parameter}` is not set")]
    NotSet {
        /// Its name.
        parameter: &'static str,
    },
    /// A method cannot work with the value of a parameter.
    #[error("`{parameter}` is {value}, expected {expected}")]
    Unusable {
        /// Its name.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// The weights are to be divided by their sum, which is zero to within rounding.
    #[error("the weights sum to {sum}, and `{switch}: true` divides by it")]
    Cancelled {
        /// Their sum.
        sum: f64,
        /// Name of the parameter that asks for the division.
        switch: &'static str,
    },
    /// Elements are to stay with probabilities that are none.
    #[error(
        "`density` is {density} and `epsilon` is {epsilon}: elements are kept with probabilities from {density} - {epsilon} to {density} + {epsilon}, which must lie between 0 and 1, so `epsilon` must be less than {:.3} here",
        density.min(1.0 - density)
    )]
    Probabilities {
        /// The mean probability.
        density: f64,
        /// How far the others are from it.
        epsilon: f64,
    },
    /// The method compares tensors with the base's, which has none of that name.
    #[error("the base model has no tensor `{tensor}`, which `{method}` compares the others with")]
    NoBase {
        /// Name of the tensor.
        tensor: String,
        /// Name of the method.
        method: String,
    },
    /// No model is merged into the base.
    #[error("there is no model besides the base")]
    NoModels,
    /// There are too many or too few models besides the base.
    #[error("`{method}` merges {expected} models besides the base, found {found}")]
    Models {
        /// Name of the method.
        method: String,
        /// How many it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Objection {}

impl Objection {
    /// To the sources, whatever the parameters are.
    pub fn to_sources(reason: Reason) -> Self {
        Self {
            parameters: Vec::new(),
            source: None,
            reason,
        }
    }

    /// To the value of a parameter.
    pub fn to_value<V: ParameterType + ?Sized, S: ParameterScope>(
        parameter: Parameter<V, S>,
        value: f64,
        expected: &'static str,
    ) -> Self {
        let parameter = parameter.name();
        Self {
            parameters: vec![parameter],
            source: None,
            reason: Reason::Unusable {
                parameter,
                value,
                expected,
            },
        }
    }

    /// The same for the parameters of one source.
    #[must_use]
    pub fn of_source(self, source: usize) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }
}
