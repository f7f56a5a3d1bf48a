use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::definition::{Definition, register};
use crate::sign::{negative_part, positive};
use crate::{Features, Initial, Mode, Ranked, Sides};
use backproof_compiled::Operation;
use backproof_spec::{self as spec, TracedLayer};
use burn::optim::GradientsParams;

/// The leaky rectifier with a trained slope: `y = x` for `x > 0`, else `y = a x`, with one `a` for all or one for each
/// channel.
///
/// # Derivation
///
/// Let `c(q)` be the slope that element `q` uses: 0 for all with a single slope, else the index of `q` on axis 1.
///
/// ```text
/// y_q = x_q if x_q > 0, else a_c(q) x_q
/// ∂L/∂x_q = g_q if x_q > 0, else a_c(q) g_q
/// ∂L/∂a_c = Σ over q with c(q) = c and x_q ≤ 0 of g_q x_q
/// ```
///
/// with `g = ∂L/∂y`. An input reaches its own output only; a slope reaches every output of its channel whose input is
/// not positive. In vectors, with `a` broadcast to the shape of `x`,
///
/// ```text
/// ∂L/∂x = g ⊙ ([x > 0] + a [x ≤ 0])
/// ∂L/∂a = Σ over all axes (but axis 1, if a slope is a channel's) of g ⊙ min(x, 0)
/// ```
///
/// # Conventions
///
/// At the kink `x = 0` **the gradient of the input is `a g`**, as in PyTorch. The slope's gradient has no kink: `min(0,
/// 0) = 0`.
///
/// # Notation
///
/// He, Zhang, Ren and Sun, *Delving deep into rectifiers* (arXiv:1502.01852), section 2.1: their `f(y_i)` is
/// our `y`, their `y_i` our `x`, `ε` their `L`.
#[derive(Module, Debug)]
pub struct Prelu {
    /// `a`, of shape `[1]` or `[C]`.
    pub slope: Param<Tensor<1>>,
}

/// What [`Prelu::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct PreluSaved<const D: usize> {
    /// `x`.
    pub input: Tensor<D>,
}

/// What [`Prelu::backward`] returns.
#[derive(Debug, Clone)]
pub struct PreluGradients<const D: usize> {
    /// `∂L/∂x`, in the shape of `x`.
    pub input: Tensor<D>,
    /// `∂L/∂a`, of shape `[1]` or `[C]`.
    pub slope: Tensor<1>,
}

impl Prelu {
    /// The layer with these slopes: `[1]` for one that all elements share, `[C]` for one a channel.
    pub fn new(slope: Tensor<1>) -> Self {
        Self { slope: Param::from_tensor(slope) }
    }

    /// Any shape to the same shape.
    ///
    /// # Panics
    ///
    /// Panics if there are several slopes and axis 1 has another length.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        input.clone() * self.slopes(input)
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>) -> (Tensor<D>, PreluSaved<D>) {
        (self.forward(input.clone()), PreluSaved { input })
    }

    /// The gradients, from `output_gradient = ∂L/∂y` in the shape of the output.
    pub fn backward<const D: usize>(&self, saved: PreluSaved<D>, output_gradient: Tensor<D>) -> PreluGradients<D> {
        let [slopes] = self.slope.dims();
        let products = output_gradient.clone() * negative_part(saved.input.clone());
        let slope = if slopes == 1 {
            products.sum()
        } else {
            let others: Vec<usize> = (0..D).filter(|&axis| axis != 1).collect();
            products.sum_dims_squeeze(&others)
        };
        PreluGradients { input: output_gradient * self.slopes(saved.input), slope }
    }

    /// `[x > 0] + a [x ≤ 0]`, with `a` broadcast.
    fn slopes<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        let [slopes] = self.slope.dims();
        let mut shape = [1; D];
        if slopes > 1 {
            assert!(D >= 2 && input.dims()[1] == slopes, "{slopes} slopes do not fit axis 1 of {:?}", input.dims());
            shape[1] = slopes;
        }
        let positive = positive(input);
        positive.clone() + (1.0 - positive) * self.slope.val().reshape(shape)
    }
}

impl Definition for Prelu {
    type Spec = spec::PreluSpec;
    type Saved = Ranked<PreluSaved<4>, PreluSaved<2>>;

    const TRAINABLE: bool = true;

    fn build(spec: &Self::Spec, _traced: &TracedLayer, initial: Initial<'_>) -> Self {
        Self::new(Tensor::full([1], spec.initial_slope, initial.device))
    }

    fn forward(&self, input: Features, _mode: Mode) -> Features {
        match input {
            Ranked::Images(images) => Ranked::Images(self.forward(images)),
            Ranked::Vectors(vectors) => Ranked::Vectors(self.forward(vectors)),
        }
    }

    fn forward_saving(&self, input: Features, _mode: Mode) -> (Features, Self::Saved) {
        match input {
            Ranked::Images(images) => {
                let (output, saved) = self.forward_saving(images);
                (Ranked::Images(output), Ranked::Images(saved))
            }
            Ranked::Vectors(vectors) => {
                let (output, saved) = self.forward_saving(vectors);
                (Ranked::Vectors(output), Ranked::Vectors(saved))
            }
        }
    }

    fn backward(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        let (input, slope) = match saved {
            Ranked::Images(saved) => {
                let found = self.backward(saved, gradient.images());
                (Ranked::Images(found.input), found.slope)
            }
            Ranked::Vectors(saved) => {
                let found = self.backward(saved, gradient.vectors());
                (Ranked::Vectors(found.input), found.slope)
            }
        };
        register(gradients, &self.slope, slope);
        input
    }

    fn operation(_spec: &Self::Spec, _traced: &TracedLayer) -> Option<Operation> {
        Some(Operation::Prelu)
    }

    #[cfg(feature = "flex")]
    fn node(&self) -> Result<crate::Node, String> {
        Err("its kernel is used by the compiled engine alone".to_owned())
    }

    fn sides(saved: &Self::Saved) -> Option<Sides> {
        Some(Sides::Signs(match saved {
            Ranked::Images(saved) => Ranked::Images(saved.input.clone()),
            Ranked::Vectors(saved) => Ranked::Vectors(saved.input.clone()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn check<const D: usize>(case: &Case<'_>) {
        let layer = |engine: Engine| Prelu::new(engine.on_device(case.tensor("slope")));
        let manual = layer(Engine::Manual);
        let (output, saved) = manual.forward_saving(case.tensor::<D>("input"));
        let gradients = manual.backward(saved, case.tensor("cotangent"));
        case.assert("output", output);
        case.assert("input_gradient", gradients.input);
        case.assert("slope_gradient", gradients.slope);

        let autodiff = layer(Engine::Autodiff);
        let (output, input, gradients) =
            differentiate(case.tensor::<D>("input"), case.tensor("cotangent"), |input| autodiff.forward(input));
        case.assert("output", output);
        case.assert("input_gradient", input);
        case.assert("slope_gradient", autodiff.slope.val().grad(&gradients).unwrap());
    }

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("prelu").cases() {
            match case.rank("input") {
                1 => check::<1>(&case),
                2 => check::<2>(&case),
                3 => check::<3>(&case),
                4 => check::<4>(&case),
                rank => panic!("{}: rank {rank}", case.name),
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, shape in [1..4usize, 1..5usize, 1..6usize], zeros: bool, shared: bool) {
            let slope = random::<1>(seed ^ 2, [if shared { 1 } else { shape[1] }]);
            let input = if zeros { few_values(seed, shape) } else { random(seed, shape) };
            let cotangent = random::<3>(seed ^ 1, shape);
            let manual = Prelu::new(slope.clone());
            let (_, saved) = manual.forward_saving(input.clone());
            let gradients = manual.backward(saved, cotangent.clone());
            let autodiff = Prelu::new(slope.autodiff());
            let (_, expected, all) = differentiate(input, cotangent, |input| autodiff.forward(input));
            assert_close("input", gradients.input, expected, AUTODIFF);
            assert_close("slope", gradients.slope, autodiff.slope.val().grad(&all).unwrap(), AUTODIFF);
        }
    }
}
