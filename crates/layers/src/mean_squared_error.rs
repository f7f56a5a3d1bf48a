use burn::module::Module;
use burn::tensor::Tensor;

use crate::samples::{over_samples, sample_means};

/// The mean of the squared differences between outputs and targets.
///
/// # Derivation
///
/// For outputs `x` and targets `t`, both of shape `[N, …]`, with `F` elements a sample numbered by `f`,
///
/// ```text
/// l_n = (1/F) Σ_f (x_nf − t_nf)²                                      [N]
/// ∂l_n/∂x_nf = (2/F) (x_nf − t_nf)
/// ∂L/∂x_nf = g_n (2/F) (x_nf − t_nf)                                  [N, …],    g = ∂L/∂l of shape [N]
/// ```
///
/// For the mean over the batch, `L = (1/N) Σ_n l_n`, the mean over all `N · F` elements, `g_n = 1/N` and `∂L/∂x = 2 (x
/// − t) / (N F)`. Targets are data and get no gradient.
///
/// # Notation
///
/// Textbooks often take `½ Σ_f (x − t)²` for a sample (Nielsen's quadratic cost; Bishop, *Pattern Recognition and
/// Machine Learning*, equation 5.11), which is `F/2` times our `l_n`; the factor 2 is PyTorch's `MSELoss`.
#[derive(Module, Debug, Default)]
pub struct MeanSquaredError;

/// What [`MeanSquaredError::backward`] needs of the forward pass.
#[derive(Debug, Clone)]
pub struct MeanSquaredErrorSaved<const D: usize> {
    /// `x − t`.
    pub difference: Tensor<D>,
}

impl MeanSquaredError {
    /// The loss of every sample, `[N]`, from outputs and targets of the same shape `[N, …]`.
    ///
    /// # Panics
    ///
    /// Panics if the two shapes differ.
    pub fn forward<const D: usize>(&self, input: Tensor<D>, targets: Tensor<D>) -> Tensor<1> {
        self.forward_saving(input, targets).0
    }

    /// The mean of [`forward`](Self::forward) over the batch, `[1]`.
    pub fn mean<const D: usize>(&self, input: Tensor<D>, targets: Tensor<D>) -> Tensor<1> {
        self.forward(input, targets).mean()
    }

    /// [`forward`](Self::forward), and what [`backward`](Self::backward) needs of it.
    pub fn forward_saving<const D: usize>(
        &self,
        input: Tensor<D>,
        targets: Tensor<D>,
    ) -> (Tensor<1>, MeanSquaredErrorSaved<D>) {
        assert_eq!(input.dims(), targets.dims(), "outputs and targets must have one shape");
        let difference = input - targets;
        let loss = sample_means(difference.clone() * difference.clone());
        (loss, MeanSquaredErrorSaved { difference })
    }

    /// `∂L/∂x`, in the shape of `x`, from `output_gradient = ∂L/∂l` of shape `[N]`.
    pub fn backward<const D: usize>(&self, saved: MeanSquaredErrorSaved<D>, output_gradient: Tensor<1>) -> Tensor<D> {
        let shape = saved.difference.dims();
        let features = shape[1..].iter().product::<usize>() as f64;
        saved.difference * over_samples(output_gradient * (2.0 / features))
    }

    /// `∂L/∂x`, in the shape of `x`, for `L` the mean over the batch.
    pub fn mean_backward<const D: usize>(&self, saved: MeanSquaredErrorSaved<D>) -> Tensor<D> {
        let elements = saved.difference.shape().num_elements() as f64;
        saved.difference * (2.0 / elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    fn check<const D: usize>(case: &Case<'_>) {
        let loss = MeanSquaredError;
        let (input, targets) = (case.tensor::<D>("input"), case.tensor::<D>("targets"));
        let (output, saved) = loss.forward_saving(input.clone(), targets.clone());
        case.assert("output", output);
        case.assert("input_gradient", loss.backward(saved.clone(), case.tensor("cotangent")));
        case.assert("mean", loss.mean(input.clone(), targets.clone()));
        case.assert("mean_gradient", loss.mean_backward(saved));

        let forward = |input| loss.forward(input, targets.autodiff());
        let (output, gradient, _) = differentiate(input, case.tensor("cotangent"), forward);
        case.assert("output", output);
        case.assert("input_gradient", gradient);
    }

    #[test]
    fn agrees_with_pytorch() {
        for case in Fixture::load("mean_squared_error").cases() {
            match case.rank("input") {
                1 => check::<1>(&case),
                2 => check::<2>(&case),
                4 => check::<4>(&case),
                rank => panic!("{}: rank {rank}", case.name),
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(generated())]
        #[test]
        fn agrees_with_autodiff(seed: u64, shape in [1..5usize, 1..4usize, 1..4usize], zeros: bool) {
            let loss = MeanSquaredError;
            let input = if zeros { few_values(seed, shape) } else { random::<3>(seed, shape) };
            let targets = random::<3>(seed ^ 2, shape).abs() / 2.0;
            let cotangent = random::<1>(seed ^ 1, [shape[0]]);
            let (_, saved) = loss.forward_saving(input.clone(), targets.clone());
            let gradient = loss.backward(saved.clone(), cotangent.clone());
            let forward = |input| loss.forward(input, targets.clone().autodiff());
            let (_, expected, _) = differentiate(input.clone(), cotangent, forward);
            assert_close("input", gradient, expected, AUTODIFF);
            let one = from_values(vec![1.0], [1]);
            let (_, expected, _) = differentiate(input, one, |input| forward(input).mean());
            assert_close("mean", loss.mean_backward(saved), expected, AUTODIFF);
        }
    }
}
