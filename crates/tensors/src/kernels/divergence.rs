//! How differently two rows distribute their weight.

use super::dot::add_pairwise;
use super::exponential::exp;
use super::{Isa, Kernel, LANES};
use crate::Real;

/// Added to each probability, so that none is zero.
const FLOOR: f64 = 1e-8;

/// The Kullback–Leibler divergence KL(q ‖ p) = Σ qᵢ · ln(qᵢ / pᵢ), in nats, of p = softmax(`a`) + 10⁻⁸ and
/// q = softmax(`b`) + 10⁻⁸; calculated in `f64`, and never negative.
///
/// `room` is overwritten.
///
/// # Panics
/// When the lengths differ.
pub fn divergence<T: Real>(a: &[T], b: &[T], room: &mut Vec<f64>) -> f64 {
    divergence_on(Isa::detected(), a, b, room)
}

/// [`divergence`] on a given instruction set.
///
/// # Panics
/// When the lengths differ.
pub fn divergence_on<T: Real>(isa: Isa, a: &[T], b: &[T], room: &mut Vec<f64>) -> f64 {
    assert_eq!(a.len(), b.len(), "both rows have one length");
    if a.is_empty() {
        return 0.0;
    }
    let padded = a.len().next_multiple_of(LANES);
    room.resize(room.len().max(2 * padded), 0.0);
    let (p, q) = room[..2 * padded].split_at_mut(padded);
    let sums = [
        isa.run(Exponentials {
            values: a,
            powers: p,
        }),
        isa.run(Exponentials {
            values: b,
            powers: q,
        }),
    ];
    isa.run(Divergence {
        p: p.as_chunks().0,
        q: q.as_chunks().0,
        sums,
        len: a.len(),
    })
}

/// Powers of e, relative to the largest, and their sum.
struct Exponentials<'a, T> {
    values: &'a [T],
    /// A whole number of groups; those that are not used become zero.
    powers: &'a mut [f64],
}

impl<T: Real> Kernel for Exponentials<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let largest = largest(self.values).to_f64();
        let mut sums = [0.0; LANES];
        let (groups, rest) = self.values.as_chunks::<LANES>();
        let (powers, last) = self.powers.split_at_mut(groups.len() * LANES);
        for (group, powers) in groups.iter().zip(powers.as_chunks_mut::<LANES>().0) {
            for lane in 0..LANES {
                powers[lane] = exp(group[lane].to_f64() - largest);
                sums[lane] += powers[lane];
            }
        }
        last.fill(0.0);
        let last = last.iter_mut().zip(rest);
        for ((power, value), sum) in last.zip(&mut sums) {
            *power = exp(value.to_f64() - largest);
            *sum += *power;
        }
        add_pairwise(sums)
    }
}

/// The largest of some values; there is at least one.
#[inline(always)]
fn largest<T: Real>(values: &[T]) -> T {
    let mut lanes = [values[0]; LANES];
    let (groups, rest) = values.as_chunks::<LANES>();
    for group in groups {
        for lane in 0..LANES {
            lanes[lane] = larger(group[lane], lanes[lane]);
        }
    }
    let all = rest.iter().chain(&lanes);
    all.fold(values[0], |most, value| larger(*value, most))
}

#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// The sum of (q·ln(q/p) − q + p): the same as that of q·ln(q/p), since both distributions have one sum, but free of
/// cancellation, as each term is positive.
struct Divergence<'a> {
    p: &'a [[f64; LANES]],
    q: &'a [[f64; LANES]],
    sums: [f64; 2],
    len: usize,
}

/// For |s| up to this the series below is exact to rounding.
const NEAR: f64 = 0.125;

/// 1/19, 1/17 and so on down to 1/3.
const ODD: [f64; 9] = [
    1.0 / 19.0,
    1.0 / 17.0,
    1.0 / 15.0,
    1.0 / 13.0,
    1.0 / 11.0,
    1.0 / 9.0,
    1.0 / 7.0,
    1.0 / 5.0,
    1.0 / 3.0,
];

/// A term, for nearly equal p and q, from s = (q−p)/(q+p) and their sum.
///
/// ln(q/p) = 2·artanh s = 2s·(1 + w·R) where w = s² and R = 1/3 + w/5 + w²/7 + …; then
/// q·ln(q/p) − q + p = (p+q)·w·(1 + (s+w)·R).
#[inline(always)]
fn near(s: f64, sum: f64) -> f64 {
    let w = s * s;
    let mut r = ODD[0];
    for coefficient in &ODD[1..] {
        r = r * w + coefficient;
    }
    sum * w * (1.0 + (s + w) * r)
}

/// A term, for any p and q.
#[inline(never)]
fn far(p: f64, q: f64) -> f64 {
    q * libm::log(q / p) - (q - p)
}

impl Kernel for Divergence<'_> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let [of_p, of_q] = self.sums.map(f64::recip);
        let mut total = [0.0; LANES];
        for (group, (p, q)) in self.p.iter().zip(self.q).enumerate() {
            let (mut ps, mut qs, mut ss) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
            let mut terms = [0.0; LANES];
            let mut is_distant = false;
            for lane in 0..LANES {
                ps[lane] = p[lane] * of_p + FLOOR;
                qs[lane] = q[lane] * of_q + FLOOR;
                let sum = qs[lane] + ps[lane];
                ss[lane] = (qs[lane] - ps[lane]) / sum;
                terms[lane] = near(ss[lane], sum);
                is_distant |= ss[lane].abs() > NEAR;
            }
            if is_distant {
                for lane in 0..LANES {
                    if ss[lane].abs() > NEAR {
                        terms[lane] = far(ps[lane], qs[lane]);
                    }
                }
            }
            let used = self.len - group * LANES;
            for lane in 0..LANES {
                total[lane] += if lane < used { terms[lane] } else { 0.0 };
            }
        }
        add_pairwise(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As defined, by the standard library's functions, from differences that do not cancel.
    fn defined(a: &[f64], b: &[f64]) -> f64 {
        let softmax = |values: &[f64]| {
            let largest = values.iter().copied().fold(f64::MIN, f64::max);
            let powers: Vec<f64> = values.iter().map(|x| (x - largest).exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers
                .into_iter()
                .map(|x| x / sum + FLOOR)
                .collect::<Vec<f64>>()
        };
        let terms = softmax(a).into_iter().zip(softmax(b)).map(|(p, q)| {
            let x = (q - p) / p;
            // ln(1+x) − x/(1+x), with its series where it would cancel
            p * if x.abs() < 1e-3 {
                x * x / 2.0 - x.powi(3) / 6.0 + x.powi(4) / 12.0 - x.powi(5) / 20.0
            } else {
                (1.0 + x) * x.ln_1p() - x
            }
        });
        terms.sum()
    }

    fn wave(len: usize, size: f64, step: f64) -> Vec<f64> {
        (0..len).map(|i| size * (i as f64 * step).sin()).collect()
    }

    #[test]
    fn it_is_what_the_definition_says_for_near_and_distant_rows() {
        for len in [2, 15, 16, 17, 100, 3_001] {
            for (size, change, tolerance) in [
                (0.02, 1e-7, 1e-8),
                (0.02, 1e-3, 1e-11),
                (1.0, 0.3, 1e-12),
                (5.0, 20.0, 1e-12),
                (0.0, 600.0, 1e-12),
            ] {
                let a = wave(len, size, 0.7);
                let b: Vec<f64> = a
                    .iter()
                    .zip(wave(len, change, 1.3))
                    .map(|(a, c)| a + c)
                    .collect();
                let expected = defined(&a, &b);
                for isa in Isa::available() {
                    let found = divergence_on(isa, &a, &b, &mut Vec::new());
                    assert!(
                        (found - expected).abs() <= tolerance * expected,
                        "{len} {change}: {found} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_even_odds_against_certainty_diverge_by_ln_2() {
        // q is (1, 0) and p (½, ½): 1 · ln 2, but for the floor
        let found = divergence(&[0.0f32, 0.0], &[0.0, -1000.0], &mut Vec::new());
        assert!((found - std::f64::consts::LN_2).abs() < 1e-6, "{found}");
    }

    #[test]
    fn equal_rows_do_not_diverge_nor_do_those_of_one_element() {
        let row: Vec<f32> = (0..50).map(|i| (i as f32).cos()).collect();
        assert_eq!(divergence(&row, &row, &mut vec![7.0; 3]), 0.0);
        assert_eq!(divergence(&[1.0f32], &[-3.0], &mut Vec::new()), 0.0);
        assert_eq!(divergence::<f32>(&[], &[], &mut Vec::new()), 0.0);
    }

    #[test]
    fn every_instruction_set_finds_the_same() {
        let a: Vec<f32> = wave(1_003, 0.5, 0.7).iter().map(|x| *x as f32).collect();
        let b: Vec<f32> = wave(1_003, 0.6, 0.71).iter().map(|x| *x as f32).collect();
        let expected = divergence_on(Isa::PORTABLE, &a, &b, &mut Vec::new());
        for isa in Isa::available() {
            assert_eq!(
                divergence_on(isa, &a, &b, &mut Vec::new()),
                expected,
                "{isa}"
            );
        }
    }
}
