//! One mistake for all cases. In one case, several mistakes may give the same numbers: where the padding is [0, 1], a
//! lost padding and the padding of the rows used for the columns. A mistake that explains an answer in more cases,
//! right ones included, is the better explanation.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof_gradcheck::{GradientSource, Value};
use backproof_suite::quietly;

use crate::case::LayerTruth;
use crate::hypotheses;
use crate::precision::unit_roundoff;
use crate::verdict::{JudgedCase, Verdict};

/// The mistakes that give an answer, for each tensor of a case that has answers.
pub(crate) type Explanations = BTreeMap<String, Vec<String>>;

/// The mistakes that give each of these answers, which are in the order of the problem's tensors.
pub(crate) fn of(truth: &LayerTruth, answers: &[Option<Value>], name: impl Fn(usize) -> String) -> Explanations {
    let mut found = Explanations::new();
    // A network has no mistakes of its own, and a pass of it takes time.
    if truth.problem.mutants.is_empty() {
        return found;
    }
    let general = hypotheses::backward(truth);
    for mistake in truth.problem.mutants.iter().chain(&truth.conventions).chain(&general) {
        let gradients = quietly(|| run(truth, mistake)).unwrap_or_default();
        for (index, (answer, gradient)) in answers.iter().zip(gradients).enumerate() {
            if let (Some(answer), Some(gradient)) = (answer, gradient)
                && equal(answer, &gradient)
            {
                found.entry(name(index)).or_default().push(mistake.name.clone());
            }
        }
    }
    found
}

fn run(truth: &LayerTruth, mistake: &GradientSource<'static>) -> Option<Vec<Option<Value>>> {
    catch_unwind(AssertUnwindSafe(|| (mistake.backward)(&truth.values(), &truth.cotangent))).ok()
}

fn equal(answer: &Value, other: &Value) -> bool {
    let largest = answer.data().iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let near = 1e5 * unit_roundoff(answer).min(1e-10) * largest;
    answer.dims() == other.dims() && answer.data().iter().zip(other.data()).all(|(a, b)| (a - b).abs() <= near)
}

/// Gives each wrong answer the name of the mistake that explains the tensor in the most cases.
pub(crate) fn agree(cases: &mut [JudgedCase], explanations: &[Explanations]) {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (tensor, names) in explanations.iter().flatten() {
        for name in names {
            *counts.entry((tensor, name)).or_default() += 1;
        }
    }
    for (case, explanations) in cases.iter_mut().zip(explanations) {
        for tensor in case.tensors.iter_mut().filter(|tensor| tensor.verdict == Verdict::Wrong) {
            let names = explanations.get(&tensor.tensor).map_or(&[][..], Vec::as_slice);
            let count = |name: &String| counts.get(&(tensor.tensor.as_str(), name.as_str())).copied().unwrap_or(0);
            // The first of several that are equally good: what the layer is known for comes before what any layer can
            // have.
            let best = names.iter().map(count).max();
            if let Some(name) = names.iter().find(|name| Some(count(name)) == best) {
                tensor.diagnosis = Some(name.clone());
            }
        }
    }
}
