use crate::Verdict;
use crate::difference::Estimate;
use crate::report::Tolerance;

/// What is needed beside the estimate to judge an element: the same for a whole tensor and cotangent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scales {
    /// `c · u`.
    pub(crate) roundoff: f64,
    /// `A`, the sum of the magnitudes of what the backward adds up: the largest of the checked elements.
    pub(crate) magnitude: f64,
    /// `(Σ_o (w_o y_o)²)^½` over the largest magnitude in the tensor (at least 1): the size of an error that comes of rounding the outputs.
    pub(crate) output: f64,
    /// The largest derivative of the tensor, over all cotangents.
    pub(crate) derivative: f64,
}

/// `tol = |D_R − D_h| + noise / h + c·u·A`.
///
/// A backward written in terms of its output, such as `1 − y²` for `tanh`, has the absolute error of rounding `y`, which is not in `A` where the
/// function is flat; four times `c` allows for it, but never for more than a hundred times the element's own terms, so that in single precision a
/// gradient that is off by a thousandth is still found. Terms of order 1 that cancel, as `1 + erf(x/√2)` far to the left, leave an absolute error too, which an
/// output by itself does not show: a quarter of `c` units of the largest derivative of all.
pub(crate) fn tolerance(estimate: &Estimate, scales: &Scales, own_magnitude: Option<f64>) -> Tolerance {
    let magnitude = own_magnitude.unwrap_or(scales.magnitude).max(estimate.magnitude);
    let of_output = scales.output.min(100.0 * estimate.magnitude);
    Tolerance {
        truncation: estimate.truncation,
        noise: estimate.noise,
        roundoff: scales.roundoff * (magnitude + 4.0 * of_output + 0.25 * scales.derivative),
    }
}

/// One element of one source under one cotangent, and its error.
///
/// Resolved is an element whose tolerance is at most a tenth of its gradient. A gradient near zero never is; it is accepted as zero when
/// its tolerance is at most a thousandth of the tensor's largest derivative, which is as much as anybody can ask of it.
pub(crate) fn judge(gradient: f64, estimate: &Estimate, tolerance: &Tolerance, scales: &Scales) -> (Verdict, f64) {
    let error = (gradient - estimate.derivative).abs();
    if !gradient.is_finite() {
        return (Verdict::NonFinite, f64::INFINITY);
    }
    if !estimate.derivative.is_finite() || !tolerance.total().is_finite() {
        return (Verdict::Unresolved, f64::INFINITY);
    }
    let total = tolerance.total();
    let within = |[low, high]: [f64; 2]| (low - total..=high + total).contains(&gradient);
    if let Some(sides) = estimate.kink {
        return if within(sides) { (Verdict::Kink, 0.0) } else { (Verdict::Mismatch, outside(gradient, sides)) };
    }
    if error > total {
        return match estimate.near {
            Some(sides) if within(sides) => (Verdict::Kink, 0.0),
            _ => (Verdict::Mismatch, error),
        };
    }
    let resolved = total <= 0.1 * gradient.abs().max(estimate.derivative.abs()) || total <= 1e-3 * scales.derivative;
    (if resolved { Verdict::Pass } else { Verdict::Unresolved }, error)
}

fn outside(gradient: f64, [low, high]: [f64; 2]) -> f64 {
    (low - gradient).max(gradient - high)
}
