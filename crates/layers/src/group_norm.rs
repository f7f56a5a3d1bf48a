use backproof_spec::{self as spec, Shape, TracedLayer};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::definition::{Definition, forwards_of_either_rank};
use crate::row_norm::{RowNormGradients, RowNormSaved, normalize, normalize_backward};
use crate::{Features, Initial, Ranked};

/// Group normalisation: the channels of a sample in groups, each brought to mean 0 and variance 1, then scaled by `γ`
/// and shifted by `β` channel by channel.
///
/// # Derivation
///
/// For `x` of shape `[N, C, …]` and `G` groups of neighbouring channels, a sample's group is a row of `M = C/G · HW`
/// elements. Let `c(q)` be the channel of element `q`. In each row,
///
/// ```text
/// μ = (1/M) Σ_q x_q      v = (1/M) Σ_q (x_q − μ)²      r = 1 / √(v + ε)      x̂_q = (x_q − μ) r
/// y_q = γ_c(q) x̂_q + β_c(q)
/// ```
///
/// With `g = ∂L/∂y` and `ĝ_q = ∂L/∂x̂_q = γ_c(q) g_q`, an input reaches the outputs of its row in three ways, through
/// its own `x̂`, through `μ` and through `v`, as in [`BatchNorm`](crate::BatchNorm), which derives the sum of the three:
///
/// ```text
/// ∂L/∂x_q = r (ĝ_q − (1/M) Σ_p ĝ_p − x̂_q (1/M) Σ_p ĝ_p x̂_p)             over the elements p of the row
/// ∂L/∂γ_c = Σ over q with c(q) = c of g_q x̂_q                           over all samples
/// ∂L/∂β_c = Σ over q with c(q) = c of g_q
/// ```
///
/// `γ` differs within a row, so that it stays inside of the sums. Samples do not depend on each other, and training and
/// inference are the same.
///
/// # Conventions
///
/// The variance is the biased one, `1/M`, as in PyTorch.
///
/// # Source
///
/// Wu and He, *Group normalization* (arXiv:1803.08494), equations 1 to 6: their `S_i` is our row, their `m` our `M`.
#[derive(Module, Debug)]
pub struct GroupNorm {
    /// `γ`, of shape `[C]`.
    pub gamma: Param<Tensor<1>>,
    /// `β`, of shape `[C]`.
    pub beta: Param<Tensor<1>>,
    /// `G`.
    pub groups: usize,
    /// `ε`.
    pub epsilon: f64,
}

impl GroupNorm {
    /// The layer with these values of `γ` and `β`, both of shape `[C]`.
    ///
    /// # Panics
    ///
    /// Panics if `γ` and `β` differ in length, if the groups do not divide it, or if `epsilon` is not positive.
    pub fn new(gamma: Tensor<1>, beta: Tensor<1>, groups: usize, epsilon: f64) -> Self {
        let [channels] = gamma.dims();
        assert_eq!([channels], beta.dims(), "γ and β must have an element for each channel");
        assert!(groups > 0 && channels.is_multiple_of(groups), "{channels} channels in {groups} groups");
        assert!(epsilon > 0.0, "ε must be positive, not {epsilon}");
        Self { gamma: Param::from_tensor(gamma), beta: Param::from_tensor(beta), groups, epsilon }
    }

    /// `[N, C, …]` to the same shape.
    ///
    /// # Panics
    ///
    /// Panics if axis 1 has another length than `γ`.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_saving(input).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, RowNormSaved) {
        let (shape, [channels]) = (input.dims(), self.gamma.dims());
        assert!(D >= 2 && shape[1] == channels, "{channels} channels expected on axis 1 of {shape:?}");
        let rows = self.rows(shape);
        let saved = normalize(input.reshape(rows), self.epsilon);
        let by_channel = saved.normalized.clone().reshape(pixels(shape));
        let output = by_channel * along(self.gamma.val()) + along(self.beta.val());
        (output.reshape(shape), saved)
    }

    /// The gradients, from `output_gradient = ∂L/∂y` in the shape of the output.
    pub fn backward<const D: usize>(&self, saved: RowNormSaved, output_gradient: Tensor<D>) -> RowNormGradients<D> {
        let shape = output_gradient.dims();
        let gradient = output_gradient.reshape(pixels(shape));
        let products = gradient.clone() * saved.normalized.clone().reshape(pixels(shape));
        let scaled = (gradient.clone() * along(self.gamma.val())).reshape(self.rows(shape));
        RowNormGradients {
            input: normalize_backward(saved, scaled).reshape(shape),
            gamma: products.sum_dims_squeeze(&[0, 2]),
            beta: gradient.sum_dims_squeeze(&[0, 2]),
        }
    }

    /// `[N · G, M]`.
    fn rows<const D: usize>(&self, shape: [usize; D]) -> [usize; 2] {
        let rows = shape[0] * self.groups;
        [rows, shape.iter().product::<usize>() / rows]
    }
}

/// `[N, C, HW]`.
fn pixels<const D: usize>(shape: [usize; D]) -> [usize; 3] {
    [shape[0], shape[1], shape[2..].iter().product()]
}

/// `[C]` to `[1, C, 1]`.
fn along(channels: Tensor<1>) -> Tensor<3> {
    let [count] = channels.dims();
    channels.reshape([1, count, 1])
}

impl Definition for GroupNorm {
    type Spec = spec::GroupNormSpec;
    type Saved = Ranked<RowNormSaved, RowNormSaved>;

    const TRAINABLE: bool = true;

    fn build(spec: &Self::Spec, traced: &TracedLayer, initial: Initial<'_>) -> Self {
        let channels = match traced.input {
            Shape::Image { channels, .. } => channels,
            Shape::Vector { features } => features,
        };
        Self::new(Tensor::ones([channels], initial.device), initial.zeros(channels), spec.groups, spec.epsilon)
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
            GroupNorm::new(gamma, beta, case.number("groups") as usize, case.number("epsilon"))
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
        for_every_case!("group_norm", check);
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(
            seed: u64, samples in 1..4usize, groups in 1..4usize, of_group in 1..4usize, pixels in 2..7usize,
        ) {
            let channels = groups * of_group;
            let (gamma, beta) = (random::<1>(seed ^ 2, [channels]), random::<1>(seed ^ 3, [channels]));
            let (input, cotangent) = (random::<3>(seed, [samples, channels, pixels]), random(seed ^ 1, [samples, channels, pixels]));
            let manual = GroupNorm::new(gamma.clone(), beta.clone(), groups, 1e-3);
            let (_, saved) = manual.forward_saving(input.clone());
            let found = manual.backward(saved, cotangent.clone());
            let autodiff = GroupNorm::new(gamma.autodiff(), beta.autodiff(), groups, 1e-3);
            let (_, expected, all) = differentiate(input, cotangent, |input| autodiff.forward(input));
            assert_close("input", found.input, expected, 1e-8);
            assert_close("gamma", found.gamma, autodiff.gamma.val().grad(&all).unwrap(), AUTODIFF);
            assert_close("beta", found.beta, autodiff.beta.val().grad(&all).unwrap(), AUTODIFF);
        }
    }
}
