//! What is wrong with a check that is not proven, as a list of known faults can name it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::point::Point;
use backproof_gradcheck::{Examination, ForwardRow, Problem, Row, Value, Verdict};
use burn::tensor::DType;
use serde::Serialize;

use crate::domain::has_derivative;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Symptom {
    /// Whose gradient or forward.
    pub source: String,
    /// Of which tensor; none for the forward.
    pub tensor: Option<String>,
    /// What is wrong with it.
    pub kind: Kind,
    /// Numbers, for a person.
    pub note: String,
}

/// The kinds of what can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
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

/// What is wrong with the sources. At a hard point, nothing is asked of an element along which the function has no
/// derivative.
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
            _ if hard && !has_fault(problem, examination, row, point) => findings.undefined = true,
            verdict => findings.wrong.push(Symptom {
                source: row.source.clone(),
                tensor: Some(row.tensor.clone()),
                kind: kind(verdict, row),
                note: note(row),
            }),
        }
    }
    let unproven = report.forwards.iter().filter(|forward| !forward.verdict.proven());
    let (lost, wrong): (Vec<_>, Vec<_>) = unproven.partition(|forward| hard && is_lost(problem, forward, extreme));
    if !lost.iter().all(|forward| underflows(problem, forward)) {
        // Of an output that overflowed or cancelled on the way there is no gradient to ask for.
        return Findings { undefined: true, ..Findings::default() };
    }
    findings.wrong.extend(wrong.into_iter().map(of_forward));
    findings
}

/// Whether a source panics at the point itself; if none does, differences around it have.
pub(crate) fn a_source_panics(problem: &Problem<'_>) -> bool {
    let values = problem.values();
    problem.sources.iter().any(|source| {
        let run = || {
            let output = source.forward.as_ref().unwrap_or(&problem.forward)(&values);
            (source.backward)(&values, &Value::full(output.dims(), 1.0));
        };
        catch_unwind(AssertUnwindSafe(run)).is_err()
    })
}

/// Whether a forward is off because the precision cannot hold what happens on the way, and not because the code is
/// wrong: the function in that
/// precision, where differences are taken, gives the same. An epsilon may also be another one in each precision.
fn is_lost(problem: &Problem<'_>, forward: &ForwardRow, extreme: bool) -> bool {
    match forward.verdict {
        Verdict::NonFinite => extreme,
        // It is less than the rounding of what went in.
        Verdict::Unresolved => true,
        Verdict::NonDeterministic => draws(&problem.name),
        Verdict::Mismatch if extreme || underflows(problem, forward) => true,
        Verdict::Mismatch => {
            let single = problem.single.as_ref();
            let output = single.and_then(|single| catch_unwind(AssertUnwindSafe(|| single(&problem.values()))).ok());
            output.is_some_and(|output| {
                let index = forward.position.iter().zip(output.dims()).fold(0, |index, (at, size)| index * size + at);
                let near = (output.data()[index] - forward.value).abs() <= 1e-3 * forward.value.abs();
                near && forward.position.len() == output.dims().len()
            })
        }
        _ => false,
    }
}

/// Whether the forward is off by less than the smallest normal number.
fn underflows(problem: &Problem<'_>, forward: &ForwardRow) -> bool {
    (forward.value - forward.reference).abs() < smallest(problem.dtype)
}

fn of_forward(forward: &ForwardRow) -> Symptom {
    Symptom {
        source: forward.source.clone(),
        tensor: None,
        kind: match forward.verdict {
            Verdict::NonFinite => Kind::NotFinite,
            Verdict::Panicked => Kind::Panics,
            Verdict::NonDeterministic => Kind::NonDeterministic,
            _ => Kind::Mismatch,
        },
        note: match &forward.note {
            Some(note) => note.clone(),
            None => format!("{:e} for {:e} at {:?}", forward.value, forward.reference, forward.position),
        },
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
        Verdict::Panicked => Kind::Panics,
        _ if row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.contains("dimensions are")) => Kind::WrongShape,
        _ => Kind::Mismatch,
    }
}

fn note(row: &Row) -> String {
    let diagnosis = row.diagnosis.clone().or_else(|| row.note.clone()).unwrap_or_default();
    let Some(worst) = &row.worst else { return diagnosis };
    let own = worst.gradients.iter().find(|(source, _)| *source == row.source).and_then(|(_, gradient)| *gradient);
    let own = own.map_or("nothing".to_owned(), |gradient| format!("{gradient:e}"));
    format!("{own} for {:e} at {:e}; {diagnosis}", worst.difference, worst.value)
}

/// Whether something is wrong at an element along which the function has a derivative.
fn has_fault(problem: &Problem<'_>, examination: &Examination<'_, '_>, row: &Row, point: Point) -> bool {
    let Some(tensor) = problem.tensors.iter().position(|tensor| tensor.name == row.tensor) else { return true };
    let gradients = || (0..).map_while(|number| examination.gradient(&row.source, &row.tensor, number));
    match (row.verdict, &row.worst) {
        (Verdict::Mismatch, _) if is_excused(&problem.name, point) => false,
        // What cancels to nothing under an incoming gradient may not under its parts, whose round-off is all there is.
        (Verdict::Mismatch, _) if is_not_linear(row) => false,
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
        // Products and quotients of numbers that have lost digits have as few, and are not linear in anything.
        (Verdict::Mismatch, Some(worst)) if point == Point::Denormal && worst.error < 0.01 * worst.difference.abs() => {
            false
        }
        (Verdict::Mismatch, Some(worst)) => has_derivative(problem, tensor, worst.index),
        _ => true,
    }
}

fn is_not_linear(row: &Row) -> bool {
    row.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.contains("is not linear in the incoming gradient"))
}

/// Functions of which nothing is asked at some points, whatever differences say of them.
fn is_excused(operation: &str, point: Point) -> bool {
    let is_one_of = |names: &[&str]| names.iter().any(|name| operation.starts_with(name));
    match point {
        // Steps that are relative to a large number span many stairs, or there are none: above 2⁵² there is no fraction.
        Point::Saturated1e20 | Point::Masked | Point::Wide if is_one_of(&["floor", "ceil", "round", "trunc"]) => true,
        // What these modules compute from numbers of 10²⁰ or 10⁹ is the rest of a cancellation.
        Point::Saturated1e20 | Point::Masked => is_one_of(&["TripletMarginLoss", "MultiHeadAttention", "Transformer"]),
        // Of equal rows each may be the pivot, and there are that many factorizations.
        Point::Equal | Point::AllZeros | Point::ZeroRows => operation == "lu",
        _ => false,
    }
}

/// Modules that draw numbers in each pass, from a range that is nothing beside general numbers.
fn draws(operation: &str) -> bool {
    ["RRelu", "GaussianNoise"].contains(&operation)
}
