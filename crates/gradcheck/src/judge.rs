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

#[cfg(test)]
mod tests {
    use super::*;

    const ESTIMATE: Estimate = Estimate {
        derivative: 8.0,
        truncation: 0.25,
        noise: 0.125,
        magnitude: 3.0,
        step: 1e-3,
        kink: None,
        near: None,
    };

    const SCALES: Scales = Scales { roundoff: 0.5, magnitude: 5.0, output: 7.0, derivative: 16.0 };

    #[test]
    fn the_tolerance_is_the_sum_of_the_formula() {
        let roundoff = |estimate: Estimate, own: Option<f64>| {
            let found = tolerance(&estimate, &SCALES, own);
            assert_eq!((found.truncation, found.noise), (0.25, 0.125));
            found.roundoff
        };
        assert_eq!(roundoff(ESTIMATE, None), 0.5 * (5.0 + 4.0 * 7.0 + 0.25 * 16.0));
        assert_eq!(roundoff(ESTIMATE, Some(4.0)), 0.5 * (4.0 + 28.0 + 4.0), "what the source itself says of its terms");
        assert_eq!(roundoff(ESTIMATE, Some(1.0)), 0.5 * (3.0 + 28.0 + 4.0), "but never less than the terms seen");
        let flat = Estimate { magnitude: 1.0 / 32.0, ..ESTIMATE };
        assert_eq!(roundoff(flat, None), 0.5 * (5.0 + 4.0 * 100.0 / 32.0 + 4.0), "a hundred times the element's terms");
    }

    /// The verdict with a tolerance of this much, and no larger derivative in the tensor than this.
    fn verdict(gradient: f64, estimate: Estimate, total: f64, derivative: f64) -> (Verdict, f64) {
        let tolerance = Tolerance { truncation: total / 2.0, noise: total / 4.0, roundoff: total / 4.0 };
        judge(gradient, &estimate, &tolerance, &Scales { derivative, ..SCALES })
    }

    #[test]
    fn an_error_passes_up_to_the_tolerance() {
        for (gradient, expected) in [
            (8.0, (Verdict::Pass, 0.0)),
            (8.5, (Verdict::Pass, 0.5)),
            (7.5, (Verdict::Pass, 0.5)),
            (8.75, (Verdict::Mismatch, 0.75)),
            (-8.0, (Verdict::Mismatch, 16.0)),
        ] {
            assert_eq!(verdict(gradient, ESTIMATE, 0.5, 8.0), expected, "{gradient}");
        }
    }

    #[test]
    fn a_tolerance_above_a_tenth_of_the_gradient_proves_nothing() {
        assert_eq!(verdict(8.0, ESTIMATE, 0.75, 8.0), (Verdict::Pass, 0.0));
        assert_eq!(verdict(8.0, ESTIMATE, 1.0, 8.0), (Verdict::Unresolved, 0.0));
        // A zero is accepted beside a thousand times as large a derivative elsewhere.
        let zero = Estimate { derivative: 0.0, ..ESTIMATE };
        assert_eq!(verdict(0.0, zero, 0.5, 1000.0), (Verdict::Pass, 0.0));
        assert_eq!(verdict(0.0, zero, 2.0, 1000.0), (Verdict::Unresolved, 0.0));
    }

    #[test]
    fn what_is_not_finite_has_an_infinite_error() {
        for gradient in [f64::NAN, f64::INFINITY] {
            assert_eq!(verdict(gradient, ESTIMATE, 0.5, 8.0), (Verdict::NonFinite, f64::INFINITY));
        }
        let unknown = Estimate { derivative: f64::NAN, ..ESTIMATE };
        assert_eq!(verdict(8.0, unknown, 0.5, 8.0), (Verdict::Unresolved, f64::INFINITY));
        assert_eq!(verdict(8.0, ESTIMATE, f64::INFINITY, 8.0), (Verdict::Unresolved, f64::INFINITY));
    }

    #[test]
    fn at_a_kink_the_error_is_the_distance_from_both_sides() {
        let kink = Estimate { kink: Some([-1.0, 2.0]), ..ESTIMATE };
        for (gradient, expected) in [
            (0.0, (Verdict::Kink, 0.0)),
            (2.5, (Verdict::Kink, 0.0)),
            (-1.5, (Verdict::Kink, 0.0)),
            (2.75, (Verdict::Mismatch, 0.75)),
            (-1.75, (Verdict::Mismatch, 0.75)),
        ] {
            assert_eq!(verdict(gradient, kink, 0.5, 8.0), expected, "{gradient}");
        }
    }

    #[test]
    fn a_near_kink_excuses_what_lies_between_its_sides_alone() {
        let near = Estimate { near: Some([2.0, 4.0]), ..ESTIMATE };
        assert_eq!(verdict(3.0, near, 0.5, 8.0), (Verdict::Kink, 0.0));
        assert_eq!(verdict(8.25, near, 0.5, 8.0), (Verdict::Pass, 0.25));
        assert_eq!(verdict(6.0, near, 0.5, 8.0), (Verdict::Mismatch, 2.0));
    }
}
