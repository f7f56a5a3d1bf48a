use crate::definition::{Definition, register, register_bias};
use crate::initial::Fans;
use crate::{Features, Initial, Mode, Ranked};
use backproof_compiled::Operation;
use backproof_spec::{self as spec, TracedLayer};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The affine map of every row of a batch, `y = x W + b`.
///
/// # Derivation
///
/// With `x` of shape `[N, I]` (a sample a row), `W` of shape `[I, O]` and `b` of shape `[O]`,
///
/// ```text
/// y_no = Σ_i x_ni W_io + b_o .
/// ```
///
/// Let `L` be any scalar that depends on the layer through `y` alone, and `g = ∂L/∂y`, of shape `[N, O]`. The chain
/// rule sums over every output that an element reaches:
///
/// ```text
/// ∂L/∂x_ni = Σ_o g_no ∂y_no/∂x_ni = Σ_o g_no W_io        ∂L/∂x = g Wᵀ      [N, I]
/// ∂L/∂W_io = Σ_n g_no ∂y_no/∂W_io = Σ_n x_ni g_no        ∂L/∂W = xᵀ g      [I, O]
/// ∂L/∂b_o  = Σ_n g_no                                    ∂L/∂b = Σ_n g_n·  [O]
/// ```
///
/// A sample reaches its own row of `y` only, and a parameter reaches all of them: hence the sums over `n` in the last
/// two lines. They are sums, not means; a factor `1/N` belongs to the loss and is already in `g`.
///
/// # Notation
///
/// Textbooks that write a sample as a column have `z = W' a + b` and `δ = ∂L/∂z`, with `∂L/∂W' = δ aᵀ` and `∂L/∂a = W'ᵀ
/// δ` (Nielsen, *Neural Networks and Deep Learning*, equations BP2 to BP4; Goodfellow, Bengio and Courville, *Deep
/// Learning*, algorithm 6.4). Their `W'` is our `Wᵀ`, `a` is a row of our `x` and `δ` a row of our `g`. PyTorch stores
/// `W'` too; Burn stores `W`, as we do.
#[derive(Module, Debug)]
pub struct Linear {
    /// `W`, of shape `[inputs, outputs]`.
    pub weight: Param<Tensor<2>>,
    /// `b`, of shape `[outputs]`.
    pub bias: Option<Param<Tensor<1>>>,
}

/// What [`Linear::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct LinearSaved {
    /// `x`, of shape `[N, inputs]`.
    pub input: Tensor<2>,
}

/// What [`Linear::backward`] returns.
#[derive(Debug, Clone)]
pub struct LinearGradients {
    /// `∂L/∂x`, of shape `[N, inputs]`.
    pub input: Tensor<2>,
    /// `∂L/∂W`, of shape `[inputs, outputs]`.
    pub weight: Tensor<2>,
    /// `∂L/∂b`, of shape `[outputs]`, if the layer has a bias.
    pub bias: Option<Tensor<1>>,
}

impl Linear {
    /// The layer with these values: `weight` of shape `[inputs, outputs]`, `bias` of shape `[outputs]`.
    ///
    /// # Panics
    ///
    /// Panics if the bias has another length than the weight has columns.
    pub fn new(weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        if let Some(bias) = &bias {
            let [outputs] = bias.dims();
            assert_eq!(
                outputs,
                weight.dims()[1],
                "the bias has {outputs} elements and the weight is {:?}",
                weight.dims()
            );
        }
        Self { weight: Param::from_tensor(weight), bias: bias.map(Param::from_tensor) }
    }

    /// `[N, inputs]` to `[N, outputs]`.
    pub fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        let product = input.matmul(self.weight.val());
        match &self.bias {
            Some(bias) => product + bias.val().unsqueeze(),
            None => product,
        }
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving(&self, input: Tensor<2>) -> (Tensor<2>, LinearSaved) {
        (self.forward(input.clone()), LinearSaved { input })
    }

    /// The gradients, from `output_gradient = ∂L/∂y` of shape `[N, outputs]`.
    pub fn backward(&self, saved: LinearSaved, output_gradient: Tensor<2>) -> LinearGradients {
        let input = output_gradient.clone().matmul(self.weight.val().transpose());
        let (weight, bias) = self.parameter_gradients(saved, output_gradient);
        LinearGradients { input, weight, bias }
    }

    /// `∂L/∂W` and, if there is a bias, `∂L/∂b` alone, which is all that a network's first layer needs.
    pub fn parameter_gradients(
        &self,
        saved: LinearSaved,
        output_gradient: Tensor<2>,
    ) -> (Tensor<2>, Option<Tensor<1>>) {
        let bias = self.bias.as_ref().map(|_| output_gradient.clone().sum_dim(0).squeeze_dim(0));
        (saved.input.transpose().matmul(output_gradient), bias)
    }
}

impl Definition for Linear {
    type Spec = spec::LinearSpec;
    type Saved = LinearSaved;

    const TRAINABLE: bool = true;

    fn build(spec: &Self::Spec, traced: &TracedLayer, initial: Initial<'_>) -> Self {
        let inputs = traced.input.elements();
        let fans = Fans { inputs, outputs: spec.out_features };
        let weight = initial.weights([inputs, spec.out_features], fans, spec.initialization);
        Self::new(weight, spec.bias.then(|| initial.biases(spec.out_features, fans, spec.initialization)))
    }

    fn forward(&self, input: Features, _mode: Mode) -> Features {
        Ranked::Vectors(self.forward(input.vectors()))
    }

    fn forward_saving(&self, input: Features, _mode: Mode) -> (Features, Self::Saved) {
        let (output, saved) = self.forward_saving(input.vectors());
        (Ranked::Vectors(output), saved)
    }

    fn backward(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        let found = self.backward(saved, gradient.vectors());
        register(gradients, &self.weight, found.weight);
        register_bias(gradients, self.bias.as_ref(), found.bias);
        Ranked::Vectors(found.input)
    }

    fn parameter_gradients(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) {
        let (weight, bias) = self.parameter_gradients(saved, gradient.vectors());
        register(gradients, &self.weight, weight);
        register_bias(gradients, self.bias.as_ref(), bias);
    }

    fn operation(spec: &Self::Spec, _traced: &TracedLayer) -> Option<Operation> {
        Some(Operation::Linear { outputs: spec.out_features, bias: spec.bias })
    }

    #[cfg(feature = "flex")]
    fn node(&self) -> Result<crate::Node, String> {
        let outputs = self.weight.dims()[1];
        if !backproof_compiled::linear_pays(outputs) {
            return Err(format!("Burn's product is faster for {}", spec::counted(outputs, "output")));
        }
        Ok(crate::Node::Linear { weight: self.weight.val(), bias: self.bias.as_ref().map(Param::val) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("linear").cases() {
            let layer = |engine: Engine| {
                Linear::new(
                    engine.on_device(case.tensor("weight")),
                    case.optional("bias").map(|bias| engine.on_device(bias)),
                )
            };
            assert_weights_agree_with_pytorch!(case, layer);
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, batch in 1..6usize, inputs in 1..9usize, outputs in 1..9usize, with_bias: bool, transposed: bool) {
            let weight = random::<2>(seed ^ 2, [inputs, outputs]);
            let bias = with_bias.then(|| random::<1>(seed ^ 3, [outputs]));
            let cotangent = random::<2>(seed ^ 1, [batch, outputs]);
            let input = if transposed {
                random::<2>(seed, [inputs, batch]).transpose()
            } else {
                random::<2>(seed, [batch, inputs])
            };
            let manual = Linear::new(weight.clone(), bias.clone());
            let (_, saved) = manual.forward_saving(input.clone());
            let gradients = manual.backward(saved, cotangent.clone());
            let autodiff = Linear::new(weight.autodiff(), bias.map(Tensor::autodiff));
            let (_, expected, all) = differentiate(input, cotangent, |input| autodiff.forward(input));
            assert_close("input", gradients.input, expected, AUTODIFF);
            assert_close("weight", gradients.weight, autodiff.weight.val().grad(&all).unwrap(), AUTODIFF);
            if let Some(bias) = autodiff.bias {
                assert_close("bias", gradients.bias.unwrap(), bias.val().grad(&all).unwrap(), AUTODIFF);
            }
        }
    }

    #[test]
    fn a_mean_in_place_of_the_sum_over_samples_is_noticed() {
        let layer = Linear::new(random(1, [3, 2]), Some(random(2, [2])));
        let (_, saved) = layer.forward_saving(random(3, [4, 3]));
        let right = layer.backward(saved, random(4, [4, 2])).bias.unwrap();
        assert!(difference(right.clone() / 4.0, right, AUTODIFF).is_some());
    }
}
