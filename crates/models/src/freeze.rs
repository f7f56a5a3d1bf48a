//! Parts of a network that training leaves as they are.

use std::collections::BTreeSet;

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;

use crate::Network;
use crate::weights::Path;

impl Network {
    /// The network with the tensors of these names frozen: [`divide_gradients`](Self::divide_gradients) drops
    /// their gradients, and they count as not trained.
    ///
    /// Batch normalisation whose tensors are all frozen uses its running statistics in training too, and leaves
    /// them as they are: with those of each batch it would be another layer than the one that was loaded.
    #[must_use]
    pub fn freeze(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.frozen = names.into_iter().collect();
        let tensors: Vec<String> = self.tensors().into_iter().map(|tensor| tensor.name).collect();
        let is_frozen = |layer: &String| {
            let of_layer = |name: &&String| name.rsplit_once('.').is_some_and(|(of, _)| of == layer);
            // Nothing but batch normalisation has running statistics.
            self.frozen.contains(&format!("{layer}.running_mean"))
                && tensors.iter().filter(of_layer).all(|name| self.frozen.contains(name))
        };
        self.frozen_layers = self.names().iter().map(is_frozen).collect();
        self
    }

    /// The names of the frozen tensors.
    #[must_use]
    pub fn frozen(&self) -> &BTreeSet<String> {
        &self.frozen
    }

    /// `gradients` in `count` groups: each where `group` puts its parameter, by name. Those that it puts nowhere are
    /// dropped, and so are those of frozen tensors. What has no gradient an optimizer leaves alone, weight decay
    /// included.
    #[must_use]
    pub fn divide_gradients(
        &self,
        gradients: GradientsParams,
        count: usize,
        group: impl Fn(&str) -> Option<usize>,
    ) -> Vec<GradientsParams> {
        let divided = (0..count).map(|_| GradientsParams::new()).collect();
        let mut divide = Divide { path: Path::new(self.names()), frozen: &self.frozen, group, gradients, divided };
        self.visit(&mut divide);
        divide.divided
    }
}

struct Divide<'a, G> {
    path: Path,
    frozen: &'a BTreeSet<String>,
    group: G,
    gradients: GradientsParams,
    divided: Vec<GradientsParams>,
}

impl<G: Fn(&str) -> Option<usize>> ModuleVisitor for Divide<'_, G> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove::<D>(parameter.id) else { return };
        let name = self.path.tensor_name();
        if let Some(group) = (self.group)(&name).filter(|_| !self.frozen.contains(&name)) {
            self.divided[group].register(parameter.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::{Architecture, BatchNormSpec, FlattenSpec, LayerSpec, LinearSpec, Shape};
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_normalisation_without_scale_is_frozen_with_the_tensors_that_it_has() {
        let norm = BatchNormSpec { scale: false, ..BatchNormSpec::default() };
        let linear = LayerSpec::Linear(LinearSpec::new(4));
        let layers = vec![LayerSpec::BatchNorm(norm), LayerSpec::Flatten(FlattenSpec), linear];
        let architecture = Architecture { name: "small".to_owned(), input: Shape::image(2, 3, 3), layers };
        let network = Network::new(&architecture, 1, &Device::flex()).unwrap();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let all = ["norm1.bias", "norm1.running_mean", "norm1.running_var"];
        assert!(network.clone().freeze(names(&all)).is_frozen_layer(0));
        assert!(!network.freeze(names(&all[1..])).is_frozen_layer(0));
    }
}
