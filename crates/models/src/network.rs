//! A network: its layers in order, and their names.

pub(crate) mod passes;

use std::collections::BTreeSet;

use backproof_layers::{self as layers, Features, Initial, Layer, Ranked, Saved};
use backproof_spec::{Architecture, ShapeError, TracedLayer, stream_seed};
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
    /// Of the layer with this number.
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
    /// For each layer, by its number, whether it is batch normalisation that is frozen as a whole; empty where nothing is frozen.
    #[module(skip)]
    pub(crate) frozen_layers: Vec<bool>,
    /// What is computed by the CPU kernels where autodiff wants a graph, by the number of its first layer.
    #[cfg(feature = "flex")]
    #[module(skip)]
    pub(crate) segments: crate::segments::Segments,
}

/// What [`Network::backward`] needs of a forward pass: one entry per layer.
#[derive(Debug, Clone)]
pub struct SavedForward(Vec<Saved>);

impl SavedForward {
    /// What all layers kept, those inside of others included, in the order of their numbers.
    pub fn all(&self) -> impl Iterator<Item = &Saved> {
        self.0.iter().flat_map(Saved::all)
    }
}

impl Network {
    /// The network on `device`, weights drawn from `seed` as each layer's
    /// [`Initialization`](backproof_spec::Initialization) says. The kernels of `whitening` need data, and are drawn as
    /// `pytorch-default` here.
    ///
    /// The parameters have the ids 1, 2, … in order, so that an optimizer's state finds them again in another process.
    ///
    /// # Errors
    ///
    /// A layer whose shape does not fit, or an architecture that does not map an image to a vector.
    pub fn new(architecture: &Architecture, seed: u64, device: &Device) -> Result<Self, ShapeError> {
        architecture.classes()?;
        let traced = architecture.trace()?;
        let build = |layer: &TracedLayer| Layer::new(layer, Initial { seed, layer: layer.number, device });
        let layers = traced.iter().map(build).collect();
        let names = traced.iter().flat_map(TracedLayer::all).map(|layer| layer.name.clone()).collect();
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

    /// The names of all layers by their numbers, `conv1`, `residual1`, `residual1.body.conv1`, …
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The layers. What is inside of a layer is not among them.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// All layers, those inside of others included, in the order of [`names`](Self::names).
    pub fn all_layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().flat_map(Layer::all)
    }

    /// Logits `[N, K]` of images `[N, C, H, W]`, by operations that autodiff can differentiate.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>, mode: PassMode) -> Tensor<2> {
        self.chain(&self.layers, 0, Ranked::Images(images), mode).vectors()
    }

    /// The output of layers that follow one another, of which the first has the number `first`.
    fn chain(&self, layers: &[Layer], first: usize, input: Features, mode: PassMode) -> Features {
        let (mut features, mut index, mut number) = (input, 0, first);
        while let Some(layer) = layers.get(index) {
            #[cfg(feature = "flex")]
            if let Some((output, taken)) =
                self.segments.forward(&layers[index..], number, &features, |number| self.mode_of(number, mode))
            {
                features = output;
                index += taken;
                number += taken;
                continue;
            }
            features = match layer {
                Layer::Residual(residual) => residual
                    .forward_by(features, |layers, inside, input| self.chain(layers, number + inside, input, mode)),
                layer => layer.forward(features, self.mode_of(number, mode)),
            };
            index += 1;
            number += layer.count();
        }
        features
    }

    /// Logits, and what [`backward`](Self::backward) needs, on plain tensors.
    #[must_use]
    pub fn forward_saving(&self, images: Tensor<4>, mode: PassMode) -> (Tensor<2>, SavedForward) {
        let mode = |number| self.mode_of(number, mode);
        let (features, kept) = self.chain_saving(&self.layers, 0, Ranked::Images(images), &mode, &mut |_, _| {});
        (features.vectors(), SavedForward(kept))
    }

    /// As [`chain`](Self::chain), with what each layer keeps. `mode` is that of the layer with a number; `see` is given
    /// the output of each layer with its number.
    fn chain_saving(
        &self,
        layers: &[Layer],
        first: usize,
        input: Features,
        mode: &dyn Fn(usize) -> layers::Mode,
        see: &mut dyn FnMut(usize, &Features),
    ) -> (Features, Vec<Saved>) {
        let (mut features, mut number) = (input, first);
        let mut kept = Vec::with_capacity(layers.len());
        for layer in layers {
            let (output, saved) = match layer {
                Layer::Residual(residual) => {
                    let (output, saved) = residual.forward_saving_by(features, |layers, inside, input| {
                        self.chain_saving(layers, number + inside, input, mode, see)
                    });
                    (output, Saved::Residual(saved))
                }
                layer => layer.forward_saving(features, mode(number)),
            };
            see(number, &output);
            features = output;
            kept.push(saved);
            number += layer.count();
        }
        (features, kept)
    }

    /// Whether the layer with this number is batch normalisation that is frozen as a whole.
    pub(crate) fn is_frozen_layer(&self, number: usize) -> bool {
        self.frozen_layers.get(number).is_some_and(|&frozen| frozen)
    }

    /// The mode of the layer with this number: that of the pass, or inference where the layer is frozen as a whole.
    fn mode_of(&self, number: usize, mode: PassMode) -> layers::Mode {
        if self.is_frozen_layer(number) { layers::Mode::Inference } else { mode.of_layer(number) }
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

#[cfg(test)]
mod tests;
