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

/// The unit round-off of a device's matrix product, which may be coarser than its type: tensor cores that round f32 to
/// TF32 (2⁻¹¹), an f64 that is computed in f32.
///
/// The error of every element of a product of 64 × 64 matrices, over the sum of the magnitudes of its terms; never less
/// than [`unit_roundoff`].
///
/// # Panics
///
/// Panics if the device cannot compute in this type.
pub fn measure_unit_roundoff(device: &Device, dtype: DType) -> f64 {
    const N: usize = 64;
    let [a, b] = [1, 2].map(|seed| Value::normal([N, N], seed).rounded(dtype));
    let product: Value = a.tensor::<2>(device, dtype).matmul(b.tensor::<2>(device, dtype)).into();
    relative_error(&a, &b, &product).max(unit_roundoff(dtype))
}

/// The largest error of a product of matrices, over the sum of the magnitudes of the element's terms.
fn relative_error(a: &Value, b: &Value, product: &Value) -> f64 {
    let [inner, columns] = [b.dims()[0], b.dims()[1]];
    let error = |(index, found): (usize, &f64)| {
        let (row, column) = (index / columns, index % columns);
        let terms = || (0..inner).map(|k| a.data()[row * inner + k] * b.data()[k * columns + column]);
        let (exact, magnitude) = (terms().sum::<f64>(), terms().map(f64::abs).sum::<f64>());
        (found - exact).abs() / magnitude
    };
    product.data().iter().enumerate().map(error).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_unit_in_the_last_place_of_one_is_lost() {
        let types = [DType::F64, DType::F32, DType::Flex32, DType::F16, DType::BF16];
        assert_eq!(types.map(|dtype| unit_roundoff(dtype).log2()), [-53.0, -24.0, -24.0, -11.0, -8.0]);
    }

    #[test]
    fn a_product_in_f32_has_the_round_off_of_f32() {
        let measured = measure_unit_roundoff(&Device::flex(), DType::F32);
        assert!((2f64.powi(-24)..2f64.powi(-22)).contains(&measured), "{measured:e}");
    }

    #[test]
    fn the_error_is_relative_to_the_terms_of_the_sum() {
        // Of 0.5 · 1 + 0.5 · −1 the terms are 1 in all, of which an eighth is lost.
        let [a, b] = [Value::new([1, 2], vec![0.5, 0.5]), Value::new([2, 1], vec![1.0, -1.0])];
        assert_eq!(relative_error(&a, &b, &Value::new([1, 1], vec![0.125])), 0.125);
        // [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50], and the last element is off by 5.
        let [a, b] = [Value::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]), Value::new([2, 2], vec![5.0, 6.0, 7.0, 8.0])];
        assert_eq!(relative_error(&a, &b, &Value::new([2, 2], vec![19.0, 22.0, 43.0, 45.0])), 0.1);
    }
}
