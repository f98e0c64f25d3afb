//! `--sweep PARAMETER=VALUES`.

use weightsmith::vary::Variable;

/// A sweep has no more values than these: each is a merge.
const MOST: usize = 1000;

/// A parameter and the values that it takes in turn.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Sweep {
    pub(super) variable: Variable,
    /// Never empty.
    pub(super) values: Vec<f64>,
}

impl Sweep {
    /// Reads `t=0:1:0.1` or `t=0,0.25,0.5`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(in super::super) fn parse(text: &str) -> Result<Self, String> {
        let Some((variable, values)) = text.rsplit_once('=') else {
            return Err(format!(
                "`{text}` has no `=`; expected a parameter and its values, as in `t=0:1:0.1`"
            ));
        };
        let variable = variable
            .trim()
            .parse()
            .map_err(|error: weightsmith::vary::VaryError| error.to_string())?;
        let values = if values.contains(':') {
            range(values)?
        } else {
            values
                .split(',')
                .map(number)
                .collect::<Result<Vec<_>, _>>()?
        };
        if values.len() > MOST {
            return Err(too_many(values.len() as f64));
        }
        Ok(Self { variable, values })
    }
}

fn too_many(count: f64) -> String {
    format!("{count:.0} values are too many; the limit is {MOST}")
}

/// `START:END:STEP`, both ends included.
fn range(text: &str) -> Result<Vec<f64>, String> {
    let parts: Vec<&str> = text.split(':').map(str::trim).collect();
    let [start_text, end, step_text] = parts.as_slice() else {
        return Err(format!(
            "`{text}` has {} parts; expected START:END:STEP, as in `0:1:0.1`",
            parts.len()
        ));
    };
    let (start, end, step) = (number(start_text)?, number(end)?, number(step_text)?);
    // a step that the ends are a multiple of, but for rounding
    let steps = ((end - start) / step + 1e-9).floor();
    if steps.is_nan() || step == 0.0 || steps < 0.0 {
        return Err(format!(
            "`{text}`: steps of {step} do not lead from {start} to {end}"
        ));
    }
    if steps >= MOST as f64 {
        return Err(too_many(steps + 1.0));
    }
    let digits = decimals(start_text).max(decimals(step_text));
    Ok((0..=steps as usize)
        .map(|index| rounded(start + index as f64 * step, digits))
        .collect())
}

fn number(text: &str) -> Result<f64, String> {
    let value: Option<f64> = text.trim().parse().ok();
    value
        .filter(|value| value.is_finite())
        .ok_or_else(|| format!("`{text}` is not a number"))
}

/// Digits behind the point; more than any where an exponent makes them hard to tell.
fn decimals(text: &str) -> usize {
    if text.contains(['e', 'E']) {
        return usize::MAX;
    }
    text.split_once('.').map_or(0, |(_, digits)| digits.len())
}

/// 0.3 instead of 0.30000000000000004: a value has no more digits than what it is made of.
fn rounded(value: f64, digits: usize) -> f64 {
    if digits > 15 {
        return value;
    }
    let text = format!("{value:.digits$}");
    // `-0` is a value that nobody meant
    text.parse().map_or(value, |value: f64| value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<f64> {
        Sweep::parse(text).unwrap().values
    }

    fn problem(text: &str) -> String {
        Sweep::parse(text).unwrap_err()
    }

    #[test]
    fn both_ends_count_and_values_are_as_they_would_be_written() {
        let tenths = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
        assert_eq!(values("t=0:1:0.1"), tenths);
        assert_eq!(values("t=1:0:-0.5"), [1.0, 0.5, 0.0]);
        assert_eq!(values("t=0.25:1:0.5"), [0.25, 0.75]);
        assert_eq!(values("t=2:2:1"), [2.0]);
        assert_eq!(values("t=1e-3:3e-3:1e-3").len(), 3);
        let zero = values("t=-0.1:0.1:0.1")[1];
        assert!(zero == 0.0 && zero.is_sign_positive());
    }

    #[test]
    fn lists_are_taken_as_they_are() {
        assert_eq!(values("t=0, 0.25,0.5"), [0.0, 0.25, 0.5]);
        assert_eq!(values("models[1].weight=-1"), [-1.0]);
        let named = Sweep::parse("org/a=b:weight=1,2").unwrap();
        assert_eq!(named.variable.to_string(), "org/a=b:weight");
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(problem("t").contains("`t` has no `=`"));
        assert!(problem("a b=1").contains("`a b` is not a parameter"));
        assert_eq!(problem("t=x"), "`x` is not a number");
        assert_eq!(problem("t="), "`` is not a number");
        assert_eq!(problem("t=nan"), "`nan` is not a number");
        assert_eq!(
            problem("t=0:1"),
            "`0:1` has 2 parts; expected START:END:STEP, as in `0:1:0.1`"
        );
        assert_eq!(
            problem("t=0:1:0"),
            "`0:1:0`: steps of 0 do not lead from 0 to 1"
        );
        assert_eq!(
            problem("t=0:1:-1"),
            "`0:1:-1`: steps of -1 do not lead from 0 to 1"
        );
        assert_eq!(
            problem("t=0:1:0.0001"),
            "10001 values are too many; the limit is 1000"
        );
    }
}
