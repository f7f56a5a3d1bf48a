use backproof_spec::{self as spec, TracedLayer};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::definition::{Definition, forwards_of_either_rank};
use crate::row_norm::{RowNormGradients, RowNormSaved, normalize, normalize_backward};
use crate::{Features, Initial, Ranked};

/// Layer normalisation: all numbers of a sample are brought to mean 0 and variance 1, then each is scaled by its own `γ`
/// and shifted by its own `β`.
///
/// # Derivation
///
/// A sample is a row of `M` elements, whatever its shape. With `μ`, `v` and `r` of the row,
///
/// ```text
/// x̂_q = (x_q − μ) r
/// y_q = γ_q x̂_q + β_q
/// ```
///
/// With `g = ∂L/∂y` and `ĝ_q = γ_q g_q`, the input's gradient is that of [`GroupNorm`](crate::GroupNorm) with one group:
///
/// ```text
/// ∂L/∂x_q = r (ĝ_q − (1/M) Σ_p ĝ_p − x̂_q (1/M) Σ_p ĝ_p x̂_p)             over the elements p of the sample
/// ∂L/∂γ_q = Σ_n g_nq x̂_nq                                               over the samples n
/// ∂L/∂β_q = Σ_n g_nq
/// ```
///
/// # Conventions
///
/// The variance is the biased one, `1/M`. This is PyTorch's `LayerNorm` over the whole shape of a sample; there `γ` and
/// `β` have that shape, and here they lie flat, `[M]`.
///
/// # Source
///
/// Ba, Kiros and Hinton, *Layer normalization* (arXiv:1607.06450), equations 3 and 4: their gain `g` and bias `b` are
/// our `γ` and `β`, their `H` our `M`. They have no `ε`.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `γ`, of shape `[M]`.
    pub gamma: Param<Tensor<1>>,
    /// `β`, of shape `[M]`.
    pub beta: Param<Tensor<1>>,
    /// `ε`.
    pub epsilon: f64,
}

impl LayerNorm {
    /// The layer with these values of `γ` and `β`, both of shape `[M]`.
    ///
    /// # Panics
    ///
    /// Panics if `γ` and `β` differ in length, or if `epsilon` is not positive.
    pub fn new(gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Self {
        assert_eq!(gamma.dims(), beta.dims(), "γ and β must have an element for each number of a sample");
        assert!(epsilon > 0.0, "ε must be positive, not {epsilon}");
        Self { gamma: Param::from_tensor(gamma), beta: Param::from_tensor(beta), epsilon }
    }

    /// `[N, …]` to the same shape.
    ///
    /// # Panics
    ///
    /// Panics if a sample has another number of elements than `γ`.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_saving(input).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, RowNormSaved) {
        let (shape, [elements]) = (input.dims(), self.gamma.dims());
        assert_eq!(shape[1..].iter().product::<usize>(), elements, "{elements} elements expected in {shape:?}");
        let saved = normalize(input.reshape([shape[0], elements]), self.epsilon);
        let output = saved.normalized.clone() * self.gamma.val().unsqueeze::<2>() + self.beta.val().unsqueeze::<2>();
        (output.reshape(shape), saved)
    }

    /// The gradients, from `output_gradient = ∂L/∂y` in the shape of the output.
    pub fn backward<const D: usize>(&self, saved: RowNormSaved, output_gradient: Tensor<D>) -> RowNormGradients<D> {
        let (shape, rows) = (output_gradient.dims(), saved.normalized.dims());
        let gradient = output_gradient.reshape(rows);
        let scaled = gradient.clone() * self.gamma.val().unsqueeze::<2>();
        RowNormGradients {
            gamma: (gradient.clone() * saved.normalized.clone()).sum_dim(0).squeeze_dim(0),
            beta: gradient.sum_dim(0).squeeze_dim(0),
            input: normalize_backward(saved, scaled).reshape(shape),
        }
    }
}

impl Definition for LayerNorm {
    type Spec = spec::LayerNormSpec;
    type Saved = Ranked<RowNormSaved, RowNormSaved>;

    const TRAINABLE: bool = true;

    fn build(spec: &Self::Spec, traced: &TracedLayer, initial: Initial<'_>) -> Self {
        let elements = traced.input.elements();
        Self::new(Tensor::ones([elements], initial.device), initial.zeros(elements), spec.epsilon)
    }

    forwards_of_either_rank! {}

    fn backward(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        match saved {
            Ranked::Images(saved) => {
                let found = self.backward(saved, gradient.images());
                Ranked::Images(found.register(&self.gamma, &self.beta, gradients))
            }
            Ranked::Vectors(saved) => {
                let found = self.backward(saved, gradient.vectors());
                Ranked::Vectors(found.register(&self.gamma, &self.beta, gradients))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn check<const D: usize>(case: &Case<'_>) {
        let layer = |engine: Engine| {
            let [gamma, beta] = ["gamma", "beta"].map(|name| engine.on_device(case.tensor(name)));
            LayerNorm::new(gamma, beta, case.number("epsilon"))
        };
        let manual = layer(Engine::Manual);
        let (output, saved) = manual.forward_saving(case.tensor::<D>("input"));
        let gradients = manual.backward(saved, case.tensor::<D>("cotangent"));
        case.assert("output", output);
        case.assert("input_gradient", gradients.input);
        case.assert("gamma_gradient", gradients.gamma);
        case.assert("beta_gradient", gradients.beta);

        let autodiff = layer(Engine::Autodiff);
        let (output, input, gradients) =
            differentiate(case.tensor::<D>("input"), case.tensor("cotangent"), |input| autodiff.forward(input));
        case.assert("output", output);
        case.assert("input_gradient", input);
        case.assert("gamma_gradient", autodiff.gamma.val().grad(&gradients).unwrap());
        case.assert("beta_gradient", autodiff.beta.val().grad(&gradients).unwrap());
    }

    #[test]
    fn agrees_with_pytorch() {
        for_every_case!("layer_norm", check);
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, samples in 1..4usize, shape in [1..4usize, 3..7usize]) {
            let elements = shape[0] * shape[1];
            let (gamma, beta) = (random::<1>(seed ^ 2, [elements]), random::<1>(seed ^ 3, [elements]));
            let shape = [samples, shape[0], shape[1]];
            let (input, cotangent) = (random::<3>(seed, shape), random(seed ^ 1, shape));
            let manual = LayerNorm::new(gamma.clone(), beta.clone(), 1e-3);
            let (_, saved) = manual.forward_saving(input.clone());
            let found = manual.backward(saved, cotangent.clone());
            let autodiff = LayerNorm::new(gamma.autodiff(), beta.autodiff(), 1e-3);
            let (_, expected, all) = differentiate(input, cotangent, |input| autodiff.forward(input));
            assert_close("input", found.input, expected, 1e-8);
            assert_close("gamma", found.gamma, autodiff.gamma.val().grad(&all).unwrap(), AUTODIFF);
            assert_close("beta", found.beta, autodiff.beta.val().grad(&all).unwrap(), AUTODIFF);
        }
    }
}
