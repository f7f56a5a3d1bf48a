//! The gradients of a case, judged by finite differences.

use backproof_gradcheck::{GradientSource, Problem, Row, Value, Verdict as Proof};
use backproof_suite::quietly;

use crate::case::{LayerTruth, gradient_name};
use crate::conventions;
use crate::hypotheses;
use crate::precision::{DOUBLE, SINGLE, unit_roundoff};
use crate::shapes::position;
use crate::verdict::{JudgedTensor, Verdict, WorstElement};

/// The name of the answers as a source of gradients.
const ANSWER: &str = "answer";

/// The verdicts on gradients: an answer for each tensor of the problem that has one.
pub(crate) fn judge(truth: &LayerTruth, answers: &[Option<Value>]) -> Vec<Option<JudgedTensor>> {
    let mut problem = truth.problem.clone();
    problem.mutants.extend(hypotheses::backward(truth));
    let mut found = vec![None; answers.len()];
    for unit in [DOUBLE, SINGLE] {
        let of_unit = |answer: &Option<Value>| answer.clone().filter(|answer| unit_roundoff(answer) == unit);
        let given: Vec<Option<Value>> = answers.iter().map(of_unit).collect();
        if given.iter().all(Option::is_none) {
            continue;
        }
        let source = GradientSource::recorded(ANSWER, unit, given.clone());
        let problem = Problem { sources: vec![source], ..problem.clone() };
        let report = quietly(|| problem.examine(&truth.budget).report().clone());
        for (index, answer) in given.iter().enumerate() {
            let (Some(answer), Some(row)) = (answer, report.row(ANSWER, &problem.tensors[index].name)) else {
                continue;
            };
            found[index] = Some(judged(truth, index, answer, row, unit));
        }
    }
    found
}

/// Whether our own gradients are proven at this case: then it can be asked.
pub(crate) fn provable(truth: &LayerTruth) -> bool {
    let gradients = truth.gradients();
    let source = GradientSource::recorded(ANSWER, DOUBLE, gradients);
    let problem = Problem { sources: vec![source], mutants: Vec::new(), ..truth.problem.clone() };
    quietly(|| problem.examine(&truth.budget).report().proven)
}

fn judged(truth: &LayerTruth, index: usize, answer: &Value, row: &Row, unit: f64) -> JudgedTensor {
    let verdict = match row.verdict {
        Proof::Pass | Proof::Kink => Verdict::Right,
        Proof::Unresolved | Proof::Unobservable | Proof::Skipped => Verdict::NotDecided,
        _ => Verdict::Wrong,
    };
    let wanted = truth.gradients().into_iter().nth(index).flatten();
    let worst = row.worst.as_ref().map(|worst| WorstElement {
        position: worst.position.clone(),
        answer: answer.data()[worst.index],
        // Ours is proven. At a kink the central difference is the mean of both sides, which nobody asks for.
        truth: wanted.as_ref().map_or(worst.difference, |wanted| wanted.data()[worst.index]),
        tolerance: worst.tolerance.total(),
    });
    // At kinks the prover accepts what lies between the sides, and the exercise asks for one of them.
    let unlike = if row.kinks > 0 { conventions::unlike(truth, index, answer, unit).len() } else { 0 };
    let mut judged = JudgedTensor {
        tensor: gradient_name(&row.tensor),
        dims: row.dims.clone(),
        verdict,
        diagnosis: row.diagnosis.clone(),
        worst,
        wrong: if verdict == Verdict::Wrong { row.mismatched.max(unlike) } else { row.mismatched },
        elements: row.total,
        note: None,
        other_convention: false,
    };
    if verdict == Verdict::Wrong && rounded(truth, index, answer) {
        judged.diagnosis =
            Some("whole numbers: the right ones were rounded or cut off, as by a type for integers".into());
    }
    let far = if verdict == Verdict::NotDecided { far_off(truth, index, answer) } else { 0 };
    if far > 0 {
        (judged.verdict, judged.wrong) = (Verdict::Wrong, far);
        let at_a_kink = row.worst.as_ref().is_some_and(|worst| worst.kink.is_some());
        judged.diagnosis = Some(match at_a_kink {
            true => "wrong only at kinks or ties: the gradient lies outside of what the two sides allow".to_owned(),
            false => "far from what is right: an overflow, or a division by nearly nothing?".to_owned(),
        });
    } else if verdict == Verdict::NotDecided {
        let exact = "the errors are as large as the gradient's own round-off: compute in double precision";
        judged.diagnosis = Some(exact.to_owned());
    }
    let at_kinks = verdict == Verdict::Right && row.kinks > 0;
    // Beside a kink, a mistake that has a name may be at the kinks alone.
    let only_at_kinks = verdict == Verdict::Wrong && row.kinks > 0;
    if (at_kinks || only_at_kinks)
        && let Some(other) = conventions::other(truth, index, answer, unit)
    {
        judged.note = Some(match at_kinks {
            true => "more than one gradient is right at a kink; the README says which one is asked for".to_owned(),
            false => "some elements lie at kinks".to_owned(),
        });
        if at_kinks {
            (judged.verdict, judged.other_convention) = (Verdict::Wrong, true);
            judged.wrong = other.wrong;
            judged.diagnosis = Some(other.diagnosis);
            judged.worst = Some(WorstElement {
                position: position(answer.dims(), other.index),
                answer: answer.data()[other.index],
                truth: other.wanted,
                tolerance: 0.0,
            });
        }
    }
    judged
}

/// How many elements are off by more than any round-off explains: by a hundredth of our gradient, which is proven.
fn far_off(truth: &LayerTruth, index: usize, answer: &Value) -> usize {
    let Some(right) = truth.gradients().into_iter().nth(index).flatten() else { return 0 };
    let largest = right.data().iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let pairs = right.data().iter().zip(answer.data());
    pairs.filter(|(right, answer)| (*right - *answer).abs() > 0.01 * largest.max(1e-3)).count()
}

/// Whether an answer is what is right, rounded or cut off to whole numbers.
fn rounded(truth: &LayerTruth, index: usize, answer: &Value) -> bool {
    let Some(right) = truth.gradients().into_iter().nth(index).flatten() else { return false };
    let pairs = || right.data().iter().zip(answer.data());
    pairs().all(|(right, answer)| *answer == right.trunc()) || pairs().all(|(right, answer)| *answer == right.round())
}
