//! Where nodes run.

use burn::backend::flex::FlexDevice;
use burn::tensor::{DType, Device, Tensor};

/// Whether a tensor is one that the nodes of this crate take: in single precision on the backend `flex`, with autodiff
/// or without.
#[must_use]
pub fn runs_on_kernels<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && tensor.device().without_autodiff() == Device::new(FlexDevice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_on_flex_alone() {
        let tensor = Tensor::<1>::zeros([2], (&Device::new(FlexDevice), DType::F32));
        assert!(runs_on_kernels(&tensor));
        assert!(runs_on_kernels(&tensor.clone().autodiff()));
        assert!(!runs_on_kernels(&tensor.cast(DType::F64)));
    }
}
