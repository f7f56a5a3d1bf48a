//! The engine `compiled`: a plan of kernels that has the parameters, and what optimizers remember of them.

use std::collections::BTreeMap;

use backproof_compiled::TrainingPlan;
use backproof_data::Mixture;
use backproof_kernels::{Isa, OptimizerStep};
use backproof_models::{Compiled, Network, NotCompiled, PassMode};
use backproof_spec::Clipping;
use burn::module::Module;
use burn::optim::ModuleOptimizer;

use super::clipping;
use super::copies::{AVERAGE, SLOW};
use super::minibatch::{Minibatch, Step};
use crate::look::TensorLook;
use crate::loss::{TrainingLoss, objective};
use crate::optimizer::kernel_step;
use crate::optimizer_record::{Remembered, record, remembered};
use crate::rules::Rules;

/// A plan that trains.
#[derive(Debug)]
pub(super) struct OnPlan {
    compiled: Compiled<TrainingPlan>,
    /// The steps that the rule of each group has made.
    steps: Vec<usize>,
}

impl OnPlan {
    /// Of a network on a plain device, and an optimizer with what it remembers.
    pub(super) fn new(
        network: &Network,
        isa: Isa,
        rules: &Rules,
        optimizer: &ModuleOptimizer,
    ) -> Result<Self, NotCompiled> {
        let mut compiled = Compiled::<TrainingPlan>::new(network, isa)?;
        let Remembered { steps, slots } = remembered(rules, optimizer, network);
        for (slot, values) in slots.iter().enumerate() {
            compiled.load_remembered(slot, values);
        }
        Ok(Self { compiled, steps })
    }

    /// Forward and backward of the images of `batch`, with these labels or mixed with others.
    pub(super) fn pass(
        &mut self,
        batch: &dyn Minibatch,
        labels: &[usize],
        mixture: Option<&Mixture>,
        loss: &TrainingLoss,
        mode: PassMode,
    ) -> Step {
        let write = |image: usize, to: &mut [f32]| batch.write(image, to);
        let objective = objective(loss);
        let pass = match mixture {
            None => self.compiled.pass(&write, labels, &objective, mode),
            Some(Mixture { labels: others, share }) => {
                self.compiled.mixed_pass(&write, [labels, others], *share, &objective, mode)
            }
        };
        Step { loss: pass.loss, correct: pass.correct }
    }

    /// Moves the weights as iteration `step`. `network` and `optimizer` take part where the kernels have no step.
    pub(super) fn update(
        &mut self,
        rules: &Rules,
        clipping: Option<Clipping>,
        step: usize,
        network: &Network,
        optimizer: &mut ModuleOptimizer,
    ) {
        if let Some(clipping) = clipping {
            self.clip(rules, clipping, step);
        }
        let rates: Vec<f64> = (0..self.steps.len()).map(|group| rules.learning_rate(group, step)).collect();
        let groups = rules.groups().iter().zip(&rates).zip(&self.steps);
        let steps: Vec<Option<Box<dyn OptimizerStep>>> =
            groups.map(|((group, rate), before)| kernel_step(&group.rule, *rate, *before)).collect();
        match &steps[..] {
            [Some(all)] if rules.is_plain() => self.compiled.plan_mut().step(&**all),
            _ => self.compiled.step_each(&|name| steps[rules.group_at(name, step)?].as_deref()),
        }
        for group in (0..steps.len()).filter(|&group| steps[group].is_none()) {
            self.update_on_tensors(rules, group, step, rates[group], network, optimizer);
        }
        for (group, steps) in self.steps.iter_mut().enumerate() {
            *steps += usize::from(rules.groups()[group].is_updated_at(step));
        }
    }

    /// What a step begins with: the weights, and Σ g² of each parameter.
    pub(super) fn before(&mut self) -> (Vec<f32>, BTreeMap<String, f64>) {
        self.compiled.plan_mut().finish_gradients();
        (self.compiled.packed_weights(), self.compiled.squared_gradients_of_each())
    }

    /// The figures of the tensors that have a rule, once the step is made.
    pub(super) fn figures(
        &self,
        (weights, gradients): &(Vec<f32>, BTreeMap<String, f64>),
        rules: &Rules,
    ) -> Vec<TensorLook> {
        let steps = self.compiled.squared_steps(weights).into_iter();
        let trained = steps.filter(|(name, ..)| rules.group(name).is_some());
        let figures = trained.map(|(name, count, [update, weight])| {
            let sums = [gradients[&name], update, weight];
            TensorLook::new(name, count, sums)
        });
        figures.collect()
    }

    /// The gradients, put together and made smaller.
    fn clip(&mut self, rules: &Rules, clipping: Clipping, step: usize) {
        self.compiled.plan_mut().finish_gradients();
        match clipping {
            Clipping::Value { most } => {
                let most = most as f32;
                self.compiled.plan_mut().change_gradients(|g| g.clamp(-most, most));
            }
            Clipping::Norm { most } => {
                let norm = self.compiled.squared_gradients(&|name| rules.group_at(name, step).is_some()).sqrt();
                if let Some(factor) = clipping::factor(norm, most) {
                    self.compiled.plan_mut().change_gradients(|g| g * factor);
                }
            }
        }
    }

    /// The parameters of one group, whose rule has no kernel.
    fn update_on_tensors(
        &mut self,
        rules: &Rules,
        group: usize,
        step: usize,
        rate: f64,
        network: &Network,
        optimizer: &mut ModuleOptimizer,
    ) {
        let is_of_it = |name: &str| rules.group_at(name, step) == Some(group);
        let gradients = self.compiled.store_gradients(network.clone(), is_of_it).as_gradients();
        let of_group = |name: &str| is_of_it(name).then_some(0);
        let mut gradients = network.divide_gradients(gradients, 1, of_group);
        let network = self.compiled.store_parameters(network.clone(), is_of_it).train();
        let network = optimizer.step(rate, network, gradients.pop().expect("one group")).valid();
        self.compiled.load_parameters(&network, is_of_it);
    }

    /// `network` with the parameters and running statistics of now.
    pub(super) fn network(&self, network: Network) -> Network {
        self.compiled.store(network)
    }

    /// `optimizer` with what the kernels' steps remember in place of its own.
    pub(super) fn optimizer(&self, rules: &Rules, network: &Network, optimizer: &ModuleOptimizer) -> ModuleOptimizer {
        let groups = rules.groups().iter().filter_map(|group| kernel_step(&group.rule, 0.0, 0));
        let slots = 0..groups.map(|step| step.remembers()).max().unwrap_or(0);
        let slots = slots.map(|slot| self.compiled.remembered(slot, network.clone())).collect();
        let remembered = Remembered { steps: self.steps.clone(), slots };
        crate::optimizer::optimizer_of(rules, None).load_record(record(rules, &remembered, optimizer))
    }

    /// Copy `slot` goes its share of the way to the weights.
    pub(super) fn follow(&mut self, slot: usize, share: f64) {
        self.compiled.plan_mut().follow(slot, share as f32);
    }

    /// The weights become the slow ones.
    pub(super) fn go_back(&mut self) {
        self.compiled.plan_mut().go_back(SLOW);
    }

    /// Copy `slot`, once there is one.
    pub(super) fn copied(&self, slot: usize, network: &Network) -> Option<Network> {
        self.compiled.copied(slot, network.clone())
    }

    /// Takes `network` as copy `slot`.
    pub(super) fn load_copied(&mut self, slot: usize, network: &Network) {
        debug_assert!(slot == AVERAGE || slot == SLOW);
        self.compiled.load_copied(slot, network);
    }
}
