use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use burn::tensor::DType;

use crate::caught::caught;
use crate::cotangent::cotangents;
use crate::difference::Oracle;
use crate::examination::Examination;
use crate::forwards::{forward_rows, panicked, reference_row};
use crate::place::Place;
use crate::precision::Precision;
use crate::problem::Evaluation;
use crate::report::dtype_name;
use crate::runs::run_all;
use crate::ties::ties;
use crate::{Options, Problem, Report, Role, Value, Verdict, rows};

/// How the function is evaluated for its differences.
struct Reference<'a> {
    evaluation: Evaluation<'a>,
    precision: Precision,
    center: (Value, Option<u64>),
    /// Why it is not in double precision, if it is not.
    why: Option<String>,
}

impl<'a> Problem<'a> {
    /// Runs every source, differentiates the function, and judges.
    ///
    /// A closure that panics is told by the name of its source, as [`Verdict::Panicked`]. A function that cannot be
    /// evaluated in double precision is differentiated in [the precision under test](Problem::single), with longer
    /// steps.
    pub fn examine<'p>(&'p self, options: &'p Options) -> Examination<'p, 'a> {
        let values = self.values();
        let mut examination = Examination {
            problem: self,
            options,
            oracle: None,
            runs: Vec::new(),
            ties: Vec::new(),
            hulls: RefCell::default(),
            spreads: RefCell::default(),
            whole: (0..values.len()).map(|_| OnceCell::new()).collect(),
            energies: Vec::new(),
            motion: 0.0,
            steepest: 0.0,
            report: self.empty_report(options),
            named: OnceCell::new(),
        };
        let reference = match self.reference(&values) {
            Ok(reference) => reference,
            Err(message) => {
                examination.report.forwards.push(panicked("reference", message));
                return examination;
            }
        };
        let Reference { evaluation, precision, center: (output, fingerprint), why } = reference;
        examination.report.output = output.dims().to_vec();
        examination.report.differences = dtype_name(precision.0);
        examination.report.note = why.map(|why| {
            let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("the differences are taken in {}: in f64 the function panics ({why})", dtype_name(precision.0))
        });
        let again = caught(|| evaluation(&values).0).unwrap_or_else(|_| Value::full(output.dims(), f64::NAN));
        let bad = match (output.data().iter().all(|y| y.is_finite()), output.same_bits(&again)) {
            (false, _) => Some(Verdict::NonFinite),
            (_, false) => Some(Verdict::NonDeterministic),
            _ => None,
        };
        if let Some(verdict) = bad {
            examination.report.forwards.push(reference_row(&output, &again, verdict));
            return examination;
        }
        let elements = (0..values.len()).filter(|&t| self.differentiated(t)).map(|t| values[t].len()).sum();
        let cotangents = cotangents(output.dims(), elements, options);
        examination.report.random_cotangents = cotangents.iter().filter(|cotangent| cotangent.only.is_none()).count();
        examination.report.jacobian = cotangents.iter().any(|cotangent| cotangent.only.is_some());
        let directions: Vec<&Value> = cotangents.iter().map(|cotangent| &cotangent.value).collect();
        examination.runs = run_all(self, &values, &directions);
        // A source that changes what the function works on leaves another function behind.
        let after = caught(|| evaluation(&values).0).unwrap_or_else(|_| Value::full(output.dims(), f64::NAN));
        if !output.same_bits(&after) {
            let mut row = reference_row(&output, &after, Verdict::NonDeterministic);
            row.note = Some(
                "the function is another one after the sources have run: one of them changes something in place".into(),
            );
            examination.report.forwards.push(row);
            return examination;
        }
        let roundoff = self.sources.iter().map(|source| source.unit_roundoff).fold(0.0, f64::max);
        let center = (output, fingerprint);
        let moves = |tensor| self.differentiated(tensor);
        let place = Place::new(evaluation, precision, values, moves, center, cotangents, options, roundoff);
        examination.oracle = Some(Oracle::new(place));
        examination.find_energies();
        examination.ties = ties(examination.oracle(), options.seed);
        examination.report.forwards = forward_rows(&examination);
        examination.report.rows = rows::rows(&examination);
        let report = &mut examination.report;
        report.proven = !report.rows.is_empty()
            && report.rows.iter().all(|row| row.verdict.proven())
            && report.forwards.iter().all(|forward| forward.verdict.proven());
        examination
    }

    fn empty_report(&self, options: &Options) -> Report {
        Report {
            schema: 1,
            name: self.name.clone(),
            dtype: dtype_name(self.dtype),
            differences: "f64".into(),
            note: None,
            seed: options.seed,
            output: Vec::new(),
            random_cotangents: 0,
            jacobian: false,
            forwards: Vec::new(),
            rows: Vec::new(),
            proven: false,
        }
    }

    /// The function in double precision; where it panics, in the precision under test if it can; or why neither can be
    /// had.
    fn reference(&self, values: &[Value]) -> Result<Reference<'a>, String> {
        let evaluation = self.evaluation();
        let why = match caught(|| evaluation(values)) {
            Ok(center) => return Ok(Reference { evaluation, precision: Precision(DType::F64), center, why: None }),
            Err(why) => why,
        };
        let Some(single) = self.single.clone() else { return Err(why) };
        let evaluation: Evaluation<'a> = Rc::new(move |values| (single(values), None));
        match caught(|| evaluation(values)) {
            Ok(center) => Ok(Reference { evaluation, precision: Precision(self.dtype), center, why: Some(why) }),
            Err(_) => Err(why),
        }
    }

    pub(crate) fn differentiated(&self, tensor: usize) -> bool {
        self.tensors[tensor].role != Role::Constant
    }
}

#[cfg(test)]
pub(crate) mod tests;
