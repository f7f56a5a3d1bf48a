use burn::tensor::{DType, Device, Tensor};

use crate::Value;

/// Fills and frees memory of the sizes that the code under test is about to ask for, so that an allocator hands garbage
/// to whoever forgets to initialise. A single-precision reader sees NaN in both halves of the NaN pattern.
pub(crate) fn poison(bytes: impl IntoIterator<Item = usize>, pattern: u64) {
    let mut held = Vec::new();
    for bytes in bytes {
        let words = bytes.div_ceil(8).max(1);
        // Several of each size, and of the sizes that padding leads to: reductions and copies want their own.
        for extra in [0, 0, 1, 8] {
            held.push(std::hint::black_box(vec![pattern; words + extra]));
        }
    }
}

/// NaN as f64 and as two f32.
pub(crate) const NAN: u64 = 0x7ff8_0001_7ff8_0001;
/// About 1e38 as f64's upper half and as two f32: finite, so that a comparison with it is no NaN.
pub(crate) const LARGE: u64 = 0x7e96_7699_7e96_7699;

/// Leaves garbage in the memory of a device: tensors of the sizes of `values`, full of NaN and of large numbers, freed
/// at once. A source of [`Check`](crate::Check) or [`check_module`](crate::check_module) does so before each run; one
/// of your own may call it.
///
/// # Panics
///
/// Panics if the device does not have this type.
pub fn poison_device(device: &Device, values: &[Value], dtype: DType) {
    let device = device.clone().without_autodiff();
    for garbage in [f64::from_bits(NAN), f64::from_bits(LARGE)] {
        let held: Vec<Tensor<1>> =
            values.iter().map(|value| Tensor::full([value.len().max(1)], garbage, (&device, dtype))).collect();
        drop(held);
    }
}
