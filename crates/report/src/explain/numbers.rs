//! Numbers as explanations show them.

/// A number with up to three decimals, more only where it would read as zero.
pub(super) fn number_text(number: f64) -> String {
    if number != 0.0 && number.abs() < 0.0005 {
        return format!("{number:e}");
    }
    let text = format!("{number:.3}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

/// `494 M`, `7.62 B`.
pub(super) fn magnitude(number: u64) -> String {
    let scales = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")];
    let number = number as f64;
    let Some((scale, letter)) = scales.into_iter().find(|(scale, _)| number >= *scale) else {
        return format!("{number}");
    };
    let scaled = number / scale;
    let decimals = if scaled < 9.995 {
        2
    } else {
        usize::from(scaled < 99.95)
    };
    format!("{scaled:.decimals$} {letter}")
}

/// Each share as a part of the sum of their sizes.
pub(crate) fn in_proportion(shares: &[f64]) -> Vec<f64> {
    let total: f64 = shares.iter().map(|share| share.abs()).sum();
    if total > 0.0 {
        shares.iter().map(|share| share / total).collect()
    } else {
        shares.to_vec()
    }
}

/// `25 %`; with a decimal where that is needed to tell it from 0 and 100.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let rounded = percent.round();
    if (percent - rounded).abs() > 0.05 && (rounded == 0.0 || rounded == 100.0) {
        format!("{percent:.1} %")
    } else {
        format!("{rounded:.0} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_rounded_to_zero() {
        for (number, text) in [
            (0.5, "0.5"),
            (0.0, "0"),
            (1.0, "1"),
            (0.1304, "0.13"),
            (1e-5, "1e-5"),
            (-0.25, "-0.25"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn parameters_are_counted_with_three_digits() {
        for (number, text) in [
            (999, "999"),
            (2_567_040, "2.57 M"),
            (494_032_768, "494 M"),
            (7_615_616_512, "7.62 B"),
        ] {
            assert_eq!(magnitude(number), text);
        }
    }
}
