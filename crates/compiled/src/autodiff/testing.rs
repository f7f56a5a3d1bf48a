//! Tensors for the tests of nodes.

use burn::tensor::{DType, Device, Tensor, TensorData};

use crate::testing::numbers;

/// Uniform values in [−2, 2) that single precision holds exactly, in f64 on the plain device.
pub(super) fn random<const D: usize>(seed: u64, shape: [usize; D]) -> Tensor<D> {
    let values: Vec<f64> = numbers(shape.iter().product(), seed).into_iter().map(|x| 2.0 * f64::from(x)).collect();
    Tensor::from_data(TensorData::new(values, shape), (&Device::flex(), DType::F64))
}

/// The values of a tensor in either precision.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.without_autodiff().cast(DType::F64).into_data().try_into_vec().expect("f64")
}
