use burn::tensor::{DType, Device};

use crate::Value;

/// The largest relative error of rounding to this type: 2⁻²⁴ for f32, 2⁻⁵³ for f64, 2⁻¹¹ for f16, 2⁻⁸ for bf16.
///
/// # Panics
///
/// Panics if it is not a float type that tensors compute in.
pub fn unit_roundoff(dtype: DType) -> f64 {
    let bits = match dtype {
        DType::F64 => -53,
        DType::F32 | DType::Flex32 => -24,
        DType::F16 => -11,
        DType::BF16 => -8,
        other => panic!("gradients are not computed in {other:?}"),
    };
    2f64.powi(bits)
}

/// The unit round-off of a device's matrix product, which may be coarser than its type: tensor cores that round f32 to TF32 (2⁻¹¹), an f64
/// that is computed in f32.
///
/// The error of every element of a product of 64 × 64 matrices, over the sum of the magnitudes of its terms; never less than
/// [`unit_roundoff`].
///
/// # Panics
///
/// Panics if the device cannot compute in this type.
pub fn measure_unit_roundoff(device: &Device, dtype: DType) -> f64 {
    const N: usize = 64;
    let [a, b] = [1, 2].map(|seed| Value::normal([N, N], seed).rounded(dtype));
    let product: Value = a.tensor::<2>(device, dtype).matmul(b.tensor::<2>(device, dtype)).into();
    let mut worst = unit_roundoff(dtype);
    for row in 0..N {
        for column in 0..N {
            let terms = || (0..N).map(|k| a.data()[row * N + k] * b.data()[k * N + column]);
            let (exact, magnitude) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
            let error = (product.data()[row * N + column] - exact).abs();
            worst = worst.max(error / magnitude);
        }
    }
    worst
}
