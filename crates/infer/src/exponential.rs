//! e^x in `f32`, in a form that the compiler turns into vector instructions.

use std::f32::consts::LOG2_E;

/// ln 2, its first bits; multiples of it up to 2^9 are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
/// What is left of ln 2.
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// 1.5 · 2^23: adding it rounds to a whole number, which is then in the low bits.
const ROUNDER: f32 = 12_582_912.0;

/// e^x within two units in the last place; 0 below -87.3, and NaN stays NaN. For x up to 88.
///
/// x = n ln 2 + r with |r| ≤ ½ ln 2, and e^r by the Taylor polynomial of degree 7, whose error is below 2^-27 there.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let clamped = x.clamp(-87.3, 88.0);
    let shifted = clamped * LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = (clamped - n * LN_2_HIGH) - n * LN_2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r / 5040.0)));
    let fraction = 1.0 + (r + r * r * (0.5 + r * tail));
    // 2^n from the bits of its exponent; NaN has none of its own here, but `fraction` is NaN then
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUNDER.to_bits())
        .wrapping_add(127)
        << 23;
    let result = fraction * f32::from_bits(exponent);
    if x < -87.3 { 0.0 } else { result }
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn it_is_the_exponential_function() {
        let mut x = -87.0_f32;
        while x < 88.0 {
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.5e-7, "exp({x}) is {} off by {error}", exp(x));
            x += 0.003_7;
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-100.0), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert!(exp(f32::NAN).is_nan());
    }
}
