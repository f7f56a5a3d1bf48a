use crate::examination::Examination;
use crate::noise::typical;
use crate::precision::{largest, smallest};
use crate::report::ForwardRow;
use crate::value::position;
use crate::{Value, Verdict};

/// The row of the function itself where it cannot be differentiated: the first output that is not a number, or not the
/// same twice.
pub(crate) fn reference_row(output: &Value, again: &Value, verdict: Verdict) -> ForwardRow {
    let pairs = output.data().iter().zip(again.data());
    let index = pairs.clone().position(|(a, b)| !a.is_finite() || a.to_bits() != b.to_bits()).unwrap_or(0);
    let at = |value: &Value| value.data().get(index).copied().unwrap_or(f64::NAN);
    ForwardRow {
        source: "reference".into(),
        verdict,
        position: position(output.dims(), index),
        value: at(again),
        reference: at(output),
        tolerance: 0.0,
        note: None,
    }
}

/// The row of a forward that panicked.
pub(crate) fn panicked(source: &str, message: String) -> ForwardRow {
    ForwardRow {
        source: source.into(),
        verdict: Verdict::Panicked,
        position: Vec::new(),
        value: f64::NAN,
        reference: f64::NAN,
        tolerance: 0.0,
        note: Some(message),
    }
}

/// The forward of every source that has one, held against the function.
pub(crate) fn forward_rows(examination: &Examination<'_, '_>) -> Vec<ForwardRow> {
    let (problem, oracle) = (examination.problem, examination.oracle());
    let differentiated = (0..oracle.values.len()).filter(|&tensor| problem.differentiated(tensor));
    let elements: usize = differentiated.map(|tensor| oracle.values[tensor].len()).sum();
    let unit = typical(&oracle.output).min(1.0);
    let largest_input = oracle.values.iter().map(Value::max_abs).fold(0.0, f64::max);
    let mut rows = Vec::new();
    for (source, run) in problem.sources.iter().zip(&examination.runs) {
        let Some((output, repeatable)) = run.run().and_then(|run| run.output.as_ref()) else { continue };
        let mut row = ForwardRow {
            source: source.name.clone(),
            verdict: if *repeatable { Verdict::Pass } else { Verdict::NonDeterministic },
            position: vec![],
            value: 0.0,
            reference: 0.0,
            tolerance: 0.0,
            note: None,
        };
        if output.dims() != oracle.output.dims() {
            row.verdict = Verdict::Mismatch;
            row.note =
                Some(format!("its dimensions are {:?}, the function's {:?}", output.dims(), oracle.output.dims()));
            rows.push(row);
            continue;
        }
        let mut worst = -1.0;
        for (index, (&value, &reference)) in output.data().iter().zip(oracle.output.data()).enumerate() {
            if reference.abs() > largest(problem.dtype) && value.abs() >= largest(problem.dtype) {
                continue; // Infinity is the nearest that the precision has.
            }
            let (condition, noise) = oracle.forward_condition(index, elements);
            let factor = 16.0 * examination.options.roundoff_factor * source.unit_roundoff;
            // What cancels inside of the function costs the source as many units of its round-off as it costs the
            // reference of its own.
            let inside = noise * (source.unit_roundoff / f64::EPSILON).max(1.0);
            // Terms of order 1 that cancel, as `1 + erf(x/√2)` far to the left, leave an absolute error.
            let absolute = 16.0 * source.unit_roundoff * unit + smallest(problem.dtype);
            let tolerance = factor * (reference.abs() + condition) + 16.0 * inside + absolute;
            let error = (value - reference).abs();
            let ratio = if value.is_finite() { error / tolerance.max(f64::MIN_POSITIVE) } else { f64::INFINITY };
            if ratio > worst {
                worst = ratio;
                let position = position(output.dims(), index);
                row = ForwardRow { position, value, reference, tolerance, ..row };
            }
        }
        if worst.is_infinite() && !row.value.is_finite() {
            row.verdict = Verdict::NonFinite;
        } else if worst > 1.0 {
            // An output that is less than the rounding of what went in may be what is left of a cancellation.
            let rounding = 4.0 * source.unit_roundoff * largest_input.min(1e3);
            let lost = row.value.abs().max(row.reference.abs()) <= rounding;
            row.verdict = row.verdict.max(if lost { Verdict::Unresolved } else { Verdict::Mismatch });
        }
        rows.push(row);
    }
    rows
}
