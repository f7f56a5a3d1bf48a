use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use burn::tensor::DType;

use crate::caught::caught;
use crate::cotangent::cotangents;
use crate::difference::Oracle;
use crate::forwards::{forward_rows, panicked, reference_row};
use crate::named::NamedRun;
use crate::precision::Precision;
use crate::problem::Evaluation;
use crate::report::dtype_name;
use crate::runs::{Outcome, run_all};
use crate::select::select;
use crate::spread::Spreads;
use crate::subgradients::Hulls;
use crate::ties::{Tie, ties};
use crate::whole::Whole;
use crate::{Mutants, Options, Problem, Report, Role, Value, Verdict, mutants, named, rows};

/// A problem that has been looked at: the report, and what is needed to try mutants without differentiating again.
pub struct Examination<'p, 'a> {
    pub(crate) problem: &'p Problem<'a>,
    pub(crate) options: &'p Options,
    /// Absent if the function itself cannot be differentiated: not finite, or not a function.
    pub(crate) oracle: Option<Oracle<'a>>,
    pub(crate) runs: Vec<Outcome>,
    /// Elements that share a kink, and what the function does as they move together.
    pub(crate) ties: Vec<Tie>,
    /// The derivatives beside a kink, of elements for which somebody asked.
    pub(crate) hulls: RefCell<HashMap<(usize, usize), Hulls>>,
    /// What round-off does to the gradients of sources that looked wrong.
    pub(crate) spreads: RefCell<Spreads>,
    /// For each tensor that is not checked in full, a line through all of its elements.
    pub(crate) whole: Vec<OnceCell<Whole>>,
    /// `A · |x|` under each cotangent, the largest of all tensors: what an element that cancels to zero may have been
    /// the difference of.
    pub(crate) energies: Vec<f64>,
    pub(crate) report: Report,
    named: OnceCell<Vec<NamedRun>>,
}

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
        examination.oracle =
            Some(Oracle::new(evaluation, precision, values, moves, center, cotangents, options, roundoff));
        examination.energies = examination.find_energies();
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

impl Examination<'_, '_> {
    /// What was found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The cotangents by name, in the shape of the output; none if the function itself is not finite or not repeatable.
    pub fn cotangents(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.oracle.iter().flat_map(|oracle| &oracle.cotangents);
        all.map(|cotangent| (cotangent.name.as_str(), &cotangent.value))
    }

    /// A source's gradient of a tensor under the cotangent of this number, as it came; to be written to a file for
    /// others to compare.
    pub fn gradient(&self, source: &str, tensor: &str, cotangent: usize) -> Option<&Value> {
        let source = self.problem.sources.iter().position(|other| other.name == source)?;
        let tensor = self.problem.tensors.iter().position(|other| other.name == tensor)?;
        self.runs.get(source)?.run()?.gradients.get(cotangent)?[tensor].as_ref()
    }

    /// The negative control: every source's proven gradients are falsified in all the ways of
    /// [`Mutation`](crate::Mutation), one at a time, and each must lose its proof. Then come the [mutants that know the
    /// operation](Problem::mutants), each judged as if the least exact source that is proven had returned its
    /// gradients: it is killed if one of those that it changes is not proven.
    ///
    /// No differences are taken again, other than of elements that only a mutant brings into the choice.
    pub fn mutants(&self) -> Mutants {
        match self.oracle {
            Some(_) => mutants::try_all(self),
            None => Mutants::default(),
        }
    }

    /// What the named mutants say; they run when somebody asks.
    pub(crate) fn named(&self) -> &[NamedRun] {
        self.named.get_or_init(|| {
            let oracle = self.oracle();
            let directions: Vec<&Value> = oracle.cotangents.iter().map(|cotangent| &cotangent.value).collect();
            named::run_all(self.problem, &oracle.values, &directions)
        })
    }

    pub(crate) fn oracle(&self) -> &Oracle<'_> {
        self.oracle.as_ref().expect("the function could be differentiated")
    }

    /// The elements of a tensor to check, with the gradients of one source replaced by a mutant's.
    pub(crate) fn selected(&self, tensor: usize, replaced: Option<(usize, &[Option<&Value>])>) -> Vec<usize> {
        let oracle = self.oracle();
        let value = &oracle.values[tensor];
        let sides: Vec<Vec<Option<&Value>>> = (0..self.runs.len())
            .filter_map(|source| match replaced {
                Some((other, gradients)) if other == source => Some(gradients.to_vec()),
                _ => self.runs[source].run().map(|run| run.of(tensor)),
            })
            .collect();
        let gradients: Vec<Vec<&Value>> = (0..oracle.cotangents.len())
            .map(|cotangent| {
                let given = sides.iter().filter_map(|side| side[cotangent]);
                given.filter(|gradient| gradient.dims() == value.dims()).collect()
            })
            .collect();
        select(value, &self.problem.tensors[tensor].name, &gradients, self.options)
    }

    /// The largest energy of all cotangents.
    pub(crate) fn energy(&self) -> f64 {
        self.energies.iter().copied().fold(0.0, f64::max)
    }

    fn find_energies(&self) -> Vec<f64> {
        let mut energies = vec![0.0f64; self.oracle().cotangents.len()];
        for tensor in (0..self.problem.tensors.len()).filter(|&tensor| self.problem.differentiated(tensor)) {
            let typical = self.oracle().typical[tensor];
            for index in self.selected(tensor, None) {
                let element = self.oracle().element(tensor, index);
                for (largest, estimate) in energies.iter_mut().zip(&element.estimates) {
                    let energy = estimate.magnitude * typical;
                    *largest = largest.max(if energy.is_finite() { energy } else { 0.0 });
                }
            }
        }
        energies
    }
}

#[cfg(test)]
pub(crate) mod tests;
