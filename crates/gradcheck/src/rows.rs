use crate::diagnosis::{no_pattern, pattern};
use crate::examination::Examination;
use crate::judgement::{Judgement, WorstOf};
use crate::named::{Suspect, recognise};
use crate::report::{ErrorCurve, Row, Worst};
use crate::runs::Outcome;
use crate::symptoms::Symptoms;
use crate::value::position;
use crate::words::{are, counted};
use crate::{Value, Verdict};

/// Tensors up to so many elements are differentiated in full to find out what a mismatch looks like.
const DIAGNOSED_IN_FULL: usize = 1024;

/// A row for every source and differentiated tensor, tensor by tensor.
pub(crate) fn rows(examination: &Examination<'_, '_>) -> Vec<Row> {
    let problem = examination.problem;
    let tensors = (0..problem.tensors.len()).filter(|&tensor| problem.differentiated(tensor));
    tensors.flat_map(|tensor| tensor_rows(examination, tensor)).collect()
}

fn tensor_rows(examination: &Examination<'_, '_>, tensor: usize) -> Vec<Row> {
    let judgements: Vec<Option<Judgement>> = examination
        .runs
        .iter()
        .enumerate()
        .map(|(source, run)| {
            let run = run.run()?;
            let mut judgement = examination.judge(source, tensor, &run.of(tensor));
            if let Some(fault) = examination.nonlinear(source, tensor, &judgement) {
                judgement.verdict = judgement.verdict.max(Verdict::Mismatch);
                judgement.fault = Some(fault);
            }
            if !run.repeatable[tensor] {
                judgement.verdict = judgement.verdict.max(Verdict::NonDeterministic);
            }
            Some(judgement)
        })
        .collect();
    let odd = odd_one_out(examination, tensor, &judgements);
    (0..judgements.len())
        .map(|source| {
            let mut row = row(examination, source, tensor, judgements[source].as_ref());
            if row.verdict.is_fault() && row.verdict != Verdict::Panicked {
                row.odd_one_out.clone_from(&odd);
                explain(examination, source, tensor, &judgements, &mut row);
            }
            row
        })
        .collect()
}

fn row(examination: &Examination<'_, '_>, source: usize, tensor: usize, judgement: Option<&Judgement>) -> Row {
    let (variable, claimant) = (&examination.problem.tensors[tensor], &examination.problem.sources[source]);
    let worst = judgement.and_then(|judgement| judgement.worst);
    let (absent, note) = match &examination.runs[source] {
        Outcome::Panicked(message) => (Verdict::Panicked, Some(format!("the source panicked: {message}"))),
        _ => (Verdict::Skipped, claimant.skipped.clone()),
    };
    let zero = judgement.is_some_and(|judgement| judgement.zero.is_some() && judgement.verdict == Verdict::Pass);
    let undecided = || judgement.filter(|judgement| judgement.verdict == Verdict::Unresolved)?.fault.clone();
    Row {
        source: claimant.name.clone(),
        tensor: variable.name.clone(),
        role: variable.role,
        dims: variable.value.dims().to_vec(),
        verdict: judgement.map_or(absent, |judgement| judgement.verdict),
        checked: judgement.map_or(0, |judgement| judgement.selected.len()),
        total: variable.value.len(),
        kinks: judgement.map_or(0, |judgement| judgement.kinks.len()),
        mismatched: judgement.map_or(0, |judgement| judgement.mismatched),
        unresolved: judgement.map_or(0, |judgement| judgement.unresolved),
        worst: worst.map(|worst| worst_of(examination, tensor, worst)),
        odd_one_out: None,
        diagnosis: None,
        sweep: None,
        note: note.or(zero.then(|| variable.why_zero())).or_else(undecided),
    }
}

fn worst_of(examination: &Examination<'_, '_>, tensor: usize, worst: WorstOf) -> Worst {
    let oracle = examination.oracle();
    let value = &oracle.values[tensor];
    let estimate = oracle.element(tensor, worst.index).estimates[worst.cotangent];
    let gradients = examination.problem.sources.iter().zip(&examination.runs).filter_map(|(source, run)| {
        let gradient = run.run()?.gradients[worst.cotangent][tensor].as_ref();
        Some((source.name.clone(), gradient.and_then(|gradient| gradient.data().get(worst.index).copied())))
    });
    Worst {
        index: worst.index,
        position: position(value.dims(), worst.index),
        value: value.data()[worst.index],
        cotangent: oracle.cotangents[worst.cotangent].name.clone(),
        gradients: gradients.collect(),
        difference: estimate.derivative,
        error: worst.error,
        tolerance: worst.tolerance,
        step: estimate.step,
        kink: estimate.kink,
    }
}

/// With two sources or more, beside the differences: the only source that is wrong, or the differences if all sources
/// agree against them.
fn odd_one_out(examination: &Examination<'_, '_>, tensor: usize, judgements: &[Option<Judgement>]) -> Option<String> {
    let ran: Vec<(usize, &Judgement)> =
        judgements.iter().enumerate().filter_map(|(source, judgement)| Some((source, judgement.as_ref()?))).collect();
    let (wrong, right): (Vec<_>, Vec<_>) = ran.iter().partition(|(_, judgement)| judgement.verdict.is_fault());
    if ran.len() < 2 {
        return None;
    }
    if let [(source, _)] = wrong[..] {
        let proven = right.iter().all(|(_, judgement)| judgement.verdict.proven());
        return proven.then(|| examination.problem.sources[source].name.clone());
    }
    if wrong.len() == ran.len() && wrong.iter().all(|(_, judgement)| judgement.verdict == Verdict::Mismatch) {
        let worst = wrong[0].1.worst?;
        let estimate = examination.oracle().element(tensor, worst.index).estimates[worst.cotangent];
        let gradients: Vec<f64> = wrong
            .iter()
            .filter_map(|(source, _)| {
                let gradient = examination.runs[*source].run()?.gradients[worst.cotangent][tensor].as_ref()?;
                gradient.data().get(worst.index).copied()
            })
            .collect();
        let apart = gradients.iter().map(|g| (g - gradients[0]).abs()).fold(0.0, f64::max);
        let agree = apart <= 0.01 * (gradients[0] - estimate.derivative).abs();
        return (gradients.len() == wrong.len() && agree).then(|| "finite differences".to_owned());
    }
    None
}

/// Diagnosis and sweep of a row that is at fault.
fn explain(
    examination: &Examination<'_, '_>,
    source: usize,
    tensor: usize,
    judgements: &[Option<Judgement>],
    row: &mut Row,
) {
    let oracle = examination.oracle();
    let run = examination.runs[source].run().expect("a source at fault has run");
    let value = &oracle.values[tensor];
    row.diagnosis = match row.verdict {
        Verdict::Missing => Some(
            "the source has no gradient here, and the function depends on the tensor: it is detached somewhere".into(),
        ),
        Verdict::NonDeterministic => {
            Some("two runs differ: uninitialised memory, a race, or a random stream that goes on".into())
        }
        _ => None,
    };
    if let Some(wrong) = run.of(tensor).into_iter().flatten().find(|gradient| gradient.dims() != value.dims()) {
        row.diagnosis =
            Some(format!("the gradient's dimensions are {:?}, the tensor's {:?}", wrong.dims(), value.dims()));
        return;
    }
    if row.diagnosis.is_none() {
        row.diagnosis = judgements[source].as_ref().and_then(|judgement| judgement.fault.clone());
    }
    let Some(worst) = judgements[source].as_ref().and_then(|judgement| judgement.worst) else { return };
    if !matches!(row.verdict, Verdict::Mismatch | Verdict::NonFinite) {
        return;
    }
    let gradient = run.gradients[worst.cotangent][tensor].as_ref().expect("a mismatch has a gradient");
    if row.verdict == Verdict::NonFinite {
        let count = gradient.data().iter().filter(|g| !g.is_finite()).count();
        let (elements, are) = (counted(gradient.len(), "element"), are(count));
        row.diagnosis = Some(format!("{count} of {elements} {are} NaN or infinite"));
        return;
    }
    let symptoms = symptoms(examination, tensor, judgements, source, worst, gradient);
    let suspect = Suspect { source, tensor, cotangent: worst.cotangent, gradient, truth: &symptoms.truth };
    let fault = judgements[source].as_ref().and_then(|judgement| judgement.fault.clone());
    // Where every element by itself is right, only the fault says what is wrong.
    let alone = row.mismatched == 0 || worst.error <= worst.tolerance.total();
    let (first, last) = if alone { (fault, None) } else { (None, fault) };
    let looks_like = || recognise(examination, &suspect).or(pattern(&symptoms));
    row.diagnosis = first.or_else(looks_like).or(last).or_else(|| Some(no_pattern(&symptoms)));
    let points: Vec<(f64, f64)> = (1..=8)
        .map(|exponent| {
            let (step, central) = oracle.central(tensor, worst.index, worst.cotangent, 10f64.powi(-exponent));
            (step, (gradient.data()[worst.index] - central).abs())
        })
        .collect();
    // The largest step may be too long and the smallest too noisy: the error stays if it is the same at most of them.
    let same = points.iter().filter(|(_, error)| (0.5 * worst.error..=2.0 * worst.error).contains(error)).count();
    let stays = same > points.len() / 2;
    row.sweep = Some(ErrorCurve { points, stays });
}

fn symptoms<'s>(
    examination: &'s Examination<'_, '_>,
    tensor: usize,
    judgements: &[Option<Judgement>],
    source: usize,
    worst: WorstOf,
    gradient: &'s Value,
) -> Symptoms<'s> {
    let oracle = examination.oracle();
    let value = &oracle.values[tensor];
    let judgement = judgements[source].as_ref().expect("judged");
    let mut truth = vec![None; value.len()];
    // Another source whose gradient is proven stands in where nothing was differentiated.
    let proven = judgements.iter().position(|other| other.as_ref().is_some_and(|other| other.verdict.proven()));
    if let Some(stand_in) = proven.and_then(|other| examination.runs[other].run()?.of(tensor)[worst.cotangent]) {
        truth = stand_in.data().iter().copied().map(Some).collect();
    }
    let mut kinks = Vec::new();
    let everything: Vec<usize> = (0..value.len()).collect();
    let known = if value.len() <= DIAGNOSED_IN_FULL { &everything } else { &judgement.selected };
    for &index in known {
        let estimate = oracle.element(tensor, index).estimates[worst.cotangent];
        if estimate.kink.is_some() {
            kinks.push(index);
        }
        truth[index] = Some(estimate.derivative);
    }
    // What is excused of the worst element is excused of all: a pattern is looked for, not a proof.
    let largest = gradient.max_abs().max(truth.iter().flatten().fold(0.0, |largest, g: &f64| g.abs().max(largest)));
    let tolerance = worst.tolerance.total().max(1e-9 * largest);
    Symptoms {
        dims: value.dims(),
        value: value.data(),
        gradient: gradient.data(),
        truth,
        tolerance,
        kinks,
        factors: factors(examination),
    }
}

/// The sizes that a mean may have been taken over, with their names.
fn factors(examination: &Examination<'_, '_>) -> Vec<(f64, String)> {
    let output = examination.oracle().output.dims();
    let mut factors = Vec::new();
    let mut add = |name: &str, dims: &[usize]| {
        for (axis, &size) in dims.iter().enumerate() {
            factors.push((size as f64, format!("axis {axis} of {name}")));
        }
        factors.push((dims.iter().product::<usize>() as f64, format!("the elements of {name}")));
        if dims.len() > 2 {
            factors.push((dims[2..].iter().product::<usize>() as f64, format!("the positions in {name}")));
            let channel = dims.iter().product::<usize>() / dims[1].max(1);
            factors.push((channel as f64, format!("the elements of a channel of {name}")));
        }
    };
    add("the output", output);
    for variable in &examination.problem.tensors {
        add(&format!("`{}`", variable.name), variable.value.dims());
    }
    factors
}

#[cfg(test)]
mod tests;
