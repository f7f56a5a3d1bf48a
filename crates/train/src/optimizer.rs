//! The optimizer that an experiment asks for: our momentum, or one of Burn's.

use backproof_spec::{Optimizer, OptimizerKind};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdaGradConfig, AdamConfig, AdamWConfig, ModuleOptimizer, RmsPropConfig, SgdConfig};

use crate::Momentum;

mod kernel_step;

use kernel_step::above_zero;
pub(crate) use kernel_step::{kernel_step, momentum_step};

/// The update rule of `optimizer` with nothing remembered yet. The learning rate is given at every step.
///
/// Only our momentum and AdamW decouple the weight decay; with the others it is a penalty that enters the gradient.
///
/// Burn's optimizers are used as they are. They keep their hyperparameters in single precision: β₂ = 0.999 is off by
/// 10⁻⁸, and 1 − β₂ by 10⁻⁵ of itself. So their steps agree with PyTorch's to 3·10⁻⁵ and no further.
#[must_use]
pub fn new_optimizer(optimizer: &Optimizer) -> ModuleOptimizer {
    let penalty = (optimizer.weight_decay > 0.0).then(|| WeightDecayConfig::new(optimizer.weight_decay as f32));
    match optimizer.kind {
        OptimizerKind::Momentum { momentum, update } => {
            Momentum::new(momentum, optimizer.weight_decay).with_update(update).into()
        }
        OptimizerKind::Sgd { momentum, dampening, nesterov } => {
            // Burn's default dampening is 0.1; each of its fields is given here, so that no default of Burn's counts.
            let momentum = (momentum > 0.0).then_some(MomentumConfig { momentum, dampening, nesterov });
            SgdConfig::new().with_momentum(momentum).with_weight_decay(penalty).init()
        }
        OptimizerKind::AdaGrad { learning_rate_decay, epsilon } => AdaGradConfig::new()
            .with_lr_decay(learning_rate_decay)
            .with_epsilon(above_zero(epsilon))
            .with_weight_decay(penalty)
            .init(),
        OptimizerKind::RmsProp { smoothing, momentum, epsilon, centered } => RmsPropConfig::new()
            .with_alpha(smoothing as f32)
            .with_momentum(momentum as f32)
            .with_epsilon(above_zero(epsilon))
            .with_centered(centered)
            .with_weight_decay(penalty)
            .init(),
        OptimizerKind::Adam(adam) => AdamConfig::new()
            .with_beta_1(adam.beta_1 as f32)
            .with_beta_2(adam.beta_2 as f32)
            .with_epsilon(above_zero(adam.epsilon))
            .with_amsgrad(adam.amsgrad)
            .with_weight_decay(penalty)
            .init(),
        OptimizerKind::AdamW(adam) => AdamWConfig::new()
            .with_beta_1(adam.beta_1 as f32)
            .with_beta_2(adam.beta_2 as f32)
            .with_epsilon(above_zero(adam.epsilon))
            .with_amsgrad(adam.amsgrad)
            .with_weight_decay(optimizer.weight_decay as f32)
            .init(),
    }
}

#[cfg(test)]
mod tests;
