//! Numbers of the backend flex's tensors, for operations on the CPU kernels.

use burn::backend::Flex;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::tensor::TensorData;

/// The numbers of a contiguous tensor in row-major order.
///
/// # Panics
///
/// If it is not contiguous, or not in single precision.
pub(crate) fn numbers(tensor: &FloatTensor<Flex>) -> &[f32] {
    tensor.as_slice().expect("contiguous, in single precision")
}

/// A tensor of these numbers, in row-major order.
pub(crate) fn tensor(values: Vec<f32>, shape: Vec<usize>) -> FloatTensor<Flex> {
    Flex::float_from_data(TensorData::new(values, shape), &Default::default())
}
