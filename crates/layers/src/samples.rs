//! A number a sample, from and to a batch of any rank.

use burn::tensor::Tensor;

/// `[N, …]` to `[N]`.
pub(crate) fn sample_means<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let shape = tensor.dims();
    let features: usize = shape[1..].iter().product();
    tensor.reshape([shape[0], features]).mean_dim(1).squeeze_dim(1)
}

/// `[N]` to `[N, 1, …]`.
pub(crate) fn over_samples<const D: usize>(tensor: Tensor<1>) -> Tensor<D> {
    let mut shape = [1; D];
    shape[0] = tensor.dims()[0];
    tensor.reshape(shape)
}
