//! What is wrong with a check that is not proven, as a list of known faults can name it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backproof::point::Point;
use backproof_gradcheck::{Examination, ForwardRow, Problem, Row, Value, Verdict};
use burn::tensor::DType;
use serde::Serialize;

use super::domain::has_derivative;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Symptom {
    /// Whose gradient or forward.
    pub(crate) source: String,
    /// Of which tensor; none for the forward.
    pub(crate) tensor: Option<String>,
    pub(crate) kind: Kind,
    /// Numbers, for a person.
    pub(crate) note: String,
}

/// The kinds of what can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// NaN or infinite where the function is not.
    NotFinite,
    /// Other dimensions than the tensor's.
    WrongShape,
    /// Wrong numbers.
    Mismatch,
    /// No gradient at all.
    Missing,
    /// Two runs differ.
    NonDeterministic,
    /// The code under test panics.
    Panics,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotFinite => "not finite",
            Self::WrongShape => "wrong shape",
            Self::Mismatch => "wrong",
            Self::Missing => "missing",
            Self::NonDeterministic => "differs from run to run",
            Self::Panics => "panics",
        })
    }
}

/// What was found of a check: what is wrong, and what is not decided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Findings {
    pub(crate) wrong: Vec<Symptom>,
    /// Some gradient is neither proven nor wrong.
    pub(crate) undecided: bool,
    /// Some gradient is asked for where there is none.
    pub(crate) undefined: bool,
}

/// What is wrong with the sources. At a hard point, nothing is asked of an element along which the function has no derivative.
pub(crate) fn find(problem: &Problem<'_>, examination: &Examination<'_, '_>, point: Point) -> Findings {
    let hard = point != Point::General;
    // Products of such numbers overflow and other numbers are lost beside them, in whatever function.
    let extreme = matches!(point, Point::Saturated1e20 | Point::Masked | Point::Denormal | Point::Wide);
    let report = examination.report();
    let mut findings = Findings::default();
    for row in &report.rows {
        match row.verdict {
            verdict if verdict.proven() => {}
            verdict if !verdict.is_fault() => findings.undecided = true,
            _ if hard && !has_fault(problem, examination, row) => findings.undefined = true,
            verdict => findings.wrong.push(Symptom {
                source: row.source.clone(),
                tensor: Some(row.tensor.clone()),
                kind: kind(verdict, row),
                note: note(row),
            }),
        }
    }
    let (lost, wrong): (Vec<_>, Vec<_>) =
        report.forwards.iter().filter(|forward| !forward.verdict.proven()).partition(|forward| {
            hard && (extreme || (forward.value - forward.reference).abs() < smallest(problem.dtype))
        });
    if extreme && !lost.is_empty() {
        // Of an output that overflowed or cancelled on the way there is no gradient to ask for.
        return Findings { undefined: true, ..Findings::default() };
    }
    findings.wrong.extend(wrong.into_iter().map(of_forward));
    findings
}

/// Whether a source panics at the point itself; if none does, differences around it have.
pub(crate) fn a_source_panics(problem: &Problem<'_>) -> bool {
    let values = problem.values();
    let ones = Value::full((problem.forward)(&values).dims(), 1.0);
    problem.sources.iter().any(|source| {
        let run = || {
            (source.backward)(&values, &ones);
            source.forward.as_ref().map(|forward| forward(&values))
        };
        catch_unwind(AssertUnwindSafe(run)).is_err()
    })
}

fn of_forward(forward: &ForwardRow) -> Symptom {
    Symptom {
        source: forward.source.clone(),
        tensor: None,
        kind: if forward.verdict == Verdict::NonFinite { Kind::NotFinite } else { Kind::Mismatch },
        note: format!("{:e} for {:e} at {:?}", forward.value, forward.reference, forward.position),
    }
}

/// The smallest normal number.
fn smallest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MIN_POSITIVE,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}

fn kind(verdict: Verdict, row: &Row) -> Kind {
    match verdict {
        Verdict::Missing => Kind::Missing,
        Verdict::NonDeterministic => Kind::NonDeterministic,
        Verdict::NonFinite => Kind::NotFinite,
        _ if row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.contains("dimensions are")) => Kind::WrongShape,
        _ => Kind::Mismatch,
    }
}

fn note(row: &Row) -> String {
    let diagnosis = row.diagnosis.clone().unwrap_or_default();
    let Some(worst) = &row.worst else { return diagnosis };
    let own = worst.gradients.iter().find(|(source, _)| *source == row.source).and_then(|(_, gradient)| *gradient);
    let own = own.map_or("nothing".to_owned(), |gradient| format!("{gradient:e}"));
    format!("{own} for {:e} at {:e}; {diagnosis}", worst.difference, worst.value)
}

/// Whether something is wrong at an element along which the function has a derivative.
fn has_fault(problem: &Problem<'_>, examination: &Examination<'_, '_>, row: &Row) -> bool {
    let Some(tensor) = problem.tensors.iter().position(|tensor| tensor.name == row.tensor) else { return true };
    let gradients = || (0..).map_while(|number| examination.gradient(&row.source, &row.tensor, number));
    match (row.verdict, &row.worst) {
        (Verdict::NonFinite, _) => {
            let mut wrong: Vec<usize> = gradients()
                .flat_map(|gradient| gradient.data().iter().enumerate().filter(|(_, g)| !g.is_finite()))
                .map(|(index, _)| index)
                .collect();
            wrong.sort_unstable();
            wrong.dedup();
            wrong.into_iter().any(|index| has_derivative(problem, tensor, index))
        }
        // Less than the smallest normal number is lost.
        (Verdict::Mismatch, Some(worst)) if worst.error < smallest(problem.dtype) => false,
        (Verdict::Mismatch, Some(worst)) => has_derivative(problem, tensor, worst.index),
        _ => true,
    }
}
