use burn::module::Module;
use burn::tensor::{Tensor, activation::relu};

use crate::samples::{over_samples, sample_means};
use crate::sigmoid::logistic;
use crate::sign::negative_magnitude;

/// The cross-entropy between targets in `[0, 1]` and the logistic function of logits.
///
/// # Derivation
///
/// For logits `z` and targets `t`, both of shape `[N, …]`, with `F` elements a sample numbered by `f`, and `σ(z) = 1 /
/// (1 + exp(−z))`,
///
/// ```text
/// h_nf = −t ln σ(z) − (1 − t) ln(1 − σ(z))          with z = z_nf, t = t_nf
///      = t ln(1 + exp(−z)) + (1 − t)(z + ln(1 + exp(−z)))          since 1 − σ(z) = exp(−z) σ(z)
///      = (1 − t) z + ln(1 + exp(−z))
/// l_n  = (1/F) Σ_f h_nf                              [N]
/// ```
///
/// The derivative of the last line of `h` is `1 − t − exp(−z) / (1 + exp(−z)) = 1 − t − (1 − σ(z)) = σ(z) − t`, so
///
/// ```text
/// ∂L/∂z_nf = (g_n / F) (σ(z_nf) − t_nf)              [N, …],    g = ∂L/∂l of shape [N]
/// ```
///
/// For the mean over the batch, the mean over all `N · F` elements, `∂L/∂z = (σ(z) − t) / (N F)`. The denominators `σ
/// (1 − σ)` that the logarithms bring cancel against the derivative of `σ`: hence logits in and not probabilities.
/// Targets are data and get no gradient.
///
/// # Stability
///
/// `exp(−z)` overflows for very negative `z`. Since `ln(1 + exp(−z)) = max(−z, 0) + ln(1 + exp(−|z|))`,
///
/// ```text
/// h = max(z, 0) − t z + ln(1 + exp(−|z|))
/// ```
///
/// where the exponential is at most 1, and finite for every finite logit. At `z = 0` the kinks of `max` and `|·|`
/// cancel; the forward pass follows the branch `z < 0` of both, so that autodiff finds `½ − t` there too.
///
/// # Notation
///
/// Bishop, *Pattern Recognition and Machine Learning*, equations 5.21 and 5.18: his `a_k` is our `z` and `∂E/∂a_k = y_k
/// − t_k`. Source of the stable form: PyTorch's `BCEWithLogitsLoss`.
#[derive(Module, Debug, Default)]
pub struct BinaryCrossEntropy;

/// What [`BinaryCrossEntropy::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct BinaryCrossEntropySaved<const D: usize> {
    /// `z`.
    pub logits: Tensor<D>,
    /// `t`.
    pub targets: Tensor<D>,
}

impl BinaryCrossEntropy {
    /// The loss of every sample, `[N]`, from logits and targets of the same shape `[N, …]`.
    ///
    /// # Panics
    ///
    /// Panics if the two shapes differ.
    pub fn forward<const D: usize>(&self, logits: Tensor<D>, targets: Tensor<D>) -> Tensor<1> {
        assert_eq!(logits.dims(), targets.dims(), "logits and targets must have one shape");
        let rest = negative_magnitude(logits.clone()).exp().log1p();
        sample_means(relu(logits.clone()) - logits * targets + rest)
    }

    /// The mean of [`forward`](Self::forward) over the batch, `[1]`.
    pub fn mean<const D: usize>(&self, logits: Tensor<D>, targets: Tensor<D>) -> Tensor<1> {
        self.forward(logits, targets).mean()
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(
        &self,
        logits: Tensor<D>,
        targets: Tensor<D>,
    ) -> (Tensor<1>, BinaryCrossEntropySaved<D>) {
        (self.forward(logits.clone(), targets.clone()), BinaryCrossEntropySaved { logits, targets })
    }

    /// `∂L/∂z`, in the shape of `z`, from `output_gradient = ∂L/∂l` of shape `[N]`.
    pub fn backward<const D: usize>(&self, saved: BinaryCrossEntropySaved<D>, output_gradient: Tensor<1>) -> Tensor<D> {
        let shape = saved.logits.dims();
        let features = shape[1..].iter().product::<usize>() as f64;
        saved.difference() * over_samples(output_gradient / features)
    }

    /// `∂L/∂z`, in the shape of `z`, for `L` the mean over the batch.
    pub fn mean_backward<const D: usize>(&self, saved: BinaryCrossEntropySaved<D>) -> Tensor<D> {
        let elements = saved.logits.shape().num_elements() as f64;
        saved.difference() / elements
    }

    /// `σ(z)`, in the shape of `z`.
    pub fn probabilities<const D: usize>(&self, logits: Tensor<D>) -> Tensor<D> {
        logistic(logits)
    }
}

impl<const D: usize> BinaryCrossEntropySaved<D> {
    /// `σ(z) − t`.
    fn difference(self) -> Tensor<D> {
        logistic(self.logits) - self.targets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    loss_agrees_with_pytorch_and_autodiff!("binary_cross_entropy", BinaryCrossEntropy);
}
