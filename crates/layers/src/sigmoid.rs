use backproof_compiled::Operation;
use backproof_kernels::ElementFunction;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::definition::of_either_rank;
use crate::sign::{negative_magnitude, negative_part};

/// The logistic function, `y = 1 / (1 + exp(−x))` of every element.
///
/// # Derivation
///
/// ```text
/// y_q = (1 + exp(−x_q))⁻¹
/// ∂y_q/∂x_q = exp(−x_q) / (1 + exp(−x_q))² = y_q (1 − y_q)            since 1 − y = exp(−x) / (1 + exp(−x))
/// ∂L/∂x_q = g_q y_q (1 − y_q)
/// ```
///
/// with `g = ∂L/∂y`, for every index `q` of a tensor of any rank: an element reaches only its own output. In vectors,
/// `∂L/∂x = g ⊙ y ⊙ (1 − y)`; the output is all that is saved.
///
/// # Stability
///
/// `exp(−x)` overflows for very negative `x`. Multiply numerator and denominator by `exp(min(x, 0))`: `y = exp(min(x,
/// 0)) / (1 + exp(−|x|))`. Nothing overflows, and `y` keeps its relative precision down to the smallest number. It is
/// computed in the precision of the input; Burn's default `sigmoid` goes through f32.
///
/// # Notation
///
/// Textbooks write `a = σ(z)` and `σ'(z) = σ(z)(1 − σ(z))` (Nielsen, *Neural Networks and Deep Learning*, chapter 2).
#[derive(Module, Debug, Default)]
pub struct Sigmoid;

/// What [`Sigmoid::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct SigmoidSaved<const D: usize> {
    /// `y`.
    pub output: Tensor<D>,
}

impl Sigmoid {
    /// Any shape to the same shape.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        logistic(input)
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, SigmoidSaved<D>) {
        let output = self.forward(input);
        (output.clone(), SigmoidSaved { output })
    }

    /// `∂L/∂x` from `output_gradient = ∂L/∂y`, both in the shape of the input.
    pub fn backward<const D: usize>(&self, saved: SigmoidSaved<D>, output_gradient: Tensor<D>) -> Tensor<D> {
        let complement = 1.0 - saved.output.clone();
        output_gradient * saved.output * complement
    }
}

/// `1 / (1 + exp(−x)) = exp(min(x, 0)) / (1 + exp(−|x|))`, without overflow.
pub(crate) fn logistic<const D: usize>(input: Tensor<D>) -> Tensor<D> {
    negative_part(input.clone()).exp() / (negative_magnitude(input).exp() + 1.0)
}

of_either_rank! {
    Sigmoid, SigmoidSaved, SigmoidSpec,
    build: |_| Self,
    operation: |_| Operation::Elementwise(ElementFunction::Sigmoid),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    elementwise_agrees_with_pytorch!("sigmoid", |_: &Case<'_>| Sigmoid);

    #[test]
    fn large_inputs_leave_no_nan() {
        let input = from_values(vec![-1e4, -800.0, -40.0, 0.0, 800.0, 1e4], [6]);
        let ones = from_values(vec![1.0; 6], [6]);
        let (output, saved) = Sigmoid.forward_saving(input.clone());
        let tail = (-40f64).exp() / (1.0 + (-40f64).exp());
        assert_close("output", output, from_values(vec![0.0, 0.0, tail, 0.5, 1.0, 1.0], [6]), AUTODIFF);
        let manual = Sigmoid.backward(saved, ones.clone());
        assert_eq!(values(manual.clone())[3], 0.25);
        let (_, gradient, _) = differentiate(input, ones, |input| Sigmoid.forward(input));
        assert_close("gradient", manual, gradient, AUTODIFF);
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, shape in [1..4usize, 1..4usize, 1..6usize], zeros: bool, scale in 0.1..5.0f64) {
            // Up to |x| = 10: beyond, `1 − y` has fewer digits left than the comparison asks for.
            let input = if zeros { few_values(seed, shape) } else { random(seed, shape) } * scale;
            let cotangent = random::<3>(seed ^ 1, shape);
            let (_, saved) = Sigmoid.forward_saving(input.clone());
            let (_, expected, _) = differentiate(input, cotangent.clone(), |input| Sigmoid.forward(input));
            assert_close("input", Sigmoid.backward(saved, cotangent), expected, AUTODIFF);
        }
    }
}
