//! The kernels' step of an optimizer.

use backproof_kernels::{AdaGradStep, AdamStep, AdamWStep, MomentumStep, OptimizerStep, RmsPropStep, SgdStep};
use backproof_spec::{OptimizerKind, Update, UpdateRule};

/// The step of `rule` that follows on `before` steps, where the kernels have one. It is the one of
/// [`new_optimizer`](super::new_optimizer) to the bit, but for our momentum, which the kernels round less often.
pub(crate) fn kernel_step(rule: &UpdateRule, learning_rate: f64, before: usize) -> Option<Box<dyn OptimizerStep>> {
    let decay = rule.weight_decay;
    Some(match rule.kind {
        OptimizerKind::Momentum { momentum, update } => Box::new(momentum_step(learning_rate, momentum, decay, update)),
        OptimizerKind::Sgd { momentum, dampening, nesterov } => {
            Box::new(SgdStep::new(learning_rate, momentum, dampening, nesterov, decay, before))
        }
        OptimizerKind::AdaGrad { learning_rate_decay, epsilon } => {
            Box::new(AdaGradStep::new(learning_rate, learning_rate_decay, above_zero(epsilon), decay, before))
        }
        OptimizerKind::RmsProp { smoothing, momentum, epsilon, centered } => {
            Box::new(RmsPropStep::new(learning_rate, smoothing, momentum, above_zero(epsilon), centered, decay))
        }
        OptimizerKind::Adam(adam) => {
            let (betas, epsilon) = ([adam.beta_1, adam.beta_2], above_zero(adam.epsilon));
            Box::new(AdamStep::new(learning_rate, betas, epsilon, adam.amsgrad, decay, before))
        }
        OptimizerKind::AdamW(adam) => {
            let (betas, epsilon) = ([adam.beta_1, adam.beta_2], above_zero(adam.epsilon));
            Box::new(AdamWStep::new(learning_rate, betas, epsilon, adam.amsgrad, decay, before))
        }
        OptimizerKind::Muon { .. } => return None,
    })
}

/// How many numbers the optimizer of `rule` remembers for each weight.
pub(crate) fn remembers(rule: &UpdateRule) -> usize {
    // Muon, which has no kernel, has its momentum.
    kernel_step(rule, 0.0, 0).map_or(1, |step| step.remembers())
}

/// The step of our momentum.
pub(crate) fn momentum_step(learning_rate: f64, momentum: f64, weight_decay: f64, update: Update) -> MomentumStep {
    let step = MomentumStep::new(learning_rate, momentum, weight_decay);
    match update {
        Update::AfterMomentum => step,
        Update::BeforeMomentum => step.weights_first(),
    }
}

/// ε in single precision, where a very small one would be 0, and 0 / 0 the step of a weight without a gradient.
pub(super) fn above_zero(epsilon: f64) -> f32 {
    (epsilon as f32).max(f32::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use backproof_kernels::Isa;
    use burn::Tensor;
    use burn::module::{Module, Param};
    use burn::optim::GradientsParams;
    use burn::tensor::Device;

    use super::*;
    use crate::optimizer::new_optimizer;
    use crate::testing::optimizers;

    #[derive(Module, Debug)]
    struct Weights {
        weights: Param<Tensor<1>>,
    }

    /// More than a vector, and no whole number of them. Gradients of many sizes, among them 0.
    fn numbers(seed: usize) -> Vec<f32> {
        let number = |at: usize| ((at * 31 + seed * 17) % 101) as f32 / 50.0 - 1.0;
        (0..37).map(|at| number(at) * 10_f32.powi((at % 7) as i32 - 4)).collect()
    }

    fn relative(a: f32, b: f32) -> f32 {
        (a - b).abs() / a.abs().max(b.abs()).max(f32::MIN_POSITIVE)
    }

    /// Our momentum rounds less often on the kernels; all others have Burn's bits.
    #[test]
    fn five_steps_are_those_on_tensors() {
        let device = Device::flex().autodiff();
        for optimizer in optimizers() {
            let exact = !matches!(optimizer.kind, OptimizerKind::Momentum { .. });
            for isa in Isa::available() {
                let mut on_tensors = new_optimizer(&optimizer);
                let start = Tensor::from_data(&numbers(0)[..], &device);
                let mut module = Weights { weights: Param::from_tensor(start) };
                let mut weights = numbers(0);
                let mut remembered =
                    vec![vec![0.0; weights.len()]; kernel_step(&optimizer, 0.1, 0).unwrap().remembers()];
                for before in 0..5 {
                    let gradient = numbers(before + 1);
                    let mut given = GradientsParams::new();
                    given.register(module.weights.id, Tensor::<1>::from_data(&gradient[..], &Device::flex()));
                    module = on_tensors.step(0.013, module, given);
                    let mut slices: Vec<&mut [f32]> = remembered.iter_mut().map(Vec::as_mut_slice).collect();
                    kernel_step(&optimizer, 0.013, before).unwrap().apply(isa, &gradient, &mut slices, &mut weights);

                    let expected: Vec<f32> = module.weights.val().into_data().iter::<f32>().collect();
                    let same = |(a, b): (&f32, &f32)| if exact { a == b } else { relative(*a, *b) < 1e-5 };
                    let all = weights.iter().zip(&expected).all(same);
                    assert!(all, "{optimizer:?}, {isa}, step {before}: {weights:?}, on tensors {expected:?}");
                }
            }
        }
    }
}
