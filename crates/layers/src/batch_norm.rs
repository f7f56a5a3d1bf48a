use burn::module::{Module, Param, RunningState};
use burn::tensor::Tensor;

use crate::definition::{Definition, forwards_of_either_rank, register};
use crate::{Features, Initial, Mode, Ranked};
use backproof_compiled::Operation;
use backproof_spec::{self as spec, Shape, TracedLayer};
use burn::optim::GradientsParams;

/// Batch normalisation: every channel is brought to mean 0 and variance 1 over the batch, then scaled by `γ` and
/// shifted by `β`. It may be without `γ`, without `β`, or without both.
///
/// # Derivation
///
/// The channel is axis 1 of a tensor of any rank `D ≥ 2`: `[N, C]`, `[N, C, H, W]`, and so on. All channels are treated
/// alike, so take one of them and number its `M = N · H · W` elements by `q`. In training,
///
/// ```text
/// μ   = (1/M) Σ_q x_q
/// v   = (1/M) Σ_q (x_q − μ)²
/// r   = 1 / √(v + ε)
/// x̂_q = (x_q − μ) r
/// y_q = γ x̂_q + β
/// ```
///
/// With `g = ∂L/∂y`, the parameters are those of a linear map: `∂L/∂γ = Σ_q g_q x̂_q`, `∂L/∂β = Σ_q g_q`, and `∂L/∂x̂_q
/// = γ g_q =: ĝ_q`.
///
/// An input reaches the outputs in three ways: through its own `x̂`, through `μ` and through `v`.
///
/// ```text
/// ∂L/∂v   = Σ_q ĝ_q (x_q − μ) · (−½)(v + ε)^(−3/2) = −½ r² Σ_q ĝ_q x̂_q
/// ∂L/∂μ   = −r Σ_q ĝ_q + ∂L/∂v · (−2/M) Σ_q (x_q − μ) = −r Σ_q ĝ_q            the deviations from the mean sum to 0
/// ∂L/∂x_q = ĝ_q r + ∂L/∂μ · (1/M) + ∂L/∂v · (2/M)(x_q − μ)
///         = ĝ_q r − (r/M) Σ_p ĝ_p − (r/M) x̂_q Σ_p ĝ_p x̂_p                   since (x_q − μ) r² = r x̂_q
///         = (γ r / M) · (M g_q − Σ_p g_p − x̂_q Σ_p g_p x̂_p)
///         = γ r (g_q − ∂L/∂β / M − x̂_q · ∂L/∂γ / M)
/// ```
///
/// The last line is the vectorised result, with the two parameter gradients reused. It says: take from `g` its mean,
/// and `v / (v + ε)` of its component along `x̂`, since `Σ_q x̂_q² = M v / (v + ε)`. What is left is orthogonal to the
/// constants, as it must be: shifting a channel does not change its normalised values. For `ε = 0` the whole component
/// goes, and what is left is orthogonal to `x̂` too: scaling a channel then changes nothing either.
///
/// In inference `μ` and `v` are the running statistics and constants, so that the second and third way are closed:
/// `∂L/∂x_q = γ r g_q`; the parameters' gradients read the same.
///
/// Without a scale, `γ` is the constant 1, and without a shift, `β` is the constant 0: all else reads the same.
///
/// # Conventions
///
/// Normalisation uses the biased variance, `1/M`; the running variance takes the unbiased one, `M / (M − 1) · v`, as in
/// PyTorch. After a pass in training, `running ← (1 − momentum) · running + momentum · this batch`.
///
/// A channel with a single element, `M = 1`, has `x̂ = 0`: the output is `β`, the gradient of the input is 0. Its
/// unbiased variance does not exist; the running variance stays as it was.
///
/// # Notation
///
/// Ioffe and Szegedy, *Batch Normalization* (arXiv:1502.03167), algorithm 1 and section 3: their `μ_B`, `σ_B²`, `x̂_i`,
/// `m` are our `μ`, `v`, `x̂_q`, `M`; their `ℓ` is our `L`. They keep the three ways apart where we have summed them.
/// Their inference uses the unbiased variance too (algorithm 2).
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// `γ`, of shape `[C]`; none without a scale.
    pub gamma: Option<Param<Tensor<1>>>,
    /// `β`, of shape `[C]`; none without a shift.
    pub beta: Option<Param<Tensor<1>>>,
    /// The running mean, of shape `[C]`. Clones of the layer share it.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running variance, of shape `[C]`. Clones of the layer share it.
    pub running_variance: RunningState<Tensor<1>>,
    /// `ε`.
    pub epsilon: f64,
    /// The weight of the newest batch in the running statistics.
    pub momentum: f64,
}

/// What [`BatchNorm::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct BatchNormSaved<const D: usize> {
    /// `x̂`, in the shape of `x`.
    pub normalized: Tensor<D>,
    /// `r`, of shape `[C]`.
    pub inverse_deviation: Tensor<1>,
    /// Whether `μ` and `v` were those of the batch.
    pub batch_statistics: bool,
}

/// What [`BatchNorm::backward`] returns.
#[derive(Debug, Clone)]
pub struct BatchNormGradients<const D: usize> {
    /// `∂L/∂x`, in the shape of `x`.
    pub input: Tensor<D>,
    /// `∂L/∂γ`, of shape `[C]`, also where `γ` is the constant 1.
    pub gamma: Tensor<1>,
    /// `∂L/∂β`, of shape `[C]`, also where `β` is the constant 0.
    pub beta: Tensor<1>,
}

impl BatchNorm {
    /// The layer with these values of `γ` and `β`, both of shape `[C]`, a running mean of 0 and a running variance of
    /// 1.
    ///
    /// # Panics
    ///
    /// Panics if `γ` and `β` differ in length, if `epsilon` is not positive, or if `momentum` is not within `[0, 1]`.
    pub fn new(gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64, momentum: f64) -> Self {
        assert_eq!(gamma.dims(), beta.dims(), "γ and β must have an element for each channel");
        assert!(epsilon > 0.0, "ε must be positive, not {epsilon}");
        assert!((0.0..=1.0).contains(&momentum), "the momentum must be within [0, 1], not {momentum}");
        Self {
            running_mean: RunningState::new(gamma.zeros_like()),
            running_variance: RunningState::new(gamma.ones_like()),
            gamma: Some(Param::from_tensor(gamma)),
            beta: Some(Param::from_tensor(beta)),
            epsilon,
            momentum,
        }
    }

    /// The layer without `γ` unless `scale`, and without `β` unless `shift`.
    pub fn with_affine(mut self, scale: bool, shift: bool) -> Self {
        self.gamma = self.gamma.filter(|_| scale);
        self.beta = self.beta.filter(|_| shift);
        self
    }

    /// The layer with these running statistics, both of shape `[C]`.
    pub fn with_running_statistics(mut self, mean: Tensor<1>, variance: Tensor<1>) -> Self {
        self.running_mean = RunningState::new(mean);
        self.running_variance = RunningState::new(variance);
        self
    }

    /// `[N, C, …]` to the same shape. In training, the running statistics are updated.
    ///
    /// # Panics
    ///
    /// Panics if axis 1 has another length than the running statistics.
    pub fn forward<const D: usize>(&self, input: Tensor<D>, mode: Mode) -> Tensor<D> {
        self.forward_saving(input, mode).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(&self, input: Tensor<D>, mode: Mode) -> (Tensor<D>, BatchNormSaved<D>) {
        let [channels] = self.running_mean.value_sync().dims();
        assert!(D >= 2 && input.dims()[1] == channels, "{channels} channels expected on axis 1 of {:?}", input.dims());

        let (mean, variance) = match mode {
            Mode::Training { .. } => {
                let (mean, variance) = batch_statistics(input.clone());
                self.update(mean.clone().detach(), variance.clone().detach(), elements(input.dims()));
                (mean, variance)
            }
            Mode::Inference => (self.running_mean.value_sync(), self.running_variance.value_sync()),
        };
        let inverse_deviation = (variance + self.epsilon).sqrt().recip();
        let normalized = (input - along(mean)) * along(inverse_deviation.clone());
        let mut output = normalized.clone();
        if let Some(gamma) = &self.gamma {
            output = output * along(gamma.val());
        }
        if let Some(beta) = &self.beta {
            output = output + along(beta.val());
        }
        let batch_statistics = mode.is_training();
        (output, BatchNormSaved { normalized, inverse_deviation, batch_statistics })
    }

    /// The gradients, from `output_gradient = ∂L/∂y` in the shape of the output.
    pub fn backward<const D: usize>(
        &self,
        saved: BatchNormSaved<D>,
        output_gradient: Tensor<D>,
    ) -> BatchNormGradients<D> {
        let elements = elements(output_gradient.dims()) as f64;
        let beta = channel_sums(output_gradient.clone());
        let gamma = channel_sums(output_gradient.clone() * saved.normalized.clone());
        let scale = along(match &self.gamma {
            Some(gamma) => gamma.val() * saved.inverse_deviation,
            None => saved.inverse_deviation,
        });
        let input = if saved.batch_statistics {
            let mean = along(beta.clone() / elements);
            let component = saved.normalized * along(gamma.clone() / elements);
            (output_gradient - mean - component) * scale
        } else {
            output_gradient * scale
        };
        BatchNormGradients { input, gamma, beta }
    }

    fn update(&self, mean: Tensor<1>, variance: Tensor<1>, elements: usize) {
        let blend = |old: Tensor<1>, new: Tensor<1>| old * (1.0 - self.momentum) + new * self.momentum;
        self.running_mean.update(blend(self.running_mean.value_sync(), mean));
        if elements > 1 {
            let unbiased = variance * (elements as f64 / (elements - 1) as f64);
            self.running_variance.update(blend(self.running_variance.value_sync(), unbiased));
        }
    }
}

/// `μ` and `v`, both of shape `[C]`. The variance is the mean of the squared deviations, not `E[x²] − μ²`, which loses
/// all digits where the mean is large.
///
/// It multiplies with `1/M` where one would divide by `M`: Burn 0.22.1's autodiff takes the reciprocal of a scalar
/// divisor in f32, which leaves gradients in f64 with an error of up to 2⁻²⁴.
fn batch_statistics<const D: usize>(input: Tensor<D>) -> (Tensor<1>, Tensor<1>) {
    let share = 1.0 / elements(input.dims()) as f64;
    let mean = channel_sums(input.clone()) * share;
    let deviation = input - along(mean.clone());
    let variance = channel_sums(deviation.clone() * deviation) * share;
    (mean, variance)
}

/// `M`.
fn elements<const D: usize>(shape: [usize; D]) -> usize {
    shape.iter().product::<usize>() / shape[1]
}

/// `[N, C, …]` to `[C]`.
fn channel_sums<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let others: Vec<usize> = (0..D).filter(|&axis| axis != 1).collect();
    tensor.sum_dims_squeeze(&others)
}

/// `[C]` to `[1, C, 1, …]`.
fn along<const D: usize>(channels: Tensor<1>) -> Tensor<D> {
    let mut shape = [1; D];
    shape[1] = channels.dims()[0];
    channels.reshape(shape)
}

impl Definition for BatchNorm {
    type Spec = spec::BatchNormSpec;
    type Saved = Ranked<BatchNormSaved<4>, BatchNormSaved<2>>;

    const TRAINABLE: bool = true;

    fn build(spec: &Self::Spec, traced: &TracedLayer, initial: Initial<'_>) -> Self {
        let features = match traced.input {
            Shape::Image { channels, .. } => channels,
            Shape::Vector { features } => features,
        };
        let (gamma, beta) = (Tensor::ones([features], initial.device), initial.zeros(features));
        Self::new(gamma, beta, spec.epsilon, spec.momentum).with_affine(spec.scale, spec.shift)
    }

    forwards_of_either_rank! { mode }

    fn backward(&self, saved: Self::Saved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        let (input, gamma, beta) = match saved {
            Ranked::Images(saved) => {
                let found = self.backward(saved, gradient.images());
                (Ranked::Images(found.input), found.gamma, found.beta)
            }
            Ranked::Vectors(saved) => {
                let found = self.backward(saved, gradient.vectors());
                (Ranked::Vectors(found.input), found.gamma, found.beta)
            }
        };
        for (parameter, gradient) in [(&self.gamma, gamma), (&self.beta, beta)] {
            if let Some(parameter) = parameter {
                register(gradients, parameter, gradient);
            }
        }
        input
    }

    fn operation(spec: &Self::Spec, _traced: &TracedLayer) -> Option<Operation> {
        let spec::BatchNormSpec { epsilon, momentum, scale, shift } = *spec;
        Some(Operation::BatchNorm { epsilon, momentum, scale, shift })
    }

    #[cfg(feature = "flex")]
    fn join_segment(&self, mode: Mode, parameters: &mut backproof_compiled::SegmentParameters) -> bool {
        // A segment has the statistics of the batch.
        parameters.normalization = Some(self.in_segment());
        mode.is_training()
    }
}

#[cfg(test)]
mod tests;
