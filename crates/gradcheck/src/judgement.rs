//! The verdict on one source's gradient of one tensor.

use crate::examination::Examination;
use crate::judge::{Allowances, Answer, Limits, judge};
use crate::place::NEAR;
use crate::precision::{largest, smallest};
use crate::report::Tolerance;
use crate::runs::Wobble;
use crate::sweep::Element;
use crate::{Value, Verdict};

/// So many elements that look wrong are looked at again with every step, until one of them stays wrong.
const CONFIRMED: usize = 16;

/// Round-off of so many units of everything that may have cancelled in a gradient is believed to be round-off.
const WOBBLE: f64 = 256.0;

/// The verdict on one source's gradient of one tensor, with the counts behind it.
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) selected: Vec<usize>,
    pub(crate) kinks: Vec<usize>,
    pub(crate) mismatched: usize,
    pub(crate) unresolved: usize,
    pub(crate) worst: Option<WorstOf>,
    /// If the function was seen not to move with the tensor: what a gradient may be that counts as zero.
    pub(crate) zero: Option<f64>,
    /// What is wrong beyond single elements.
    pub(crate) fault: Option<String>,
}

/// Where the worst element is.
#[derive(Clone, Copy)]
pub(crate) struct WorstOf {
    pub(crate) index: usize,
    pub(crate) cotangent: usize,
    pub(crate) tolerance: Tolerance,
    pub(crate) error: f64,
    /// Worse is larger: the verdict's rank, then a random cotangent before a single output, which shows less of what a
    /// fault looks like, then the error over the tolerance.
    rank: (Verdict, bool, f64),
}

/// One source's gradients of one tensor, one for each cotangent, as it gave them or as a mutant makes them.
pub(crate) struct Claim<'c> {
    pub(crate) source: usize,
    pub(crate) tensor: usize,
    pub(crate) gradients: &'c [Option<&'c Value>],
}

impl Claim<'_> {
    pub(crate) fn gradient(&self, cotangent: usize, index: usize) -> f64 {
        self.gradients[cotangent].map_or(0.0, |gradient| gradient.data()[index])
    }
}

impl Examination<'_, '_> {
    /// Judges the gradients of one tensor, one for each cotangent, that `source` has given or that a mutant makes of
    /// them.
    pub(crate) fn judge(&self, source: usize, tensor: usize, gradients: &[Option<&Value>]) -> Judgement {
        let claim = Claim { source, tensor, gradients };
        let dims = self.oracle().values[tensor].dims();
        let mut judgement = Judgement {
            verdict: Verdict::Pass,
            selected: self.selected(tensor, Some((source, gradients))),
            kinks: Vec::new(),
            mismatched: 0,
            unresolved: 0,
            worst: None,
            zero: None,
            fault: None,
        };
        if let Some((verdict, excused)) = self.still(&claim, &judgement.selected) {
            judgement.zero = Some(excused);
            judgement.verdict = verdict;
            return judgement;
        }
        if gradients.iter().any(Option::is_none) {
            judgement.verdict = Verdict::Missing;
            return judgement;
        }
        if gradients.iter().flatten().any(|gradient| gradient.dims() != dims) {
            judgement.verdict = Verdict::Mismatch;
            return judgement;
        }
        if gradients.iter().flatten().any(|gradient| gradient.data().iter().any(|g| g.is_nan())) {
            judgement.verdict = Verdict::NonFinite;
        }
        self.judge_elements(&claim, &mut judgement);
        if judgement.verdict.is_fault() {
            return judgement;
        }
        if let Some(fault) = self.tie_fault(&claim) {
            judgement.verdict = if fault.sure { Verdict::Mismatch } else { Verdict::Unresolved };
            judgement.mismatched = if fault.sure { fault.members.len() } else { 0 };
            if let Some(&index) = fault.members.first() {
                judgement.worst = Some(self.worst_at(&claim, index, fault.cotangent));
            }
            judgement.fault = Some(fault.text);
        } else if let Some(index) = self.hidden_fault(&claim, &judgement.selected) {
            // The line through all elements has led to one that was not among those selected.
            if !judgement.selected.contains(&index) {
                judgement.selected.push(index);
            }
            self.judge_elements(&claim, &mut judgement);
            if judgement.verdict.proven() {
                // The whole gradient is not what the function does, and no single element shows it.
                judgement.verdict = Verdict::Unresolved;
                judgement.fault =
                    Some("the gradients of all elements together do not add up to what the function does".into());
            }
        }
        judgement
    }

    /// The verdict if the differences bound the whole gradient by their own errors, and the source says zero to within
    /// what cancels elsewhere in the function, which comes with it.
    fn still(&self, claim: &Claim<'_>, selected: &[usize]) -> Option<(Verdict, f64)> {
        let oracle = self.oracle();
        let elements: Vec<_> = selected.iter().map(|&index| oracle.element(claim.tensor, index)).collect();
        let all = || elements.iter().flat_map(|element| &element.estimates);
        if !all().all(|e| e.clean && e.kink.is_none() && e.derivative.abs() <= e.truncation + e.noise) {
            return None;
        }
        let shared = self.energy() / oracle.typical[claim.tensor];
        let bound = all().map(|e| e.truncation + e.noise).fold(0.0, f64::max);
        let roundoff = self.options.roundoff_factor * self.problem.sources[claim.source].unit_roundoff;
        let excused = roundoff * shared + bound;
        let zero = |(cotangent, gradient): (usize, &Option<&Value>)| {
            let elements = gradient.iter().flat_map(|gradient| gradient.data()).enumerate();
            elements.into_iter().all(|(i, g)| {
                g.abs() <= excused + self.wobble(claim.source, cotangent, claim.tensor, i).min(1e-3 * shared)
            })
        };
        if !claim.gradients.iter().enumerate().all(zero) {
            return None;
        }
        let expected = self.problem.tensors[claim.tensor].expect_zero;
        // Small beside what moves elsewhere: that is the proof. Where nothing moves at all, nothing was seen.
        let beside = self.motion / oracle.typical[claim.tensor];
        let seen = self.motion > 0.0 && bound <= 1e-3 * beside && bound <= self.steepest;
        Some((if expected || seen { Verdict::Pass } else { Verdict::Unobservable }, excused))
    }

    pub(crate) fn limits(&self, claim: &Claim<'_>, selected: &[usize]) -> Vec<Limits> {
        let oracle = self.oracle();
        let source = &self.problem.sources[claim.source];
        let elements = selected.iter().map(|&index| oracle.element(claim.tensor, index));
        let steepest = |element: std::rc::Rc<Element>| {
            element.estimates.iter().map(|e| e.derivative.abs()).filter(|d| d.is_finite()).fold(0.0, f64::max)
        };
        let derivative = elements.map(steepest).fold(0.0, f64::max);
        let dtype = self.problem.dtype;
        let of = |cotangent: &crate::cotangent::Cotangent| Limits {
            roundoff: self.options.roundoff_factor * source.unit_roundoff,
            unit: f64::min(derivative, cotangent.value.max_abs()),
            weight: cotangent.value.max_abs(),
            range: [smallest(dtype), largest(dtype)],
            resolution: if source.unit_roundoff < 1e-12 { 1e-4 } else { 1e-3 },
            near: NEAR * source.unit_roundoff,
        };
        oracle.cotangents.iter().map(of).collect()
    }

    fn judge_elements(&self, claim: &Claim<'_>, judgement: &mut Judgement) {
        let oracle = self.oracle();
        let limits = self.limits(claim, &judgement.selected);
        let mut found: Vec<(usize, Vec<Answer>)> = judgement
            .selected
            .iter()
            .map(|&index| (index, self.answers(claim, index, &oracle.element(claim.tensor, index), &limits)))
            .collect();
        let rounding_decides = self.confirm(claim, &mut found);
        self.resolve(claim, &mut found);
        (judgement.kinks, judgement.mismatched, judgement.unresolved) = (Vec::new(), 0, 0);
        judgement.worst = None;
        for (index, answers) in &found {
            let mut of_element = Verdict::Pass;
            for (cotangent, answer) in answers.iter().enumerate() {
                of_element = of_element.max(answer.verdict);
                let ratio = answer.error / answer.tolerance.total().max(f64::MIN_POSITIVE);
                let random = oracle.cotangents[cotangent].only.is_none();
                let ratio = if ratio.is_nan() { 0.0 } else { ratio };
                let rank = (answer.verdict, random && answer.verdict.is_fault(), ratio);
                if judgement.worst.is_none_or(|worst| rank > worst.rank) {
                    let Answer { tolerance, error, .. } = *answer;
                    judgement.worst = Some(WorstOf { index: *index, cotangent, tolerance, error, rank });
                }
            }
            match of_element {
                Verdict::Kink => judgement.kinks.push(*index),
                Verdict::Unresolved => judgement.unresolved += 1,
                Verdict::Pass => {}
                _ => judgement.mismatched += 1,
            }
            judgement.verdict = judgement.verdict.max(of_element);
        }
        if rounding_decides && judgement.verdict == Verdict::Unresolved {
            judgement.fault = Some("round-off in the forward decides which branch it takes".into());
        }
    }

    /// Looks again, with every step, at elements that look wrong, those first that look the most wrong. The tensor is
    /// wrong if one of them stays wrong; an element that is not looked at again then counts as it looked. Returns whether
    /// one is not decided since the rounding of the forward chose its branch.
    fn confirm(&self, claim: &Claim<'_>, found: &mut [(usize, Vec<Answer>)]) -> bool {
        let mut rounding_decides = false;
        let wrong = |answers: &[Answer]| answers.iter().any(|answer| answer.verdict == Verdict::Mismatch);
        let ratio = |answers: &[Answer]| {
            let wrong = answers.iter().filter(|answer| answer.verdict == Verdict::Mismatch);
            wrong.map(|a| a.error / a.tolerance.total().max(f64::MIN_POSITIVE)).fold(0.0, f64::max)
        };
        let mut suspects: Vec<usize> = (0..found.len()).filter(|&at| wrong(&found[at].1)).collect();
        suspects.sort_by(|&a, &b| ratio(&found[b].1).total_cmp(&ratio(&found[a].1)));
        for (looked_at, &suspect) in suspects.iter().enumerate() {
            let selected: Vec<usize> = found.iter().map(|(index, _)| *index).collect();
            let (index, first) = &mut found[suspect];
            if looked_at >= CONFIRMED {
                let unsure = first.iter_mut().filter(|answer| answer.verdict == Verdict::Mismatch);
                unsure.for_each(|answer| answer.verdict = Verdict::Unresolved);
                continue;
            }
            let element = self.oracle().thoroughly(claim.tensor, *index);
            // A function that looked flat at first may not be: then its slopes are other ones too.
            let mut second = self.answers(claim, *index, &element, &self.limits(claim, &selected));
            for (cotangent, answer) in second.iter_mut().enumerate() {
                let estimates = &self.oracle().element(claim.tensor, *index).estimates;
                if answer.verdict == Verdict::Mismatch
                    && let Some(verdict) = self.beside_kink(claim, *index, cotangent, answer)
                {
                    let error = if verdict == Verdict::Kink { 0.0 } else { answer.error };
                    *answer = Answer { verdict, error, ..*answer };
                }
                if answer.verdict == Verdict::Mismatch && estimates[cotangent].kink.is_none() {
                    self.allow_spread(claim, *index, cotangent, answer);
                    if answer.verdict == Verdict::Mismatch && self.is_round_off(claim, *index, cotangent, answer) {
                        answer.verdict = Verdict::Unresolved;
                    }
                    if answer.verdict == Verdict::Mismatch && self.rounding_decides(claim, *index, cotangent, answer) {
                        answer.verdict = Verdict::Unresolved;
                        rounding_decides = true;
                    }
                }
            }
            let stays = wrong(&second);
            *first = second;
            if stays {
                break;
            }
        }
        rounding_decides
    }

    /// Looks again, with every step, at elements that the usual steps decide nothing about, where nothing looks wrong.
    fn resolve(&self, claim: &Claim<'_>, found: &mut [(usize, Vec<Answer>)]) {
        let worst = |answers: &[Answer]| answers.iter().map(|answer| answer.verdict).max();
        if found.iter().any(|(_, answers)| worst(answers).is_some_and(Verdict::is_fault)) {
            return;
        }
        let selected: Vec<usize> = found.iter().map(|(index, _)| *index).collect();
        let unresolved = found.iter_mut().filter(|(_, answers)| worst(answers) == Some(Verdict::Unresolved));
        for (index, first) in unresolved.take(CONFIRMED) {
            let element = self.oracle().thoroughly(claim.tensor, *index);
            let limits = self.limits(claim, &selected);
            let mut second = self.answers(claim, *index, &element, &limits);
            for (cotangent, answer) in second.iter_mut().enumerate() {
                if answer.verdict == Verdict::Unresolved
                    && let Some(other) = self.of_other_branch(claim, *index, cotangent, answer, &limits[cotangent])
                {
                    *answer = other;
                }
            }
            if worst(&second) < Some(Verdict::Unresolved) {
                *first = second;
            }
        }
    }

    /// The verdict on one element under every cotangent.
    fn answers(&self, claim: &Claim<'_>, index: usize, element: &Element, limits: &[Limits]) -> Vec<Answer> {
        let cotangents = limits.iter().enumerate();
        cotangents.map(|(cotangent, limits)| self.answer(claim, index, cotangent, element, limits)).collect()
    }

    /// The verdict on one element under one cotangent.
    pub(crate) fn answer(
        &self,
        claim: &Claim<'_>,
        index: usize,
        cotangent: usize,
        element: &Element,
        limits: &Limits,
    ) -> Answer {
        let estimate = &element.estimates[cotangent];
        let magnitudes = self.runs[claim.source].run().and_then(|run| run.magnitudes.as_ref());
        let own = magnitudes.and_then(|all| all[cotangent][claim.tensor].as_ref()).map(|all| all.data()[index]);
        judge(claim.gradient(cotangent, index), estimate, own, limits, || {
            self.allowances(claim, index, cotangent, estimate.magnitude)
        })
    }

    /// What may excuse an element beyond its own terms.
    pub(crate) fn allowances(&self, claim: &Claim<'_>, index: usize, cotangent: usize, magnitude: f64) -> Allowances {
        let oracle = self.oracle();
        let value = &oracle.values[claim.tensor];
        let reach = oracle.reach(claim.tensor, index, cotangent);
        // An element whose terms are nearly nothing beside those of the function's other tensors has the rest of a
        // cancellation for a gradient, and the errors of what cancelled in it. Only what moves the same outputs can
        // have cancelled.
        let shared = reach.energy.unwrap_or(self.energies[cotangent]) / oracle.typical[claim.tensor];
        let roundoff = self.problem.sources[claim.source].unit_roundoff;
        let cancelled = if magnitude < 5e-4 * shared { 8.0 * roundoff * shared } else { 0.0 };
        let wobbles = self.wobbles(claim.source, cotangent, claim.tensor, index);
        let (size, saturated) = (value.data()[index].abs().max(1.0), self.saturated(cotangent));
        let bound = self.wobble_bound(claim.source, cotangent, magnitude + reach.terms + reach.output + shared);
        Allowances {
            output: reach.output / size,
            // An output next to 0 may be the logarithm of a result next to 1, which has the rounding of what went in. In
            // double precision, that is less than anybody asks for.
            saturated: if roundoff < 1e-12 { self.rounded_inputs(cotangent) } else { saturated },
            beside: saturated / size,
            steepest: self.size(cotangent) / (oracle.precision.epsilon() * value.data()[index].abs().max(1.0)),
            terms: reach.terms,
            shared,
            near_wobble: wobbles.near.min(bound),
            wobble: wobbles.full.min(bound),
            any_wobble: wobbles.full,
            wobble_bound: bound,
            cancelled,
        }
    }

    /// How much of what a gradient was seen to wobble by is believed to be round-off, where `terms` may have cancelled
    /// in it.
    pub(crate) fn wobble_bound(&self, source: usize, cotangent: usize, terms: f64) -> f64 {
        let weight = self.oracle().cotangents[cotangent].value.max_abs();
        WOBBLE * self.problem.sources[source].unit_roundoff * (terms + weight)
    }

    /// What the rounding of results next to 1 is relative to: the size of the weighted output, at most the largest
    /// weight.
    pub(crate) fn saturated(&self, cotangent: usize) -> f64 {
        self.size(cotangent).min(self.oracle().cotangents[cotangent].value.max_abs())
    }

    /// The largest weight times the largest number that goes in, which counts as between 1 and 10⁴.
    fn rounded_inputs(&self, cotangent: usize) -> f64 {
        let oracle = self.oracle();
        let largest = oracle.values.iter().map(Value::max_abs).fold(0.0, f64::max);
        oracle.cotangents[cotangent].value.max_abs() * largest.clamp(1.0, 1e4)
    }

    /// `(Σ_o (w_o y_o)²)^½`.
    fn size(&self, cotangent: usize) -> f64 {
        let oracle = self.oracle();
        let terms = oracle.cotangents[cotangent].terms();
        terms.fold(0.0, |size: f64, (output, w)| size.hypot(w * oracle.output.data()[output]))
    }

    fn worst_at(&self, claim: &Claim<'_>, index: usize, cotangent: usize) -> WorstOf {
        let element = self.oracle().element(claim.tensor, index);
        let limits = self.limits(claim, &[index]);
        let answer = self.answer(claim, index, cotangent, &element, &limits[cotangent]);
        let rank = (Verdict::Mismatch, true, f64::INFINITY);
        WorstOf { index, cotangent, tolerance: answer.tolerance, error: answer.error, rank }
    }

    /// Four times what round-off alone does to an element of this source's own gradient.
    pub(crate) fn wobble(&self, source: usize, cotangent: usize, tensor: usize, index: usize) -> f64 {
        self.wobbles(source, cotangent, tensor, index).full
    }

    fn wobbles(&self, source: usize, cotangent: usize, tensor: usize, index: usize) -> Wobble {
        let run = self.runs[source].run().and_then(|run| run.wobble[cotangent][tensor].get(index)).copied();
        let times_four = |x: f64| if x.is_finite() { 4.0 * x } else { 0.0 };
        run.map_or(Wobble { near: 0.0, full: 0.0 }, |run| Wobble {
            near: times_four(run.near),
            full: times_four(run.full),
        })
    }
}

#[cfg(test)]
mod tests;
