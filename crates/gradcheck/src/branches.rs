//! Branches that the rounding of a forward decides.
//!
//! A forward in low precision may take another branch than the function: of two numbers that differ by less than their
//! rounding, it takes either for the maximum. Its gradient is then right for the branch that it took. The kink between
//! the branches may be far from the point, where intermediate results are much larger than what moves them: a
//! normalised image times a scale of 10⁻⁶, plus a shift of 1. Yet on the way to the kink the outputs hardly move, since
//! all that changes is lost in their rounding. A forward that [records its decisions](crate::Kinks) shows that the
//! other branch is there.

use crate::examination::Examination;
use crate::judge::{Allowances, Answer, Limits, judge};
use crate::judgement::Claim;
use crate::line::Line;
use crate::place::NEAR;
use crate::runs::{moved, scattered};
use crate::{Value, Verdict};

/// Each tensor moves in so many directions.
const DIRECTIONS: u64 = 6;

/// The streams of these directions start where those of other excuses end.
const STREAM: u64 = 96;

/// Outputs that differ by so many unit round-offs of their own size are alike to the code under test.
const ALIKE: f64 = 4.0;

/// Changes of all tensors at once, in unit round-offs, that are tried in several directions each.
const NEARBY: [f64; 3] = [16.0, 64.0, 256.0];

/// The largest relative change of a tensor that is tried.
const LONGEST: f64 = 0.25;

/// An error of more than so many times the change on the way to another branch has another reason. A forward may take
/// several branches that are not the function's.
const CHANGES: f64 = 16.0;

impl Examination<'_, '_> {
    /// Whether another branch is reached on a way on which the outputs stay the same numbers to the source, while the
    /// gradient changes by about as much as it is off: then the rounding of its forward decides between the branches,
    /// and the gradient cannot be judged here.
    pub(crate) fn rounding_decides(&self, claim: &Claim<'_>, index: usize, cotangent: usize, answer: &Answer) -> bool {
        let source = &self.problem.sources[claim.source];
        let oracle = self.oracle();
        let Some(decisions) = oracle.decisions().filter(|_| !source.recorded && answer.error.is_finite()) else {
            return false;
        };
        let here = oracle.element(claim.tensor, index).estimates[cotangent].derivative;
        let moves = self.outputs_of(claim.tensor, index);
        let allowed = ALIKE * source.unit_roundoff;
        let tensors = (0..oracle.values.len()).filter(|&tensor| self.problem.differentiated(tensor));
        let mut ways = tensors.flat_map(|tensor| (STREAM..STREAM + DIRECTIONS).map(move |stream| (tensor, stream)));
        ways.any(|(tensor, stream)| {
            // Kinks that are nearer are excused already.
            let mut length = 2.0 * NEAR * source.unit_roundoff;
            while length <= LONGEST {
                let mut values: Vec<Value> = oracle.values.clone();
                values[tensor] = scattered(&values[tensor], length, stream);
                let Some(there) = oracle.moved_to(values) else { return false };
                let (before, after) = (oracle.output.data(), there.output.data());
                if moves.iter().any(|&o| (after[o] - before[o]).abs() > allowed * before[o].abs()) {
                    return false;
                }
                if there.decisions() != Some(decisions) {
                    let truth = there.element(claim.tensor, index).estimates[cotangent];
                    return truth.clean && answer.error <= CHANGES * (truth.derivative - here).abs();
                }
                length *= 2.0;
            }
            false
        })
    }

    /// Whether an undecided gradient is that of a point so near that round-off leads there, where the function takes
    /// other branches. In a network of many ReLUs and maxima, some are that near to a kink.
    pub(crate) fn of_other_branch(
        &self,
        claim: &Claim<'_>,
        index: usize,
        cotangent: usize,
        answer: &Answer,
        limits: &Limits,
    ) -> Option<Answer> {
        let source = &self.problem.sources[claim.source];
        let oracle = self.oracle();
        let decisions = oracle.decisions().filter(|_| !source.recorded && answer.error.is_finite())?;
        let gradient = claim.gradient(cotangent, index);
        let mut ways = NEARBY.into_iter().flat_map(|by| (STREAM..STREAM + DIRECTIONS).map(move |stream| (by, stream)));
        ways.find_map(|(by, stream)| {
            let there = oracle.moved_to(moved(self.problem, &oracle.values, by * source.unit_roundoff, stream))?;
            if there.decisions() == Some(decisions) {
                return None;
            }
            let truth = there.element(claim.tensor, index).estimates[cotangent];
            // By its own terms alone: nothing else may excuse it there.
            let other = judge(gradient, &truth, None, limits, Allowances::default);
            (other.verdict == Verdict::Pass).then_some(Answer { verdict: Verdict::Kink, error: 0.0, ..other })
        })
    }

    /// The outputs that an element moves.
    fn outputs_of(&self, tensor: usize, index: usize) -> Vec<usize> {
        let oracle = self.oracle();
        let line = Line::element(tensor, index, oracle.base(tensor, index));
        let (_, moved, _) = oracle.at(&mut oracle.values.clone(), &line, 0.5);
        let pairs = moved.data().iter().zip(oracle.output.data()).enumerate();
        pairs.filter(|(_, (there, here))| there.to_bits() != here.to_bits()).map(|(output, _)| output).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use burn::tensor::DType;

    use super::*;
    use crate::examine::tests::variable;
    use crate::{GradientSource, Kinks, Options, Problem, Report, Verdict};

    /// max(γ a + β, γ b + β): in single precision both are 1, though b is the larger by a thousandth.
    const A: f64 = 0.3;
    const B: f64 = 0.3004;
    const GAMMA: f64 = 1e-6;

    /// The verdicts on what a source says of a and b, of γ, and of β, where it is right. Another scale of the same
    /// tensor, of another output, is 1.
    fn verdicts(f: fn([f64; 4], &Kinks) -> f64, recording: bool, gradient: [f64; 3]) -> [Verdict; 3] {
        [0, 1, 2].map(|row| report(f, recording, gradient).rows[row].verdict)
    }

    fn report(f: fn([f64; 4], &Kinks) -> f64, recording: bool, [a, b, gamma]: [f64; 3]) -> Report {
        let tensors = vec![variable("x", &[A, B]), variable("gamma", &[GAMMA, 1.0]), variable("beta", &[1.0])];
        let forward = move |values: &[Value], kinks: &Kinks| {
            let [x, gamma, beta] = [0, 1, 2].map(|tensor| values[tensor].data());
            Value::new([2], vec![f([x[0], x[1], gamma[0], beta[0]], kinks), 0.5 * gamma[1]])
        };
        let ignored = move |values: &[Value]| forward(values, &Kinks::ignored());
        let mut check = Problem::new("branches", DType::F64, tensors, ignored);
        if recording {
            check.recording = Some(Rc::new(forward));
        }
        check.sources.push(GradientSource::new("source", 2f64.powi(-24), move |_, w| {
            let [first, second] = [0, 1].map(|output| w.data()[output]);
            let tensors = [vec![first * a, first * b], vec![first * gamma, second * 0.5], vec![first]];
            tensors.into_iter().map(|data| Some(Value::new([data.len()], data))).collect()
        }));
        let options = Options { cotangents: 1, jacobian: 0, ..Options::default() };
        check.examine(&options).report().clone()
    }

    fn maximum([a, b, gamma, beta]: [f64; 4], kinks: &Kinks) -> f64 {
        kinks.decisions([i64::from(a > b)]);
        (gamma * a + beta).max(gamma * b + beta)
    }

    #[test]
    fn the_gradient_of_a_branch_that_rounding_took_is_not_decided() {
        use Verdict::{Mismatch, Pass, Unresolved};
        assert_eq!(verdicts(maximum, true, [0.0, GAMMA, B]), [Pass, Pass, Pass]);
        assert_eq!(verdicts(maximum, true, [GAMMA, 0.0, A]), [Unresolved, Unresolved, Pass]);
        assert_eq!(verdicts(maximum, false, [GAMMA, 0.0, A])[1], Mismatch, "unless nothing is known of branches");
        let text = report(maximum, true, [GAMMA, 0.0, A]).to_string();
        assert!(text.contains("round-off in the forward decides which branch it takes"), "{text}");
    }

    /// Of y = max(0, x − 1), at an x that is one part in 10⁷ above 1: whether a gradient is one of another branch.
    fn of_other_branch(gradient: f64) -> Option<Verdict> {
        let forward = |values: &[Value], kinks: &Kinks| {
            let x = values[0].data();
            kinks.decisions(x.iter().map(|&x| i64::from(x > 1.0)));
            Value::new([2], x.iter().map(|x| (x - 1.0).max(0.0)).collect())
        };
        let ignored = move |values: &[Value]| forward(values, &Kinks::ignored());
        let mut check = Problem::new("threshold", DType::F64, vec![variable("x", &[1.0 + 1e-7, 3.0])], ignored);
        check.recording = Some(Rc::new(forward));
        let backward =
            move |_: &[Value], w: &Value| vec![Some(w.map_data(w.data().iter().map(|w| w * gradient).collect()))];
        check.sources.push(GradientSource::new("source", 2f64.powi(-24), backward));
        let options = Options { cotangents: 1, jacobian: 0, ..Options::default() };
        let examination = check.examine(&options);
        let gradients = examination.runs[0].run().unwrap().of(0);
        let claim = Claim { source: 0, tensor: 0, gradients: &gradients };
        let limits = examination.limits(&claim, &[0])[0];
        let answer = examination.answer(&claim, 0, 0, &examination.oracle().element(0, 0), &limits);
        Some(examination.of_other_branch(&claim, 0, 0, &answer, &limits)?.verdict)
    }

    #[test]
    fn a_gradient_of_the_branch_beside_the_point_is_at_a_kink_and_no_other_is() {
        assert_eq!(of_other_branch(0.0), Some(Verdict::Kink));
        // The branch of the point itself, what is between both, and what is beyond them.
        for gradient in [1.0, 0.5, 1e-3, -1e-3, 1.1] {
            assert_eq!(of_other_branch(gradient), None, "{gradient}");
        }
    }

    #[test]
    fn neither_branch_leads_to_a_gradient_that_is_wrong() {
        assert_eq!(verdicts(maximum, true, [0.0, GAMMA, 0.6])[1], Verdict::Mismatch);
        assert_eq!(verdicts(maximum, true, [30.0 * GAMMA, 0.0, A])[0], Verdict::Mismatch);
    }

    #[test]
    fn a_function_whose_branches_are_far_away_has_no_excuse() {
        let smooth = |[a, b, gamma, beta]: [f64; 4], kinks: &Kinks| {
            kinks.decisions([i64::from(beta > 0.0)]);
            gamma * a * b + beta
        };
        let wrong = [GAMMA * B, GAMMA * A, A * B * 1.002];
        assert_eq!(verdicts(smooth, true, wrong)[1], Verdict::Mismatch);
    }
}
