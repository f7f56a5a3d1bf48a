//! The optimizer's step over all parameters at once.

use crate::isa::{Isa, Kernel};
use crate::vector::{LANES, Lanes};

/// What a step of momentum with decoupled weight decay does.
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
        let whole = weights.len() / LANES * LANES;
        for at in (0..whole).step_by(LANES) {
            // SAFETY: 16 numbers are left in each of the three.
            unsafe {
                let (m, w) = (momentum.as_mut_ptr().add(at), weights.as_mut_ptr().add(at));
                let fresh = V::load(gradient.as_ptr().add(at)).mul(V::splat(step.fresh));
                let moved = fresh.fma(V::load(m), V::splat(step.momentum));
                moved.store(m);
                let kept = V::load(w).mul(V::splat(step.keep));
                kept.fma(moved, V::splat(-step.learning_rate)).store(w);
            }
        }
        for at in whole..weights.len() {
            momentum[at] = step.momentum * momentum[at] + step.fresh * gradient[at];
            weights[at] = step.keep * weights[at] - step.learning_rate * momentum[at];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that are worked out by hand at `backproof_train::Momentum`, in every lane and past the last whole vector.
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
