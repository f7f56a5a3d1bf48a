use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::definition::of_either_rank;

/// The hyperbolic tangent of every element.
///
/// # Derivation
///
/// ```text
/// y_q = tanh(x_q) = sinh(x_q) / cosh(x_q)
/// ∂y_q/∂x_q = (cosh² − sinh²) / cosh² = 1 − y_q²
/// ∂L/∂x_q = g_q (1 − y_q²)
/// ```
///
/// by the quotient rule, with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own
/// output. In vectors, `∂L/∂x = g ⊙ (1 − y ⊙ y)`; the output is all that is saved.
///
/// # Notation
///
/// LeCun, Bottou, Orr and Müller, *Efficient BackProp*, 1998, section 4.4, recommend `1.7159 tanh(2x/3)`; this is the
/// plain function.
#[derive(Module, Debug, Default)]
pub struct Tanh;

/// What [`Tanh::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct TanhSaved<const D: usize> {
    /// `y`.
    pub output: Tensor<D>,
}

impl Tanh {
    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        input.tanh()
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, TanhSaved<D>) {
        let output = self.forward(input);
        (output.clone(), TanhSaved { output })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: TanhSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        let slope = 1.0 - saved.output.clone() * saved.output;
        output_gradient * slope
    }
}

of_either_rank! {
    Tanh, TanhSaved, TanhSpec,
    build: |_| Self,
    operation: |_| Operation::Elementwise(ElementFunction::Tanh),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("tanh", |_: &Case<'_>| Tanh);
    elementwise_agrees_with_autodiff!(Tanh);
}
