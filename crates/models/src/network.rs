//! A network: its layers in order, and their names.

use std::collections::BTreeSet;

use backproof_layers as layers;
use backproof_spec::{Architecture, ShapeError, Size2, TracedLayer, stream_seed};
use backproof_spec::{Layer as LayerSpec, Shape};
use burn::Tensor;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Device;

use crate::features::{Features, Ranked};
use crate::initialization::he_normal;
use crate::layer::{Layer, Saved};

/// Whether a pass trains or predicts: what [`backproof_layers::Mode`] is to one layer, for a whole network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
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

impl Mode {
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
        let layers = traced.iter().enumerate().map(|(index, layer)| build(layer, seed, index, device)).collect();
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
    pub fn forward(&self, images: Tensor<4>, mode: Mode) -> Tensor<2> {
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
    pub fn forward_saving(&self, images: Tensor<4>, mode: Mode) -> (Tensor<2>, SavedForward) {
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
    fn mode_of(&self, index: usize, mode: Mode) -> layers::Mode {
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

fn build(traced: &TracedLayer, seed: u64, index: usize, device: &Device) -> Layer {
    let pair = |size: Size2| [size.height, size.width];
    let zeros = |features| Tensor::<1>::zeros([features], device);
    match &traced.layer {
        LayerSpec::Conv2d(conv) => {
            let Shape::Image { channels, .. } = traced.input else { unreachable!("`trace` gives convolutions images") };
            let [height, width] = pair(conv.kernel);
            let shape = [conv.out_channels, channels / conv.groups, height, width];
            let weight = he_normal(shape, shape[1] * height * width, seed, index, device);
            let bias = conv.bias.then(|| zeros(conv.out_channels));
            let options = layers::Conv2dOptions {
                stride: pair(conv.stride),
                padding: pair(conv.padding),
                dilation: pair(conv.dilation),
                groups: conv.groups,
            };
            Layer::Conv2d(layers::Conv2d::new(weight, bias, options))
        }
        LayerSpec::Linear(linear) => {
            let inputs = traced.input.elements();
            let weight = he_normal([inputs, linear.out_features], inputs, seed, index, device);
            let bias = linear.bias.then(|| zeros(linear.out_features));
            Layer::Linear(layers::Linear::new(weight, bias))
        }
        LayerSpec::MaxPool2d(pool) => Layer::MaxPool2d(layers::MaxPool2d::new(layers::MaxPool2dOptions {
            kernel: pair(pool.kernel),
            stride: pair(pool.effective_stride()),
            padding: pair(pool.padding),
            dilation: pair(pool.dilation),
            ceil_mode: pool.ceil_mode,
        })),
        LayerSpec::AvgPool2d(pool) => Layer::AvgPool2d(layers::AvgPool2d::new(layers::AvgPool2dOptions {
            kernel: pair(pool.kernel),
            stride: pair(pool.effective_stride()),
            padding: pair(pool.padding),
            ceil_mode: pool.ceil_mode,
            count_include_pad: pool.count_include_pad,
        })),
        LayerSpec::BatchNorm(norm) => {
            let features = match traced.input {
                Shape::Image { channels, .. } => channels,
                Shape::Vector { features } => features,
            };
            let ones = Tensor::ones([features], device);
            Layer::BatchNorm(layers::BatchNorm::new(ones, zeros(features), norm.epsilon, norm.momentum))
        }
        LayerSpec::Dropout(dropout) => Layer::Dropout(layers::Dropout::new(dropout.probability)),
        LayerSpec::LeakyRelu(leaky) => Layer::LeakyRelu(layers::LeakyRelu::new(leaky.slope)),
        LayerSpec::Prelu(prelu) => Layer::Prelu(layers::Prelu::new(Tensor::full([1], prelu.initial_slope, device))),
        LayerSpec::Elu(elu) => Layer::Elu(layers::Elu::new(elu.alpha)),
        LayerSpec::Flatten(_) => Layer::Flatten(layers::Flatten),
        LayerSpec::Relu(_) => Layer::Relu(layers::Relu),
        LayerSpec::Gelu(_) => Layer::Gelu(layers::Gelu),
        LayerSpec::Sigmoid(_) => Layer::Sigmoid(layers::Sigmoid),
        LayerSpec::Tanh(_) => Layer::Tanh(layers::Tanh),
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
