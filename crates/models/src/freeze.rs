//! Parts of a network that training leaves as they are.

use std::collections::BTreeSet;

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;

use crate::Network;
use crate::weights::Path;

impl Network {
    /// The network with the tensors of these names frozen: [`without_frozen`](Self::without_frozen) drops their
    /// gradients, and they count as not trained.
    ///
    /// Batch normalisation whose four tensors are all frozen uses its running statistics in training too, and leaves
    /// them as they are: with those of each batch it would be another layer than the one that was loaded.
    #[must_use]
    pub fn freeze(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.frozen = names.into_iter().collect();
        self.frozen_layers = self
            .names()
            .iter()
            .map(|layer| {
                let statistics = ["weight", "bias", "running_mean", "running_var"];
                statistics.iter().all(|role| self.frozen.contains(&format!("{layer}.{role}")))
            })
            .collect();
        self
    }

    /// The names of the frozen tensors.
    #[must_use]
    pub fn frozen(&self) -> &BTreeSet<String> {
        &self.frozen
    }

    /// `gradients` without those of frozen tensors. What has no gradient an optimizer leaves alone, weight decay
    /// included.
    #[must_use]
    pub fn without_frozen(&self, gradients: GradientsParams) -> GradientsParams {
        if self.frozen.is_empty() {
            return gradients;
        }
        let mut drop = DropFrozen { path: Path::new(self.names()), frozen: &self.frozen, gradients };
        self.visit(&mut drop);
        drop.gradients
    }
}

struct DropFrozen<'a> {
    path: Path,
    frozen: &'a BTreeSet<String>,
    gradients: GradientsParams,
}

impl ModuleVisitor for DropFrozen<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if self.frozen.contains(&self.path.tensor_name()) {
            self.gradients.remove::<D>(parameter.id);
        }
    }
}
