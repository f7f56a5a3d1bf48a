//! One layer of a network: the enum over the layers of `backproof-layers`, and nothing but dispatch.

use backproof_layers as layers;
use backproof_layers::Mode;
use burn::Tensor;
use burn::module::{Module, Param};
use burn::optim::GradientsParams;

use crate::features::{Features, Ranked};

/// A layer with its parameters.
#[derive(Module, Debug)]
#[allow(missing_docs)] // each variant is documented where its layer is derived
pub enum Layer {
    Conv2d(layers::Conv2d),
    MaxPool2d(layers::MaxPool2d),
    AvgPool2d(layers::AvgPool2d),
    Linear(layers::Linear),
    Flatten(layers::Flatten),
    Relu(layers::Relu),
    LeakyRelu(layers::LeakyRelu),
    Prelu(layers::Prelu),
    Elu(layers::Elu),
    Gelu(layers::Gelu),
    Sigmoid(layers::Sigmoid),
    Tanh(layers::Tanh),
    BatchNorm(layers::BatchNorm),
    Dropout(layers::Dropout),
}

/// What a layer keeps of its forward pass for its backward pass.
#[derive(Debug, Clone)]
#[allow(missing_docs)] // each variant is documented where its layer is derived
pub enum Saved {
    Conv2d(layers::Conv2dSaved),
    MaxPool2d(layers::MaxPool2dSaved),
    AvgPool2d(layers::AvgPool2dSaved),
    Linear(layers::LinearSaved),
    Flatten(Ranked<layers::FlattenSaved<4>, layers::FlattenSaved<2>>),
    Relu(Ranked<layers::ReluSaved<4>, layers::ReluSaved<2>>),
    LeakyRelu(Ranked<layers::LeakyReluSaved<4>, layers::LeakyReluSaved<2>>),
    Prelu(Ranked<layers::PreluSaved<4>, layers::PreluSaved<2>>),
    Elu(Ranked<layers::EluSaved<4>, layers::EluSaved<2>>),
    Gelu(Ranked<layers::GeluSaved<4>, layers::GeluSaved<2>>),
    Sigmoid(Ranked<layers::SigmoidSaved<4>, layers::SigmoidSaved<2>>),
    Tanh(Ranked<layers::TanhSaved<4>, layers::TanhSaved<2>>),
    BatchNorm(Ranked<layers::BatchNormSaved<4>, layers::BatchNormSaved<2>>),
    Dropout(Ranked<layers::DropoutSaved<4>, layers::DropoutSaved<2>>),
}

/// `$layer.forward(..)` for features of either rank.
macro_rules! forward {
    ($layer:expr, $input:expr $(, $mode:expr)?) => {
        match $input {
            Ranked::Images(x) => Ranked::Images($layer.forward(x $(, $mode)?)),
            Ranked::Vectors(x) => Ranked::Vectors($layer.forward(x $(, $mode)?)),
        }
    };
}

/// `$layer.forward_saving(..)` for features of either rank.
macro_rules! forward_saving {
    ($variant:ident, $layer:expr, $input:expr $(, $mode:expr)?) => {
        match $input {
            Ranked::Images(x) => {
                let (output, saved) = $layer.forward_saving(x $(, $mode)?);
                (Ranked::Images(output), Saved::$variant(Ranked::Images(saved)))
            }
            Ranked::Vectors(x) => {
                let (output, saved) = $layer.forward_saving(x $(, $mode)?);
                (Ranked::Vectors(output), Saved::$variant(Ranked::Vectors(saved)))
            }
        }
    };
}

/// `$layer.backward(..)` for features of either rank, of a layer without parameters.
macro_rules! backward {
    ($layer:expr, $saved:expr, $gradient:expr) => {
        match $saved {
            Ranked::Images(saved) => Ranked::Images($layer.backward(saved, $gradient.images())),
            Ranked::Vectors(saved) => Ranked::Vectors($layer.backward(saved, $gradient.vectors())),
        }
    };
}

impl Layer {
    /// The pass that autodiff differentiates.
    pub fn forward(&self, input: Features, mode: Mode) -> Features {
        match self {
            Self::Conv2d(layer) => Ranked::Images(layer.forward(input.images())),
            Self::MaxPool2d(layer) => Ranked::Images(layer.forward(input.images())),
            Self::AvgPool2d(layer) => Ranked::Images(layer.forward(input.images())),
            Self::Linear(layer) => Ranked::Vectors(layer.forward(input.vectors())),
            Self::Flatten(layer) => Ranked::Vectors(match input {
                Ranked::Images(images) => layer.forward(images),
                Ranked::Vectors(vectors) => layer.forward(vectors),
            }),
            Self::Relu(layer) => forward!(layer, input),
            Self::LeakyRelu(layer) => forward!(layer, input),
            Self::Prelu(layer) => forward!(layer, input),
            Self::Elu(layer) => forward!(layer, input),
            Self::Gelu(layer) => forward!(layer, input),
            Self::Sigmoid(layer) => forward!(layer, input),
            Self::Tanh(layer) => forward!(layer, input),
            Self::BatchNorm(layer) => forward!(layer, input, mode),
            Self::Dropout(layer) => forward!(layer, input, mode),
        }
    }

    /// The pass on plain tensors that keeps what [`backward`](Self::backward) needs.
    pub fn forward_saving(&self, input: Features, mode: Mode) -> (Features, Saved) {
        match self {
            Self::Conv2d(layer) => {
                let (output, saved) = layer.forward_saving(input.images());
                (Ranked::Images(output), Saved::Conv2d(saved))
            }
            Self::MaxPool2d(layer) => {
                let (output, saved) = layer.forward_saving(input.images());
                (Ranked::Images(output), Saved::MaxPool2d(saved))
            }
            Self::AvgPool2d(layer) => {
                let (output, saved) = layer.forward_saving(input.images());
                (Ranked::Images(output), Saved::AvgPool2d(saved))
            }
            Self::Linear(layer) => {
                let (output, saved) = layer.forward_saving(input.vectors());
                (Ranked::Vectors(output), Saved::Linear(saved))
            }
            Self::Flatten(layer) => match input {
                Ranked::Images(images) => {
                    let (output, saved) = layer.forward_saving(images);
                    (Ranked::Vectors(output), Saved::Flatten(Ranked::Images(saved)))
                }
                Ranked::Vectors(vectors) => {
                    let (output, saved) = layer.forward_saving(vectors);
                    (Ranked::Vectors(output), Saved::Flatten(Ranked::Vectors(saved)))
                }
            },
            Self::Relu(layer) => forward_saving!(Relu, layer, input),
            Self::LeakyRelu(layer) => forward_saving!(LeakyRelu, layer, input),
            Self::Prelu(layer) => forward_saving!(Prelu, layer, input),
            Self::Elu(layer) => forward_saving!(Elu, layer, input),
            Self::Gelu(layer) => forward_saving!(Gelu, layer, input),
            Self::Sigmoid(layer) => forward_saving!(Sigmoid, layer, input),
            Self::Tanh(layer) => forward_saving!(Tanh, layer, input),
            Self::BatchNorm(layer) => forward_saving!(BatchNorm, layer, input, mode),
            Self::Dropout(layer) => forward_saving!(Dropout, layer, input, mode),
        }
    }

    /// The gradient of the input; those of the parameters are registered in `gradients` by parameter id.
    ///
    /// # Panics
    ///
    /// If `saved` is of another layer.
    pub fn backward(&self, saved: Saved, gradient: Features, gradients: &mut GradientsParams) -> Features {
        match (self, saved) {
            (Self::Conv2d(layer), Saved::Conv2d(saved)) => {
                let found = layer.backward(saved, gradient.images());
                register(gradients, &layer.weight, found.weight);
                register_bias(gradients, layer.bias.as_ref(), found.bias);
                Ranked::Images(found.input)
            }
            (Self::Linear(layer), Saved::Linear(saved)) => {
                let found = layer.backward(saved, gradient.vectors());
                register(gradients, &layer.weight, found.weight);
                register_bias(gradients, layer.bias.as_ref(), found.bias);
                Ranked::Vectors(found.input)
            }
            (Self::MaxPool2d(layer), Saved::MaxPool2d(saved)) => {
                Ranked::Images(layer.backward(saved, gradient.images()))
            }
            (Self::AvgPool2d(layer), Saved::AvgPool2d(saved)) => {
                Ranked::Images(layer.backward(saved, gradient.images()))
            }
            (Self::Flatten(layer), Saved::Flatten(saved)) => match saved {
                Ranked::Images(saved) => Ranked::Images(layer.backward(saved, gradient.vectors())),
                Ranked::Vectors(saved) => Ranked::Vectors(layer.backward(saved, gradient.vectors())),
            },
            (Self::Relu(layer), Saved::Relu(saved)) => backward!(layer, saved, gradient),
            (Self::LeakyRelu(layer), Saved::LeakyRelu(saved)) => backward!(layer, saved, gradient),
            (Self::Elu(layer), Saved::Elu(saved)) => backward!(layer, saved, gradient),
            (Self::Gelu(layer), Saved::Gelu(saved)) => backward!(layer, saved, gradient),
            (Self::Sigmoid(layer), Saved::Sigmoid(saved)) => backward!(layer, saved, gradient),
            (Self::Tanh(layer), Saved::Tanh(saved)) => backward!(layer, saved, gradient),
            (Self::Dropout(layer), Saved::Dropout(saved)) => backward!(layer, saved, gradient),
            (Self::Prelu(layer), Saved::Prelu(saved)) => {
                let (input, slope) = match saved {
                    Ranked::Images(saved) => {
                        let found = layer.backward(saved, gradient.images());
                        (Ranked::Images(found.input), found.slope)
                    }
                    Ranked::Vectors(saved) => {
                        let found = layer.backward(saved, gradient.vectors());
                        (Ranked::Vectors(found.input), found.slope)
                    }
                };
                register(gradients, &layer.slope, slope);
                input
            }
            (Self::BatchNorm(layer), Saved::BatchNorm(saved)) => {
                let (input, gamma, beta) = match saved {
                    Ranked::Images(saved) => {
                        let found = layer.backward(saved, gradient.images());
                        (Ranked::Images(found.input), found.gamma, found.beta)
                    }
                    Ranked::Vectors(saved) => {
                        let found = layer.backward(saved, gradient.vectors());
                        (Ranked::Vectors(found.input), found.gamma, found.beta)
                    }
                };
                register(gradients, &layer.gamma, gamma);
                register(gradients, &layer.beta, beta);
                input
            }
            _ => panic!("what was saved is of another layer"),
        }
    }

    /// The gradients of the parameters alone, registered in `gradients`: less work than [`backward`](Self::backward)
    /// where nobody asks for the gradient of the input.
    ///
    /// # Panics
    ///
    /// If `saved` is of another layer.
    pub fn parameter_gradients(&self, saved: Saved, gradient: Features, gradients: &mut GradientsParams) {
        match (self, saved) {
            (Self::Conv2d(layer), Saved::Conv2d(saved)) => {
                let (weight, bias) = layer.parameter_gradients(saved, gradient.images());
                register(gradients, &layer.weight, weight);
                register_bias(gradients, layer.bias.as_ref(), bias);
            }
            (Self::Linear(layer), Saved::Linear(saved)) => {
                let (weight, bias) = layer.parameter_gradients(saved, gradient.vectors());
                register(gradients, &layer.weight, weight);
                register_bias(gradients, layer.bias.as_ref(), bias);
            }
            (layer, saved) => {
                layer.backward(saved, gradient, gradients);
            }
        }
    }

    /// Whether the layer has parameters to train.
    #[must_use]
    pub fn is_trainable(&self) -> bool {
        matches!(self, Self::Conv2d(_) | Self::Linear(_) | Self::Prelu(_) | Self::BatchNorm(_))
    }
}

fn register<const D: usize>(gradients: &mut GradientsParams, parameter: &Param<Tensor<D>>, gradient: Tensor<D>) {
    gradients.register(parameter.id, gradient);
}

fn register_bias(gradients: &mut GradientsParams, bias: Option<&Param<Tensor<1>>>, gradient: Option<Tensor<1>>) {
    if let (Some(bias), Some(gradient)) = (bias, gradient) {
        register(gradients, bias, gradient);
    }
}
