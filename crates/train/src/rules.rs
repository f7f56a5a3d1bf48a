//! Which update rule holds for which parameter, and when.

use std::collections::BTreeMap;

use backproof_models::Network;
use backproof_spec::{Optimizer, ParameterGroup};
use burn::module::ParamId;
use burn::optim::GradientsParams;

/// The update rules of a network: that of all parameters first, and those of the groups after it.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    groups: Vec<ParameterGroup>,
    /// The group of each trainable tensor, by id and by name.
    of_ids: Vec<(ParamId, usize)>,
    of: BTreeMap<String, usize>,
    /// The iterations of the run, over which schedules go.
    iterations: usize,
    is_plain: bool,
    /// What every learning rate is multiplied by.
    factor: f64,
}

impl Rules {
    /// Of a network that is trained for so many iterations. Its frozen tensors have no rule.
    pub(crate) fn new(optimizer: &Optimizer, iterations: usize, network: &Network) -> Self {
        let all =
            ParameterGroup { parameters: Vec::new(), rule: optimizer.rule, frozen_from: None, frozen_until: None };
        let group_of = |name: &str| optimizer.groups.iter().rposition(|group| group.has(name)).map_or(0, |at| at + 1);
        let trained = network.parameter_ids().into_iter().filter(|(name, _)| !network.frozen().contains(name));
        let (mut of_ids, mut of) = (Vec::new(), BTreeMap::new());
        for (name, id) in trained {
            let group = group_of(&name);
            of_ids.push((id, group));
            of.insert(name, group);
        }
        let is_plain = optimizer.groups.is_empty() && network.frozen().is_empty();
        let groups = std::iter::once(all).chain(optimizer.groups.iter().cloned()).collect();
        Self { groups, of_ids, of, iterations, is_plain, factor: 1.0 }
    }

    /// All groups, that of the other parameters first.
    pub(crate) fn groups(&self) -> &[ParameterGroup] {
        &self.groups
    }

    /// Whether one rule holds for all parameters, none of which is frozen.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The ids of the parameters of a group.
    pub(crate) fn ids(&self, group: usize) -> Vec<ParamId> {
        self.of_ids.iter().filter(|(_, of)| *of == group).map(|(id, _)| *id).collect()
    }

    /// The group of the parameter with this id.
    pub(crate) fn group_of_id(&self, id: u64) -> Option<usize> {
        self.of_ids.iter().find(|(of, _)| of.val() == id).map(|(_, group)| *group)
    }

    /// The group of a parameter, where it has one; running statistics and frozen tensors have none.
    pub(crate) fn group(&self, name: &str) -> Option<usize> {
        self.of.get(name).copied()
    }

    /// As [`group`](Self::group), where it is updated in iteration `step`, from 0.
    pub(crate) fn group_at(&self, name: &str, step: usize) -> Option<usize> {
        self.group(name).filter(|&group| self.groups[group].is_updated_at(step))
    }

    /// `gradients` by group, without those of parameters that stay as they are in iteration `step`.
    pub(crate) fn divide(&self, network: &Network, gradients: GradientsParams, step: usize) -> Vec<GradientsParams> {
        // Most runs have one rule and nothing frozen, and need no walk over the network.
        if self.is_plain {
            return vec![gradients];
        }
        network.divide_gradients(gradients, self.groups.len(), |name| self.group_at(name, step))
    }

    /// The learning rate of a group in iteration `step`.
    pub(crate) fn learning_rate(&self, group: usize, step: usize) -> f64 {
        self.factor * self.groups[group].learning_rate_at(step, self.iterations)
    }

    /// Multiplies the learning rates of all groups by `factor` from now on.
    pub(crate) fn multiply_learning_rates(&mut self, factor: f64) {
        self.factor = factor;
    }
}
