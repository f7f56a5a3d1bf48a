use std::f64::consts::{FRAC_1_SQRT_2, PI};

use crate::definition::of_either_rank;
use burn::module::Module;
use burn::tensor::Tensor;

/// The Gaussian error linear unit, exact: `y = x Φ(x)` with the distribution function of the standard normal
/// distribution.
///
/// # Derivation
///
/// ```text
/// Φ(x) = ½ (1 + erf(x / √2))           φ(x) = Φ'(x) = exp(−x² / 2) / √(2π)
/// y_q = x_q Φ(x_q)
/// ∂L/∂x_q = g_q (Φ(x_q) + x_q φ(x_q))
/// ```
///
/// by the product rule, with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own
/// output. The function is smooth.
///
/// # Conventions
///
/// This is PyTorch's `approximate="none"`. The approximation by `tanh` is another function: its slope differs from this
/// one's by up to 8.7e-4 (near `|x| = 2.02`), and has the other sign near `x = −0.752`. The forward pass is therefore
/// written with `erf`, whose derivative Burn's autodiff knows on every backend, rather than with Burn's `gelu`.
///
/// # Source
///
/// Hendrycks and Gimpel, *Gaussian error linear units* (arXiv:1606.08415), section 2.
#[derive(Module, Debug, Default)]
pub struct Gelu;

/// What [`Gelu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct GeluSaved<const D: usize> {
    /// `x`.
    pub input: Tensor<D>,
    /// `Φ(x)`, dearer to compute than to keep.
    pub distribution: Tensor<D>,
}

impl Gelu {
    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_saving(input).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, GeluSaved<D>) {
        let distribution = distribution(input.clone());
        (input.clone() * distribution.clone(), GeluSaved { input, distribution })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: GeluSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        let GeluSaved { input, distribution } = saved;
        let density = (input.clone() * input.clone() * -0.5).exp() * (1.0 / (2.0 * PI).sqrt());
        output_gradient * (distribution + input * density)
    }
}

/// `Φ(x)`.
fn distribution<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    ((input * FRAC_1_SQRT_2).erf() + 1.0) * 0.5
}

of_either_rank! { Gelu, GeluSaved, GeluSpec, build: |_| Self }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("gelu", |_: &Case<'_>| Gelu);
    elementwise_agrees_with_autodiff!(Gelu);

    #[test]
    fn the_slope_is_not_that_of_the_tanh_approximation() {
        let x = 2.02;
        let (_, saved) = Gelu.forward_saving(from_values(vec![x], [1]));
        let slope = values(Gelu.backward(saved, from_values(vec![1.0], [1])))[0];

        let (a, b) = ((2.0 / PI).sqrt(), 0.044715);
        let t = (a * (x + b * x * x * x)).tanh();
        let approximate = 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * a * (1.0 + 3.0 * b * x * x);
        assert!((slope - approximate).abs() > 8e-4, "{slope} against {approximate}");
    }
}
