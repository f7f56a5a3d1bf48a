use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::definition::of_either_rank;

/// A fixed factor, `y = f x` of every element: of logits before a softmax, for one.
///
/// # Derivation
///
/// ```text
/// y_q = f x_q
/// ∂L/∂x_q = f g_q
/// ```
///
/// with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own output. The factor is
/// no parameter, and has no gradient.
///
/// # Source
///
/// Before a softmax it is the reciprocal of the *temperature* of Hinton, Vinyals and Dean, *Distilling the knowledge in
/// a neural network* (arXiv:1503.02531), equation 1.
#[derive(Module, Debug)]
pub struct Scale {
    /// `f`.
    pub factor: f64,
}

/// What [`Scale::backward`] needs of the forward pass: nothing but the rank.
#[derive(Debug, Clone)]
pub struct ScaleSaved<const D: usize>;

impl Scale {
    /// The layer with this factor.
    pub fn new(factor: f64) -> Self {
        Self { factor }
    }

    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        input * self.factor
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, ScaleSaved<D>) {
        (self.forward(input), ScaleSaved)
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, _saved: ScaleSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        output_gradient * self.factor
    }
}

of_either_rank! {
    Scale, ScaleSaved, ScaleSpec,
    build: |spec| Self::new(spec.factor),
    operation: |spec| Operation::Elementwise(ElementFunction::Scale { factor: spec.factor as f32 }),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("scale", |case: &Case<'_>| Scale::new(case.number("factor")));
    elementwise_agrees_with_autodiff!(Scale::new(-0.3));
}
