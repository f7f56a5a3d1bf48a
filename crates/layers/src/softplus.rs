use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use burn::module::Module;
use burn::tensor::{
    Tensor,
    activation::{log_sigmoid, sigmoid},
};

use crate::definition::of_either_rank;

/// Softplus, `y = ln(1 + eˣ)` of every element: a smooth ReLU.
///
/// # Derivation
///
/// ```text
/// y_q = ln(1 + exp(x_q))
/// ∂L/∂x_q = g_q exp(x_q) / (1 + exp(x_q)) = g_q σ(x_q)          σ(x) = 1 / (1 + e⁻ˣ)
/// ```
///
/// by the chain rule, with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own
/// output. The function is smooth.
///
/// # Precision
///
/// `exp` overflows for large `x`, where `y` is `x`. The forward pass is therefore `−ln σ(−x)`, which Burn computes
/// without a large exponential.
///
/// # Conventions
///
/// This is PyTorch's `softplus` with `beta = 1`, which returns `x` itself above a threshold of 20; the difference is
/// less than 3e-9.
///
/// # Source
///
/// Dugas, Bengio, Bélisle, Nadeau and Garcia, *Incorporating second-order functional knowledge for better option
/// pricing*, NIPS 2000, equation 3.
#[derive(Module, Debug, Default)]
pub struct Softplus;

/// What [`Softplus::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct SoftplusSaved<const D: usize> {
    /// `x`.
    pub input: Tensor<D>,
}

impl Softplus {
    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        -log_sigmoid(-input)
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, SoftplusSaved<D>) {
        (self.forward(input.clone()), SoftplusSaved { input })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: SoftplusSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        output_gradient * sigmoid(saved.input)
    }
}

of_either_rank! {
    Softplus, SoftplusSaved, SoftplusSpec,
    build: |_| Self,
    operation: |_| Operation::Elementwise(ElementFunction::Softplus),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("softplus", |_: &Case<'_>| Softplus);
    elementwise_agrees_with_autodiff!(Softplus);

    #[test]
    fn large_numbers_neither_overflow_nor_vanish() {
        let (output, _) = Softplus.forward_saving(from_values(vec![-800.0, 0.0, 800.0], [3]));
        assert_eq!(values(output), [0.0, 2f64.ln(), 800.0]);
    }
}
