use std::f64::consts::{FRAC_1_SQRT_2, PI};

use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use backproof_spec::GeluApproximation;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::definition::of_either_rank;
use crate::sigmoid::logistic;

/// The Gaussian error linear unit, `y = x Φ(x)` with the distribution function of the standard normal distribution, or
/// with an approximation of it.
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
/// The approximation has a logistic function in the place of `Φ`: with `½ (1 + tanh u) = σ(2u)`,
///
/// ```text
/// u(x) = √(2/π) (x + 0.044715 x³)      u'(x) = √(2/π) (1 + 3 · 0.044715 x²)
/// Φ(x) ≈ ½ (1 + tanh u(x)) = σ(2 u(x))
/// φ(x) ≈ 2 u'(x) σ(2u) (1 − σ(2u))                                          since σ' = σ (1 − σ)
/// ```
///
/// and the gradient reads the same. Both forward passes save `x` and the factor of `x`, `Φ(x)` or `σ(2 u(x))`.
///
/// # Precision
///
/// `1 + tanh u` has no digits left where `u` is very negative; `σ(2u)` keeps them all. The cube of a large number
/// overflows, and an infinity that `σ` hides from the output comes back as `0 · ∞` in a gradient. So `u` is of `x`
/// within ±30: beyond, `σ(2u)` is 0 or 1 in double precision, and its slope is 0.
///
/// # Conventions
///
/// These are PyTorch's `approximate="none"` and `approximate="tanh"`. They are two functions: the slopes differ by up
/// to 8.7e-4 (near `|x| = 2.02`), and have other signs near `x = −0.752`. The exact forward pass is written with `erf`,
/// whose derivative Burn's autodiff knows on every backend, rather than with Burn's `gelu`.
///
/// # Source
///
/// Hendrycks and Gimpel, *Gaussian error linear units* (arXiv:1606.08415), section 2, which has the approximation too.
#[derive(Module, Debug, Default)]
pub struct Gelu {
    /// Whether `Φ` is approximated by `tanh`.
    pub tanh: bool,
}

/// The factor of `x³` in the approximation.
const CUBIC: f64 = 0.044_715;

/// Where the approximation's `σ` is 0 or 1.
const SATURATED: f64 = 30.0;

/// What [`Gelu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct GeluSaved<const D: usize> {
    /// `x`.
    pub input: Tensor<D>,
    /// `Φ(x)`, or its approximation: dearer to compute than to keep.
    pub distribution: Tensor<D>,
}

impl Gelu {
    /// The layer with `Φ` itself, or with its approximation by `tanh`.
    pub fn new(tanh: bool) -> Self {
        Self { tanh }
    }

    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_saving(input).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, GeluSaved<D>) {
        let distribution = if self.tanh {
            let x = within(input.clone());
            let cubic = x.clone() * x.clone() * x.clone() * CUBIC;
            logistic((x + cubic) * (2.0 * rate()))
        } else {
            ((input.clone() * FRAC_1_SQRT_2).erf() + 1.0) * 0.5
        };
        (input.clone() * distribution.clone(), GeluSaved { input, distribution })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: GeluSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        let GeluSaved { input, distribution } = saved;
        let (x, density) = if self.tanh {
            let x = within(input);
            let slope = (x.clone() * x.clone() * (3.0 * CUBIC) + 1.0) * (2.0 * rate());
            (x, slope * distribution.clone() * (1.0 - distribution.clone()))
        } else {
            let density = (input.clone() * input.clone() * -0.5).exp() * (1.0 / (2.0 * PI).sqrt());
            (input, density)
        };
        output_gradient * (distribution + x * density)
    }
}

/// `√(2/π)`.
fn rate() -> f64 {
    (2.0 / PI).sqrt()
}

/// `x`, but no further from 0 than where the approximation is saturated.
fn within<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    input.clamp(-SATURATED, SATURATED)
}

of_either_rank! {
    Gelu, GeluSaved, GeluSpec,
    build: |spec| Self::new(spec.approximate == GeluApproximation::Tanh),
    operation: |spec| Operation::Elementwise(match spec.approximate {
        GeluApproximation::None => ElementFunction::Gelu,
        GeluApproximation::Tanh => ElementFunction::GeluTanh,
    }),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("gelu", |case: &Case<'_>| Gelu::new(case.number("tanh") != 0.0));
    elementwise_agrees_with_autodiff!(Gelu::default());

    mod by_tanh {
        use super::*;

        elementwise_agrees_with_autodiff!(Gelu::new(true));
    }

    /// The slopes at these numbers, by hand.
    fn slopes(layer: &Gelu, x: Vec<f64>) -> Vec<f64> {
        let count = x.len();
        let (_, saved) = layer.forward_saving(from_values(x, [count]));
        values(layer.backward(saved, from_values(vec![1.0; count], [count])))
    }

    #[test]
    fn the_two_are_different_functions() {
        let [exact, approximate] = [false, true].map(|tanh| slopes(&Gelu::new(tanh), vec![2.02])[0]);
        assert!((exact - approximate).abs() > 8e-4, "{exact} against {approximate}");
    }

    #[test]
    fn large_inputs_leave_no_nan() {
        let x = vec![-1e200, -40.0, 0.0, 40.0, 1e200];
        for tanh in [false, true] {
            let layer = Gelu::new(tanh);
            assert_eq!(slopes(&layer, x.clone()), [0.0, 0.0, 0.5, 1.0, 1.0]);
            let (input, ones) = (from_values(x.clone(), [5]), from_values(vec![1.0; 5], [5]));
            let (output, gradient, _) = differentiate(input, ones, |input| layer.forward(input));
            assert_eq!(values(output), [0.0, 0.0, 0.0, 40.0, 1e200]);
            assert_eq!(values(gradient), [0.0, 0.0, 0.5, 1.0, 1.0]);
        }
    }

    /// Where `1 + tanh u` would be 0.
    #[test]
    fn the_approximation_keeps_its_digits_far_below_zero() {
        let (output, _) = Gelu::new(true).forward_saving(from_values(vec![-10.0], [1]));
        let u = rate() * (10.0 + CUBIC * 1000.0);
        let expected = -10.0 * (-2.0 * u).exp();
        assert_close("output", output, from_values(vec![expected], [1]), PYTORCH);
    }
}
