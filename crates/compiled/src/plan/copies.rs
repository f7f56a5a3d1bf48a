//! What is done to all gradients or all weights at once, and copies of the weights that go after them.

use backproof_kernels::zeros;
use rayon::prelude::*;

use super::core::Core;
use crate::Parameter;

/// Numbers that a thread takes; sums are of these parts, whatever the number of threads.
const PART: usize = 1 << 16;

impl Core {
    /// Σ g² over the gradients of the parameters that `of` names.
    pub(super) fn squared_gradients(&self, of: &dyn Fn(usize, Parameter) -> bool) -> f64 {
        let ranges = self.parameter_ranges();
        let asked = ranges.into_iter().filter(|(operation, parameter, _)| of(*operation, *parameter));
        let squares = |part: &[f32]| part.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>();
        asked
            .map(|(.., range)| {
                let parts: Vec<f64> = self.gradient[range].par_chunks(PART).map(squares).collect();
                parts.into_iter().sum::<f64>()
            })
            .sum()
    }

    pub(super) fn packed_weights(&self) -> Vec<f32> {
        self.weights.to_vec()
    }

    /// Of each parameter Σ (w − v)² and Σ v², where v is `before`. What only fills blocks is zero in both.
    pub(super) fn squared_steps(&self, before: &[f32]) -> Vec<(usize, Parameter, [f64; 2])> {
        assert_eq!(before.len(), self.weights.len(), "weights of another plan");
        let of_part = |(now, before): (&[f32], &[f32])| {
            now.iter().zip(before).fold([0.0; 2], |[steps, squares], (&now, &before)| {
                let (now, before) = (f64::from(now), f64::from(before));
                [steps + (now - before).powi(2), squares + before * before]
            })
        };
        let of_parameter = |(operation, parameter, range): (usize, Parameter, std::ops::Range<usize>)| {
            let pairs = self.weights[range.clone()].par_chunks(PART).zip(before[range].par_chunks(PART));
            let parts: Vec<[f64; 2]> = pairs.map(of_part).collect();
            let sum = |at: usize| parts.iter().map(|part| part[at]).sum();
            (operation, parameter, [sum(0), sum(1)])
        };
        self.parameter_ranges().into_iter().map(of_parameter).collect()
    }

    pub(super) fn change_gradients(&mut self, change: impl Fn(f32) -> f32 + Sync) {
        self.gradient.par_chunks_mut(PART).for_each(|part| part.iter_mut().for_each(|g| *g = change(*g)));
    }

    pub(super) fn follow(&mut self, slot: usize, share: f32) {
        let copy = &mut self.copies[slot];
        if copy.is_empty() {
            *copy = zeros(self.weights.len());
            copy.copy_from_slice(&self.weights);
            return;
        }
        let pairs = copy.par_chunks_mut(PART).zip(self.weights.par_chunks(PART));
        pairs.for_each(|(copy, weights)| {
            copy.iter_mut().zip(weights).for_each(|(to, from)| *to += (from - *to) * share)
        });
    }

    pub(super) fn go_back(&mut self, slot: usize) {
        assert!(self.has_copy(slot), "copy {slot} has not been made");
        self.weights.copy_from_slice(&self.copies[slot]);
        self.weights_are_new = true;
    }

    pub(super) fn has_copy(&self, slot: usize) -> bool {
        !self.copies[slot].is_empty()
    }
}
