use burn::module::Module;
use burn::tensor::{IndexingUpdateOp, Int, Tensor};

/// The negative logarithm of the probability that softmax gives the right class.
///
/// # Derivation
///
/// For logits `z` of shape `[N, K]` and classes `t` of shape `[N]`,
///
/// ```text
/// p_nk = exp(z_nk) / Σ_j exp(z_nj)
/// l_n  = −ln p_n,t_n = ln Σ_j exp(z_nj) − z_n,t_n                     [N]
/// ```
///
/// The derivative of the logarithm of a sum of exponentials is the softmax itself, `∂/∂z_nk ln Σ_j exp(z_nj) =
/// exp(z_nk) / Σ_j exp(z_nj) = p_nk`, so with `y_nk = [k = t_n]`, the one-hot row of the class,
///
/// ```text
/// ∂l_n/∂z_nk = p_nk − y_nk
/// ∂L/∂z_nk   = g_n (p_nk − y_nk)            ∂L/∂z = g ⊙ (p − y)       [N, K],    g = ∂L/∂l of shape [N]
/// ```
///
/// For the mean over the batch, `L = (1/N) Σ_n l_n`, every `g_n` is `1/N`: `∂L/∂z = (p − y) / N`.
///
/// # Stability
///
/// `exp(z)` overflows for `z > 709.78` (f64) or `z > 88.72` (f32). Adding one number to a row of logits changes no
/// probability, so we subtract the row's maximum `m_n` first: all exponents are at most 0, one of them is 0, and the
/// sum is between 1 and `K`. With `u = z − m`, `ln p = u − ln Σ_j exp(u_j)` is finite for every row whose differences
/// `u` are finite. The loss never takes the logarithm of a probability that has underflowed to 0. Logits such as
/// `(3e38, −3e38)` in f32 are finite, but their difference is not: the loss of the second class is infinite. The
/// maximum is treated as a constant: its own gradient would cancel exactly, `Σ_k (p_k − y_k) = 0`.
///
/// # Notation
///
/// In courses that write a sample as a column, the gradient is `G = −(Y − P)`, `K × N`, the transpose of our `p − y`,
/// with the `1/N` applied later, when `∂J/∂W = (1/N) G Xᵀ` is formed; ours is applied here, once. Goodfellow, Bengio
/// and Courville, *Deep Learning*, section 6.2.2.3: their `z` and `softmax(z)_i` are our `z` and `p`.
#[derive(Module, Debug, Default)]
pub struct SoftmaxCrossEntropy;

/// What [`SoftmaxCrossEntropy::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct SoftmaxCrossEntropySaved {
    /// `ln p`, of shape `[N, K]`.
    pub log_probabilities: Tensor<2>,
    /// `t`, of shape `[N]`.
    pub targets: Tensor<1, Int>,
}

impl SoftmaxCrossEntropy {
    /// The loss of every sample, `[N]`, from logits `[N, K]` and classes `[N]` in `0..K`.
    ///
    /// # Panics
    ///
    /// Panics if there is not a class for each row. Classes outside of `0..K` are the caller's to avoid: what they lead
    /// to depends on the backend.
    pub fn forward(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        self.forward_saving(logits, targets).0
    }

    /// The mean of [`forward`](Self::forward) over the batch, `[1]`.
    pub fn mean(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        assert_eq!(logits.dims()[0], targets.dims()[0], "every row of logits needs one class");
        // One operation less on autodiff's tape than the mean of `forward`.
        log_softmax(logits).gather(1, targets.unsqueeze_dim(1)).mean().neg()
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving(&self, logits: Tensor<2>, targets: Tensor<1, Int>) -> (Tensor<1>, SoftmaxCrossEntropySaved) {
        assert_eq!(logits.dims()[0], targets.dims()[0], "every row of logits needs one class");
        let log_probabilities = log_softmax(logits);
        let loss = log_probabilities.clone().gather(1, targets.clone().unsqueeze_dim(1)).squeeze_dim(1).neg();
        (loss, SoftmaxCrossEntropySaved { log_probabilities, targets })
    }

    /// `∂L/∂z`, of shape `[N, K]`, from `output_gradient = ∂L/∂l` of shape `[N]`.
    pub fn backward(&self, saved: SoftmaxCrossEntropySaved, output_gradient: Tensor<1>) -> Tensor<2> {
        saved.difference() * output_gradient.unsqueeze_dim(1)
    }

    /// `∂L/∂z = (p − y) / N`, of shape `[N, K]`, for `L` the mean over the batch.
    pub fn mean_backward(&self, saved: SoftmaxCrossEntropySaved) -> Tensor<2> {
        let [batch, _] = saved.log_probabilities.dims();
        saved.difference() / batch as f64
    }

    /// `p`, of shape `[N, K]`: every row sums to 1.
    pub fn probabilities(&self, logits: Tensor<2>) -> Tensor<2> {
        log_softmax(logits).exp()
    }
}

impl SoftmaxCrossEntropySaved {
    /// `p − y`.
    fn difference(self) -> Tensor<2> {
        let classes = self.targets.unsqueeze_dim::<2>(1);
        let options = (&self.log_probabilities.device(), self.log_probabilities.dtype());
        let minus_one = -Tensor::<2>::ones(classes.dims(), options);
        self.log_probabilities.exp().scatter(1, classes, minus_one, IndexingUpdateOp::Add)
    }
}

/// `ln p`, by rows.
pub(crate) fn log_softmax(logits: Tensor<2>) -> Tensor<2> {
    let shifted = logits.clone() - logits.detach().max_dim(1);
    let log_sum = shifted.clone().exp().sum_dim(1).log();
    shifted - log_sum
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::testing::*;

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("softmax_cross_entropy").cases() {
            let loss = SoftmaxCrossEntropy;
            let (logits, targets) = (case.tensor::<2>("input"), case.classes("targets"));
            let (output, saved) = loss.forward_saving(logits.clone(), targets.clone());
            case.assert("output", output);
            case.assert("input_gradient", loss.backward(saved.clone(), case.tensor("cotangent")));
            case.assert("mean", loss.mean(logits.clone(), targets.clone()));
            case.assert("mean_gradient", loss.mean_backward(saved));
            case.assert("probabilities", loss.probabilities(logits.clone()));

            let (output, gradient, _) =
                differentiate(logits, case.tensor("cotangent"), |logits| loss.forward(logits, targets.autodiff()));
            case.assert("output", output);
            case.assert("input_gradient", gradient);
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, batch in 1..6usize, classes in 1..12usize, scale in 0.1..2.0f64) {
            // Further apart, `p − y` cancels for the right class, and fewer digits are left than the comparison asks
            // for.
            let loss = SoftmaxCrossEntropy;
            let logits = random::<2>(seed, [batch, classes]) * scale;
            let targets: Vec<i64> = (0..batch as u64).map(|n| ((seed >> n) % classes as u64) as i64).collect();
            let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &Device::flex());
            let cotangent = random::<1>(seed ^ 1, [batch]);
            let (_, saved) = loss.forward_saving(logits.clone(), targets.clone());
            let gradient = loss.backward(saved.clone(), cotangent.clone());
            let forward = |logits| loss.forward(logits, targets.clone().autodiff());
            let (_, expected, _) = differentiate(logits.clone(), cotangent, forward);
            assert_close("logits", gradient, expected, AUTODIFF);
            let one = from_values(vec![1.0], [1]);
            let (_, expected, _) = differentiate(logits, one, |logits| forward(logits).mean());
            assert_close("mean", loss.mean_backward(saved), expected, AUTODIFF);
        }
    }

    #[test]
    fn logits_of_ten_thousand_are_no_trouble_in_f32() {
        let single = burn::tensor::DType::F32;
        let logits = from_values(vec![1e4, -1e4, 0.0, -1e4, 1e4, 1e4], [2, 3]).cast(single);
        let targets = Tensor::<1, Int>::from_data([1, 2], &Device::flex());
        let (output, saved) = SoftmaxCrossEntropy.forward_saving(logits.clone(), targets);
        let double = |tensor: Tensor<2>| values(tensor.cast(burn::tensor::DType::F64));
        assert_eq!(output.dtype(), single);
        assert_eq!(values(output.cast(burn::tensor::DType::F64)), [2e4, f64::from(2f32.ln())]);
        assert_eq!(double(SoftmaxCrossEntropy.mean_backward(saved)), [0.5, -0.5, 0.0, 0.0, 0.25, -0.25]);
        assert_eq!(double(SoftmaxCrossEntropy.probabilities(logits)), [1.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
    }

    #[test]
    fn a_lost_division_by_the_batch_is_noticed() {
        let targets = Tensor::<1, Int>::from_data([1, 2], &Device::flex());
        let (_, saved) = SoftmaxCrossEntropy.forward_saving(random(1, [2, 3]), targets);
        let sum = SoftmaxCrossEntropy.backward(saved.clone(), from_values(vec![1.0; 2], [2]));
        assert!(difference(sum, SoftmaxCrossEntropy.mean_backward(saved), AUTODIFF).is_some());
    }
}
