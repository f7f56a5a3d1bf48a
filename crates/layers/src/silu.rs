use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use burn::module::Module;
use burn::tensor::{Tensor, activation::sigmoid};

use crate::definition::of_either_rank;

/// The sigmoid linear unit, `y = x σ(x)` with `σ(x) = 1 / (1 + e⁻ˣ)`, of every element.
///
/// # Derivation
///
/// ```text
/// σ'(x) = σ(x) (1 − σ(x))
/// y_q = x_q σ(x_q)
/// ∂L/∂x_q = g_q (σ(x_q) + x_q σ(x_q) (1 − σ(x_q))) = g_q σ(x_q) (1 + x_q (1 − σ(x_q)))
/// ```
///
/// by the product rule, with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own
/// output. The function is smooth.
///
/// # Precision
///
/// Papers also write `y + σ(x) (1 − y)`. For large `x` that is a large number less almost the same number: from `x = 2²⁴`
/// on it is 0 or 2 in single precision, where 1 is right.
///
/// # Conventions
///
/// This is PyTorch's and Burn's `silu`. With a factor in front of `x` inside of `σ` it is called swish.
///
/// # Source
///
/// Hendrycks and Gimpel, *Gaussian error linear units* (arXiv:1606.08415), section 2; Elfwing, Uchibe and Doya,
/// *Sigmoid-weighted linear units for neural network function approximation in reinforcement learning*
/// (arXiv:1702.03118), equations 4 and 5.
#[derive(Module, Debug, Default)]
pub struct Silu;

/// What [`Silu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct SiluSaved<const D: usize> {
    /// `x`.
    pub input: Tensor<D>,
    /// `σ(x)`.
    pub sigmoid: Tensor<D>,
}

impl Silu {
    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_saving(input).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, SiluSaved<D>) {
        let sigmoid = sigmoid(input.clone());
        (input.clone() * sigmoid.clone(), SiluSaved { input, sigmoid })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: SiluSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        let SiluSaved { input, sigmoid } = saved;
        output_gradient * sigmoid.clone() * (input * (1.0 - sigmoid) + 1.0)
    }
}

of_either_rank! {
    Silu, SiluSaved, SiluSpec,
    build: |_| Self,
    operation: |_| Operation::Elementwise(ElementFunction::Silu),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("silu", |_: &Case<'_>| Silu);
    elementwise_agrees_with_autodiff!(Silu);

    #[test]
    fn the_slope_is_one_far_above_zero_and_none_far_below() {
        let input = from_values(vec![-1e20, -40.0, 0.0, 40.0, 1e20], [5]);
        let (_, saved) = Silu.forward_saving(input);
        let slopes = values(Silu.backward(saved, from_values(vec![1.0; 5], [5])));
        assert_eq!([slopes[0], slopes[2], slopes[4]], [0.0, 0.5, 1.0]);
        assert!((slopes[3] - 1.0).abs() < 1e-14 && slopes[1].abs() < 1e-14, "{slopes:?}");
    }
}
