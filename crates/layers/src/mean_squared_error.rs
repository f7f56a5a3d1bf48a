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

    loss_agrees_with_pytorch_and_autodiff!("mean_squared_error", MeanSquaredError);
}
