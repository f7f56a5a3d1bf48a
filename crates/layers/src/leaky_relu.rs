use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::definition::of_either_rank;
use crate::sign::positive;

/// The leaky rectifier: `y = x` for `x > 0`, else `y = a x` with a fixed slope `a`.
///
/// # Derivation
///
/// ```text
/// y_q = x_q if x_q > 0, else a x_q
/// ∂L/∂x_q = g_q if x_q > 0, else a g_q
/// ```
///
/// with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own output. In vectors,
/// with `s = [x > 0] + a [x ≤ 0]`, `y = x ⊙ s` and `∂L/∂x = g ⊙ s`.
///
/// # Conventions
///
/// At the kink `x = 0` **the gradient is `a g`**, as in PyTorch. With `a = 0` this is [`Relu`](crate::Relu), at the
/// kink too.
///
/// # Source
///
/// Maas, Hannun and Ng, *Rectifier nonlinearities improve neural network acoustic models*, ICML 2013
/// (with `a = 0.01`).
#[derive(Module, Debug)]
pub struct LeakyRelu {
    /// `a`.
    pub slope: f64,
}

/// What [`LeakyRelu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct LeakyReluSaved<const D: usize> {
    /// `s`, in the shape of `x`.
    pub slopes: Tensor<D>,
}

impl LeakyRelu {
    /// The layer with this slope for negative inputs.
    pub fn new(slope: f64) -> Self {
        Self { slope }
    }

    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_saving(input).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, LeakyReluSaved<D>) {
        let positive = positive(input.clone());
        let slopes: Tensor<D> = positive.clone() + (1.0 - positive) * self.slope;
        (input * slopes.clone(), LeakyReluSaved { slopes })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: LeakyReluSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        output_gradient * saved.slopes
    }
}

of_either_rank! {
    LeakyRelu, LeakyReluSaved, LeakyReluSpec,
    build: |spec| Self::new(spec.slope),
    sides: |saved| saved.slopes.clone() - 1,
    operation: |spec| Operation::Elementwise(ElementFunction::LeakyRelu { slope: spec.slope as f32 }),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("leaky_relu", |case: &Case<'_>| LeakyRelu::new(case.number("slope")));
    elementwise_agrees_with_autodiff!(LeakyRelu::new(0.01));

    #[test]
    fn the_gradient_at_zero_is_the_slope() {
        let layer = LeakyRelu::new(0.25);
        let (_, saved) = layer.forward_saving(from_values(vec![-1.0, 0.0, 1.0], [3]));
        assert_eq!(values(layer.backward(saved, from_values(vec![1.0; 3], [3]))), [0.25, 0.25, 1.0]);
    }
}
