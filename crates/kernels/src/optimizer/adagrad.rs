//! AdaGrad.

use super::{OptimizerStep, Rule, apply, moved, with_penalty};
use crate::isa::Isa;
use crate::vector::Lanes;

/// A step of AdaGrad: s ← s + g², then w ← w − α / (1 + (t − 1) η) · g / (√s + ε). λ w is added to g.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaGradStep {
    learning_rate: f32,
    epsilon: f32,
    penalty: f32,
}

impl AdaGradStep {
    /// With learning rate α, its decay η, ε and penalty λ, after `before` steps: this one is t = `before` + 1.
    #[must_use]
    pub fn new(learning_rate: f64, decay: f64, epsilon: f32, penalty: f64, before: usize) -> Self {
        let learning_rate = learning_rate / (1.0 + before as f64 * decay);
        Self { learning_rate: learning_rate as f32, epsilon, penalty: penalty as f32 }
    }
}

impl OptimizerStep for AdaGradStep {
    fn remembers(&self) -> usize {
        1
    }

    fn apply(&self, isa: Isa, gradient: &[f32], remembered: &mut [&mut [f32]], weights: &mut [f32]) {
        apply(*self, isa, gradient, remembered, weights);
    }
}

impl Rule<1> for AdaGradStep {
    #[inline(always)]
    unsafe fn step<V: Lanes>(self, gradient: V, [sum]: [V; 1], weight: V) -> ([V; 1], V) {
        // SAFETY: the caller's.
        unsafe {
            let gradient = with_penalty(self.penalty, gradient, weight);
            let sum = sum.add(gradient.mul(gradient));
            let direction = gradient.div(sum.sqrt().add(V::splat(self.epsilon)));
            ([sum], moved(weight, self.learning_rate, direction))
        }
    }
}
