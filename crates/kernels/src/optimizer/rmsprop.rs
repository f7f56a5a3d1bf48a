//! RMSProp.

use super::{OptimizerStep, Rule, apply, combined, moved, with_penalty};
use crate::isa::Isa;
use crate::vector::Lanes;

/// A step of RMSProp: s ← ρ s + (1 − ρ) g², b ← μ b + g / (√s + ε), then w ← w − α b. Centred, with
/// a ← ρ a + (1 − ρ) g, the root is of s − a². λ w is added to g. It remembers s, then a where it is centred, then b
/// where μ is not 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsPropStep {
    learning_rate: f32,
    smoothing: f32,
    momentum: f32,
    epsilon: f32,
    centered: bool,
    penalty: f32,
}

impl RmsPropStep {
    /// With learning rate α, smoothing ρ, momentum μ, ε and penalty λ.
    #[must_use]
    pub fn new(learning_rate: f64, smoothing: f64, momentum: f64, epsilon: f32, centered: bool, penalty: f64) -> Self {
        Self {
            learning_rate: learning_rate as f32,
            smoothing: smoothing as f32,
            momentum: momentum as f32,
            epsilon,
            centered,
            penalty: penalty as f32,
        }
    }
}

impl OptimizerStep for RmsPropStep {
    fn remembers(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum > 0.0)
    }

    fn apply(&self, isa: Isa, gradient: &[f32], remembered: &mut [&mut [f32]], weights: &mut [f32]) {
        match self.remembers() {
            1 => apply::<1>(*self, isa, gradient, remembered, weights),
            2 => apply::<2>(*self, isa, gradient, remembered, weights),
            _ => apply::<3>(*self, isa, gradient, remembered, weights),
        }
    }
}

impl<const N: usize> Rule<N> for RmsPropStep {
    #[inline(always)]
    unsafe fn step<V: Lanes>(self, gradient: V, mut remembered: [V; N], weight: V) -> ([V; N], V) {
        // SAFETY: the caller's.
        unsafe {
            let gradient = with_penalty(self.penalty, gradient, weight);
            let fresh = 1.0 - self.smoothing;
            let square = combined(self.smoothing, remembered[0], fresh, gradient.mul(gradient));
            remembered[0] = square;
            let mut under_the_root = square;
            if self.centered {
                let mean = combined(self.smoothing, remembered[1], fresh, gradient);
                remembered[1] = mean;
                under_the_root = square.sub(mean.mul(mean));
            }
            let mut direction = gradient.div(under_the_root.sqrt().add(V::splat(self.epsilon)));
            if self.momentum > 0.0 {
                direction = combined(self.momentum, remembered[N - 1], 1.0, direction);
                remembered[N - 1] = direction;
            }
            (remembered, moved(weight, self.learning_rate, direction))
        }
    }
}
