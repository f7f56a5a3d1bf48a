//! A network that learns: all that the loop sees of engine, kernels and optimizer.

use backproof_data::Selection;
use backproof_kernels::{Isa, MomentumStep, Of, Purpose};
use backproof_models::{Compiled, Mode, Network};
use backproof_spec::{Engine, Experiment, Kernels, OptimizerKind};
use burn::Tensor;
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::ModuleOptimizer;

use crate::evaluation::{argmax, host_rows};
use crate::loss::objective;
use crate::optimizer::new_optimizer;
use crate::{Momentum, Setup, TrainError, engine};

/// What a step gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    /// Mean loss over the batch.
    pub(crate) loss: f64,
    /// Images whose largest logit is that of their label.
    pub(crate) correct: usize,
}

/// Network and optimizer.
pub(crate) enum Learner<'a> {
    /// As Burn has them.
    Tensors { experiment: &'a Experiment, setup: &'a Setup, network: Network, optimizer: ModuleOptimizer },
    /// In the memory of the kernels, and brought back where somebody asks.
    Kernels { experiment: &'a Experiment, compiled: Box<Compiled>, network: Network, optimizer: ModuleOptimizer },
}

impl<'a> Learner<'a> {
    /// As the experiment asks for; `network` is on an autodiff device.
    pub(crate) fn new(
        experiment: &'a Experiment,
        setup: &'a Setup,
        network: Network,
        optimizer: ModuleOptimizer,
    ) -> Result<Self, TrainError> {
        let network = engine::ready(experiment.engine, network);
        if experiment.engine == Engine::Manual
            && let Some(mut compiled) = compile(experiment, setup, &network, Purpose::Training)?
        {
            if let OptimizerKind::Momentum { .. } = experiment.optimizer.kind {
                compiled.load(&momenta(&optimizer, &network), Of::Momenta);
            }
            return Ok(Self::Kernels { experiment, compiled: Box::new(compiled), network, optimizer });
        }
        let (network, optimizer) = on_kernels(experiment, setup, network, optimizer)?;
        Ok(Self::Tensors { experiment, setup, network, optimizer })
    }

    /// One step on `images`, as iteration `step` from 0. The weights do not move where the loss is not finite.
    pub(crate) fn step(self, images: &Selection<'_>, step: usize, learning_rate: f64) -> (Self, Step) {
        let labels = images.labels();
        match self {
            Self::Tensors { experiment, setup, mut network, mut optimizer } => {
                let Experiment { engine, seed, training, .. } = experiment;
                let batch = images.batch(&engine::batch_device(*engine, &setup.device));
                let mode = Mode::Training { seed: *seed, step: step as u64 };
                let pass = engine::gradients(*engine, training.loss, &network, batch.images, batch.labels, mode);
                if pass.loss.is_finite() {
                    network = engine::update(*engine, &mut optimizer, learning_rate, network, pass.parameters);
                }
                let rows = host_rows(pass.logits);
                let correct = rows.iter().zip(&labels).filter(|(row, label)| argmax(row) == **label).count();
                (Self::Tensors { experiment, setup, network, optimizer }, Step { loss: pass.loss, correct })
            }
            Self::Kernels { experiment, mut compiled, mut network, mut optimizer } => {
                let mode = Mode::Training { seed: experiment.seed, step: step as u64 };
                let write = |place: usize, to: &mut [f32]| images.write(place, to);
                let pass = compiled.pass(&write, &labels, objective(experiment.training.loss), mode);
                let step = Step { loss: pass.loss, correct: pass.correct };
                if !step.loss.is_finite() {
                    return (Self::Kernels { experiment, compiled, network, optimizer }, step);
                }
                if let OptimizerKind::Momentum { momentum } = experiment.optimizer.kind {
                    let decay = experiment.optimizer.weight_decay;
                    compiled.plan_mut().momentum_step(MomentumStep::new(learning_rate, momentum, decay));
                } else {
                    // Burn's optimizers move Burn's tensors, which are the parameters as they are now.
                    compiled.plan_mut().finish_gradients();
                    let gradients = compiled.store(network.clone(), Of::Gradients).as_gradients();
                    network = engine::update(Engine::Manual, &mut optimizer, learning_rate, network, gradients);
                    compiled.load_parameters(&network);
                }
                (Self::Kernels { experiment, compiled, network, optimizer }, step)
            }
        }
    }

    /// The network as it is now, on a plain device.
    pub(crate) fn network(&self) -> Network {
        match self {
            Self::Tensors { network, .. } => network.valid(),
            Self::Kernels { compiled, network, .. } => compiled.store(network.clone(), Of::Values),
        }
    }

    /// The optimizer with all that it remembers.
    pub(crate) fn optimizer(&self) -> ModuleOptimizer {
        match self {
            Self::Tensors { optimizer, .. } => optimizer.clone(),
            Self::Kernels { experiment, compiled, network, optimizer } => match experiment.optimizer.kind {
                OptimizerKind::Momentum { .. } => {
                    let momenta = compiled.store(network.clone(), Of::Momenta);
                    new_optimizer(&experiment.optimizer).load_record(remember(&momenta))
                }
                _ => optimizer.clone(),
            },
        }
    }
}

/// `network` on the CPU kernels, where the experiment wants them and there are some for it.
///
/// # Errors
///
/// A variable that names instructions which this machine does not have.
pub(crate) fn compile(
    experiment: &Experiment,
    setup: &Setup,
    network: &Network,
    purpose: Purpose,
) -> Result<Option<Compiled>, TrainError> {
    let isa = instructions(experiment, setup)?;
    Ok(isa.and_then(|isa| Compiled::new(network, &experiment.model, isa, purpose)))
}

/// The instructions that the kernels are to use; none where the experiment does not want them or the backend has none.
fn instructions(experiment: &Experiment, setup: &Setup) -> Result<Option<Isa>, TrainError> {
    if experiment.kernels == Kernels::Off || setup.backend != "flex" {
        return Ok(None);
    }
    Isa::selected().map(Some).map_err(TrainError::Kernels)
}

/// What of `network` and `optimizer` there are CPU kernels for is on them under autodiff, where the experiment wants them and the
/// backend has them.
fn on_kernels(
    experiment: &Experiment,
    setup: &Setup,
    network: Network,
    optimizer: ModuleOptimizer,
) -> Result<(Network, ModuleOptimizer), TrainError> {
    let Some(isa) = instructions(experiment, setup)?.filter(|_| experiment.engine == Engine::Autodiff) else {
        return Ok((network, optimizer));
    };
    #[cfg(feature = "flex")]
    let network = network.with_segments(&experiment.model, isa);
    let optimizer = match experiment.optimizer.kind {
        OptimizerKind::Momentum { momentum } => {
            let ours = Momentum::new(momentum, experiment.optimizer.weight_decay).on_kernels(isa);
            ModuleOptimizer::from(ours).load_record(optimizer.to_record())
        }
        _ => optimizer,
    };
    Ok((network, optimizer))
}

/// The record of a momentum optimizer that remembers the tensors of `momenta`.
///
/// Records are Burn's own and cannot be put together from outside. But with μ = 0 the momentum after a step is the gradient, to the
/// last bit.
fn remember(momenta: &Network) -> burn::optim::OptimizerRecord {
    let mut optimizer: ModuleOptimizer = Momentum::new(0.0, 0.0).into();
    let gradients = momenta.as_gradients();
    let _ = optimizer.step(0.0, momenta.clone().train(), gradients);
    optimizer.to_record()
}

/// What a momentum optimizer remembers, as tensors of `network`; zeros before its first step.
///
/// From w = 0, and with μ = 1 and no gradient, a step of α = 1 is w = −m, to the last bit.
fn momenta(optimizer: &ModuleOptimizer, network: &Network) -> Network {
    struct Scale(f64);
    impl ModuleMapper for Scale {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, value, mapper) = parameter.consume();
            Param::from_mapped_value(id, value * self.0, mapper)
        }
    }
    let zeros = network.clone().map(&mut Scale(0.0));
    let standing: ModuleOptimizer = Momentum::new(1.0, 0.0).into();
    let mut standing = standing.load_record(optimizer.to_record());
    let moved = standing.step(1.0, zeros.clone().train(), zeros.as_gradients()).valid();
    moved.map(&mut Scale(-1.0))
}

#[cfg(test)]
mod tests;
