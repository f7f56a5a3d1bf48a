//! What round-off does to a source's gradients, seen at many points beside the point.

use std::rc::Rc;

use crate::Value;
use crate::caught::caught;
use crate::examination::Examination;
use crate::runs::{median_ratio, moved, scattered};

/// Small changes, in unit round-offs, each in a direction of its own.
const NEAR: [f64; 12] = [3.0, -4.0, 5.0, -6.0, 7.0, -8.0, 3.0, -4.0, 5.0, -6.0, 7.0, -8.0];

/// Large changes, in unit round-offs, of the cotangent too, each in a direction of its own and in the opposite one.
const FAR: [f64; 6] = [16.0, 32.0, 64.0, 16.0, 32.0, 64.0];

/// The streams of the directions start where those of [`moved`] in a run end.
const STREAM: u64 = 16;

/// An error of more than so many times the tolerance is not caused by round-off, except in a function that is so
/// ill-conditioned that its tolerance says nothing.
pub(crate) const HOPELESS: f64 = 1e5;

impl Examination<'_, '_> {
    /// Four times the largest change that round-off makes to an element, seen at 24 points; 0 for an error of more
    /// than `most`.
    ///
    /// The few points of a [run](crate::runs::Run) miss the largest change of one element in a thousand. These cost
    /// more, and are looked at only before a gradient is called wrong.
    pub(crate) fn spread(&self, claim: [usize; 4], error: f64, most: f64) -> f64 {
        if error > most {
            return 0.0;
        }
        let [source, cotangent, tensor, index] = claim;
        let known = self.spreads.borrow().get(&(source, cotangent)).cloned();
        let spread = known.unwrap_or_else(|| {
            let spread = Rc::new(self.measure_spread(source, cotangent));
            self.spreads.borrow_mut().insert((source, cotangent), spread.clone());
            spread
        });
        let largest = spread[tensor].get(index).copied().unwrap_or(0.0);
        if largest.is_finite() { 4.0 * largest } else { 0.0 }
    }

    fn measure_spread(&self, source: usize, cotangent: usize) -> Vec<Vec<f64>> {
        let oracle = self.oracle();
        let Some(run) = self.runs[source].run() else { return vec![Vec::new(); oracle.values.len()] };
        let source = &self.problem.sources[source];
        let direction = &oracle.cotangents[cotangent].value;
        // Beside the point a source may refuse: then nothing is seen there.
        let at = |by: f64, stream: u64, direction: &Value| {
            let values = moved(self.problem, &oracle.values, by * source.unit_roundoff, STREAM + stream);
            caught(|| (source.backward)(&values, direction)).unwrap_or_default()
        };
        let beside = |by: f64, stream: u64| {
            at(by, stream, &scattered(direction, by * source.unit_roundoff, stream).rounded(self.problem.dtype))
        };
        let near: Vec<_> = NEAR.iter().zip(0..).map(|(&by, stream)| at(by, stream, direction)).collect();
        let far: Vec<_> = FAR.iter().zip(0..).map(|(&by, stream)| [beside(by, stream), beside(-by, stream)]).collect();
        let of_tensor = |(tensor, gradient): (usize, &Option<Value>)| {
            let Some(gradient) = gradient else { return Vec::new() };
            let g = gradient.data();
            let mut largest = vec![0.0f64; g.len()];
            let mut see = |index: usize, change: f64| {
                if change.is_finite() {
                    largest[index] = largest[index].max(change.abs());
                }
            };
            let of = |all: &[Option<Value>]| -> Option<Vec<f64>> {
                let other = all.get(tensor)?.as_ref().filter(|other| other.len() == g.len())?;
                Some(other.data().to_vec())
            };
            for other in near.iter().filter_map(|all| of(all)) {
                (0..g.len()).for_each(|index| see(index, other[index] - g[index]));
            }
            // The mean of two opposite points has the function's own change no more.
            for [up, down] in far.iter().filter_map(|[up, down]| Some([of(up)?, of(down)?])) {
                (0..g.len()).for_each(|index| see(index, 0.5 * (up[index] + down[index]) - g[index]));
            }
            let typical = median_ratio(&largest, g);
            largest.iter().zip(g).map(|(largest, g)| largest.max(typical * g.abs())).collect()
        };
        run.gradients[cotangent].iter().enumerate().map(of_tensor).collect()
    }
}

#[cfg(test)]
mod tests;
