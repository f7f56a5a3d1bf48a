//! Gradient descent.

use super::{OptimizerStep, Rule, apply, combined, moved, with_penalty};
use crate::isa::Isa;
use crate::vector::Lanes;

/// A step of gradient descent: b ← μ b + (1 − d) g, at the first step b ← g, then w ← w − α b, or w ← w − α (g + μ b)
/// with Nesterov's momentum. With μ = 0, nothing is remembered, and the step is w ← w − α g. λ w is added to g.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdStep {
    learning_rate: f32,
    momentum: f32,
    fresh: f32,
    nesterov: bool,
    penalty: f32,
}

impl SgdStep {
    /// With learning rate α, momentum μ, dampening d and penalty λ, after `before` steps.
    #[must_use]
    pub fn new(learning_rate: f64, momentum: f64, dampening: f64, nesterov: bool, penalty: f64, before: usize) -> Self {
        let fresh = if before == 0 { 1.0 } else { (1.0 - dampening) as f32 };
        Self {
            learning_rate: learning_rate as f32,
            momentum: momentum as f32,
            fresh,
            nesterov,
            penalty: penalty as f32,
        }
    }
}

impl OptimizerStep for SgdStep {
    fn remembers(&self) -> usize {
        usize::from(self.momentum > 0.0)
    }

    fn apply(&self, isa: Isa, gradient: &[f32], remembered: &mut [&mut [f32]], weights: &mut [f32]) {
        if self.momentum > 0.0 {
            apply::<1>(*self, isa, gradient, remembered, weights);
        } else {
            apply::<0>(*self, isa, gradient, remembered, weights);
        }
    }
}

impl Rule<0> for SgdStep {
    #[inline(always)]
    unsafe fn step<V: Lanes>(self, gradient: V, _: [V; 0], weight: V) -> ([V; 0], V) {
        // SAFETY: the caller's.
        unsafe { ([], moved(weight, self.learning_rate, with_penalty(self.penalty, gradient, weight))) }
    }
}

impl Rule<1> for SgdStep {
    #[inline(always)]
    unsafe fn step<V: Lanes>(self, gradient: V, [velocity]: [V; 1], weight: V) -> ([V; 1], V) {
        // SAFETY: the caller's.
        unsafe {
            let gradient = with_penalty(self.penalty, gradient, weight);
            let velocity = combined(self.fresh, gradient, self.momentum, velocity);
            let direction = if self.nesterov { combined(self.momentum, velocity, 1.0, gradient) } else { velocity };
            ([velocity], moved(weight, self.learning_rate, direction))
        }
    }
}
