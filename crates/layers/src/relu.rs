use burn::module::Module;
use burn::tensor::{Tensor, activation::relu};

use crate::definition::of_either_rank;
use crate::sign::positive;

/// The rectifier, `y = max(0, x)` of every element.
///
/// # Derivation
///
/// ```text
/// y_q = x_q if x_q > 0, else 0
/// ∂L/∂x_q = g_q · y'(x_q) = g_q if x_q > 0, else 0
/// ```
///
/// with `g = ∂L/∂y`, for every index `q` of a tensor of any rank. An element reaches only its own output, so that the
/// Jacobian is diagonal and the vectorised result is a mask: `∂L/∂x = g ⊙ [x > 0]`. Since `y > 0` exactly where `x >
/// 0`, the output is enough to know the mask; it is saved anyway as the input of the next layer, and the input may go.
///
/// # Conventions
///
/// At the kink `x = 0` any slope in `[0, 1]` is a subgradient; **the gradient there is 0**, as in Burn, PyTorch and
/// JAX.
///
/// # Notation
///
/// Textbooks write `a = σ(z)` and `δ ← δ ⊙ σ'(z)` (Nielsen's BP2, second factor); `z` is our `x`, `a` our `y`, `σ'` the
/// mask. Source: Nair and Hinton, *Rectified linear units improve restricted Boltzmann machines*, ICML 2010.
#[derive(Module, Debug, Default)]
pub struct Relu;

/// What [`Relu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct ReluSaved<const D: usize> {
    /// `y`.
    pub output: Tensor<D>,
}

impl Relu {
    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        relu(input)
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, ReluSaved<D>) {
        let output = self.forward(input);
        (output.clone(), ReluSaved { output })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: ReluSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        output_gradient * positive(saved.output)
    }
}

of_either_rank! {
    Relu, ReluSaved, ReluSpec,
    build: |_| Self,
    sides: |saved| saved.output.clone(),
    operation: backproof_compiled::Operation::Relu,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("relu", |_: &Case<'_>| Relu);
    elementwise_agrees_with_autodiff!(Relu);

    #[test]
    fn the_gradient_at_zero_is_zero() {
        let input = from_values(vec![-1.0, -0.0, 0.0, 1e-300], [4]);
        let ones = from_values(vec![1.0; 4], [4]);
        let (_, saved) = Relu.forward_saving(input.clone());
        assert_eq!(values(Relu.backward(saved, ones.clone())), [0.0, 0.0, 0.0, 1.0]);
        let (_, gradient, _) = differentiate(input, ones, |input| Relu.forward(input));
        assert_eq!(values(gradient), [0.0, 0.0, 0.0, 1.0]);
    }
}
