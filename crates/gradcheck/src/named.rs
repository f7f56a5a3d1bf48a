//! Mutants that know the operation: whole backward passes that are wrong on purpose. They are a negative control, and
//! hypotheses of what a mismatch is.

use crate::caught::caught;
use crate::examination::Examination;
use crate::mutants::LeftOut;
use crate::runs::NamedRun;
use crate::{Mutant, Mutants, Problem, Value, Verdict};

impl Examination<'_, '_> {
    /// What the named mutants say; they run when somebody asks.
    pub(crate) fn named(&self) -> &[NamedRun] {
        self.named.get_or_init(|| {
            let oracle = self.oracle();
            let directions: Vec<&Value> = oracle.cotangents.iter().map(|cotangent| &cotangent.value).collect();
            run_all(self.problem, &oracle.values, &directions)
        })
    }
}

/// Runs every named mutant once. One that panics must not bring the check down: it is not under test.
pub(crate) fn run_all(problem: &Problem<'_>, values: &[Value], cotangents: &[&Value]) -> Vec<NamedRun> {
    let run = |mutant: &crate::GradientSource<'_>| {
        let backward = |cotangent: &&Value| {
            let gradients = (mutant.backward)(values, cotangent);
            assert_eq!(gradients.len(), values.len(), "one entry for each tensor");
            gradients
        };
        caught(|| cotangents.iter().map(backward).collect())
    };
    problem.mutants.iter().map(run).collect()
}

/// Tries every named mutant as if the least exact source that is proven had returned its gradients.
pub(crate) fn try_all(examination: &Examination<'_, '_>, mutants: &mut Mutants) {
    let problem = examination.problem;
    for (mutant, run) in problem.mutants.iter().zip(examination.named()) {
        let mut left_out = |reason: String| {
            mutants.left_out.push(LeftOut { mutation: mutant.name.clone(), reason });
        };
        let gradients = match run {
            Ok(gradients) => gradients,
            Err(message) => {
                left_out(format!("it panicked: {message}"));
                continue;
            }
        };
        let changed: Vec<(usize, Vec<Option<&Value>>)> = (0..problem.tensors.len())
            .filter(|&tensor| problem.differentiated(tensor))
            .map(|tensor| (tensor, gradients.iter().map(|all| all[tensor].as_ref()).collect::<Vec<_>>()))
            .filter(|(tensor, gradients)| changes(examination, *tensor, gradients, mutant.unit_roundoff))
            .collect();
        if changed.is_empty() {
            left_out("it changes no proven gradient at this point".into());
            continue;
        }
        let names: Vec<&str> = changed.iter().map(|(tensor, _)| problem.tensors[*tensor].name.as_str()).collect();
        let found_out = |(tensor, gradients): &(usize, Vec<Option<&Value>>)| {
            let least_exact = *proven(examination, *tensor).last().expect("one is proven, or it had changed nothing");
            !examination.judge(least_exact, *tensor, gradients).verdict.proven()
        };
        mutants.tried.push(Mutant {
            source: Mutant::NAMED.into(),
            tensor: names.join(", "),
            mutation: mutant.name.clone(),
            killed: changed.iter().any(found_out),
        });
    }
}

/// The sources whose gradient of a tensor is proven, the most exact first.
fn proven(examination: &Examination<'_, '_>, tensor: usize) -> Vec<usize> {
    let problem = examination.problem;
    let verdict =
        |source: &usize| examination.report.verdict(&problem.sources[*source].name, &problem.tensors[tensor].name);
    let mut sources: Vec<usize> =
        (0..problem.sources.len()).filter(|source| verdict(source).is_some_and(Verdict::proven)).collect();
    sources.sort_by(|&a, &b| problem.sources[a].unit_roundoff.total_cmp(&problem.sources[b].unit_roundoff));
    sources
}

/// Whether a mutant's gradients of a tensor differ by more than rounding from those of the most exact source that is
/// proven.
fn changes(examination: &Examination<'_, '_>, tensor: usize, mutant: &[Option<&Value>], roundoff: f64) -> bool {
    let Some(&source) = proven(examination, tensor).first() else { return false };
    let truth = examination.runs[source].run().map(|run| run.of(tensor)).unwrap_or_default();
    let pairs: Vec<(&Value, &Value)> =
        truth.iter().zip(mutant).filter_map(|(truth, mutant)| Some(((*truth)?, (*mutant)?))).collect();
    let largest = pairs.iter().map(|(truth, _)| truth.max_abs()).fold(0.0, f64::max);
    // Where the gradient is what is left of a cancellation, two ways to write it differ by the round-off of what
    // cancelled.
    let shared = examination.energy() / examination.oracle().typical[tensor];
    let rounding = examination.problem.sources[source].unit_roundoff.max(roundoff) * (256.0 * largest + 16.0 * shared);
    pairs.iter().enumerate().any(|(cotangent, (truth, mutant))| {
        let differs = |(index, (a, b)): (usize, (&f64, &f64))| {
            // A difference that is not a number is a change too. One that a kink allows is none.
            let rounding = rounding + examination.wobble(source, cotangent, tensor, index);
            let differs = (a - b).is_nan() || (a - b).abs() > rounding;
            differs && !examination.oracle().allows(tensor, index, cotangent, *b, rounding)
        };
        truth.dims() != mutant.dims() || truth.data().iter().zip(mutant.data()).enumerate().any(differs)
    })
}

/// A source's gradient that is wrong, and what is known of it.
pub(crate) struct Suspect<'s> {
    pub(crate) source: usize,
    pub(crate) tensor: usize,
    pub(crate) cotangent: usize,
    pub(crate) gradient: &'s Value,
    pub(crate) truth: &'s [Option<f64>],
}

/// The named mutant that a wrong gradient equals to within a few round-offs, the nearest if there are several. Its
/// distance must be small beside the error, too: a mutant that is nearly right is no explanation.
pub(crate) fn recognise(examination: &Examination<'_, '_>, suspect: &Suspect<'_>) -> Option<String> {
    let &Suspect { source, tensor, cotangent, gradient, truth } = suspect;
    let roundoff = examination.problem.sources[source].unit_roundoff;
    let error = truth.iter().zip(gradient.data()).filter_map(|(truth, g)| Some((g - (*truth)?).abs()));
    let error = error.fold(0.0, f64::max);
    let nearest = examination.problem.mutants.iter().zip(examination.named()).filter_map(|(mutant, run)| {
        let other = run.as_ref().ok()?[cotangent][tensor].as_ref()?;
        let rounding = roundoff.max(mutant.unit_roundoff) * 64.0 * gradient.max_abs().max(other.max_abs());
        let mut distance = 0.0f64;
        for (index, (a, b)) in gradient.data().iter().zip(other.data()).enumerate() {
            let apart = (a - b).abs();
            if apart.is_nan() || apart > rounding + examination.wobble(source, cotangent, tensor, index) {
                return None;
            }
            distance = distance.max(apart);
        }
        (other.dims() == gradient.dims() && distance <= 0.25 * error).then_some((distance, &mutant.name))
    });
    nearest.min_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, name)| name.clone())
}

#[cfg(test)]
mod tests;
