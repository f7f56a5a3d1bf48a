//! What a config may set in all layers of a published network at once.

use crate::{Architecture, BatchNormSpec, LayerSpec, ReluSpec};

impl Architecture {
    /// The same network with nothing set that a config may set in a published one: the initialisation, the gradient of
    /// ReLUs at 0, and the numbers of batch normalisations.
    #[must_use]
    pub fn without_settings(&self) -> Self {
        let mut plain = self.without_initialization();
        plain.set_relu(&ReluSpec::default());
        let BatchNormSpec { epsilon, momentum, .. } = BatchNormSpec::default();
        plain.set_batch_norm(epsilon, momentum);
        plain
    }

    /// Puts `relu` in the place of every ReLU; how many there are.
    pub(crate) fn set_relu(&mut self, relu: &ReluSpec) -> usize {
        let relus = self.layers.iter_mut().filter(|layer| matches!(layer, LayerSpec::Relu(_)));
        relus.map(|layer| *layer = LayerSpec::Relu(relu.clone())).count()
    }

    /// Sets the numbers of every batch normalisation; how many there are.
    pub(crate) fn set_batch_norm(&mut self, epsilon: f64, momentum: f64) -> usize {
        let norms = self.layers.iter_mut().filter_map(|layer| match layer {
            LayerSpec::BatchNorm(norm) => Some(norm),
            _ => None,
        });
        norms.map(|norm| (norm.epsilon, norm.momentum) = (epsilon, momentum)).count()
    }
}
