use crate::Verdict;
use crate::levels::Estimate;
use crate::report::Tolerance;

/// What one source's gradients of one tensor are judged by under one cotangent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// `c · u`.
    pub(crate) roundoff: f64,
    /// The largest derivative of the tensor over all cotangents, at most the largest weight of the cotangent: the natural size of a slope.
    pub(crate) unit: f64,
    /// The smallest normal and the largest number of the precision under test.
    pub(crate) range: [f64; 2],
    /// How near, relative to the element, a kink may be that the code under test takes for crossed.
    pub(crate) near: f64,
}

/// What else may excuse an error of an element. It takes more work to find out than the element's own terms, and is asked for where those do not do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowances {
    /// `(Σ_o (w_o y_o)²)^½ / max(|x_i|, 1)` over the outputs that the element moves.
    pub(crate) output: f64,
    /// `Σ_o |w_o| max_j |∂f_o/∂x_j|` over these outputs.
    pub(crate) terms: f64,
    /// What round-off was seen to do to the source's own gradient, and what may have cancelled in it.
    pub(crate) wobble: f64,
}

/// The verdict on one element under one cotangent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) error: f64,
    pub(crate) tolerance: Tolerance,
    /// It is outside of the tolerance and between the slopes of a kink beside the point.
    pub(crate) beside_kink: bool,
}

/// Judges one element.
///
/// ```text
/// tol = |D_R − D_h|  +  noise / h  +  c u A_i  [ + 4 c u S_i  [ + c u (A_row + U / 4) + wobble ] ]
/// ```
///
/// The element's own terms `A_i` come first: a large neighbour excuses nothing. A backward written in terms of its output, such as `1 − y²` for
/// `tanh`, has the absolute error of rounding `y`; `S_i` allows for it, up to a hundred times the element's own terms unless the function is so flat
/// here that only the rounding of `y` is left. What an element cancels in is the last resort: `A_row`, the largest terms of the outputs that it moves; `U`, the size of a slope, for
/// terms of order 1 that cancel, as `1 + erf(x/√2)` far to the left; and how far round-off was seen to move the gradient.
///
/// Resolved is an element whose tolerance is at most a tenth of its gradient, or at most a thousandth of the terms of its outputs: then it is zero as
/// far as its precision can say. Differences that are not clean call nothing wrong, and prove nothing.
pub(crate) fn judge(
    gradient: f64,
    estimate: &Estimate,
    own_magnitude: Option<f64>,
    limits: &Limits,
    allowances: impl FnOnce() -> Allowances,
) -> Answer {
    let error = (gradient - estimate.derivative).abs();
    let magnitude = own_magnitude.unwrap_or(0.0).max(estimate.magnitude);
    let own = Tolerance {
        truncation: estimate.truncation,
        noise: estimate.noise,
        roundoff: limits.roundoff * magnitude + limits.range[0],
    };
    let answer = |verdict, error, tolerance| Answer { verdict, error, tolerance, beside_kink: false };
    let unknown = !estimate.derivative.is_finite() || !own.total().is_finite();
    // Beyond the range of the precision the right answer is infinity, and so it is where the slope is.
    let beyond = unknown || !estimate.clean || estimate.derivative.abs() > limits.range[1];
    if gradient.is_nan() || (gradient.is_infinite() && !beyond) {
        return answer(Verdict::NonFinite, f64::INFINITY, own);
    }
    if unknown || gradient.is_infinite() {
        return answer(Verdict::Unresolved, f64::INFINITY, own);
    }
    let tenth = 0.1 * gradient.abs().max(estimate.derivative.abs());
    if estimate.clean && estimate.kink.is_none() && error <= own.total() && own.total() <= tenth {
        return answer(Verdict::Pass, error, own);
    }

    let allowed = allowances();
    let flat = estimate.magnitude < 1e-3 * allowed.output;
    let of_output = if flat { allowed.output } else { allowed.output.min(100.0 * estimate.magnitude) };
    let strict = Tolerance { roundoff: own.roundoff + 4.0 * limits.roundoff * of_output, ..own };
    let cancelled = limits.roundoff * (allowed.terms + 0.25 * limits.unit) + allowed.wobble;
    let wide = Tolerance { roundoff: strict.roundoff + cancelled, ..own };
    if let Some(sides) = estimate.kink {
        // Across a kink round-off moves a gradient by as much as the sides are apart: that excuses nothing.
        let at_kink = Tolerance { roundoff: wide.roundoff - allowed.wobble, ..own };
        let beyond = outside(gradient, sides);
        return match beyond <= at_kink.total() {
            true => answer(Verdict::Kink, 0.0, at_kink),
            false => answer(Verdict::Mismatch, beyond, at_kink),
        };
    }
    let zero = (1e-3 * allowed.terms.max(limits.unit)).max(4.0 * limits.range[0]);
    for tolerance in [strict, wide] {
        let total = tolerance.total();
        if error <= total {
            let resolved = estimate.clean && (total <= tenth || total <= zero);
            return answer(if resolved { Verdict::Pass } else { Verdict::Unresolved }, error, tolerance);
        }
    }
    let near = estimate.near.filter(|near| near.within <= limits.near);
    let beside_kink = near.is_some_and(|near| outside(gradient, near.slopes) <= wide.total());
    let verdict = if estimate.clean { Verdict::Mismatch } else { Verdict::Unresolved };
    Answer { verdict, error, tolerance: wide, beside_kink }
}

/// How far a gradient is outside of an interval; not positive within it.
fn outside(gradient: f64, [low, high]: [f64; 2]) -> f64 {
    (low - gradient).max(gradient - high)
}

#[cfg(test)]
mod tests;
