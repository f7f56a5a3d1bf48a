use burn::module::Module;
use burn::tensor::{Tensor, activation::relu};

use crate::definition::of_either_rank;
use crate::sign::{not_negative, positive};

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
/// At the kink `x = 0` any slope in `[0, 1]` is a subgradient; **the gradient there is 0**, as in the functions `relu`
/// of Burn, PyTorch and JAX, unless [`passes_zero`](Self::passes_zero) makes it 1. (`jnp.maximum(x, 0)` has ½ in JAX.)
/// One of the published solutions of the course has the mask `[x ≥ 0]`. Then `∂L/∂x = g ⊙ [x ≥ 0]`, and the mask is
/// saved: `y = 0` does not say whether `x` was 0 or below. The forward pass is the same.
///
/// # Notation
///
/// Textbooks write `a = σ(z)` and `δ ← δ ⊙ σ'(z)` (Nielsen's BP2, second factor); `z` is our `x`, `a` our `y`, `σ'` the
/// mask. Source: Nair and Hinton, *Rectified linear units improve restricted Boltzmann machines*, ICML 2010.
#[derive(Module, Debug, Default)]
pub struct Relu {
    /// Whether the gradient at `x = 0` is 1, and not 0.
    pub passes_zero: bool,
}

/// What [`Relu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct ReluSaved<const D: usize> {
    /// `y`.
    pub output: Tensor<D>,
    /// `[x ≥ 0]`, where the gradient at 0 is 1.
    pub passes: Option<Tensor<D>>,
}

impl Relu {
    /// The layer with this gradient at 0: 1 if `passes_zero`, else 0.
    pub fn new(passes_zero: bool) -> Self {
        Self { passes_zero }
    }

    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        // Autodiff cuts off what a bound changes, and 0 is not below 0.
        if self.passes_zero { input.clamp_min(0) } else { relu(input) }
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, ReluSaved<D>) {
        let passes = self.passes_zero.then(|| not_negative(input.clone()));
        let output = self.forward(input);
        (output.clone(), ReluSaved { output, passes })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: ReluSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        output_gradient * saved.passes.unwrap_or_else(|| positive(saved.output))
    }
}

of_either_rank! {
    Relu, ReluSaved, ReluSpec,
    build: |spec| Self::new(spec.gradient_at_zero == 1),
    sides: |saved| saved.passes.clone().unwrap_or_else(|| saved.output.clone()),
    operation: |spec| match spec.gradient_at_zero {
        0 => backproof_compiled::Operation::Relu,
        _ => backproof_compiled::Operation::ReluPassingZero,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("relu", |_: &Case<'_>| Relu::default());
    elementwise_agrees_with_autodiff!(Relu::default());

    mod that_passes_zero {
        use super::*;

        elementwise_agrees_with_autodiff!(Relu::new(true));
    }

    /// The gradients at −1, −0, 0 and 10⁻³⁰⁰, by hand and by autodiff.
    fn assert_gradients(layer: &Relu, expected: [f64; 4]) {
        let input = from_values(vec![-1.0, -0.0, 0.0, 1e-300], [4]);
        let ones = from_values(vec![1.0; 4], [4]);
        let (output, saved) = layer.forward_saving(input.clone());
        assert_eq!(values(output), [0.0, 0.0, 0.0, 1e-300]);
        assert_eq!(values(layer.backward(saved, ones.clone())), expected);
        let (output, gradient, _) = differentiate(input, ones, |input| layer.forward(input));
        assert_eq!(values(output), [0.0, 0.0, 0.0, 1e-300]);
        assert_eq!(values(gradient), expected);
    }

    #[test]
    fn the_gradient_at_zero_is_zero() {
        assert_gradients(&Relu::default(), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn the_gradient_at_zero_is_one_where_the_layer_passes_it() {
        assert_gradients(&Relu::new(true), [0.0, 1.0, 1.0, 1.0]);
    }
}
