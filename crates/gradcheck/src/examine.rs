use std::cell::OnceCell;

use crate::cotangent::cotangents;
use crate::difference::Oracle;
use crate::judge::{Scales, judge, tolerance};
use crate::named::NamedRun;
use crate::noise::scale;
use crate::report::{ForwardRow, Tolerance, dtype_name};
use crate::runs::{Run, run_all};
use crate::select::select;
use crate::{Mutants, Options, Problem, Report, Role, Value, Verdict, mutants, named, rows};

/// A problem that has been looked at: the report, and what is needed to try mutants without differentiating again.
pub struct Examination<'p, 'a> {
    pub(crate) problem: &'p Problem<'a>,
    pub(crate) options: &'p Options,
    /// Absent if the function itself cannot be differentiated: not finite, or not a function.
    pub(crate) oracle: Option<Oracle<'a>>,
    pub(crate) runs: Vec<Option<Run>>,
    /// `A · |x|`, the largest of all tensors: what an element that cancels to zero may have been the difference of.
    pub(crate) energy: f64,
    pub(crate) report: Report,
    named: OnceCell<Vec<NamedRun>>,
}

/// The verdict on one source's gradient of one tensor, with the counts behind it.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) selected: Vec<usize>,
    pub(crate) kinks: Vec<usize>,
    pub(crate) mismatched: usize,
    pub(crate) unresolved: usize,
    pub(crate) worst: Option<WorstOf>,
}

/// Where the worst element is.
#[derive(Clone, Copy)]
pub(crate) struct WorstOf {
    pub(crate) index: usize,
    pub(crate) cotangent: usize,
    pub(crate) tolerance: Tolerance,
    pub(crate) error: f64,
    /// Worse is larger: the verdict's rank, then a random cotangent before a single output, which shows less of what a fault looks like, then
    /// the error over the tolerance.
    rank: (Verdict, bool, f64),
}

impl<'a> Problem<'a> {
    /// Runs every source, differentiates the function, and judges.
    ///
    /// # Panics
    ///
    /// Panics if a source does not return one entry for each tensor, or if a closure panics.
    pub fn examine<'p>(&'p self, options: &'p Options) -> Examination<'p, 'a> {
        let values = self.values();
        let evaluation = self.evaluation();
        let (output, fingerprint) = evaluation(&values);
        let (again, _) = evaluation(&values);
        let report = Report {
            schema: 1,
            name: self.name.clone(),
            dtype: dtype_name(self.dtype),
            seed: options.seed,
            output: output.dims().to_vec(),
            random_cotangents: 0,
            jacobian: false,
            forwards: Vec::new(),
            rows: Vec::new(),
            proven: false,
        };
        let mut examination = Examination {
            problem: self,
            options,
            oracle: None,
            runs: Vec::new(),
            energy: 0.0,
            report,
            named: OnceCell::new(),
        };
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
        let roundoff = self.sources.iter().map(|source| source.unit_roundoff).fold(0.0, f64::max);
        let center = (output, fingerprint);
        let moves = |tensor| self.differentiated(tensor);
        examination.oracle = Some(Oracle::new(evaluation, values, moves, center, cotangents, options, roundoff));
        examination.energy = examination.find_energy();
        examination.report.forwards = examination.forward_rows();
        examination.report.rows = rows::rows(&examination);
        let report = &mut examination.report;
        report.proven = !report.rows.is_empty()
            && report.rows.iter().all(|row| row.verdict.proven())
            && report.forwards.iter().all(|forward| forward.verdict.proven());
        examination
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

    /// A source's gradient of a tensor under the cotangent of this number, as it came; to be written to a file for others to compare.
    pub fn gradient(&self, source: &str, tensor: &str, cotangent: usize) -> Option<&Value> {
        let source = self.problem.sources.iter().position(|other| other.name == source)?;
        let tensor = self.problem.tensors.iter().position(|other| other.name == tensor)?;
        self.runs.get(source)?.as_ref()?.gradients.get(cotangent)?[tensor].as_ref()
    }

    /// The negative control: every source's proven gradients are falsified in all the ways of [`Mutation`](crate::Mutation), one at a time, and
    /// each must lose its proof. Then come the [mutants that know the operation](Problem::mutants), each judged as if the least exact source that is
    /// proven had returned its gradients: it is killed if one of those that it changes is not proven.
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
                _ => self.runs[source].as_ref().map(|run| run.of(tensor)),
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

    fn find_energy(&self) -> f64 {
        let mut energy = 0.0f64;
        for tensor in (0..self.problem.tensors.len()).filter(|&tensor| self.problem.differentiated(tensor)) {
            let scale = scale(&self.oracle().values[tensor]);
            for index in self.selected(tensor, None) {
                let estimates = self.oracle().element(tensor, index);
                energy = estimates.iter().map(|estimate| estimate.magnitude * scale).fold(energy, f64::max);
            }
        }
        energy
    }

    /// Judges the gradients of one tensor, one for each cotangent, that `source` has given or that a mutant makes of them.
    pub(crate) fn judge(&self, source: usize, tensor: usize, gradients: &[Option<&Value>]) -> Judgement {
        let oracle = self.oracle();
        let (value, variable) = (&oracle.values[tensor], &self.problem.tensors[tensor]);
        let selected = self.selected(tensor, Some((source, gradients)));
        let mut judgement =
            Judgement { verdict: Verdict::Pass, kinks: vec![], mismatched: 0, unresolved: 0, worst: None, selected };
        let estimates: Vec<_> = judgement.selected.iter().map(|&index| oracle.element(tensor, index)).collect();
        let all = || estimates.iter().flat_map(|element| element.iter());
        let derivative = all().map(|e| e.derivative.abs()).fold(0.0, f64::max);
        let claimant = &self.problem.sources[source];
        let roundoff = self.options.roundoff_factor * claimant.unit_roundoff;
        let shared = self.energy / scale(value);
        let reach = value.max_abs().max(1.0);
        let scales: Vec<Scales> = (0..oracle.cotangents.len())
            .map(|cotangent| Scales {
                roundoff,
                magnitude: estimates.iter().map(|element| element[cotangent].magnitude).fold(0.0, f64::max),
                output: oracle.objective_size(cotangent) / reach,
                derivative,
            })
            .collect();

        // An element whose terms are nearly nothing beside those of the function's other tensors has the rest of a cancellation for a gradient,
        // and the errors of what cancelled in it.
        let cancelled = |magnitude: f64| match magnitude < 5e-4 * shared {
            true => 8.0 * claimant.unit_roundoff * shared,
            false => 0.0,
        };

        // Nothing moves: a source must say zero, to within what cancels elsewhere in the function.
        let still = all().all(|e| e.kink.is_none() && e.derivative.abs() <= e.truncation + e.noise);
        if still {
            let excused = roundoff * shared + all().map(|e| e.truncation + e.noise).fold(0.0, f64::max);
            let zero = |(cotangent, gradient): (usize, &Option<&Value>)| {
                let elements = gradient.iter().flat_map(|gradient| gradient.data()).enumerate();
                elements.into_iter().all(|(i, g)| g.abs() <= excused + self.wobble(source, cotangent, tensor, i))
            };
            if gradients.iter().enumerate().all(zero) {
                judgement.verdict = if variable.expect_zero { Verdict::Pass } else { Verdict::Unobservable };
                return judgement;
            }
        }
        if gradients.iter().any(Option::is_none) {
            judgement.verdict = Verdict::Missing;
            return judgement;
        }
        let finite = |gradient: &Value| gradient.data().iter().all(|g| g.is_finite());
        if gradients.iter().flatten().any(|gradient| gradient.dims() != value.dims()) {
            judgement.verdict = Verdict::Mismatch;
            return judgement;
        }
        if !gradients.iter().flatten().all(|gradient| finite(gradient)) {
            judgement.verdict = Verdict::NonFinite;
        }
        let magnitudes = self.runs[source].as_ref().and_then(|run| run.magnitudes.as_ref());
        for (&index, element) in judgement.selected.iter().zip(&estimates) {
            let mut of_element = Verdict::Pass;
            for (cotangent, estimate) in element.iter().enumerate() {
                let gradient = gradients[cotangent].expect("none is missing").data()[index];
                let own = magnitudes.and_then(|all| all[cotangent][tensor].as_ref()).map(|all| all.data()[index]);
                let tolerance = tolerance(estimate, &scales[cotangent], own);
                let mut tolerance = tolerance;
                let (mut verdict, mut error) = judge(gradient, estimate, &tolerance, &scales[cotangent]);
                if verdict == Verdict::Mismatch && estimate.kink.is_none() {
                    // Nothing excuses a pass from its tolerance, but what is left of a cancellation may be round-off alone.
                    tolerance.roundoff += self.wobble(source, cotangent, tensor, index) + cancelled(estimate.magnitude);
                    (verdict, error) = judge(gradient, estimate, &tolerance, &scales[cotangent]);
                }
                of_element = of_element.max(verdict);
                let ratio = error / tolerance.total().max(f64::MIN_POSITIVE);
                let random = oracle.cotangents[cotangent].only.is_none();
                let rank = (verdict, random && verdict.is_fault(), if ratio.is_nan() { 0.0 } else { ratio });
                if judgement.worst.is_none_or(|worst| rank > worst.rank) {
                    judgement.worst = Some(WorstOf { index, cotangent, tolerance, error, rank });
                }
            }
            match of_element {
                Verdict::Kink => judgement.kinks.push(index),
                Verdict::Unresolved => judgement.unresolved += 1,
                Verdict::Pass => {}
                _ => judgement.mismatched += 1,
            }
            judgement.verdict = judgement.verdict.max(of_element);
        }
        judgement
    }

    /// Four times what round-off alone does to an element of this source's own gradient.
    pub(crate) fn wobble(&self, source: usize, cotangent: usize, tensor: usize, index: usize) -> f64 {
        let run = self.runs[source].as_ref().and_then(|run| run.wobble[cotangent][tensor].get(index));
        4.0 * run.copied().unwrap_or(0.0)
    }

    fn forward_rows(&self) -> Vec<ForwardRow> {
        let oracle = self.oracle();
        let elements: usize =
            (0..oracle.values.len()).filter(|&t| self.problem.differentiated(t)).map(|t| oracle.values[t].len()).sum();
        let mut rows = Vec::new();
        for (source, run) in self.problem.sources.iter().zip(&self.runs) {
            let Some((output, repeatable)) = run.as_ref().and_then(|run| run.output.as_ref()) else { continue };
            let mut row = ForwardRow {
                source: source.name.clone(),
                verdict: if *repeatable { Verdict::Pass } else { Verdict::NonDeterministic },
                position: vec![],
                value: 0.0,
                reference: 0.0,
                tolerance: 0.0,
            };
            if output.dims() != oracle.output.dims() {
                row.verdict = Verdict::Mismatch;
                rows.push(row);
                continue;
            }
            let mut worst = -1.0;
            for (index, (&value, &reference)) in output.data().iter().zip(oracle.output.data()).enumerate() {
                let (condition, noise) = oracle.forward_condition(index, elements);
                let factor = 16.0 * self.options.roundoff_factor * source.unit_roundoff;
                // What cancels inside of the function costs the source as many units of its round-off as it costs f64 of its own.
                let inside = noise * (source.unit_roundoff / f64::EPSILON).max(1.0);
                let tolerance = factor * (reference.abs() + condition) + 16.0 * inside;
                let error = (value - reference).abs();
                let ratio = if value.is_finite() { error / tolerance.max(f64::MIN_POSITIVE) } else { f64::INFINITY };
                if ratio > worst {
                    worst = ratio;
                    let position = crate::value::position(output.dims(), index);
                    row = ForwardRow { position, value, reference, tolerance, ..row };
                }
            }
            if !output.data().iter().all(|y| y.is_finite()) {
                row.verdict = Verdict::NonFinite;
            } else if worst > 1.0 {
                row.verdict = row.verdict.max(Verdict::Mismatch);
            }
            rows.push(row);
        }
        rows
    }
}

fn reference_row(output: &Value, again: &Value, verdict: Verdict) -> ForwardRow {
    let pairs = output.data().iter().zip(again.data());
    let index = pairs.clone().position(|(a, b)| !a.is_finite() || a.to_bits() != b.to_bits()).unwrap_or(0);
    ForwardRow {
        source: "reference".into(),
        verdict,
        position: crate::value::position(output.dims(), index),
        value: again.data()[index],
        reference: output.data()[index],
        tolerance: 0.0,
    }
}

#[cfg(test)]
pub(crate) mod tests;
