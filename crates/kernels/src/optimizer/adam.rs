//! Adam, and AdamW.

use super::{OptimizerStep, Rule, apply, combined, moved, with_penalty};
use crate::isa::Isa;
use crate::vector::Lanes;

/// m and v, and v̂'s largest value so far for AMSGrad.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moments {
    betas: [f32; 2],
    amsgrad: bool,
}

impl Moments {
    fn remembers(self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    fn apply<R: Rule<2> + Rule<3>>(
        self,
        rule: R,
        isa: Isa,
        gradient: &[f32],
        remembered: &mut [&mut [f32]],
        weights: &mut [f32],
    ) {
        if self.amsgrad {
            apply::<3>(rule, isa, gradient, remembered, weights);
        } else {
            apply::<2>(rule, isa, gradient, remembered, weights);
        }
    }

    /// 1 − βᵗ for both, t = `before` + 1.
    fn corrections(self, before: usize) -> [f32; 2] {
        let time = i32::try_from(before + 1).unwrap_or(i32::MAX);
        self.betas.map(|beta| 1.0 - beta.powi(time))
    }

    /// m ← β₁ m + (1 − β₁) g and v ← β₂ v + (1 − β₂) g²; then m, and v or its largest value so far.
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    #[inline(always)]
    unsafe fn step<V: Lanes, const N: usize>(self, gradient: V, remembered: &mut [V; N]) -> [V; 2] {
        let [beta_1, beta_2] = self.betas;
        // SAFETY: the caller's.
        unsafe {
            remembered[0] = combined(beta_1, remembered[0], 1.0 - beta_1, gradient);
            remembered[1] = combined(beta_2, remembered[1], 1.0 - beta_2, gradient.mul(gradient));
            let mut second = remembered[1];
            if self.amsgrad {
                let largest = remembered[N - 1];
                second = second.select_greater(largest, second, largest);
                remembered[N - 1] = second;
            }
            [remembered[0], second]
        }
    }
}

/// A step of Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², then w ← w − α m̂ / (√v̂ + ε) with
/// m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ). λ w is added to g. It remembers m, v, and the largest v for AMSGrad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamStep {
    moments: Moments,
    learning_rate: f32,
    /// √(1 − β₂ᵗ) / (1 − β₁ᵗ), and ε √(1 − β₂ᵗ): Kingma and Ba's form with one root for all weights.
    factor: f32,
    epsilon: f32,
    penalty: f32,
}

impl AdamStep {
    /// With learning rate α, β₁ and β₂, ε and penalty λ, after `before` steps: this one is t = `before` + 1.
    #[must_use]
    pub fn new(learning_rate: f64, betas: [f64; 2], epsilon: f32, amsgrad: bool, penalty: f64, before: usize) -> Self {
        let moments = Moments { betas: betas.map(|beta| beta as f32), amsgrad };
        let [first, second] = moments.corrections(before);
        Self {
            moments,
            learning_rate: learning_rate as f32,
            factor: second.sqrt() / first,
            epsilon: epsilon * second.sqrt(),
            penalty: penalty as f32,
        }
    }
}

impl OptimizerStep for AdamStep {
    fn remembers(&self) -> usize {
        self.moments.remembers()
    }

    fn apply(&self, isa: Isa, gradient: &[f32], remembered: &mut [&mut [f32]], weights: &mut [f32]) {
        self.moments.apply(*self, isa, gradient, remembered, weights);
    }
}

impl<const N: usize> Rule<N> for AdamStep {
    #[inline(always)]
    unsafe fn step<V: Lanes>(self, gradient: V, mut remembered: [V; N], weight: V) -> ([V; N], V) {
        // SAFETY: the caller's.
        unsafe {
            let gradient = with_penalty(self.penalty, gradient, weight);
            let [first, second] = self.moments.step(gradient, &mut remembered);
            let direction = first.mul(V::splat(self.factor)).div(second.sqrt().add(V::splat(self.epsilon)));
            (remembered, moved(weight, self.learning_rate, direction))
        }
    }
}

/// A step of AdamW: as [`AdamStep`], but the weights shrink beside the step, w ← (1 − α λ) w − α m̂ / (√v̂ + ε).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWStep {
    moments: Moments,
    learning_rate: f32,
    corrections: [f32; 2],
    epsilon: f32,
    /// 1 − α λ.
    keep: f32,
}

impl AdamWStep {
    /// With learning rate α, β₁ and β₂, ε and weight decay λ, after `before` steps: this one is t = `before` + 1.
    #[must_use]
    pub fn new(
        learning_rate: f64,
        betas: [f64; 2],
        epsilon: f32,
        amsgrad: bool,
        weight_decay: f64,
        before: usize,
    ) -> Self {
        let moments = Moments { betas: betas.map(|beta| beta as f32), amsgrad };
        Self {
            moments,
            learning_rate: learning_rate as f32,
            corrections: moments.corrections(before),
            epsilon,
            keep: (1.0 - learning_rate * f64::from(weight_decay as f32)) as f32,
        }
    }
}

impl OptimizerStep for AdamWStep {
    fn remembers(&self) -> usize {
        self.moments.remembers()
    }

    fn apply(&self, isa: Isa, gradient: &[f32], remembered: &mut [&mut [f32]], weights: &mut [f32]) {
        self.moments.apply(*self, isa, gradient, remembered, weights);
    }
}

impl<const N: usize> Rule<N> for AdamWStep {
    #[inline(always)]
    unsafe fn step<V: Lanes>(self, gradient: V, mut remembered: [V; N], weight: V) -> ([V; N], V) {
        let [first_correction, second_correction] = self.corrections;
        // SAFETY: the caller's.
        unsafe {
            let [first, second] = self.moments.step(gradient, &mut remembered);
            let (first, second) = (first.div(V::splat(first_correction)), second.div(V::splat(second_correction)));
            let direction = first.div(second.sqrt().add(V::splat(self.epsilon)));
            (remembered, moved(weight.mul(V::splat(self.keep)), self.learning_rate, direction))
        }
    }
}
