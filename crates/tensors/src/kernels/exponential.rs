//! The exponential function, written so that loops over it are compiled for wide registers.

/// 1.5 · 2⁵²: a number of moderate size that is added to it is rounded to an integer, which then stands in the lowest bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// ln 2 in two parts; products of the first with integers up to 2¹¹ are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_3800);
const LN_2_LOW: f64 = f64::from_bits(0x3d2e_f357_93c7_6730);

/// Arguments below this count as this; e to its power is the smallest that needs no subnormal numbers.
const LEAST: f64 = -708.0;

/// 1/13!, 1/12! and so on down to 1/2!
const FACTORIALS: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];

/// eˣ for x ≤ 709, to within two units in the last place; e⁻⁷⁰⁸ for all x below −708. NaN may become anything.
///
/// eˣ = 2ⁿ · eʳ with the integer n nearest to x / ln 2 and |r| ≤ ln 2 / 2, where eʳ is its Taylor polynomial of degree 13.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let x = if x > LEAST { x } else { LEAST };
    let shifted = x * std::f64::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let mut sum = FACTORIALS[0];
    for factor in &FACTORIALS[1..] {
        sum = sum * r + factor;
    }
    // the two largest terms last: their rounding is all that is left
    let power = 1.0 + (r + r * r * sum);
    let scale = (shifted.to_bits() << 52).wrapping_add(1.0f64.to_bits());
    power * f64::from_bits(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_right_to_two_units_in_the_last_place() {
        for step in 0..200_000 {
            let x = 709.0 - f64::from(step) * 0.007_085;
            let expected = x.exp();
            let unit = expected * f64::EPSILON;
            assert!(
                (exp(x) - expected).abs() <= 2.0 * unit,
                "{x}: {} {expected}",
                exp(x)
            );
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
    }

    #[test]
    fn it_does_not_go_below_its_least_value() {
        assert_eq!(exp(f64::NEG_INFINITY), exp(LEAST));
        assert_eq!(exp(-1e4), exp(LEAST));
        assert!(exp(LEAST) > 0.0 && exp(LEAST) < 1e-307);
    }
}
