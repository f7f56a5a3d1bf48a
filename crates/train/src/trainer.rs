//! What makes the steps of a run: all that the loop, and a benchmark, see of engine, kernels and optimizer.

use backproof_compiled::TrainingPlan;
use backproof_data::Selection;
use backproof_kernels::Isa;
use backproof_models::{Compiled, ComputedBy, Network, NotCompiled, PassMode};
use backproof_spec::{Engine, Optimizer, OptimizerKind};
use burn::Tensor;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int};

use crate::Momentum;
use crate::engine::OnTensors;
use crate::evaluation::{argmax, host_values};
use crate::loss::{TrainingLoss, objective};
use crate::optimizer::{kernel_step, new_optimizer};
use crate::optimizer_record::{Remembered, record, remembered};

/// How steps are made.
#[derive(Debug, Clone)]
pub struct TrainerConfig {
    /// How gradients are computed, and on what.
    pub engine: Engine,
    /// The instructions of the CPU kernels, where they may take part: on the backend `flex`, and not with the manual
    /// engine.
    pub kernels: Option<Isa>,
    /// What is made small.
    pub loss: TrainingLoss,
    /// How weights are updated; the learning rate comes with each step.
    pub optimizer: Optimizer,
    /// The seed of everything random.
    pub seed: u64,
    /// The device, without autodiff.
    pub device: Device,
}

/// The images of a step.
pub trait Minibatch: Sync {
    /// The label of each image.
    fn labels(&self) -> Vec<usize>;

    /// Writes image `image`, `[C, H, W]`, to `to`.
    fn write(&self, image: usize, to: &mut [f32]);

    /// All of them, `[N, C, H, W]`, and their labels, `[N]`, on `device`.
    fn tensors(&self, device: &Device) -> (Tensor<4>, Tensor<1, Int>);
}

impl Minibatch for Selection<'_> {
    fn labels(&self) -> Vec<usize> {
        self.labels()
    }

    fn write(&self, image: usize, to: &mut [f32]) {
        self.write(image, to);
    }

    fn tensors(&self, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let batch = self.batch(device);
        (batch.images, batch.labels)
    }
}

/// What a step gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Mean loss over the batch.
    pub loss: f64,
    /// Images whose largest logit is that of their label.
    pub correct: usize,
}

/// A network and its optimizer, and where the engine computes.
#[allow(missing_debug_implementations)] // Burn's optimizers have none
pub struct Trainer {
    config: TrainerConfig,
    /// There but while an optimizer has it. A plan has the parameters as they are now; then this gives names and ids.
    network: Option<Network>,
    /// A plan has what the optimizer remembers as well.
    optimizer: ModuleOptimizer,
    engine: Running,
}

enum Running {
    OnTensors(OnTensors),
    /// With the number of steps that the optimizer has made.
    Compiled(Box<Compiled<TrainingPlan>>, usize),
}

const THERE: &str = "every step puts the network back";

impl Trainer {
    /// Of a network on an autodiff device, and an optimizer with what it remembers.
    ///
    /// # Errors
    ///
    /// A network that the compiled engine cannot run.
    pub fn new(config: TrainerConfig, network: Network, optimizer: ModuleOptimizer) -> Result<Self, NotCompiled> {
        let (network, optimizer, engine) = match config.engine {
            Engine::Autodiff => {
                let (network, optimizer) = on_kernels(&config, network, optimizer);
                (network, optimizer, Running::OnTensors(OnTensors::Autodiff))
            }
            Engine::Manual => (network.valid(), optimizer, Running::OnTensors(OnTensors::Manual)),
            Engine::Compiled => {
                let network = network.valid();
                let isa = config.kernels.ok_or(NotCompiled::Backend)?;
                let mut compiled = Compiled::<TrainingPlan>::new(&network, isa)?;
                let remembered = remembered(&config.optimizer.kind, &optimizer, &network);
                for (slot, values) in remembered.slots.iter().enumerate() {
                    compiled.load_remembered(slot, values);
                }
                (network, optimizer, Running::Compiled(Box::new(compiled), remembered.steps))
            }
        };
        Ok(Self { config, network: Some(network), optimizer, engine })
    }

    /// The same with another loss.
    #[must_use]
    pub fn with_loss(mut self, loss: TrainingLoss) -> Self {
        self.config.loss = loss;
        self
    }

    /// One step on `batch`, as iteration `step` from 0. The weights do not move where the loss is not finite.
    ///
    /// # Panics
    ///
    /// If an earlier step panicked.
    pub fn step(&mut self, batch: &dyn Minibatch, step: usize, learning_rate: f64) -> Step {
        let Self { config, network: place, optimizer, engine } = self;
        let mode = PassMode::Training { seed: config.seed, step: step as u64 };
        let labels = batch.labels();
        match engine {
            Running::OnTensors(engine) => {
                let network = place.take().expect(THERE);
                let (images, classes) = batch.tensors(&engine.batch_device(&config.device));
                let pass = engine.gradients(&config.loss, &network, images, classes, mode);
                *place = Some(if pass.loss.is_finite() {
                    engine.update(optimizer, learning_rate, network, pass.parameters)
                } else {
                    network
                });
                let [_, classes] = pass.logits.dims();
                let logits = host_values(pass.logits);
                let rows = logits.chunks(classes).zip(&labels);
                let correct = rows.filter(|(row, label)| argmax(row) == **label).count();
                Step { loss: pass.loss, correct }
            }
            Running::Compiled(compiled, steps) => {
                let write = |image: usize, to: &mut [f32]| batch.write(image, to);
                let pass = compiled.pass(&write, &labels, &objective(&config.loss), mode);
                let step = Step { loss: pass.loss, correct: pass.correct };
                if !step.loss.is_finite() {
                    return step;
                }
                compiled.plan_mut().step(&*kernel_step(&config.optimizer, learning_rate, *steps));
                *steps += 1;
                step
            }
        }
    }

    /// The network as it is now, on a plain device.
    ///
    /// # Panics
    ///
    /// If a step panicked.
    #[must_use]
    pub fn network(&self) -> Network {
        let network = self.network.as_ref().expect(THERE);
        match &self.engine {
            Running::OnTensors(_) => network.valid(),
            Running::Compiled(compiled, _) => compiled.store(network.clone()),
        }
    }

    /// The optimizer with all that it remembers.
    ///
    /// # Panics
    ///
    /// If a step panicked.
    #[must_use]
    pub fn optimizer(&self) -> ModuleOptimizer {
        match &self.engine {
            // Before its first step an optimizer remembers nothing, and Burn's first step may differ from the others.
            Running::OnTensors(_) | Running::Compiled(_, 0) => self.optimizer.clone(),
            Running::Compiled(compiled, steps) => {
                let Optimizer { kind, .. } = &self.config.optimizer;
                let network = self.network.as_ref().expect(THERE);
                let slots = 0..kernel_step(&self.config.optimizer, 0.0, *steps).remembers();
                let slots = slots.map(|slot| compiled.remembered(slot, network.clone())).collect();
                let remembered = Remembered { steps: *steps, slots };
                new_optimizer(&self.config.optimizer).load_record(record(kind, &remembered))
            }
        }
    }

    /// What computes each layer in a step; `off` is why no kernel takes part, where none does.
    pub(crate) fn computed_by(&self, off: &str) -> Vec<ComputedBy> {
        let network = self.network.as_ref().expect(THERE);
        let all = |by: ComputedBy| vec![by; network.names().len()];
        match &self.engine {
            Running::Compiled(..) => all(ComputedBy::Kernel),
            #[cfg(feature = "flex")]
            Running::OnTensors(OnTensors::Autodiff) if self.config.kernels.is_some() => network.computed_by(),
            Running::OnTensors(_) => all(ComputedBy::Burn { reason: off.to_owned() }),
        }
    }
}

/// What of `network` and `optimizer` there are CPU kernels for is on them, where the config has instructions for them.
fn on_kernels(config: &TrainerConfig, network: Network, optimizer: ModuleOptimizer) -> (Network, ModuleOptimizer) {
    let Some(isa) = config.kernels else { return (network, optimizer) };
    #[cfg(feature = "flex")]
    let network = network.with_segments(isa);
    let optimizer = match config.optimizer.kind {
        OptimizerKind::Momentum { momentum, update } => {
            let ours = Momentum::new(momentum, config.optimizer.weight_decay).with_update(update);
            ModuleOptimizer::from(ours.on_kernels(isa)).load_record(optimizer.to_record())
        }
        _ => optimizer,
    };
    (network, optimizer)
}

#[cfg(test)]
mod tests;
