//! Elements that are not checked by themselves.
//!
//! Of a large tensor only some elements are differentiated. One more line goes through all of them: each moves by its
//! own scale in a random direction, and the function must change by what the whole gradient says. If it does not,
//! halving the line again and again leads to an element that is wrong. Elements of very different sizes have a line for
//! each range of sizes.

use std::collections::BTreeMap;

use crate::examination::Examination;
use crate::judgement::Claim;
use crate::line::{Line, Move};
use crate::random::{Random, direction};
use crate::sweep::{Along, Element};

/// The streams of the directions in which elements of equal magnitude move alike.
const ALIKE: u64 = 128;

impl Examination<'_, '_> {
    /// An element outside of those selected that a line through the whole tensor leads to.
    pub(crate) fn hidden_fault(&self, claim: &Claim<'_>, selected: &[usize]) -> Option<usize> {
        let (oracle, tensor) = (self.oracle(), claim.tensor);
        let total = oracle.values[tensor].len();
        if selected.len() >= total {
            return None;
        }
        let lines = self.whole[tensor].get_or_init(|| self.lines(tensor));
        let random = |&cotangent: &usize| oracle.cotangents[cotangent].only.is_none();
        lines.iter().find_map(|whole| {
            let (cotangent, terms) = (0..oracle.cotangents.len()).filter(random).find_map(|cotangent| {
                let terms = self.typical_terms(claim, selected, cotangent);
                let excess = self.excess(claim, &whole.line, &whole.element, cotangent, terms)?;
                (excess > 1.0).then_some((cotangent, terms))
            })?;
            self.narrow(claim, whole.line.clone(), cotangent, terms)
        })
    }

    /// The lines through all elements of a tensor: one for each range of sizes, since beside elements that are a
    /// thousand times as large nothing is seen.
    fn lines(&self, tensor: usize) -> Vec<Along> {
        let oracle = self.oracle();
        let mut random = Random::new(self.options.seed, &format!("all of {}", self.problem.tensors[tensor].name));
        let mut ranges: BTreeMap<(bool, i64), Vec<Move>> = BTreeMap::new();
        for index in 0..oracle.values[tensor].len() {
            let base = oracle.base(tensor, index);
            let one = Move { tensor, index, by: random.sign() * base };
            // From a hundredth of the typical element to ten times it is one range, and zeros are another.
            let range = ((base / oracle.typical[tensor]).log10() + 2.0).div_euclid(3.0);
            let own = oracle.values[tensor].data()[index].abs() == base;
            ranges.entry((own, range as i64)).or_default().push(one);
        }
        ranges.into_values().flat_map(|moves| self.smooth_lines(Line { moves })).collect()
    }

    /// The line itself, or where it crosses kinks others that may not: elements of equal magnitude move alike, so that
    /// ties stay ties. Zeros move together, or stay.
    fn smooth_lines(&self, line: Line) -> Vec<Along> {
        let oracle = self.oracle();
        let along = |mut line: Line| {
            // The abscissa of a line of one element is the element itself.
            if let [only] = &mut line.moves[..] {
                only.by = only.by.abs();
            }
            Along { element: oracle.along(&line), line }
        };
        let smooth = |whole: &Along| whole.element.estimates.iter().any(|e| e.clean && e.kink.is_none());
        let whole = along(line);
        if smooth(&whole) {
            return vec![whole];
        }
        let value = |one: &Move| oracle.values[one.tensor].data()[one.index];
        let alike = |stream: u64, zeros: f64| {
            let one = |one: &Move| {
                let x = value(one);
                let by = if x == 0.0 { zeros * one.by.abs() } else { x * direction(x.abs(), stream) };
                Move { by, ..*one }
            };
            let mut moves: Vec<Move> = whole.line.moves.iter().map(one).filter(|one| one.by != 0.0).collect();
            // Halves of the line keep the ties too.
            moves.sort_by(|a, b| value(a).abs().total_cmp(&value(b).abs()));
            (!moves.is_empty()).then(|| along(Line { moves })).filter(smooth)
        };
        let of_stream = |stream: u64| alike(stream, 1.0).or_else(|| alike(stream, 0.0));
        [ALIKE, ALIKE + 1].into_iter().filter_map(of_stream).collect()
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
            let bound = self.wobble_bound(claim.source, cotangent, gradient.abs() + terms + shared);
            let wobble = self.wobble(claim.source, cotangent, claim.tensor, one.index).min(bound);
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

    /// Where the second half of a line starts: not between two elements of equal magnitude that move alike.
    fn half(&self, line: &Line) -> usize {
        let size = |at: usize| {
            let Move { tensor, index, by } = line.moves[at];
            (self.oracle().values[tensor].data()[index].abs(), by.abs())
        };
        let middle = line.moves.len() / 2;
        let apart = |at: &usize| size(*at) != size(at - 1);
        let after = (middle..line.moves.len()).find(apart);
        after.or_else(|| (1..middle).rev().find(apart)).unwrap_or(middle)
    }

    /// Halves the line until one element is left.
    fn narrow(&self, claim: &Claim<'_>, mut line: Line, cotangent: usize, terms: f64) -> Option<usize> {
        while line.moves.len() > 1 {
            let second = line.moves.split_off(self.half(&line));
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
