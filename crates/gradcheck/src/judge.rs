use crate::Verdict;
use crate::levels::Estimate;
use crate::report::Tolerance;

/// What one source's gradients of one tensor are judged by under one cotangent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// `c · u`.
    pub(crate) roundoff: f64,
    /// The largest derivative of the tensor over all cotangents, at most the largest weight of the cotangent: the
    /// natural size of a slope.
    pub(crate) unit: f64,
    /// The largest weight of the cotangent.
    pub(crate) weight: f64,
    /// The smallest normal and the largest number of the precision under test.
    pub(crate) range: [f64; 2],
    /// The part of the largest slope below which a slope is zero.
    pub(crate) resolution: f64,
    /// How near, relative to the element, a kink may be that the code under test takes for crossed.
    pub(crate) near: f64,
}

/// What else may excuse an error of an element. It takes more work to find out than the element's own terms, and is
/// asked for where those do not do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowances {
    /// `(Σ_o (w_o y_o)²)^½ / max(|x_i|, 1)` over the outputs that the element moves.
    pub(crate) output: f64,
    /// `(Σ_o (w_o y_o)²)^½` over all outputs, at most the largest weight.
    pub(crate) saturated: f64,
    /// That over the element: what hides in the rounding of outputs that it does not move.
    pub(crate) beside: f64,
    /// The slope that moves all outputs by as much as they are from one number to the next: a steeper one is seen by no
    /// difference. 0 stands for none.
    pub(crate) steepest: f64,
    /// `Σ_o |w_o| max_j |∂f_o/∂x_j|` over these outputs.
    pub(crate) terms: f64,
    /// What the steepest elements of all tensors do to these outputs, as a slope of this tensor.
    pub(crate) shared: f64,
    /// What round-off was seen to do to the source's own gradient: by small changes of the tensors alone, and by a
    /// large one too.
    pub(crate) near_wobble: f64,
    /// See `near_wobble`.
    pub(crate) wobble: f64,
    /// The same, of which nothing bounds how much may be round-off: more than any terms explain proves nothing.
    pub(crate) any_wobble: f64,
    /// What is believed of it.
    pub(crate) wobble_bound: f64,
    /// What the round-off of larger terms that cancelled may have left.
    pub(crate) cancelled: f64,
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
/// The element's own terms `A_i` come first: a large neighbour excuses nothing. A backward written in terms of its
/// output, such as `1 − y²` for `tanh`, has the absolute error of rounding `y`; `S_i` allows for it, up to a hundred
/// times the element's own terms unless the function is so flat here that only the rounding of `y` is left. What an
/// element cancels in is the last resort: `A_row`, the largest terms of the outputs that it moves; `U`, the size of a
/// slope, for terms of order 1 that cancel, as `1 + erf(x/√2)` far to the left; and how far round-off was seen to move
/// the gradient.
///
/// Resolved is an element whose tolerance is at most a tenth of its gradient (a hundredth if it needs the last resort),
/// or at most a thousandth of the terms of its outputs or a millionth of what the function's other tensors do to them,
/// or a billionth of the outputs over the element: then it is zero as far as its precision can say. Differences that
/// are not clean call nothing wrong, and prove nothing.
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
    let overflows = !unknown && estimate.clean && estimate.derivative.abs() > limits.range[1];
    if gradient.is_infinite() && overflows && gradient.signum() == estimate.derivative.signum() {
        return answer(Verdict::Pass, 0.0, own);
    }
    if unknown || gradient.is_infinite() {
        return answer(Verdict::Unresolved, f64::INFINITY, own);
    }
    let tenth = 0.1 * gradient.abs().max(estimate.derivative.abs());
    // Near its end, what else may excuse the error is looked at too, so that a report says how much is allowed.
    if estimate.clean && estimate.kink.is_none() && error <= 0.1 * own.total() && own.total() <= tenth {
        return answer(Verdict::Pass, error, own);
    }

    let allowed = allowances();
    let flat = estimate.magnitude < 1e-3 * allowed.output;
    let of_output = if flat { allowed.output } else { allowed.output.min(100.0 * estimate.magnitude) };
    let strict = Tolerance { roundoff: own.roundoff + 4.0 * limits.roundoff * of_output, ..own };
    let rest = limits.roundoff * (allowed.terms + 0.25 * limits.unit);
    let seen_to_move = [allowed.near_wobble, allowed.wobble, allowed.any_wobble];
    let with = |more: f64| Tolerance { roundoff: strict.roundoff + rest + more, ..own };
    let at_kink = with(0.0);
    let [near, wide, widest] = seen_to_move.map(|wobble| with(wobble + allowed.cancelled));
    if let Some(sides) = estimate.kink {
        // Across a kink round-off moves a gradient by as much as the sides are apart: that excuses nothing.
        let beyond = outside(gradient, sides);
        if at_kink.total() > 0.1 * (sides[1] - sides[0]) {
            return answer(Verdict::Unresolved, beyond.max(0.0), at_kink);
        }
        return match beyond <= at_kink.total() {
            true => answer(Verdict::Kink, 0.0, at_kink),
            false => answer(Verdict::Mismatch, beyond, at_kink),
        };
    }
    let slope = limits.resolution * allowed.terms.max(limits.unit);
    let rounding = 1e-9 * allowed.output.min(limits.weight).max(allowed.beside);
    let zero = slope.max(1e-6 * allowed.shared).max(rounding).max(4.0 * limits.range[0]);
    // What is excused by the source's own noise must be smaller beside the gradient: a hundredth.
    // One that is too large must not hide that a smaller one does.
    let seen = Tolerance { roundoff: near.roundoff - allowed.cancelled, ..near };
    let steep = Tolerance {
        roundoff: own.roundoff + 4.0 * limits.roundoff * allowed.output.min(100.0 * estimate.magnitude),
        ..own
    };
    let tiers =
        [(own, tenth), (steep, tenth), (strict, tenth), (seen, 0.1 * tenth), (near, 0.1 * tenth), (wide, 0.1 * tenth)];
    // The largest that is small enough is the tolerance.
    let small_enough = tiers.iter().filter(|(tolerance, small)| tolerance.total() <= small.max(zero));
    let largest = small_enough.max_by(|(a, _), (b, _)| a.total().total_cmp(&b.total()));
    if let Some(&(tolerance, _)) = largest
        && estimate.clean
        && error <= tolerance.total()
    {
        return answer(Verdict::Pass, error, tolerance);
    }
    if error <= widest.total() {
        return answer(Verdict::Unresolved, error, widest);
    }
    let near = estimate.near.filter(|near| near.within <= limits.near);
    let beside_kink = near.is_some_and(|near| outside(gradient, near.slopes) <= widest.total());
    // Differences whose truncation is only hidden by noise may be those of a function that is rough at every step.
    let rough = estimate.truncation > 1e-6 * estimate.magnitude && estimate.noise > 1e-4 * tenth;
    let loud = estimate.noise + estimate.truncation > 0.5 * error;
    let hidden = rough
        || loud
        || error <= widest.total() + estimate.hidden
        || (allowed.steepest > 0.0 && error > allowed.steepest);
    // What adds to a 1 inside of the function, and moves nothing, may be as much as the rounding of that 1.
    let below = estimate.magnitude == 0.0 && error <= 16.0 * f64::EPSILON * limits.weight / estimate.step.max(1e-3);
    // Where the function is saturated, an intermediate result next to 1, such as a probability, is rounded by more than
    // what is left of it: `y (1 − y)`.
    let saturated = estimate.magnitude < 1e-3 * allowed.saturated && error <= 2.0 * limits.roundoff * allowed.saturated;
    let verdict =
        if estimate.clean && !hidden && !below && !saturated { Verdict::Mismatch } else { Verdict::Unresolved };
    Answer { verdict, error, tolerance: widest, beside_kink }
}

/// How far a gradient is outside of an interval; not positive within it.
fn outside(gradient: f64, [low, high]: [f64; 2]) -> f64 {
    (low - gradient).max(gradient - high)
}

#[cfg(test)]
mod tests;
