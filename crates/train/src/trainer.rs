//! What makes the steps of a run: all that the loop, and a benchmark, see of engine, kernels and optimizer.

use backproof_kernels::Isa;
use backproof_models::{ComputedBy, Network, NotCompiled, PassMode};
use backproof_spec::{Engine, Optimizer, WeightAverage};
use burn::Tensor;
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, TensorData};

use crate::checkpoint::Kept;
use crate::engine::OnTensors;
use crate::evaluation::{argmax, host_values};
use crate::look::TensorLook;
use crate::loss::TrainingLoss;
use crate::optimizer::{optimizer_of, remembers};
use crate::rules::Rules;
use crate::targets::Targets;
use look::Before;
use on_plan::OnPlan;

mod clipping;
mod copies;
mod look;
mod minibatch;
mod on_plan;

use copies::{AVERAGE, SLOW};
pub use minibatch::{Minibatch, Step};

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
    /// How weights are updated.
    pub optimizer: Optimizer,
    /// The iterations of the run, over which schedules of the learning rate go.
    pub iterations: usize,
    /// The moving average of the weights that is evaluated in their place, where one is asked for.
    pub weight_average: Option<WeightAverage>,
    /// The seed of everything random.
    pub seed: u64,
    /// The device, without autodiff.
    pub device: Device,
}

/// A network and its optimizer, and where the engine computes.
#[allow(missing_debug_implementations)] // Burn's optimizers have none
pub struct Trainer {
    config: TrainerConfig,
    rules: Rules,
    /// There but while an optimizer has it. A plan has the parameters as they are now; then this gives names and ids.
    network: Option<Network>,
    /// A plan has what the optimizer remembers as well, but for steps without a kernel.
    optimizer: ModuleOptimizer,
    engine: Running,
    /// A moving average of the weights, and the slow weights of Lookahead, on tensors; a plan has its own.
    copies: [Option<Network>; 2],
}

enum Running {
    OnTensors(OnTensors),
    OnPlan(Box<OnPlan>),
}

const THERE: &str = "every step puts the network back";

impl Trainer {
    /// Of a network on an autodiff device, with an optimizer that remembers nothing.
    ///
    /// # Errors
    ///
    /// A network that the compiled engine cannot run.
    pub fn new(config: TrainerConfig, network: Network) -> Result<Self, NotCompiled> {
        Self::load(config, network, Ok)
    }

    /// As [`new`](Self::new), with what `load` makes of the optimizer: it remembers what a checkpoint has.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), and what `load` says.
    pub fn load<E: From<NotCompiled>>(
        config: TrainerConfig,
        network: Network,
        load: impl FnOnce(ModuleOptimizer) -> Result<ModuleOptimizer, E>,
    ) -> Result<Self, E> {
        let rules = Rules::new(&config.optimizer, config.iterations, &network);
        let on_tensors = config.kernels.filter(|_| config.engine == Engine::Autodiff);
        let optimizer = load(optimizer_of(&rules, on_tensors))?;
        let (network, engine) = match config.engine {
            Engine::Autodiff => (on_kernels(&config, network), Running::OnTensors(OnTensors::Autodiff)),
            Engine::Manual => (network.valid(), Running::OnTensors(OnTensors::Manual)),
            Engine::Compiled => {
                let network = network.valid();
                let isa = config.kernels.ok_or(NotCompiled::Backend)?;
                let plan = OnPlan::new(&network, isa, &rules, &optimizer)?;
                (network, Running::OnPlan(Box::new(plan)))
            }
        };
        let mut trainer = Self { config, rules, network: Some(network), optimizer, engine, copies: [None, None] };
        if trainer.config.optimizer.lookahead.is_some() {
            trainer.follow(SLOW, 1.0); // It begins at the first weights.
        }
        Ok(trainer)
    }

    /// The same with another loss.
    #[must_use]
    pub fn with_loss(mut self, loss: TrainingLoss) -> Self {
        self.config.loss = loss;
        self
    }

    /// The instructions of the kernels that take part.
    pub(crate) fn kernels(&self) -> Option<Isa> {
        self.config.kernels
    }

    /// Multiplies the learning rates of all parameters by `factor` in the next steps.
    pub(crate) fn multiply_learning_rates(&mut self, factor: f64) {
        self.rules.multiply_learning_rates(factor);
    }

    /// One step on `batch`, as iteration `step` from 0. The weights do not move where the loss is not finite.
    ///
    /// # Panics
    ///
    /// If an earlier step panicked.
    pub fn step(&mut self, batch: &dyn Minibatch, step: usize) -> Step {
        self.step_seen(batch, step, None)
    }

    /// As [`step`](Self::step), which is the same to the bit, with the figures of the trained tensors, where somebody
    /// wants to see them and the loss is finite.
    pub(crate) fn step_seen(&mut self, batch: &dyn Minibatch, step: usize, seen: Option<&mut Vec<TensorLook>>) -> Step {
        let Self { config, rules, network: place, optimizer, engine, .. } = self;
        let mode = PassMode::Training { seed: config.seed, step: step as u64 };
        let clipping = config.optimizer.clipping;
        let (labels, mixture) = (batch.labels(), batch.mixture());
        let done = match engine {
            Running::OnTensors(engine) => {
                let network = place.take().expect(THERE);
                let device = engine.batch_device(&config.device);
                let (images, classes) = batch.tensors(&device);
                let mixed = mixture.as_ref().map(|mixture| (on_device(&mixture.labels, &device), mixture.share));
                let targets = Targets { labels: classes, mixed };
                let pass = engine.gradients(&config.loss, &network, images, targets, mode);
                *place = Some(if pass.loss.is_finite() {
                    let before = seen.is_some().then(|| Before::new(&network, &pass.parameters));
                    let mut gradients = rules.divide(&network, pass.parameters, step);
                    if let Some(clipping) = clipping {
                        gradients = clipping::clip(clipping, &network, gradients);
                    }
                    let each = gradients.into_iter().enumerate().filter(|(_, of_group)| !of_group.is_empty());
                    let network = each.fold(network, |network, (group, of_group)| {
                        engine.update(optimizer, rules.learning_rate(group, step), network, of_group)
                    });
                    if let (Some(seen), Some(before)) = (seen, before) {
                        *seen = before.figures(&network, rules);
                    }
                    network
                } else {
                    network
                });
                let [_, classes] = pass.logits.dims();
                let logits = host_values(pass.logits);
                let right = mixture.as_ref().filter(|it| it.share < 0.5).map_or(&labels, |it| &it.labels);
                let rows = logits.chunks(classes).zip(right);
                let correct = rows.filter(|(row, label)| argmax(row) == **label).count();
                Step { loss: pass.loss, correct }
            }
            Running::OnPlan(plan) => {
                let pass = plan.pass(batch, &labels, mixture.as_ref(), &config.loss, mode);
                if pass.loss.is_finite() {
                    let before = seen.is_some().then(|| plan.before());
                    plan.update(rules, clipping, step, place.as_ref().expect(THERE), optimizer);
                    if let (Some(seen), Some(before)) = (seen, before) {
                        *seen = plan.figures(&before, rules);
                    }
                }
                pass
            }
        };
        if done.loss.is_finite() {
            self.follow_all(step);
        }
        done
    }

    /// What goes after the weights after iteration `step`.
    fn follow_all(&mut self, step: usize) {
        if let Some(lookahead) = self.config.optimizer.lookahead
            && (step + 1).is_multiple_of(lookahead.every)
        {
            self.follow(SLOW, lookahead.share);
            match &mut self.engine {
                Running::OnTensors(_) => {
                    let slow = self.copies[SLOW].as_ref().expect("it was made at the start");
                    let network = self.network.take().expect(THERE);
                    self.network = Some(network.with_parameters(slow));
                }
                Running::OnPlan(plan) => plan.go_back(),
            }
        }
        if let Some(average) = self.config.weight_average {
            self.follow(AVERAGE, 1.0 - average.decay);
        }
    }

    /// Copy `slot` goes its share of the way to the weights; at first it is the weights.
    fn follow(&mut self, slot: usize, share: f64) {
        match &mut self.engine {
            Running::OnTensors(_) => {
                let network = self.network.as_ref().expect(THERE).valid();
                let copy = self.copies[slot].take();
                self.copies[slot] = Some(match copy {
                    None => network,
                    Some(copy) => copies::follow(copy, &network, share),
                });
            }
            Running::OnPlan(plan) => plan.follow(slot, share),
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
            Running::OnPlan(plan) => plan.network(network.clone()),
        }
    }

    /// The network that is to be evaluated: the moving average of the weights where there is one, with the running
    /// statistics of now.
    ///
    /// # Panics
    ///
    /// If a step panicked.
    #[must_use]
    pub fn evaluated_network(&self) -> Network {
        self.copied(AVERAGE).unwrap_or_else(|| self.network())
    }

    /// What a checkpoint keeps.
    pub(crate) fn kept(&self) -> Kept {
        let (network, optimizer) = (self.network(), self.optimizer());
        Kept { network, optimizer, average: self.copied(AVERAGE), slow: self.copied(SLOW) }
    }

    fn copied(&self, slot: usize) -> Option<Network> {
        match &self.engine {
            Running::OnTensors(_) => {
                let copy = self.copies[slot].as_ref()?;
                Some(self.network().with_parameters(copy))
            }
            Running::OnPlan(plan) => plan.copied(slot, self.network.as_ref().expect(THERE)),
        }
    }

    /// Goes on with these copies of the weights, as a checkpoint has them.
    pub(crate) fn with_copies(mut self, average: Option<Network>, slow: Option<Network>) -> Self {
        for (slot, copy) in [(AVERAGE, average), (SLOW, slow)] {
            let Some(copy) = copy else { continue };
            match &mut self.engine {
                Running::OnTensors(_) => self.copies[slot] = Some(copy.valid()),
                Running::OnPlan(plan) => plan.load_copied(slot, &copy.valid()),
            }
        }
        self
    }

    /// The optimizer with all that it remembers.
    ///
    /// # Panics
    ///
    /// If a step panicked.
    #[must_use]
    pub fn optimizer(&self) -> ModuleOptimizer {
        match &self.engine {
            Running::OnTensors(_) => self.optimizer.clone(),
            Running::OnPlan(plan) => plan.optimizer(&self.rules, self.network.as_ref().expect(THERE), &self.optimizer),
        }
    }

    /// λ/2 ‖w‖² over the parameters, with the λ of each.
    pub(crate) fn weight_decay_loss(&self) -> f64 {
        let groups = self.rules.groups();
        let norms = self.network().half_squared_norms(groups.len(), |name| self.rules.group(name));
        // A decay of 0 hides no weight that is not finite: 0 · ∞ is NaN.
        groups.iter().zip(norms).map(|(group, norm)| group.rule.weight_decay * norm).sum()
    }

    /// Whether any rule has a weight decay.
    pub(crate) fn decays(&self) -> bool {
        self.rules.groups().iter().any(|group| group.rule.weight_decay > 0.0)
    }

    /// How many numbers the network has, how many of them are trained, and how many the optimizer remembers.
    pub(crate) fn numbers(&self) -> (usize, usize, usize) {
        let groups = self.rules.groups().iter().map(|group| remembers(&group.rule)).collect::<Vec<_>>();
        let (mut all, mut trained, mut remembered) = (0, 0, 0);
        for tensor in self.network.as_ref().expect(THERE).tensors() {
            let count = tensor.data.num_elements();
            all += count;
            if let Some(group) = self.rules.group(&tensor.name) {
                trained += count;
                remembered += groups[group] * count;
            }
        }
        (all, trained, remembered)
    }

    /// What computes each layer in a step; `off` is why no kernel takes part, where none does.
    pub(crate) fn computed_by(&self, off: &str) -> Vec<ComputedBy> {
        let network = self.network.as_ref().expect(THERE);
        let all = |by: ComputedBy| vec![by; network.names().len()];
        match &self.engine {
            Running::OnPlan(_) => all(ComputedBy::Kernel),
            #[cfg(feature = "flex")]
            Running::OnTensors(OnTensors::Autodiff) if self.config.kernels.is_some() => network.computed_by(),
            Running::OnTensors(_) => all(ComputedBy::Burn { reason: off.to_owned() }),
        }
    }
}

/// Labels as a tensor, `[N]`.
fn on_device(labels: &[usize], device: &Device) -> Tensor<1, Int> {
    let labels: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
    let count = labels.len();
    Tensor::from_data(TensorData::new(labels, [count]), device)
}

/// What of `network` there are CPU kernels for is on them, where the config has instructions for them.
fn on_kernels(config: &TrainerConfig, network: Network) -> Network {
    match config.kernels {
        #[cfg(feature = "flex")]
        Some(isa) => network.with_segments(isa),
        _ => network,
    }
}

#[cfg(test)]
mod tests;
