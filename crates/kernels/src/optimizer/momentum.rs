//! The course's momentum.

use super::OptimizerStep;
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
    /// Whether the weights move with the momentum of the step before.
    pub weights_first: bool,
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
            weights_first: false,
        }
    }

    /// The step that moves the weights before the momentum.
    #[must_use]
    pub fn weights_first(self) -> Self {
        Self { weights_first: true, ..self }
    }
}

impl OptimizerStep for MomentumStep {
    fn remembers(&self) -> usize {
        1
    }

    /// `m ← μ m + (1 − μ) g`, then `w ← (1 − α λ) w − α m`; the other way round with
    /// [`weights_first`](Self::weights_first).
    fn apply(&self, isa: Isa, gradient: &[f32], remembered: &mut [&mut [f32]], weights: &mut [f32]) {
        let [momentum] = remembered else { panic!("momentum remembers one number a weight") };
        assert_eq!(
            (gradient.len(), momentum.len()),
            (weights.len(), weights.len()),
            "a gradient and a momentum a weight"
        );
        if self.weights_first {
            isa.run(Run::<true> { step: *self, gradient, momentum, weights });
        } else {
            isa.run(Run::<false> { step: *self, gradient, momentum, weights });
        }
    }
}

struct Run<'a, const WEIGHTS_FIRST: bool> {
    step: MomentumStep,
    gradient: &'a [f32],
    momentum: &'a mut [f32],
    weights: &'a mut [f32],
}

impl<const WEIGHTS_FIRST: bool> Kernel for Run<'_, WEIGHTS_FIRST> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { step, gradient, momentum, weights } = self;
        let (gradient, rest_of_gradient) = gradient.as_chunks();
        let (momentum, rest_of_momentum) = momentum.as_chunks_mut();
        let (weights, rest_of_weights) = weights.as_chunks_mut();
        for ((g, m), w) in gradient.iter().zip(momentum).zip(weights) {
            // SAFETY: the instructions are the caller's.
            unsafe {
                let old = V::of(m);
                let new = V::of(g).mul(V::splat(step.fresh)).fma(old, V::splat(step.momentum));
                new.put(m);
                let by = if WEIGHTS_FIRST { old } else { new };
                V::of(w).mul(V::splat(step.keep)).fma(by, V::splat(-step.learning_rate)).put(w);
            }
        }
        for ((g, m), w) in rest_of_gradient.iter().zip(rest_of_momentum).zip(rest_of_weights) {
            let old = *m;
            *m = step.momentum * old + step.fresh * g;
            *w = step.keep * *w - step.learning_rate * if WEIGHTS_FIRST { old } else { *m };
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
        let step = MomentumStep::new(0.1, 0.9, 0.01);
        for (step, expected) in
            [(step, [0.989, 0.999_011, 1.002_912]), (step.weights_first(), [0.999, 0.988_001, 0.998_013])]
        {
            for isa in Isa::available() {
                let (mut momentum, mut weights) = (vec![0.0; 37], vec![1.0; 37]);
                for (gradient, expected) in [1.0, -2.0, 0.5].into_iter().zip(expected) {
                    step.apply(isa, &[gradient; 37], &mut [&mut momentum], &mut weights);
                    assert!(weights.iter().all(|weight: &f32| (weight - expected).abs() < 2e-7), "{isa}: {weights:?}");
                }
                // The momentum is the same either way.
                assert!(momentum.iter().all(|momentum| (momentum + 0.049).abs() < 2e-8), "{isa}: {momentum:?}");
            }
        }
    }
}
