use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::{relu, tanh};

use crate::definition::of_either_rank;
use crate::sign::{negative_part, positive};

/// The exponential linear unit: `y = x` for `x > 0`, else `y = α (exp(x) − 1)`.
///
/// # Derivation
///
/// ```text
/// y_q = x_q if x_q > 0, else α (exp(x_q) − 1)
/// ∂L/∂x_q = g_q if x_q > 0, else α exp(x_q) g_q
/// ```
///
/// with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own output. For `x ≤ 0`,
/// `α exp(x) = y + α`, so one could do with the output; the sum would lose digits where `y` is close to `−α`, and for
/// `α < 0` the output does not tell the sign of `x`.
///
/// # Conventions
///
/// At `x = 0` the function is differentiable for `α = 1` only. **The gradient there is `α g`**, as in PyTorch.
///
/// The exponential of a positive input is never taken: it could overflow, and an infinity that a mask hides from the
/// output comes back as `0 · ∞` in a gradient.
///
/// Close to 0, `exp(x) − 1` would lose the digits of `x`. From −1 on it is `2 t / (1 − t)` with `t = tanh(x / 2)`, which is
/// the same number and has all of them.
///
/// # Source
///
/// Clevert, Unterthiner and Hochreiter, *Fast and accurate deep network learning by exponential linear units*
/// (arXiv:1511.07289), section 3.
#[derive(Module, Debug)]
pub struct Elu {
    /// `α`.
    pub alpha: f64,
}

/// What [`Elu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct EluSaved<const D: usize> {
    /// `x`.
    pub input: Tensor<D>,
    /// `exp(min(x, 0))`, dearer to compute than to keep.
    pub exponential: Tensor<D>,
}

impl Elu {
    /// The layer with this `α`.
    pub fn new(alpha: f64) -> Self {
        Self { alpha }
    }

    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_saving(input).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, EluSaved<D>) {
        // max(x, 0) and exp(min(x, 0)) − 1: one of the two is 0 for every x.
        let negative = negative_part(input.clone());
        let exponential = negative.clone().exp();
        let close = positive(negative.clone() + 1.0);
        let t = tanh(negative.clamp_min(-1.0) * 0.5);
        let less_one = close.clone() * (t.clone() * 2.0 / (-t + 1.0)) + (-close + 1.0) * (exponential.clone() - 1.0);
        let output = relu(input.clone()) + less_one * self.alpha;
        (output, EluSaved { input, exponential })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: EluSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        let positive = positive(saved.input);
        let slope = saved.exponential * (1.0 - positive.clone()) * self.alpha;
        output_gradient * (positive + slope)
    }
}

of_either_rank! {
    Elu, EluSaved, EluSpec,
    build: |spec| Self::new(spec.alpha),
    sides: |saved| saved.input.clone(),
    operation: |spec| Operation::Elementwise(ElementFunction::Elu { alpha: spec.alpha as f32 }),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("elu", |case: &Case<'_>| Elu::new(case.number("alpha")));
    elementwise_agrees_with_autodiff!(Elu::new(0.7));

    #[test]
    fn small_inputs_keep_their_digits() {
        let layer = Elu::new(0.5);
        let input: [f64; 5] = [-1e-12, -1e-5, -0.3, -0.999, -1.001];
        let output = values(layer.forward(from_values(input.to_vec(), [5])));
        for (x, y) in input.into_iter().zip(output) {
            let expected = 0.5 * x.exp_m1();
            assert!((y - expected).abs() <= 1e-15 * expected.abs(), "{x}: {y}, not {expected}");
        }
    }

    #[test]
    fn large_inputs_leave_no_nan() {
        let layer = Elu::new(1.0);
        let input = from_values(vec![1e4, -1e4], [2]);
        let ones = from_values(vec![1.0; 2], [2]);
        let (output, saved) = layer.forward_saving(input.clone());
        assert_eq!(values(output), [1e4, -1.0]);
        assert_eq!(values(layer.backward(saved, ones.clone())), [1.0, 0.0]);
        let (_, gradient, _) = differentiate(input, ones, |input| layer.forward(input));
        assert_eq!(values(gradient), [1.0, 0.0]);
    }
}
