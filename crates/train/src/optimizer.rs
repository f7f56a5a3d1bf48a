//! The optimizers that an experiment asks for: our momentum, Muon on matrices, or those of Burn.

use backproof_kernels::Isa;
use backproof_spec::{OptimizerKind, UpdateRule};
use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdaGradConfig, AdamConfig, AdamWConfig, ModuleOptimizer, Optimizer as OfParameters, RmsPropConfig, SgdConfig,
};

use crate::Momentum;
use crate::muon::Muon;
use crate::rules::Rules;

mod kernel_step;

use kernel_step::above_zero;
pub(crate) use kernel_step::{kernel_step, momentum_step, remembers};

/// The optimizer of `rule` with nothing remembered yet, for all parameters of a network. The learning rate is given at
/// every step.
///
/// Our momentum, AdamW and Muon decouple the weight decay; with the others it is a penalty that enters the gradient.
///
/// Burn's optimizers are used as they are. They keep their hyperparameters in single precision: β₂ = 0.999 is off by
/// 10⁻⁸, and 1 − β₂ by 10⁻⁵ of itself. So their steps agree with PyTorch's to 3·10⁻⁵ and no further.
#[must_use]
pub fn new_optimizer(rule: &UpdateRule) -> ModuleOptimizer {
    build(rule, None, ForAll)
}

/// The optimizer of a network with these rules; where there are instructions, what has a kernel is on the kernels.
pub(crate) fn optimizer_of(rules: &Rules, kernels: Option<Isa>) -> ModuleOptimizer {
    let (all, groups) = rules.groups().split_first().expect("the rule of all others");
    let mut optimizer = build(&all.rule, kernels, ForAll);
    for (number, group) in groups.iter().enumerate() {
        let ids = ParamGroup::from_ids(rules.ids(number + 1));
        optimizer = build(&group.rule, kernels, ForGroup(optimizer, ids));
    }
    optimizer
}

/// Where an optimizer is put, whatever its type.
trait Place {
    fn put(self, optimizer: impl OfParameters + 'static) -> ModuleOptimizer;
}

struct ForAll;

impl Place for ForAll {
    fn put(self, optimizer: impl OfParameters + 'static) -> ModuleOptimizer {
        ModuleOptimizer::from(optimizer)
    }
}

struct ForGroup(ModuleOptimizer, ParamGroup);

impl Place for ForGroup {
    fn put(self, optimizer: impl OfParameters + 'static) -> ModuleOptimizer {
        let Self(all, group) = self;
        all.with_group(group, optimizer, None)
    }
}

fn build(rule: &UpdateRule, kernels: Option<Isa>, place: impl Place) -> ModuleOptimizer {
    let penalty = (rule.weight_decay > 0.0).then(|| WeightDecayConfig::new(rule.weight_decay as f32));
    match rule.kind {
        OptimizerKind::Momentum { momentum, update } => {
            let ours = Momentum::new(momentum, rule.weight_decay).with_update(update);
            place.put(match kernels {
                Some(isa) => ours.on_kernels(isa),
                None => ours,
            })
        }
        OptimizerKind::Sgd { momentum, dampening, nesterov } => {
            // Burn's default dampening is 0.1; each of its fields is given here, so that no default of Burn's counts.
            let momentum = (momentum > 0.0).then_some(MomentumConfig { momentum, dampening, nesterov });
            place.put(SgdConfig::new().with_momentum(momentum).with_weight_decay(penalty).build())
        }
        OptimizerKind::AdaGrad { learning_rate_decay, epsilon } => place.put(
            AdaGradConfig::new()
                .with_lr_decay(learning_rate_decay)
                .with_epsilon(above_zero(epsilon))
                .with_weight_decay(penalty)
                .build(),
        ),
        OptimizerKind::RmsProp { smoothing, momentum, epsilon, centered } => place.put(
            RmsPropConfig::new()
                .with_alpha(smoothing as f32)
                .with_momentum(momentum as f32)
                .with_epsilon(above_zero(epsilon))
                .with_centered(centered)
                .with_weight_decay(penalty)
                .build(),
        ),
        OptimizerKind::Adam(adam) => place.put(
            AdamConfig::new()
                .with_beta_1(adam.beta_1 as f32)
                .with_beta_2(adam.beta_2 as f32)
                .with_epsilon(above_zero(adam.epsilon))
                .with_amsgrad(adam.amsgrad)
                .with_weight_decay(penalty)
                .build(),
        ),
        OptimizerKind::AdamW(adam) => place.put(
            AdamWConfig::new()
                .with_beta_1(adam.beta_1 as f32)
                .with_beta_2(adam.beta_2 as f32)
                .with_epsilon(above_zero(adam.epsilon))
                .with_amsgrad(adam.amsgrad)
                .with_weight_decay(rule.weight_decay as f32)
                .build(),
        ),
        OptimizerKind::Muon { momentum, nesterov, newton_schulz_steps, rescale } => {
            place.put(Muon::new(momentum, nesterov, newton_schulz_steps, rescale, rule.weight_decay))
        }
    }
}

#[cfg(test)]
mod tests;
