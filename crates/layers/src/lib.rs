//! Layers with a forward pass on Burn tensors and a backward pass derived by hand.
//!
//! # What a layer is
//!
//! Every layer is a Burn module in a file of its own, with the derivation of its backward pass in the documentation of
//! the type, and three methods:
//!
//! - `forward(input)` computes the output from Burn's operations. On an autodiff device it is what autodiff
//!   differentiates.
//! - `forward_saving(input)` computes the same output, and returns with it what the backward pass needs, as a value
//!   `…Saved`: the input, the output, a mask, the argmax indices of a maximum. Nothing is remembered anywhere else, so
//!   that a layer can be used twice in a network.
//! - `backward(saved, output_gradient)` takes `∂L/∂y` and returns `∂L/∂x`, or, for a layer with parameters, a value
//!   `…Gradients` with the gradient of the input and one of each parameter, under the parameter's name. It is a formula
//!   on plain tensors: it calls neither autodiff nor any of Burn's `…_backward` operations, only what a forward pass
//!   could call too.
//!
//! Since both come from one definition and share nothing but the forward values, either can prove the other. `L` is any
//! scalar that depends on the layer through its output alone; a backward pass applies the transposed Jacobian to
//! `∂L/∂y` and need not know `L`.
//!
//! Layers that behave differently in training take a [`Mode`] as well: [`BatchNorm`] and [`Dropout`]. The losses
//! [`SoftmaxCrossEntropy`], [`MeanSquaredError`] and [`BinaryCrossEntropy`] take targets, return a number *a sample*,
//! and have `mean` and `mean_backward` for the mean over the batch, which is what training minimises.
//!
//! # Notation
//!
//! `x` is the input of a layer, `y` its output, `g = ∂L/∂y`; `N` counts samples, `C` and `O` channels, `H` and `W` rows
//! and columns. A batch has a sample a row. `[condition]` is 1 where the condition holds and 0 elsewhere, and `⊙`
//! multiplies element by element.
//!
//! # Precision
//!
//! A layer computes in the precision of its input and parameters, which have to agree: f64 in, f64 throughout.
//! Constants are made in the type of the input, never in the device's default.
//!
//! # Kinks and ties
//!
//! | layer | where | convention |
//! | --- | --- | --- |
//! | [`Relu`] | `x = 0` | gradient 0 |
//! | [`LeakyRelu`], [`Prelu`] | `x = 0` | the slope of the negative side |
//! | [`Elu`] | `x = 0` | `α`, the slope of the negative side |
//! | [`MaxPool2d`] | several maxima in a window | the first in row-major order takes all |
//!
//! `forward` under autodiff and `backward` keep the same conventions.
//!
//! # Values
//!
//! The tests compare outputs and gradients with values that PyTorch computed in f64 (`tests/fixtures/layers`), and
//! `backward` with autodiff over generated shapes.

mod binary_cross_entropy;
mod definition;
mod features;
mod initial;
#[macro_use]
mod list;
mod mean_squared_error;
mod mode;
#[cfg(feature = "flex")]
mod node;
mod samples;
#[cfg(feature = "flex")]
mod segment;
mod sides;
mod sign;
mod softmax_cross_entropy;
mod window;

#[cfg(test)]
mod testing;

pub use binary_cross_entropy::{BinaryCrossEntropy, BinaryCrossEntropySaved};
pub use features::{Features, Ranked};
pub use initial::Initial;
pub use mean_squared_error::{MeanSquaredError, MeanSquaredErrorSaved};
pub use mode::Mode;
#[cfg(feature = "flex")]
pub use node::Node;
pub use sides::Sides;
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropySaved};

// One line a layer: its file and its type.
list! {
    conv2d::Conv2d,
    max_pool2d::MaxPool2d,
    avg_pool2d::AvgPool2d,
    linear::Linear,
    flatten::Flatten,
    relu::Relu,
    leaky_relu::LeakyRelu,
    prelu::Prelu,
    elu::Elu,
    gelu::Gelu,
    sigmoid::Sigmoid,
    tanh::Tanh,
    silu::Silu,
    softplus::Softplus,
    batch_norm::BatchNorm,
    dropout::Dropout,
}
