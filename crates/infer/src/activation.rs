//! Functions on rows of activations, compiled for the CPU at hand.

use weightsmith_tensors::kernels::{Isa, Kernel};

use crate::config::Activation;
use crate::exponential::exp;

/// Root mean square normalisation of each row of `weight.len()` numbers; `weight` has the family's one added already.
pub(crate) fn rms_norm(rows: &mut [f32], weight: &[f32], epsilon: f32) {
    for row in rows.chunks_exact_mut(weight.len()) {
        Isa::detected().run(Norm {
            row,
            weight,
            epsilon,
        });
    }
}

struct Norm<'a> {
    row: &'a mut [f32],
    weight: &'a [f32],
    epsilon: f32,
}

impl Kernel for Norm<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        const LANES: usize = 16;
        let mut lanes = [0.0_f64; LANES];
        for group in self.row.chunks(LANES) {
            for (lane, value) in lanes.iter_mut().zip(group) {
                *lane += f64::from(*value) * f64::from(*value);
            }
        }
        let mean = lanes.iter().sum::<f64>() / self.row.len() as f64;
        let scale = (1.0 / (mean + f64::from(self.epsilon)).sqrt()) as f32;
        for (value, weight) in self.row.iter_mut().zip(self.weight) {
            *value = *value * scale * weight;
        }
    }
}

/// `gate = activation(gate) · up`.
pub(crate) fn gate(activation: Activation, gate: &mut [f32], up: &[f32]) {
    Isa::detected().run(Gate {
        activation,
        inputs: gate,
        up,
    });
}

struct Gate<'a> {
    activation: Activation,
    inputs: &'a mut [f32],
    up: &'a [f32],
}

impl Kernel for Gate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pairs = self.inputs.iter_mut().zip(self.up);
        match self.activation {
            Activation::Silu => pairs.for_each(|(gate, up)| *gate = silu(*gate) * up),
            Activation::GeluTanh => pairs.for_each(|(gate, up)| *gate = gelu_tanh(*gate) * up),
            Activation::Gelu => pairs.for_each(|(gate, up)| *gate = gelu(*gate) * up),
        }
    }
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), with ½ (1 + tanh(y)) = σ(2y) (Hendrycks and Gimpel 2016).
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    /// 2 √(2/π)
    const SLOPE: f32 = 1.595_769;
    let y = SLOPE * (x + 0.044_715 * x * x * x);
    x / (1.0 + exp(-y))
}

/// x Φ(x), the integral of the normal distribution through the error function.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    let x = f64::from(x);
    (0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2))) as f32
}

/// Squeezes numbers into ± `cap`.
pub(crate) fn soft_cap(values: &mut [f32], cap: f32) {
    for value in values {
        *value = cap * (*value / cap).tanh();
    }
}

/// Adds a vector to each row of its length.
pub(crate) fn add_bias(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        add(row, bias);
    }
}

/// Adds number by number.
pub(crate) fn add(values: &mut [f32], others: &[f32]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value += other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_have_their_known_values() {
        let of = |activation, x: f32| {
            let mut values = [x];
            gate(activation, &mut values, &[1.0]);
            values[0]
        };
        let close = |found: f32, expected: f32| {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        };
        close(of(Activation::Silu, 1.0), 0.731_058_6);
        close(of(Activation::Silu, -200.0), 0.0);
        close(of(Activation::Gelu, 1.0), 0.841_344_7);
        close(of(Activation::GeluTanh, 1.0), 0.841_192);
        close(of(Activation::GeluTanh, -1.0), -0.158_808);
        close(of(Activation::GeluTanh, 50.0), 50.0);
    }

    #[test]
    fn a_normed_row_has_mean_square_one() {
        let mut row = vec![3.0, -4.0, 0.0, 1.0];
        rms_norm(&mut row, &[1.0; 4], 0.0);
        let mean = row.iter().map(|x| x * x).sum::<f32>() / 4.0;
        assert!((mean - 1.0).abs() < 1e-6);
    }
}
