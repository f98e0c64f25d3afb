//! Settings of rotary position embeddings, in the old and the new form of `config.json`.

use super::fields::Fields;
use crate::ConfigError;

/// A rotary embedding: how fast each pair of a head's dimensions turns.
#[derive(Debug, Clone, PartialEq)]
pub struct RopeSettings {
    /// The base of the geometric row of wavelengths.
    pub theta: f64,
    /// Dimensions of a head that turn; the others stay as they are.
    pub rotary: usize,
    /// Positions that the model may be given (`max_position_embeddings`).
    pub positions: usize,
    /// How the frequencies are changed for contexts longer than the model was trained on.
    pub kind: RopeKind,
}

/// Ways to stretch rotary embeddings over more positions.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeKind {
    /// As trained.
    Default,
    /// Positions are divided by a factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// The base grows with the length beyond the model's positions ("NTK-aware").
    Dynamic {
        /// How much longer contexts may become.
        factor: f64,
    },
    /// YaRN: slow dimensions are interpolated, fast ones are not, those between in part.
    Yarn {
        /// How much longer contexts may become.
        factor: f64,
        /// Positions the model was first trained on.
        original: usize,
        /// Turns over the original context above which a dimension is left alone.
        beta_fast: f64,
        /// Turns below which it is interpolated fully.
        beta_slow: f64,
        /// The bounds between them are rounded to whole dimensions.
        truncate: bool,
        /// What cosines and sines are multiplied by.
        attention: f64,
    },
    /// As in Llama 3.1: long wavelengths are divided by a factor, those between two bounds in part.
    Llama3 {
        /// The factor.
        factor: f64,
        /// The original context over this is the longest wavelength of the part between.
        low: f64,
        /// The original context over this is its shortest.
        high: f64,
        /// Positions the model was first trained on.
        original: usize,
    },
    /// LongRoPE: a divisor for each dimension, one list for short and one for long contexts.
    Long {
        /// Divisors up to the original context.
        short: Vec<f64>,
        /// Divisors beyond it.
        long: Vec<f64>,
        /// Positions the model was first trained on.
        original: usize,
        /// What cosines and sines are multiplied by.
        attention: f64,
    },
}

/// Where the settings of a rotary embedding are, and what holds where they say nothing.
pub(super) struct RopeFields<'a> {
    /// `rope_parameters`, `rope_scaling`, or nothing.
    pub(super) scaling: Option<Fields<'a>>,
    /// `original_max_position_embeddings` beside them.
    pub(super) original: Option<usize>,
    pub(super) theta: f64,
    pub(super) head_dim: usize,
    pub(super) partial: f64,
    pub(super) positions: usize,
}

impl RopeFields<'_> {
    pub(super) fn read(&self) -> Result<RopeSettings, ConfigError> {
        let Some(scaling) = self.scaling else {
            return self.settings(self.theta, self.partial, RopeKind::Default);
        };
        let theta = scaling.number("rope_theta")?.unwrap_or(self.theta);
        let partial = scaling
            .number("partial_rotary_factor")?
            .unwrap_or(self.partial);
        let kind = self.kind(scaling)?;
        self.settings(theta, partial, kind)
    }

    fn settings(
        &self,
        theta: f64,
        partial: f64,
        kind: RopeKind,
    ) -> Result<RopeSettings, ConfigError> {
        let rotary = (self.head_dim as f64 * partial) as usize;
        if theta <= 0.0 {
            return Err(invalid("rope_theta", theta, "a number above 0"));
        }
        if !rotary.is_multiple_of(2) || rotary == 0 || rotary > self.head_dim {
            return Err(invalid(
                "partial_rotary_factor",
                partial,
                "a share of the head that is an even number of dimensions",
            ));
        }
        if let RopeKind::Long { short, long, .. } = &kind {
            for (name, list) in [("short_factor", short), ("long_factor", long)] {
                if list.len() != rotary / 2 {
                    return Err(invalid(
                        name,
                        format!("{} numbers", list.len()),
                        format!("{} numbers, half of the rotary dimensions", rotary / 2),
                    ));
                }
            }
        }
        Ok(RopeSettings {
            theta,
            rotary,
            positions: self.positions,
            kind,
        })
    }

    fn kind(&self, scaling: Fields<'_>) -> Result<RopeKind, ConfigError> {
        let name = scaling
            .text("rope_type")
            .or_else(|| scaling.text("type"))
            .unwrap_or("default");
        match name {
            "default" => Ok(RopeKind::Default),
            "linear" => Ok(RopeKind::Linear {
                factor: factor(scaling)?,
            }),
            "dynamic" => Ok(RopeKind::Dynamic {
                factor: factor(scaling)?,
            }),
            "llama3" => Ok(RopeKind::Llama3 {
                factor: factor(scaling)?,
                low: scaling.required_number("low_freq_factor")?,
                high: scaling.required_number("high_freq_factor")?,
                original: self.original_positions(scaling)?,
            }),
            "yarn" => self.yarn(scaling),
            "longrope" | "su" => self.long(scaling),
            other => Err(invalid(
                "rope_type",
                other,
                "default, linear, dynamic, yarn, llama3 or longrope",
            )),
        }
    }

    /// Peng et al. 2023, "YaRN: Efficient Context Window Extension of Large Language Models", section 3.
    fn yarn(&self, scaling: Fields<'_>) -> Result<RopeKind, ConfigError> {
        let original = self.original_positions(scaling)?;
        let factor = match scaling.number("factor")? {
            Some(factor) => factor,
            None => self.positions as f64 / original as f64,
        };
        let temperature = |weight: f64| {
            if factor <= 1.0 {
                1.0
            } else {
                0.1 * weight * factor.ln() + 1.0
            }
        };
        let attention = match (
            scaling.number("attention_factor")?,
            scaling.number("mscale")?.filter(|&scale| scale != 0.0),
            scaling
                .number("mscale_all_dim")?
                .filter(|&scale| scale != 0.0),
        ) {
            (Some(attention), _, _) => attention,
            (None, Some(scale), Some(all)) => temperature(scale) / temperature(all),
            _ => temperature(1.0),
        };
        Ok(RopeKind::Yarn {
            factor,
            original,
            beta_fast: scaling.number("beta_fast")?.unwrap_or(32.0),
            beta_slow: scaling.number("beta_slow")?.unwrap_or(1.0),
            truncate: scaling.flag("truncate", true)?,
            attention,
        })
    }

    /// Ding et al. 2024, "LongRoPE: Extending LLM Context Window Beyond 2 Million Tokens".
    fn long(&self, scaling: Fields<'_>) -> Result<RopeKind, ConfigError> {
        let original = self.original_positions(scaling)?;
        let factor = match scaling.number("factor")? {
            Some(factor) => factor,
            None => self.positions as f64 / original as f64,
        };
        let list = |name: &str| {
            scaling
                .numbers(name)?
                .ok_or_else(|| ConfigError::Missing(name.to_owned()))
        };
        let attention = match scaling.number("attention_factor")? {
            Some(attention) => attention,
            None if factor <= 1.0 => 1.0,
            None => (1.0 + factor.ln() / (original as f64).ln()).sqrt(),
        };
        Ok(RopeKind::Long {
            short: list("short_factor")?,
            long: list("long_factor")?,
            original,
            attention,
        })
    }

    fn original_positions(&self, scaling: Fields<'_>) -> Result<usize, ConfigError> {
        let own = scaling.count("original_max_position_embeddings")?;
        Ok(self.original.or(own).unwrap_or(self.positions))
    }
}

fn factor(scaling: Fields<'_>) -> Result<f64, ConfigError> {
    let factor = scaling.required_number("factor")?;
    if factor > 0.0 {
        Ok(factor)
    } else {
        Err(invalid("factor", factor, "a number above 0"))
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "texts and numbers as they come"
)]
fn invalid(field: &str, found: impl ToString, expected: impl ToString) -> ConfigError {
    ConfigError::Invalid {
        field: field.to_owned(),
        found: found.to_string(),
        expected: expected.to_string(),
    }
}
