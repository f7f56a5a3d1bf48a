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
        self.change_such(|layer| match layer {
            LayerSpec::Relu(of_layer) => {
                of_layer.clone_from(relu);
                true
            }
            _ => false,
        })
    }

    /// Sets the numbers of every batch normalisation; how many there are.
    pub(crate) fn set_batch_norm(&mut self, epsilon: f64, momentum: f64) -> usize {
        self.change_such(|layer| match layer {
            LayerSpec::BatchNorm(norm) => {
                (norm.epsilon, norm.momentum) = (epsilon, momentum);
                true
            }
            _ => false,
        })
    }

    /// Changes every layer that `change` changes; how many those are.
    fn change_such(&mut self, change: impl Fn(&mut LayerSpec) -> bool) -> usize {
        let mut found = 0;
        self.change_all(|layer| found += usize::from(change(layer)));
        found
    }
}
