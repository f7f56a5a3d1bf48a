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
        self.put(|layer| matches!(layer, LayerSpec::Relu(_)), &LayerSpec::Relu(relu.clone()))
    }

    /// Puts `norm` in the place of every batch normalisation; how many there are.
    pub(crate) fn set_batch_norm(&mut self, norm: &BatchNormSpec) -> usize {
        self.put(|layer| matches!(layer, LayerSpec::BatchNorm(_)), &LayerSpec::BatchNorm(norm.clone()))
    }

    /// Puts `other` in the place of every such layer; how many there are.
    fn put(&mut self, is_such: impl Fn(&LayerSpec) -> bool, other: &LayerSpec) -> usize {
        let mut found = 0;
        self.change_all(|layer| {
            if is_such(layer) {
                found += 1;
                *layer = other.clone();
            }
        });
        found
    }
}
