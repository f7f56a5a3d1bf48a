//! Elements that are not checked by themselves.
//!
//! Of a large tensor only some elements are differentiated. One more line goes through all of them: each moves by its
//! own scale in a random direction, and the function must change by what the whole gradient says. If it does not,
//! halving the line again and again leads to an element that is wrong.

use crate::difference::Element;
use crate::examine::Examination;
use crate::judgement::Claim;
use crate::line::{Line, Move};
use crate::random::Random;

/// A line through all elements of a tensor.
pub(crate) struct Whole {
    line: Line,
    element: Element,
}

impl Examination<'_, '_> {
    /// An element outside of those selected that a line through the whole tensor leads to.
    pub(crate) fn hidden_fault(&self, claim: &Claim<'_>, selected: &[usize]) -> Option<usize> {
        let (oracle, tensor) = (self.oracle(), claim.tensor);
        let total = oracle.values[tensor].len();
        if selected.len() >= total {
            return None;
        }
        let whole = self.whole[tensor].get_or_init(|| {
            let mut random = Random::new(self.options.seed, &format!("all of {}", self.problem.tensors[tensor].name));
            let element = |index: usize| Move { tensor, index, by: random.sign() * oracle.base(tensor, index) };
            let line = Line { moves: (0..total).map(element).collect() };
            Whole { element: oracle.along(&line), line }
        });
        let random = |&cotangent: &usize| oracle.cotangents[cotangent].only.is_none();
        let (cotangent, terms) = (0..oracle.cotangents.len()).filter(random).find_map(|cotangent| {
            let terms = self.typical_terms(claim, selected, cotangent);
            let excess = self.excess(claim, &whole.line, &whole.element, cotangent, terms)?;
            (excess > 1.0).then_some((cotangent, terms))
        })?;
        self.narrow(claim, whole.line.clone(), cotangent, terms)
    }

    /// How far what the gradients add up to along a line is from what the function does, over the tolerance; `None` if
    /// the differences say nothing.
    fn excess(&self, claim: &Claim<'_>, line: &Line, element: &Element, cotangent: usize, terms: f64) -> Option<f64> {
        let estimate = &element.estimates[cotangent];
        if !estimate.clean || estimate.kink.is_some() {
            return None;
        }
        let roundoff = self.options.roundoff_factor * self.problem.sources[claim.source].unit_roundoff;
        let shared = self.energies[cotangent] / self.oracle().typical[claim.tensor];
        let cancelled = 8.0 * self.problem.sources[claim.source].unit_roundoff * shared;
        let (mut sum, mut variance) = (0.0, 0.0);
        for one in &line.moves {
            // The abscissa of a line of one element is the element itself.
            let by = if line.moves.len() == 1 { 1.0 } else { one.by };
            let gradient = claim.gradient(cotangent, one.index);
            let wobble = self.wobble(claim.source, cotangent, claim.tensor, one.index);
            sum += by * gradient;
            variance += (by * (roundoff * (gradient.abs() + terms) + wobble + cancelled)).powi(2);
        }
        let tolerance = estimate.truncation + estimate.noise + 4.0 * variance.sqrt();
        let excess = (sum - estimate.derivative).abs() / tolerance.max(f64::MIN_POSITIVE);
        excess.is_finite().then_some(excess)
    }

    /// The root mean square of the terms of the elements that were differentiated.
    fn typical_terms(&self, claim: &Claim<'_>, selected: &[usize], cotangent: usize) -> f64 {
        let square = |&index: &usize| self.oracle().element(claim.tensor, index).estimates[cotangent].magnitude.powi(2);
        (selected.iter().map(square).sum::<f64>() / selected.len().max(1) as f64).sqrt()
    }

    /// Halves the line until one element is left.
    fn narrow(&self, claim: &Claim<'_>, mut line: Line, cotangent: usize, terms: f64) -> Option<usize> {
        while line.moves.len() > 1 {
            let second = line.moves.split_off(line.moves.len() / 2);
            let halves = [line, Line { moves: second }].map(|mut half| {
                if let [only] = &mut half.moves[..] {
                    only.by = only.by.abs();
                }
                half
            });
            let excess =
                |half: &Line| self.excess(claim, half, &self.oracle().along(half), cotangent, terms).unwrap_or(0.0);
            let [first, other] = halves.each_ref().map(excess);
            let [a, b] = halves;
            line = if first >= other { a } else { b };
        }
        line.moves.first().map(|one| one.index)
    }
}

#[cfg(test)]
mod tests;
