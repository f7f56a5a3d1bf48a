//! What a config may set in all layers of a published network at once.

use crate::{Architecture, BatchNormSpec, LayerSpec, ReluSpec};

impl Architecture {
    /// The same network with nothing set that a config may set in a published one: the initialisation, the gradient of
    /// ReLUs at 0, and the numbers of batch normalisations.
    #[must_use]
    pub fn without_settings(&self) -> Self {
        let mut plain = self.without_initialization();
        plain.set_relu(&ReluSpec::default());
        plain.set_batch_norm(&BatchNormSpec::default());
        plain
    }

    /// Puts `relu` in the place of every ReLU; how many there are.
    pub(crate) fn set_relu(&mut self, relu: &ReluSpec) -> usize {
        let relus = self.layers.iter_mut().filter(|layer| matches!(layer, LayerSpec::Relu(_)));
        relus.map(|layer| *layer = LayerSpec::Relu(relu.clone())).count()
    }

    /// Puts `norm` in the place of every batch normalisation; how many there are.
    pub(crate) fn set_batch_norm(&mut self, norm: &BatchNormSpec) -> usize {
        let norms = self.layers.iter_mut().filter(|layer| matches!(layer, LayerSpec::BatchNorm(_)));
        norms.map(|layer| *layer = LayerSpec::BatchNorm(norm.clone())).count()
    }
}
