//! A backward pass is linear in the incoming gradient: `B(a w₁ + b w₂) = a B(w₁) + b B(w₂)`. That needs no differences,
//! and holds for every element.

use crate::examine::Examination;
use crate::precision::{largest, smallest};
use crate::runs::Combined;
use crate::value::position;

impl Examination<'_, '_> {
    /// What is not linear in a source's gradient of a tensor, in a sentence. In a gradient that is not resolved, the
    /// rounding of results next to 1 is none.
    pub(crate) fn nonlinear(&self, source: usize, tensor: usize, unresolved: bool) -> Option<String> {
        let run = self.runs[source].run()?;
        run.combined.iter().find_map(|combined| self.deviates(source, tensor, combined, unresolved))
    }

    fn deviates(&self, source: usize, tensor: usize, combined: &Combined, unresolved: bool) -> Option<String> {
        let (oracle, run) = (self.oracle(), self.runs[source].run()?);
        let value = &oracle.values[tensor];
        let found = combined.gradients[tensor].as_ref().filter(|found| found.dims() == value.dims())?;
        let of = |&(number, factor): &(usize, f64)| {
            let gradient = run.gradients[number][tensor].as_ref().filter(|gradient| gradient.dims() == value.dims())?;
            // In double precision a misuse of the incoming gradient is far more than the rounding of 1.
            let lenient = unresolved || self.problem.sources[source].unit_roundoff < 1e-12;
            let saturated = if lenient { 2.0 * self.saturated(number) } else { 0.0 };
            Some((number, factor, gradient, gradient.max_abs() + saturated))
        };
        let parts: Vec<_> = combined.factors.iter().map(of).collect::<Option<_>>()?;
        let roundoff = self.options.roundoff_factor * self.problem.sources[source].unit_roundoff;
        let [smallest, largest_number] = [smallest(self.problem.dtype), largest(self.problem.dtype)];
        for index in 0..value.len() {
            let (mut expected, mut tolerance) = (0.0, 4.0 * smallest);
            for &(number, factor, gradient, largest) in &parts {
                let g = gradient.data()[index];
                expected += factor * g;
                let shared = self.energies[number] / oracle.typical[tensor];
                let wobble = 4.0 * self.wobble(source, number, tensor, index);
                tolerance += factor.abs() * (roundoff * (4.0 * g.abs() + largest + shared) + wobble + 4.0 * smallest);
            }
            if combined.parts {
                // What cancels in the whole may not in its parts, and no bound of theirs is known; a lost part is four
                // times as much.
                tolerance += 1e-3 * expected.abs() + 1e-5 * parts[0].3;
            }
            let apart = (found.data()[index] - expected).abs();
            // What overflows, or comes of what has, says nothing.
            let within = expected.abs() < 1e-3 * largest_number;
            if apart > tolerance && apart.is_finite() && within {
                let words = match &parts[..] {
                    [(_, factor, ..)] if *factor < 0.0 => "the negative of the incoming gradient".to_owned(),
                    [(_, factor, ..)] if factor.log2().fract() != 0.0 => {
                        "the incoming gradient in two parts".to_owned()
                    }
                    [(_, factor, ..)] => format!("2^{} times the incoming gradient", factor.log2()),
                    _ => "a sum of two incoming gradients".to_owned(),
                };
                return Some(format!(
                    "the backward is not linear in the incoming gradient: under {words} it gives {:+.6e} at {:?}, where \
                     {expected:+.6e} follows",
                    found.data()[index],
                    position(value.dims(), index)
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
