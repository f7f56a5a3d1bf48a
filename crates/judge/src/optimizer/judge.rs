//! The weights after each step, held against the rule in double precision.

use backproof_gradcheck::Value;

use super::rule::{Steps, WEIGHTS};
use crate::precision::unit_roundoff;
use crate::shapes::{COLUMN_MAJOR, backwards, permuted, position, reshaped};
use crate::verdict::{JudgedTensor, Verdict, WorstElement};

/// The verdict on weights of the right shape.
pub(crate) fn judge(given: &Steps, answer: &Value) -> JudgedTensor {
    let optimizer = given.optimizer;
    let truth = given.weights(optimizer.right);
    let steps = truth.dims()[0];
    let count = truth.len() / steps.max(1);
    let roundoff = 64.0 * unit_roundoff(answer);
    // What a weight has moved by carries the round-off of its steps, which may be larger than the weight.
    let first = &given.first;
    let size = |at: usize| {
        let before = |step: usize| truth.data()[step * count + at % count].abs();
        (0..=at / count).map(before).fold(first.data()[at % count].abs(), f64::max)
    };
    let tolerance = |at: usize| roundoff * (1.0 + (at / count) as f64) * size(at) + 1e3 * f64::MIN_POSITIVE;
    let apart = |other: &Value, at: usize| (answer.data()[at] - other.data()[at]).abs();
    let wrong: Vec<usize> = (0..truth.len()).filter(|&at| apart(&truth, at) > tolerance(at)).collect();
    let worst = (0..truth.len()).max_by(|&a, &b| {
        let ratio = |at: usize| apart(&truth, at) / tolerance(at);
        ratio(a).total_cmp(&ratio(b))
    });
    let like = |other: &Value| (0..truth.len()).all(|at| apart(other, at) <= 16.0 * tolerance(at));
    let diagnosis = wrong.first().map(|&at| {
        let known = optimizer.faults.iter().find(|(_, rule)| like(&given.weights(*rule)));
        let columns = permuted(&truth, &backwards(truth.dims().len()));
        match known {
            Some((name, _)) => (*name).to_owned(),
            None if like(&reshaped(&columns, truth.dims())) => COLUMN_MAJOR.to_owned(),
            None => match at / count {
                0 => "no known mistake; the first step is wrong already".to_owned(),
                1 => "no known mistake; the first step is right, and the second is wrong: what is kept?".to_owned(),
                step => format!(
                    "no known mistake; the first {step} steps are right, and the next one is wrong: what is kept from \
                     step to step?"
                ),
            },
        }
    });
    JudgedTensor {
        tensor: WEIGHTS.to_owned(),
        dims: truth.dims().to_vec(),
        verdict: if wrong.is_empty() { Verdict::Right } else { Verdict::Wrong },
        diagnosis,
        worst: worst.map(|at| WorstElement {
            position: position(truth.dims(), at),
            answer: answer.data()[at],
            truth: truth.data()[at],
            tolerance: tolerance(at),
        }),
        wrong: wrong.len(),
        elements: truth.len(),
        note: None,
        other_convention: false,
    }
}
