//! The output of a case, which is judged before the gradients: a right gradient of another function is wrong.

use std::rc::Rc;

use backproof_gradcheck::{GradientSource, Options, Problem, Role, Value, Variable, Verdict as Proof};
use backproof_suite::quietly;

use crate::case::LayerTruth;
use crate::hypotheses;
use crate::precision::unit_roundoff;
use crate::verdict::{JudgedTensor, Verdict, WorstElement};

/// The verdict on an output of the right shape.
pub(crate) fn judge(truth: &LayerTruth, answer: &Value) -> JudgedTensor {
    let recorded = answer.clone();
    let mut source = GradientSource::recorded("answer", unit_roundoff(answer), truth.gradients());
    source.forward = Some(Rc::new(move |_| recorded.clone()));
    let problem = Problem { sources: vec![source], mutants: Vec::new(), ..truth.problem.clone() };
    // The gradients are ours, and few of them are enough: the forward is looked at.
    let options = Options { cotangent: Some(truth.cotangent.clone()), full: 8, quota: 8, ..Options::default() };
    let report = quietly(|| problem.examine(&options).report().clone());
    let row = report.forwards.iter().find(|row| row.source == "answer");
    let verdict = match row.map(|row| row.verdict) {
        Some(Proof::Pass) => Verdict::Right,
        Some(Proof::Unresolved) | None => Verdict::NotDecided,
        Some(_) => Verdict::Wrong,
    };
    let tolerance = row.map_or(0.0, |row| row.tolerance);
    let apart = |(a, b): (&f64, &f64)| (a - b).abs() > tolerance.max(1e-6 * b.abs());
    JudgedTensor {
        tensor: "y".to_owned(),
        dims: truth.output.dims().to_vec(),
        verdict,
        diagnosis: (verdict == Verdict::Wrong).then(|| looks_like(truth, answer)),
        worst: row.map(|row| WorstElement {
            position: row.position.clone(),
            answer: row.value,
            truth: row.reference,
            tolerance,
        }),
        wrong: match verdict {
            Verdict::Wrong => answer.data().iter().zip(truth.output.data()).filter(|pair| apart(*pair)).count().max(1),
            _ => 0,
        },
        elements: answer.len(),
        note: (verdict == Verdict::Wrong).then(|| "the gradients below are those of the right output".to_owned()),
        other_convention: false,
    }
}

/// What a wrong output looks like. It is the gradient of `⟨y, t⟩` with respect to `t`, so that wrong outputs have the
/// patterns of wrong gradients.
fn looks_like(truth: &LayerTruth, answer: &Value) -> String {
    let output = truth.output.clone();
    let value = Value::full(output.dims(), 1.0);
    let tensor = Variable { name: "y".to_owned(), role: Role::Input, value, expect_zero: true };
    let of = output.clone();
    let mut problem = Problem::new("output", truth.problem.dtype, vec![tensor], move |values| {
        // One term for each element, so that each is seen by itself.
        let terms = values[0].data().iter().zip(of.data()).map(|(t, y)| t * y).collect();
        Value::new(of.dims(), terms)
    });
    problem.sources.push(GradientSource::recorded("answer", unit_roundoff(answer), vec![Some(answer.clone())]));
    for (name, output) in hypotheses::forward(truth) {
        problem.mutants.push(GradientSource::recorded(name, f64::EPSILON, vec![Some(output)]));
    }
    let cotangent = Value::full(output.dims(), 1.0);
    let options = Options { cotangent: Some(cotangent), full: 4096, ..Options::default() };
    let report = quietly(|| problem.examine(&options).report().clone());
    let row = report.row("answer", "y");
    let diagnosis = row.and_then(|row| row.diagnosis.clone());
    diagnosis.unwrap_or_else(|| "not the function that the exercise asks for".to_owned()).replace("gradient", "output")
}
