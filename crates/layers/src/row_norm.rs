//! Rows brought to mean 0 and variance 1, and the way back: what group and layer normalisation share.

use burn::module::Param;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::definition::register;

/// What the backward pass of a normalisation by rows needs of the forward pass.
#[derive(Debug, Clone)]
pub struct RowNormSaved {
    /// `x̂` by rows, `[R, M]`.
    pub normalized: Tensor<2>,
    /// `r`, `[R, 1]`.
    pub inverse_deviation: Tensor<2>,
}

/// What the backward pass of a normalisation by rows returns.
#[derive(Debug, Clone)]
pub struct RowNormGradients<const D: usize> {
    /// `∂L/∂x`, in the shape of `x`.
    pub input: Tensor<D>,
    /// `∂L/∂γ`, in the shape of `γ`.
    pub gamma: Tensor<1>,
    /// `∂L/∂β`, in the shape of `β`.
    pub beta: Tensor<1>,
}

impl<const D: usize> RowNormGradients<D> {
    /// Registers the gradients of `γ` and `β`, and gives that of the input.
    pub(crate) fn register(
        self,
        gamma: &Param<Tensor<1>>,
        beta: &Param<Tensor<1>>,
        gradients: &mut GradientsParams,
    ) -> Tensor<D> {
        register(gradients, gamma, self.gamma);
        register(gradients, beta, self.beta);
        self.input
    }
}

/// `x̂` and `r` of each row of `x`, `[R, M]`:
///
/// ```text
/// μ = (1/M) Σ_q x_q      v = (1/M) Σ_q (x_q − μ)²      r = 1 / √(v + ε)      x̂_q = (x_q − μ) r
/// ```
pub(crate) fn normalize(rows: Tensor<2>, epsilon: f64) -> RowNormSaved {
    let deviation = rows.clone() - mean(rows);
    let inverse_deviation = (mean(deviation.clone() * deviation.clone()) + epsilon).sqrt().recip();
    RowNormSaved { normalized: deviation * inverse_deviation.clone(), inverse_deviation }
}

/// `∂L/∂x` of each row, `[R, M]`, from `ĝ = ∂L/∂x̂` and what [`normalize`] gave:
///
/// ```text
/// ∂L/∂x_q = r (ĝ_q − (1/M) Σ_p ĝ_p − x̂_q (1/M) Σ_p ĝ_p x̂_p)
/// ```
///
/// It is the derivation of [`BatchNorm`](crate::BatchNorm), with a row in the place of a channel and `ĝ` in that of
/// `γ g`.
pub(crate) fn normalize_backward(saved: RowNormSaved, gradient: Tensor<2>) -> Tensor<2> {
    let RowNormSaved { normalized, inverse_deviation } = saved;
    let component = normalized.clone() * mean(gradient.clone() * normalized);
    (gradient.clone() - mean(gradient) - component) * inverse_deviation
}

/// The mean of each row, `[R, 1]`, by a product with `1/M`: Burn 0.22.1's autodiff takes the reciprocal of a scalar
/// divisor in f32.
fn mean(rows: Tensor<2>) -> Tensor<2> {
    let share = 1.0 / rows.dims()[1] as f64;
    rows.sum_dim(1) * share
}
