//! The optimizer and its learning rate at every step.

use std::f64::consts::PI;

use glob::{Pattern, PatternError};
use serde::{Deserialize, Serialize};

use crate::unset::is_default;

/// How all parameters of a network are updated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// What holds for every parameter that is in no group.
    #[serde(flatten)]
    pub rule: UpdateRule,
    /// Parameters with a rule of their own. The last group that a parameter is in holds for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<ParameterGroup>,
    /// What is done to large gradients before the update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clipping: Option<Clipping>,
    /// A second, slower copy of the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookahead: Option<Lookahead>,
}

/// One rule for all parameters.
impl From<UpdateRule> for Optimizer {
    fn from(rule: UpdateRule) -> Self {
        Self { rule, groups: Vec::new(), clipping: None, lookahead: None }
    }
}

/// The update rule of some parameters, and the learning rate that goes with each step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UpdateRule {
    /// The update itself.
    #[serde(flatten)]
    pub kind: OptimizerKind,
    /// α, the highest learning rate of the run.
    pub learning_rate: f64,
    /// λ, not negative; what it does is the update rule's to say.
    pub weight_decay: f64,
    /// Iterations over which the learning rate rises linearly to α; 0 for none.
    pub warmup: usize,
    /// What the learning rate does after the warm-up.
    pub schedule: Schedule,
}

/// The update rule: how a weight w moves on its gradient g. All operations but Muon's go element by element, and what a
/// rule keeps begins at 0.
///
/// Weight decay is decoupled, w ← w − α λ w beside the step, in [`Momentum`](Self::Momentum), [`AdamW`](Self::AdamW)
/// and [`Muon`](Self::Muon). In the others it is the gradient of λ/2 ‖w‖²: g there stands for ∂L/∂w + λ w.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum OptimizerKind {
    /// The course's: m ← μ m + (1 − μ) g, then w ← w − α (m + λ w), in the order that `update` says.
    Momentum {
        /// μ, in [0, 1).
        momentum: f64,
        /// Whether the weights move before the momentum does.
        #[serde(default, skip_serializing_if = "is_default")]
        update: Update,
    },
    /// Gradient descent: b ← μ b + (1 − d) g, at the first step b ← g, then w ← w − α b, or w ← w − α (g + μ b) with
    /// Nesterov's momentum. With μ = 0 it is w ← w − α g.
    Sgd {
        /// μ, in [0, 1).
        momentum: f64,
        /// d, in [0, 1].
        dampening: f64,
        /// Nesterov's momentum (Sutskever et al. 2013); with momentum and without dampening only.
        nesterov: bool,
    },
    /// Duchi, Hazan and Singer 2011: s ← s + g², then w ← w − α / (1 + (t − 1) η) · g / (√s + ε) at step t = 1, 2, …
    AdaGrad {
        /// η, not negative.
        learning_rate_decay: f64,
        /// ε, above 0.
        epsilon: f64,
    },
    /// Hinton 2012: s ← ρ s + (1 − ρ) g², b ← μ b + g / (√s + ε), then w ← w − α b. Centred, with a ← ρ a + (1 − ρ) g,
    /// the root is of s − a².
    RmsProp {
        /// ρ, in [0, 1).
        smoothing: f64,
        /// μ, in [0, 1).
        momentum: f64,
        /// ε, above 0.
        epsilon: f64,
        /// Whether the mean gradient is subtracted under the root.
        centered: bool,
    },
    /// Kingma and Ba 2015: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², then
    /// w ← w − α m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t = 1, 2, …
    Adam(Adam),
    /// Loshchilov and Hutter 2019: [`Adam`](Self::Adam) with decoupled weight decay.
    AdamW(Adam),
    /// Jordan et al. 2024, *Muon*: of weights `[O, ...]` as a matrix with O rows, b ← μ b + g,
    /// u = g + μ b (or b), then w ← w − α √max(1, rows / columns) · O(u) − α λ w. O(u) is what steps of Newton and
    /// Schulz make of u: nearly the orthogonal matrix U Vᵀ of its singular value decomposition U S Vᵀ.
    Muon {
        /// μ, in [0, 1).
        momentum: f64,
        /// Whether u is g + μ b, and not b.
        nesterov: bool,
        /// Steps of Newton and Schulz.
        newton_schulz_steps: usize,
        /// Whether w is scaled to the norm √O before the update, so that its size stays.
        #[serde(default, skip_serializing_if = "is_default")]
        rescale: bool,
    },
}

/// Parameters with an update rule of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterGroup {
    /// Patterns over names, `conv*.weight`: a `*` stands for any characters, dots included.
    pub parameters: Vec<String>,
    /// How they are updated.
    #[serde(flatten)]
    pub rule: UpdateRule,
    /// The iteration, from 0, from which on they are not updated any more. Their schedule ends there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_from: Option<usize>,
    /// The iteration until which they are not updated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_until: Option<usize>,
}

impl ParameterGroup {
    /// Whether the parameter `name`, `conv1.weight`, is one of them.
    pub fn has(&self, name: &str) -> bool {
        self.patterns().any(|(_, pattern)| pattern.is_ok_and(|pattern| pattern.matches(name)))
    }

    /// Each pattern as it is written and as it is understood.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = (&str, Result<Pattern, PatternError>)> {
        self.parameters.iter().map(|text| (text.as_str(), Pattern::new(text)))
    }

    /// Whether they are updated in iteration `step`, counted from 0.
    pub fn is_updated_at(&self, step: usize) -> bool {
        self.frozen_until.is_none_or(|until| step >= until) && self.frozen_from.is_none_or(|from| step < from)
    }

    /// The learning rate of iteration `step` in a run of `iterations`.
    pub fn learning_rate_at(&self, step: usize, iterations: usize) -> f64 {
        self.rule.learning_rate_at(step, self.frozen_from.map_or(iterations, |from| from.min(iterations)))
    }
}

/// What is done to gradients before the update (Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Clipping {
    /// All gradients together are scaled to this Euclidean norm where theirs is larger.
    Norm {
        /// The largest norm, above 0.
        most: f64,
    },
    /// Each number is brought into [−most, most].
    Value {
        /// The largest absolute value, above 0.
        most: f64,
    },
}

/// Zhang, Lucas, Hinton and Ba 2019 (arXiv:1907.08610): every k iterations the slow weights go a part of the way to the
/// weights, φ ← φ + a (w − φ), and the weights go on from there, w ← φ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lookahead {
    /// k, at least 1.
    pub every: usize,
    /// a, in (0, 1].
    pub share: f64,
}

/// When [`OptimizerKind::Momentum`] moves the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Update {
    /// With the new momentum: m ← μ m + (1 − μ) g, then w ← w − α (m + λ w).
    #[default]
    AfterMomentum,
    /// With the momentum of the step before: w ← w − α (m + λ w), then m ← μ m + (1 − μ) g. The first step moves the
    /// weights by the decay alone. One of the published solutions of the course does this.
    BeforeMomentum,
}

impl Update {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AfterMomentum, Self::BeforeMomentum];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AfterMomentum => "after-momentum",
            Self::BeforeMomentum => "before-momentum",
        }
    }
}

/// The hyperparameters of [`OptimizerKind::Adam`] and [`OptimizerKind::AdamW`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Adam {
    /// β₁, in [0, 1).
    pub beta_1: f64,
    /// β₂, in [0, 1).
    pub beta_2: f64,
    /// ε, above 0.
    pub epsilon: f64,
    /// Whether v̂ is the largest so far (Reddi, Kale and Kumar 2018).
    pub amsgrad: bool,
}

impl OptimizerKind {
    /// Its name in a config.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Momentum { .. } => "momentum",
            Self::Sgd { .. } => "sgd",
            Self::AdaGrad { .. } => "adagrad",
            Self::RmsProp { .. } => "rmsprop",
            Self::Adam(_) => "adam",
            Self::AdamW(_) => "adamw",
            Self::Muon { .. } => "muon",
        }
    }
}

/// The learning rate after the warm-up, as a fraction of α.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Schedule {
    /// α throughout.
    #[default]
    Constant,
    /// α · factor^⌊t / every⌋, t counted from the end of the warm-up.
    Step {
        /// Iterations between two steps, at least 1.
        every: usize,
        /// What each step multiplies by, in (0, 1].
        factor: f64,
    },
    /// Half a cosine from α to `final_fraction` · α at the last iteration.
    Cosine {
        /// Where it ends, in [0, 1].
        final_fraction: f64,
    },
    /// A line from α to `final_fraction` · α.
    Linear {
        /// Where it ends, in [0, 1].
        final_fraction: f64,
    },
    /// Half a cosine up to α, and half a cosine down from there (Smith and Topin 2019, arXiv:1708.07120).
    OneCycle {
        /// The share of the iterations in which the rate rises, in [0, 1].
        rise: f64,
        /// Where it begins, in [0, 1].
        initial_fraction: f64,
        /// Where it ends, in [0, 1].
        final_fraction: f64,
    },
}

impl UpdateRule {
    /// The learning rate of step `step`, counted from 0, in a run of `iterations` steps.
    ///
    /// During the warm-up, step s has α · (s + 1) / warmup, so that the first step moves and the last one has α. After
    /// it, with t = step − warmup of T = iterations − warmup steps, the [`Schedule`] says. The cosine is f + (1 − f) ·
    /// (1 + cos(π t / T)) / 2, which would reach the final fraction f at t = T, one past the last step; from there on
    /// it stays at f. The line is 1 − (1 − f) t / T, likewise.
    ///
    /// The one cycle reaches α at t = r T − 1 and the final fraction at t = T − 1, as PyTorch's `OneCycleLR` does; it
    /// has no cycle of the momentum.
    pub fn learning_rate_at(&self, step: usize, iterations: usize) -> f64 {
        if step < self.warmup {
            return self.learning_rate * (step + 1) as f64 / self.warmup as f64;
        }
        let (t, total) = (step - self.warmup, iterations.saturating_sub(self.warmup));
        let fraction = match self.schedule {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => factor.powf((t / every.max(1)) as f64),
            Schedule::Cosine { final_fraction } if t >= total => final_fraction,
            Schedule::Cosine { final_fraction } => {
                let progress = t as f64 / total as f64;
                final_fraction + (1.0 - final_fraction) * (1.0 + (PI * progress).cos()) / 2.0
            }
            Schedule::Linear { final_fraction } if t >= total => final_fraction,
            Schedule::Linear { final_fraction } => 1.0 - (1.0 - final_fraction) * (t as f64 / total as f64),
            Schedule::OneCycle { rise, initial_fraction, final_fraction } => {
                let (t, top, last) = (t as f64, rise * total as f64 - 1.0, total as f64 - 1.0);
                let half = |from: f64, to: f64, progress: f64| from + (to - from) * (1.0 - (PI * progress).cos()) / 2.0;
                if t < top {
                    half(initial_fraction, 1.0, t / top)
                } else if last > top {
                    half(1.0, final_fraction, ((t - top) / (last - top)).min(1.0))
                } else {
                    1.0
                }
            }
        };
        self.learning_rate * fraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn optimizer(warmup: usize, schedule: Schedule) -> UpdateRule {
        UpdateRule {
            kind: OptimizerKind::Momentum { momentum: 0.95, update: Update::default() },
            learning_rate: 0.2,
            weight_decay: 0.001,
            warmup,
            schedule,
        }
    }

    fn assert_rates(optimizer: &UpdateRule, iterations: usize, expected: &[f64]) {
        for (step, expected) in expected.iter().enumerate() {
            let rate = optimizer.learning_rate_at(step, iterations);
            assert!((rate - expected).abs() < 1e-15, "step {step}: {rate}, expected {expected}");
        }
    }

    #[test]
    fn a_constant_rate_stays_after_it_has_warmed_up() {
        assert_rates(&optimizer(0, Schedule::Constant), 3, &[0.2, 0.2, 0.2]);
        assert_rates(&optimizer(4, Schedule::Constant), 6, &[0.05, 0.1, 0.15, 0.2, 0.2, 0.2]);
    }

    #[test]
    fn steps_are_counted_from_the_end_of_the_warmup() {
        let schedule = Schedule::Step { every: 2, factor: 0.5 };
        assert_rates(&optimizer(0, schedule), 5, &[0.2, 0.2, 0.1, 0.1, 0.05]);
        assert_rates(&optimizer(1, schedule), 5, &[0.2, 0.2, 0.2, 0.1, 0.1]);
    }

    #[test]
    fn a_cosine_falls_by_hand_values() {
        // (1 + cos(π t / 4)) / 2 for t = 0 to 4: 1, (2 + √2)/4, 1/2, (2 − √2)/4, 0.
        let root = 2.0_f64.sqrt();
        let fractions = [1.0, (2.0 + root) / 4.0, 0.5, (2.0 - root) / 4.0, 0.0, 0.0];
        let to_zero = optimizer(0, Schedule::Cosine { final_fraction: 0.0 });
        assert_rates(&to_zero, 4, &fractions.map(|it| 0.2 * it));
        let to_tenth = optimizer(0, Schedule::Cosine { final_fraction: 0.1 });
        assert_rates(&to_tenth, 4, &fractions.map(|it| 0.2 * (0.1 + 0.9 * it)));
        let warmed = optimizer(2, Schedule::Cosine { final_fraction: 0.0 });
        assert_rates(&warmed, 6, &[0.1, 0.2, 0.2, 0.2 * fractions[1], 0.1, 0.2 * fractions[3], 0.0]);
    }

    #[test]
    fn a_line_falls_to_its_end() {
        let to_zero = optimizer(0, Schedule::Linear { final_fraction: 0.0 });
        assert_rates(&to_zero, 4, &[0.2, 0.15, 0.1, 0.05, 0.0, 0.0]);
        let warmed = optimizer(2, Schedule::Linear { final_fraction: 0.5 });
        assert_rates(&warmed, 4, &[0.1, 0.2, 0.2, 0.15, 0.1]);
    }

    /// PyTorch 2.15: `OneCycleLR(optimizer, max_lr=1.0, total_steps=10, pct_start=0.3, div_factor=25,
    /// final_div_factor=1e300, cycle_momentum=False)`; then with 8, 0.25, 10 and 2.
    #[test]
    fn one_cycle_is_that_of_pytorch() {
        let cycle = |rise, initial_fraction, final_fraction| {
            optimizer(0, Schedule::OneCycle { rise, initial_fraction, final_fraction })
        };
        let long = [
            0.04,
            0.52,
            1.0,
            0.9504844339512095,
            0.8117449009293668,
            0.6112604669781572,
            0.38873953302184283,
            0.18825509907063326,
            0.04951556604879048,
            0.0,
        ];
        assert_rates(&cycle(0.3, 0.04, 0.0), 10, &long.map(|share| 0.2 * share));
        let short = [0.1, 1.0, 0.9363620667976085, 0.7625, 0.525, 0.2875, 0.11363793320239161, 0.05, 0.05]
            .map(|share| 0.2 * share);
        assert_rates(&cycle(0.25, 0.1, 0.05), 8, &short);
        // Without a rise it begins near the top; of one iteration it has the first rate.
        assert!(cycle(0.0, 0.1, 0.0).learning_rate_at(0, 10) > 0.19);
        assert!(cycle(0.3, 0.1, 0.0).learning_rate_at(0, 1).is_finite());
        assert!(cycle(1.0, 0.1, 0.0).learning_rate_at(9, 10) > 0.19);
    }

    #[test]
    fn a_run_that_is_all_warmup_ends_at_the_full_rate() {
        assert_rates(&optimizer(2, Schedule::Cosine { final_fraction: 0.0 }), 2, &[0.1, 0.2, 0.0]);
    }
}
