//! What may excuse an element that looks wrong.

use crate::caught::caught;
use crate::examination::Examination;
use crate::judge::Answer;
use crate::judgement::Claim;
use crate::line::{Line, Move};
use crate::place::NEAR;
use crate::runs::moved;
use crate::spread::HOPELESS;
use crate::subgradients::{AWAY, equals, hulls};
use crate::sweep::Along;
use crate::{Value, Verdict};

/// So many points, by so much of each element away, show whether an error is round-off.
const ELSEWHERE: [f64; 8] = [0.002, 0.004, 0.008, 0.016, 0.032, 0.002, 0.008, 0.032];

/// Points beside a kink lead to every place that so many equal elements may take; of more they leave some out.
const ORDERED: usize = 6;

/// The streams of their directions start where those of a spread end.
const STREAM: u64 = 64;

impl Examination<'_, '_> {
    /// Whether a gradient is one that the function has beside the kink: where several kinks meet, there are more than
    /// one element alone leads to.
    fn is_subgradient(&self, claim: &Claim<'_>, index: usize, cotangent: usize, slack: f64) -> bool {
        let place = (claim.tensor, index);
        let known = self.hulls.borrow().get(&place).cloned();
        let hulls = known.unwrap_or_else(|| {
            let hulls = hulls(self.oracle(), claim.tensor, index, self.options.seed, AWAY);
            self.hulls.borrow_mut().insert(place, hulls.clone());
            hulls
        });
        let gradient = claim.gradient(cotangent, index);
        hulls[cotangent].is_some_and(|[low, high]| (low - slack..=high + slack).contains(&gradient))
    }

    /// What a gradient that looks wrong is, if it is one that the function has beside a kink: right, or not decided.
    pub(crate) fn beside_kink(
        &self,
        claim: &Claim<'_>,
        index: usize,
        cotangent: usize,
        answer: &Answer,
    ) -> Option<Verdict> {
        let oracle = self.oracle();
        let slack = answer.tolerance.total();
        let kinked = oracle.element(claim.tensor, index).estimates.iter().any(|estimate| estimate.kink.is_some());
        if kinked {
            let is_one = self.is_subgradient(claim, index, cotangent, slack);
            let may_be = || {
                let steepest = oracle.steepest_side(claim.tensor, cotangent);
                let many = equals(oracle, claim.tensor, index).len() > ORDERED;
                many && claim.gradient(cotangent, index).abs() <= steepest + slack
            };
            return is_one.then_some(Verdict::Kink).or_else(|| may_be().then_some(Verdict::Unresolved));
        }
        if answer.beside_kink && self.right_beside(claim, index, cotangent) {
            return Some(Verdict::Kink);
        }
        self.beside_equals(claim, index, cotangent, slack)
    }

    /// The same for an element that is equal to others, and sees no kink by itself: of four equal elements, none moves
    /// the median alone. Together they do, and their gradients must add up to that.
    fn beside_equals(&self, claim: &Claim<'_>, index: usize, cotangent: usize, slack: f64) -> Option<Verdict> {
        let oracle = self.oracle();
        let equals = equals(oracle, claim.tensor, index);
        if equals.len() < 2 || !self.is_subgradient(claim, index, cotangent, slack) {
            return None;
        }
        // What a smooth function does between these points shrinks with their distance.
        let near = hulls(oracle, claim.tensor, index, self.options.seed, 0.1 * AWAY);
        let width = |hull: Option<[f64; 2]>| hull.map_or(0.0, |[low, high]| high - low);
        let far = self.hulls.borrow().get(&(claim.tensor, index)).and_then(|hulls| hulls[cotangent]);
        if width(near[cotangent]) < 0.5 * width(far) {
            return None;
        }
        let base = oracle.base(claim.tensor, index);
        let moves = equals.into_iter().map(|index| Move { tensor: claim.tensor, index, by: base }).collect();
        let line = Line { moves };
        let together = Along { element: oracle.along(&line), line };
        let estimate = &together.element.estimates[cotangent];
        if !estimate.clean || estimate.kink.is_some() {
            return Some(Verdict::Unresolved);
        }
        self.tie_fault_under(claim, &together, cotangent).is_none().then_some(Verdict::Kink)
    }

    /// Whether a source that is on the other side of a kink beside the element is right further away on both sides:
    /// then round-off alone has moved its kink. A backward that is wrong stays wrong there.
    fn right_beside(&self, claim: &Claim<'_>, index: usize, cotangent: usize) -> bool {
        let oracle = self.oracle();
        let estimate = oracle.element(claim.tensor, index).estimates[cotangent];
        let Some(near) = estimate.near else { return false };
        let limit = NEAR * self.problem.sources[claim.source].unit_roundoff;
        let steps = [4.0, 16.0, 64.0].map(|factor| (factor * near.within).min(2.0 * limit));
        let base = oracle.base(claim.tensor, index);
        let mut right = false;
        for offset in [-1.0, 1.0].into_iter().flat_map(|side| steps.map(|step| side * step * base)) {
            let mut values = oracle.values.clone();
            let x = values[claim.tensor].data()[index];
            values[claim.tensor].set(index, x + offset);
            values[claim.tensor] = values[claim.tensor].rounded(self.problem.dtype);
            let Some(there) = oracle.moved_to(values) else { continue };
            let truth = there.element(claim.tensor, index).estimates[cotangent];
            if !truth.clean || truth.kink.is_some() {
                continue;
            }
            let gradient = self.gradient_at(claim, index, cotangent, &there.values);
            let apart = 0.05 * (near.slopes[1] - near.slopes[0]);
            if (gradient - truth.derivative).abs() > apart || gradient.is_nan() {
                return false;
            }
            right = true;
        }
        right
    }

    /// Allows for what round-off does to the source's own gradient, where that is seen to be as much as the error.
    pub(crate) fn allow_spread(&self, claim: &Claim<'_>, index: usize, cotangent: usize, answer: &mut Answer) {
        let mut tolerance = answer.tolerance;
        let spread =
            self.spread([claim.source, cotangent, claim.tensor, index], answer.error, HOPELESS * tolerance.total());
        tolerance.roundoff += spread;
        if answer.error <= tolerance.total() {
            let small = 0.01 * claim.gradient(cotangent, index).abs();
            let magnitude = self.oracle().element(claim.tensor, index).estimates[cotangent].magnitude;
            let bound = self.allowances(claim, index, cotangent, magnitude).wobble_bound;
            let proven = tolerance.total() <= small && spread <= bound;
            let verdict = if proven { Verdict::Pass } else { Verdict::Unresolved };
            *answer = Answer { verdict, tolerance, ..*answer };
        }
    }

    /// Whether the error of an element is round-off that near points do not show, since an intermediate result rounds
    /// to the same number at all of them, as `tanh` of 5 does: further away a source that is right has errors as large,
    /// and of both signs. One that is wrong has errors of one sign, or none.
    pub(crate) fn is_round_off(&self, claim: &Claim<'_>, index: usize, cotangent: usize, answer: &Answer) -> bool {
        let error = claim.gradient(cotangent, index)
            - self.oracle().element(claim.tensor, index).estimates[cotangent].derivative;
        // What was recorded is the same everywhere, whatever the function does.
        let recorded = self.problem.sources[claim.source].recorded;
        if recorded || error.is_nan() || error.abs() > 10.0 * answer.tolerance.total() {
            return false;
        }
        let oracle = self.oracle();
        let (mut along, mut against) = (0.0f64, 0.0f64);
        for (&by, stream) in ELSEWHERE.iter().zip(STREAM..) {
            let Some(there) = oracle.moved_to(moved(self.problem, &oracle.values, by, stream)) else { continue };
            let truth = there.element(claim.tensor, index).estimates[cotangent];
            let known = truth.truncation + truth.noise < 0.1 * error.abs();
            if !truth.clean || truth.kink.is_some() || !known {
                continue;
            }
            let off = self.gradient_at(claim, index, cotangent, &there.values) - truth.derivative;
            along = along.max(off * error.signum());
            against = against.max(-off * error.signum());
        }
        let largest = along.max(against);
        // What is far beyond the tolerance elsewhere is wrong there, and happens to be nearly right here.
        let small = largest <= 30.0 * answer.tolerance.total();
        small && 2.0 * largest >= error.abs() && against >= 0.1 * error.abs()
    }

    /// What the claim's source gives at another point; NaN where it gives nothing.
    fn gradient_at(&self, claim: &Claim<'_>, index: usize, cotangent: usize, values: &[Value]) -> f64 {
        let direction = &self.oracle().cotangents[cotangent].value;
        let source = &self.problem.sources[claim.source];
        let gradients = caught(|| (source.backward)(values, direction));
        let gradient = gradients.ok().and_then(|mut all| all.swap_remove(claim.tensor));
        gradient.and_then(|gradient| gradient.data().get(index).copied()).unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests;
