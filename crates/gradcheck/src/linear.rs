//! A backward pass is linear in the incoming gradient: `B(a w₁ + b w₂) = a B(w₁) + b B(w₂)`. That needs no differences,
//! and holds for every element.

use crate::caught::caught;
use crate::combined::{Combined, combination};
use crate::examination::Examination;
use crate::judgement::{Claim, Judgement};
use crate::precision::{largest, smallest};
use crate::value::position;
use crate::{Value, Verdict};

/// The factors of two incoming gradients in other sums.
const SUMS: [[f64; 2]; 3] = [[-1.625, 0.4375], [2.25, 1.375], [0.8125, -0.3125]];

/// A deviation of more than so many times the allowed round-off is not caused by round-off.
const BY_FAR: f64 = 4.0;

/// A deviation of more than so many times the allowed round-off is not looked at any further.
const HOPELESS: f64 = 1000.0;

/// Of numbers up to this size, and as far below 1, no intermediate result is expected to leave the range of a precision.
const MODERATE: f64 = 1e6;

impl Examination<'_, '_> {
    /// What is not linear in a source's gradient of a tensor, in a sentence. In a gradient that is not resolved, the
    /// rounding of results next to 1 is none; in one that is zero, what counts as zero is none.
    pub(crate) fn nonlinear(&self, source: usize, tensor: usize, judgement: &Judgement) -> Option<String> {
        let run = self.runs[source].run()?;
        run.combined.iter().find_map(|combined| {
            let (words, clearly) = self.deviates(source, tensor, combined, judgement)?;
            let stays = clearly || combined.factors.len() == 1 || self.deviates_again(source, tensor, judgement);
            stays.then_some(words)
        })
    }

    /// Whether most other sums deviate too: the rounding of a sum of two incoming gradients is another one in each.
    fn deviates_again(&self, source: usize, tensor: usize, judgement: &Judgement) -> bool {
        let oracle = self.oracle();
        let cotangents: Vec<&Value> = oracle.cotangents.iter().map(|cotangent| &cotangent.value).collect();
        let again = |[a, b]: &[f64; 2]| {
            let factors = vec![(0, *a), (1, *b)];
            let sum = caught(|| combination(&self.problem.sources[source], &oracle.values, &cotangents, factors));
            sum.is_ok_and(|sum| self.deviates(source, tensor, &sum, judgement).is_some())
        };
        SUMS.iter().filter(|factors| again(factors)).count() > SUMS.len() / 2
    }

    /// What the round-off of a source may do to an element of its own gradient: of its terms, of those of the outputs
    /// that it moves, and of a slope.
    fn roundoff_of(&self, source: usize, tensor: usize, index: usize, cotangent: usize) -> f64 {
        let gradients = self.runs[source].run().map(|run| run.of(tensor)).unwrap_or_default();
        let claim = Claim { source, tensor, gradients: &gradients };
        let limits = &self.limits(&claim, &[index])[cotangent];
        let magnitude = self.oracle().element(tensor, index).estimates[cotangent].magnitude;
        let terms = self.allowances(&claim, index, cotangent, magnitude).terms;
        limits.roundoff * (magnitude + terms + 0.25 * limits.unit)
    }

    /// What deviates, in a sentence, and whether it does so by far.
    fn deviates(
        &self,
        source: usize,
        tensor: usize,
        combined: &Combined,
        judgement: &Judgement,
    ) -> Option<(String, bool)> {
        let (oracle, run) = (self.oracle(), self.runs[source].run()?);
        let value = &oracle.values[tensor];
        let found = combined.gradients[tensor].as_ref().filter(|found| found.dims() == value.dims())?;
        let of = |&(number, factor): &(usize, f64)| {
            let gradient = run.gradients[number][tensor].as_ref().filter(|gradient| gradient.dims() == value.dims())?;
            Some((number, factor, gradient, gradient.max_abs(), self.saturated(number)))
        };
        let parts: Vec<_> = combined.factors.iter().map(of).collect::<Option<_>>()?;
        let unit_roundoff = self.problem.sources[source].unit_roundoff;
        let roundoff = self.options.roundoff_factor * unit_roundoff;
        // In double precision a misuse of the incoming gradient is far more than the rounding of 1.
        let lenient = judgement.verdict == Verdict::Unresolved || unit_roundoff < 1e-12;
        let [smallest, largest_number] = [smallest(self.problem.dtype), largest(self.problem.dtype)];
        // A power of two changes no digit, as long as no intermediate result leaves the range of the precision.
        let numbers = oracle.values.iter().flat_map(Value::data).filter(|x| **x != 0.0);
        let moderate = || numbers.clone().all(|x| (MODERATE.recip()..MODERATE).contains(&x.abs()));
        let scales_exactly = !combined.parts && combined.factors.len() == 1 && moderate();
        for index in 0..value.len() {
            let (mut expected, mut tolerance) = (0.0, 4.0 * smallest);
            for &(number, factor, gradient, mut largest, saturated) in &parts {
                let g = gradient.data()[index];
                expected += factor * g;
                if lenient || g.abs() < 1e-3 * saturated {
                    // Next to what is large, such a result is 1 exactly.
                    largest += 2.0 * saturated / (value.data()[index].abs() / 32.0).max(1.0);
                }
                let shared = self.energies[number] / oracle.typical[tensor];
                let wobble = 4.0 * self.wobble(source, number, tensor, index);
                tolerance += factor.abs() * (roundoff * (4.0 * g.abs() + largest + shared) + wobble + 4.0 * smallest);
            }
            tolerance += judgement.zero.unwrap_or(0.0) * parts.iter().map(|part| part.1.abs()).sum::<f64>();
            if combined.parts {
                // What cancels in the whole may not in its parts, and no bound of theirs is known; a lost part is four
                // times as much.
                tolerance += 1e-3 * expected.abs() + 1e-5 * parts[0].3;
            }
            if let [(_, factor, ..)] = parts[..]
                && scales_exactly
            {
                tolerance = tolerance.min(1e-3 * expected.abs() + 1e6 * smallest * (1.0 + factor.abs()));
            }
            let apart = (found.data()[index] - expected).abs();
            // What overflows, or comes of what has, says nothing.
            let within = expected.abs() < 1e-3 * largest_number;
            let spread = || -> f64 {
                let of = |&(number, factor, ..): &(usize, f64, &Value, f64, f64)| {
                    factor.abs() * self.spread([source, number, tensor, index], apart, HOPELESS * tolerance)
                };
                parts.iter().map(of).sum()
            };
            // What is left of a cancellation has the round-off of what cancelled, which its own size does not show.
            let own = || -> f64 {
                let of = |&(number, factor, ..): &(usize, f64, &Value, f64, f64)| {
                    factor.abs() * self.roundoff_of(source, tensor, index, number)
                };
                parts.iter().map(of).sum()
            };
            let allowed = if apart > tolerance && apart.is_finite() && within {
                tolerance + spread() + own()
            } else {
                f64::INFINITY
            };
            if apart > allowed {
                let words = match &parts[..] {
                    [(_, factor, ..)] if *factor < 0.0 => "the negative of the incoming gradient".to_owned(),
                    [(_, factor, ..)] if factor.log2().fract() != 0.0 => {
                        "the incoming gradient in two parts".to_owned()
                    }
                    [(_, factor, ..)] => format!("2^{} times the incoming gradient", factor.log2()),
                    _ => "a sum of two incoming gradients".to_owned(),
                };
                let words = format!(
                    "the backward is not linear in the incoming gradient: under {words} it gives {:+.6e} at {:?}, where \
                     {expected:+.6e} follows",
                    found.data()[index],
                    position(value.dims(), index)
                );
                return Some((words, apart > BY_FAR * allowed));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
