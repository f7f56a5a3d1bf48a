use burn::module::Module;
use burn::tensor::Tensor;

use crate::softmax_cross_entropy::log_softmax;

/// The cross-entropy of the softmax with a row of shares for each sample: what
/// [`SoftmaxCrossEntropy`](crate::SoftmaxCrossEntropy) is with one class, for smoothed labels and weighted classes.
///
/// # Derivation
///
/// For logits `z` and shares `a ≥ 0`, both of shape `[N, K]`, with `p = softmax(z)` by rows,
///
/// ```text
/// l_n = −Σ_k a_nk ln p_nk                                              [N]
/// ln p_nk = z_nk − ln Σ_j exp(z_nj)          ∂ ln p_nk / ∂z_nj = [k = j] − p_nj
/// ∂l_n/∂z_nj = −Σ_k a_nk ([k = j] − p_nj) = A_n p_nj − a_nj            A_n = Σ_k a_nk
/// ∂L/∂z = g ⊙ (A ⊙ p − a)                                              [N, K],    g = ∂L/∂l of shape [N]
/// ```
///
/// The shares are data and have no gradient. They need not sum to 1. With the one-hot row of a class it is
/// `p − y`, as of [`SoftmaxCrossEntropy`](crate::SoftmaxCrossEntropy).
///
/// # Label smoothing and class weights
///
/// With smoothing `s` and class weights `w`, the shares of a sample of class `t` are
///
/// ```text
/// a_k = w_k ((1 − s) [k = t] + s / K)
/// ```
///
/// and the mean over a batch is `Σ_n l_n / Σ_n w_t_n`: each sample counts as much as its class. This is PyTorch's
/// `cross_entropy(weight=w, label_smoothing=s)`, whose smoothed part has the weight of each class, and whose divisor has
/// that of the label alone.
///
/// # Stability
///
/// As [`SoftmaxCrossEntropy`](crate::SoftmaxCrossEntropy): the maximum of a row is subtracted first.
///
/// # Source
///
/// Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, *Rethinking the Inception architecture for computer vision*
/// (arXiv:1512.00567), section 7: their `q'(k)` is our `a_k` with all weights 1, their `ε` our `s`.
#[derive(Module, Debug, Default)]
pub struct SoftCrossEntropy;

/// What [`SoftCrossEntropy::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct SoftCrossEntropySaved {
    /// `ln p`, of shape `[N, K]`.
    pub log_probabilities: Tensor<2>,
    /// `a`, of shape `[N, K]`.
    pub shares: Tensor<2>,
}

impl SoftCrossEntropy {
    /// The loss of every sample, `[N]`, from logits and shares `[N, K]`.
    ///
    /// # Panics
    ///
    /// Panics if the two differ in shape.
    pub fn forward(&self, logits: Tensor<2>, shares: Tensor<2>) -> Tensor<1> {
        self.forward_saving(logits, shares).0
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving(&self, logits: Tensor<2>, shares: Tensor<2>) -> (Tensor<1>, SoftCrossEntropySaved) {
        assert_eq!(logits.dims(), shares.dims(), "a share for each logit");
        let log_probabilities = log_softmax(logits);
        let loss = (log_probabilities.clone() * shares.clone()).sum_dim(1).squeeze_dim(1).neg();
        (loss, SoftCrossEntropySaved { log_probabilities, shares })
    }

    /// `∂L/∂z`, of shape `[N, K]`, from `output_gradient = ∂L/∂l` of shape `[N]`.
    pub fn backward(&self, saved: SoftCrossEntropySaved, output_gradient: Tensor<1>) -> Tensor<2> {
        let SoftCrossEntropySaved { log_probabilities, shares } = saved;
        let total = shares.clone().sum_dim(1);
        (log_probabilities.exp() * total - shares) * output_gradient.unsqueeze_dim(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SoftmaxCrossEntropy;
    use crate::testing::*;

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("soft_cross_entropy").cases() {
            let (logits, shares) = (case.tensor::<2>("input"), case.tensor::<2>("shares"));
            let (output, saved) = SoftCrossEntropy.forward_saving(logits.clone(), shares.clone());
            case.assert("output", output);
            case.assert("input_gradient", SoftCrossEntropy.backward(saved, case.tensor("cotangent")));
            let forward = |logits| SoftCrossEntropy.forward(logits, shares.autodiff());
            let (output, gradient, _) = differentiate(logits, case.tensor("cotangent"), forward);
            case.assert("output", output);
            case.assert("input_gradient", gradient);
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, samples in 1..5usize, classes in 1..6usize, scale in 0.1..20.0f64) {
            let logits = random::<2>(seed, [samples, classes]) * scale;
            let shares = random::<2>(seed ^ 2, [samples, classes]).abs();
            let cotangent = random::<1>(seed ^ 1, [samples]);
            let (_, saved) = SoftCrossEntropy.forward_saving(logits.clone(), shares.clone());
            let gradient = SoftCrossEntropy.backward(saved, cotangent.clone());
            let forward = |logits| SoftCrossEntropy.forward(logits, shares.clone().autodiff());
            let (_, expected, _) = differentiate(logits, cotangent, forward);
            assert_close("logits", gradient, expected, AUTODIFF);
        }
    }

    #[test]
    fn one_share_of_one_class_is_the_cross_entropy_with_that_class() {
        let logits = random::<2>(1, [2, 3]);
        let classes = burn::tensor::Tensor::<1, burn::tensor::Int>::from_data([2, 0], &logits.device());
        let expected = SoftmaxCrossEntropy.forward(logits.clone(), classes);
        let shares = from_values(vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0], [2, 3]);
        assert_close("loss", SoftCrossEntropy.forward(logits, shares), expected, AUTODIFF);
    }
}
