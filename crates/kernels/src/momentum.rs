//! The optimizer's step over all parameters at once.

use crate::isa::{Isa, Kernel};
use crate::vector::Lanes;

/// What a step of momentum with decoupled weight decay does; derivation and source: `backproof_train::Momentum`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MomentumStep {
    /// α.
    pub learning_rate: f32,
    /// μ.
    pub momentum: f32,
    /// 1 − μ, rounded once.
    pub fresh: f32,
    /// 1 − α λ, rounded once.
    pub keep: f32,
}

impl MomentumStep {
    /// With learning rate α, momentum μ and weight decay λ.
    #[must_use]
    pub fn new(learning_rate: f64, momentum: f64, weight_decay: f64) -> Self {
        Self {
            learning_rate: learning_rate as f32,
            momentum: momentum as f32,
            fresh: (1.0 - momentum) as f32,
            keep: (1.0 - learning_rate * weight_decay) as f32,
        }
    }

    /// `m ← μ m + (1 − μ) g`, then `w ← (1 − α λ) w − α m`.
    ///
    /// # Panics
    ///
    /// If the slices differ in length.
    pub fn apply(&self, isa: Isa, gradient: &[f32], momentum: &mut [f32], weights: &mut [f32]) {
        assert_eq!(
            (gradient.len(), momentum.len()),
            (weights.len(), weights.len()),
            "a gradient and a momentum a weight"
        );
        isa.run(Run { step: *self, gradient, momentum, weights });
    }
}

struct Run<'a> {
    step: MomentumStep,
    gradient: &'a [f32],
    momentum: &'a mut [f32],
    weights: &'a mut [f32],
}

impl Kernel for Run<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { step, gradient, momentum, weights } = self;
        let (gradient, rest_of_gradient) = gradient.as_chunks();
        let (momentum, rest_of_momentum) = momentum.as_chunks_mut();
        let (weights, rest_of_weights) = weights.as_chunks_mut();
        for ((g, m), w) in gradient.iter().zip(momentum).zip(weights) {
            // SAFETY: the instructions are the caller's.
            unsafe {
                let moved = V::of(g).mul(V::splat(step.fresh)).fma(V::of(m), V::splat(step.momentum));
                moved.put(m);
                V::of(w).mul(V::splat(step.keep)).fma(moved, V::splat(-step.learning_rate)).put(w);
            }
        }
        for ((g, m), w) in rest_of_gradient.iter().zip(rest_of_momentum).zip(rest_of_weights) {
            *m = step.momentum * *m + step.fresh * g;
            *w = step.keep * *w - step.learning_rate * *m;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that are worked out by hand at `backproof_train::Momentum`, in every lane and past the last whole
    /// vector.
    #[test]
    fn three_steps_give_the_values_worked_out_by_hand() {
        for isa in Isa::available() {
            let step = MomentumStep::new(0.1, 0.9, 0.01);
            let (mut momentum, mut weights) = (vec![0.0; 37], vec![1.0; 37]);
            for (gradient, expected) in [(1.0, 0.989), (-2.0, 0.999_011), (0.5, 1.002_912)] {
                step.apply(isa, &[gradient; 37], &mut momentum, &mut weights);
                assert!(weights.iter().all(|weight: &f32| (weight - expected).abs() < 2e-7), "{isa}: {weights:?}");
            }
        }
    }
}
