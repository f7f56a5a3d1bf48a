//! Rows brought to mean 0 and variance 1, and the way back: what group and layer normalisation share.

use burn::tensor::Tensor;

/// `x̂` and `r` of each row of `x`, `[R, M]`:
///
/// ```text
/// μ = (1/M) Σ_q x_q      v = (1/M) Σ_q (x_q − μ)²      r = 1 / √(v + ε)      x̂_q = (x_q − μ) r
/// ```
pub(crate) fn normalize(rows: Tensor<2>, epsilon: f64) -> (Tensor<2>, Tensor<2>) {
    let deviation = rows.clone() - mean(rows);
    let inverse_deviation = (mean(deviation.clone() * deviation.clone()) + epsilon).sqrt().recip();
    (deviation * inverse_deviation.clone(), inverse_deviation)
}

/// `∂L/∂x` of each row, `[R, M]`, from `ĝ = ∂L/∂x̂` and what [`normalize`] gave:
///
/// ```text
/// ∂L/∂x_q = r (ĝ_q − (1/M) Σ_p ĝ_p − x̂_q (1/M) Σ_p ĝ_p x̂_p)
/// ```
///
/// It is the derivation of [`BatchNorm`](crate::BatchNorm), with a row in the place of a channel and `ĝ` in that of
/// `γ g`.
pub(crate) fn normalize_backward(
    normalized: Tensor<2>,
    inverse_deviation: Tensor<2>,
    gradient: Tensor<2>,
) -> Tensor<2> {
    let component = normalized.clone() * mean(gradient.clone() * normalized);
    (gradient.clone() - mean(gradient) - component) * inverse_deviation
}

/// The mean of each row, `[R, 1]`, by a product with `1/M`: Burn 0.22.1's autodiff takes the reciprocal of a scalar
/// divisor in f32.
fn mean(rows: Tensor<2>) -> Tensor<2> {
    let share = 1.0 / rows.dims()[1] as f64;
    rows.sum_dim(1) * share
}
