//! A network: its layers in order, and their names.

use std::collections::BTreeSet;

use backproof_layers::{self as layers, Features, Initial, Layer, Ranked, Saved};
use backproof_spec::{Architecture, ShapeError, stream_seed};
use burn::Tensor;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Device;

/// Whether a pass trains or predicts: what [`backproof_layers::Mode`] is to one layer, for a whole network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassMode {
    /// Batch statistics, and dropout masks that are a function of (seed, step, layer).
    Training {
        /// The experiment's seed.
        seed: u64,
        /// The iteration, from 0.
        step: u64,
    },
    /// Running statistics, no dropout.
    Inference,
}

impl PassMode {
    pub(crate) fn of_layer(self, layer: usize) -> layers::Mode {
        match self {
            Self::Training { seed, step } => {
                layers::Mode::Training { dropout_seed: stream_seed(seed, "dropout", step, layer as u64) }
            }
            Self::Inference => layers::Mode::Inference,
        }
    }
}

/// Layers in order, images in and logits out.
#[derive(Module, Debug)]
pub struct Network {
    layers: Vec<Layer>,
    #[module(skip)]
    architecture: Architecture,
    #[module(skip)]
    names: Vec<String>,
    /// The names of the tensors that training leaves as they are.
    #[module(skip)]
    pub(crate) frozen: BTreeSet<String>,
    /// For each layer whether it is batch normalisation that is frozen as a whole; empty where nothing is frozen.
    #[module(skip)]
    pub(crate) frozen_layers: Vec<bool>,
    /// What is computed by the CPU kernels where autodiff wants a graph, by the index of its first layer.
    #[cfg(feature = "flex")]
    #[module(skip)]
    pub(crate) segments: crate::segments::Segments,
}

/// What [`Network::backward`] needs of a forward pass: one entry per layer.
#[derive(Debug, Clone)]
pub struct SavedForward(Vec<Saved>);

impl SavedForward {
    /// What each layer kept.
    #[must_use]
    pub fn layers(&self) -> &[Saved] {
        &self.0
    }
}

impl Network {
    /// The network on `device`, weights drawn from `seed` by He initialisation and biases zero.
    ///
    /// The parameters have the ids 1, 2, … in order, so that an optimizer's state finds them again in another process.
    ///
    /// # Errors
    ///
    /// A layer whose shape does not fit, or an architecture that does not map an image to a vector.
    pub fn new(architecture: &Architecture, seed: u64, device: &Device) -> Result<Self, ShapeError> {
        architecture.classes()?;
        let traced = architecture.trace()?;
        let initial = |layer| Initial { seed, layer, device };
        let layers = traced.iter().enumerate().map(|(index, layer)| Layer::new(layer, initial(index))).collect();
        let names = traced.into_iter().map(|layer| layer.name).collect();
        let network = Self {
            layers,
            architecture: architecture.clone(),
            names,
            frozen: BTreeSet::new(),
            frozen_layers: Vec::new(),
            #[cfg(feature = "flex")]
            segments: crate::segments::Segments::default(),
        };
        Ok(network.map(&mut NumberParameters::default()))
    }

    /// What it was made from.
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The names of the layers, `conv1`, `relu1`, …
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Logits `[N, K]` of images `[N, C, H, W]`, by operations that autodiff can differentiate.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>, mode: PassMode) -> Tensor<2> {
        let mut features: Features = Ranked::Images(images);
        let mut index = 0;
        while index < self.layers.len() {
            #[cfg(feature = "flex")]
            if let Some((output, next)) =
                self.segments.forward(&self.layers, index, &features, |index| self.mode_of(index, mode))
            {
                (features, index) = (output, next);
                continue;
            }
            features = self.layers[index].forward(features, self.mode_of(index, mode));
            index += 1;
        }
        features.vectors()
    }

    /// Logits, and what [`backward`](Self::backward) needs, on plain tensors.
    #[must_use]
    pub fn forward_saving(&self, images: Tensor<4>, mode: PassMode) -> (Tensor<2>, SavedForward) {
        let mut features: Features = Ranked::Images(images);
        let mut kept = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let (output, saved) = layer.forward_saving(features, self.mode_of(index, mode));
            features = output;
            kept.push(saved);
        }
        (features.vectors(), SavedForward(kept))
    }

    /// Whether the layer at `index` is batch normalisation that is frozen as a whole.
    pub(crate) fn is_frozen_layer(&self, index: usize) -> bool {
        self.frozen_layers.get(index).is_some_and(|&frozen| frozen)
    }

    /// The mode of the layer at `index`: that of the pass, or inference where the layer is frozen as a whole.
    fn mode_of(&self, index: usize, mode: PassMode) -> layers::Mode {
        if self.is_frozen_layer(index) { layers::Mode::Inference } else { mode.of_layer(index) }
    }

    /// The gradients of all parameters by id, from the gradient of the logits `[N, K]`: the chain rule from the last
    /// layer to the first that has parameters, of which the input's gradient is not computed.
    #[must_use]
    pub fn backward(&self, saved: SavedForward, logits_gradient: Tensor<2>) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        if let Some(first) = self.layers.iter().position(Layer::is_trainable) {
            let mut saved = saved.0;
            let gradient = self.backward_to(first + 1, &mut saved, logits_gradient, &mut gradients);
            let last = saved.pop().expect("one entry per layer");
            self.layers[first].parameter_gradients(last, gradient, &mut gradients);
        }
        gradients
    }

    /// [`backward`](Self::backward) down to the images: their gradient `[N, C, H, W]` comes with those of the
    /// parameters.
    #[must_use]
    pub fn backward_to_images(&self, saved: SavedForward, logits_gradient: Tensor<2>) -> (Tensor<4>, GradientsParams) {
        let mut gradients = GradientsParams::new();
        let images = self.backward_to(0, &mut saved.0.clone(), logits_gradient, &mut gradients);
        (images.images(), gradients)
    }

    /// The gradient of the input of layer `index`; leaves in `saved` what the layers before it saved.
    fn backward_to(
        &self,
        index: usize,
        saved: &mut Vec<Saved>,
        logits_gradient: Tensor<2>,
        gradients: &mut GradientsParams,
    ) -> Features {
        let mut gradient: Features = Ranked::Vectors(logits_gradient);
        for (layer, saved) in self.layers.iter().skip(index).rev().zip(saved.drain(index..).rev()) {
            gradient = layer.backward(saved, gradient, gradients);
        }
        gradient
    }
}

/// Gives the parameters the ids 1, 2, … in the order of the module tree.
#[derive(Default)]
struct NumberParameters {
    given: u64,
}

impl ModuleMapper for NumberParameters {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.given += 1;
        let (_, value, mapper) = parameter.consume();
        Param::from_mapped_value(ParamId::from(self.given), value, mapper)
    }
}
