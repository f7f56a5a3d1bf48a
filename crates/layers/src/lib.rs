//! Layers with a forward pass on Burn tensors and a backward pass derived by hand.
//!
//! # What a layer is
//!
//! Every layer is a Burn module in a separate file. The documentation of its type derives the backward pass. It has
//! three methods:
//!
//! - `forward(input)` computes the output from Burn's operations. On an autodiff device it is what autodiff
//!   differentiates.
//! - `forward_saving(input)` computes the same output. It also returns a value `…Saved`, which has what the backward
//!   pass needs: the input, the output, a mask, or the argmax indices of a maximum. A layer remembers nothing else, so
//!   a network can use it twice.
//! - `backward(saved, output_gradient)` takes `∂L/∂y` and returns `∂L/∂x`. For a layer with parameters, it returns a
//!   value `…Gradients`, which has the gradient of the input, and the gradient of each parameter under the parameter's
//!   name. It is a formula on plain tensors. It calls neither autodiff nor any of Burn's `…_backward` operations, but
//!   only operations that a forward pass could call too.
//!
//! Autodiff and `backward` share no backward formula in code, but they do share operations. Both compute the gradients
//! of [`Linear`] with Burn's matrix product, and those of [`Conv2d`] with Burn's transposed convolution and with its
//! convolution of exchanged axes. A fault in such an operation would be in both. So the gradient checks compare both
//! with finite differences, which share the forward pass alone. `L` is any scalar that depends on the layer only
//! through its output. A backward pass applies the transposed Jacobian to `∂L/∂y`, and need not know `L`.
//!
//! [`BatchNorm`] and [`Dropout`] behave differently in training, so they also take a [`Mode`]. The losses
//! [`SoftmaxCrossEntropy`], [`SoftCrossEntropy`], [`MeanSquaredError`] and [`BinaryCrossEntropy`] take targets and return a number *for each
//! sample*. Their methods `mean` and `mean_backward` are for the mean over the batch, which training minimises.
//!
//! [`Residual`] has other layers inside of it. `forward_by` and `forward_saving_by` leave it to the caller how these
//! are run: a network gives each of them a [`Mode`] of its own.
//!
//! # Notation
//!
//! `x` is the input of a layer, `y` is its output, and `g = ∂L/∂y`. `N` counts samples, `C` and `O` count channels, `H`
//! and `W` count rows and columns. Each row of a batch is one sample. `[condition]` is 1 where the condition holds, and
//! 0 elsewhere. `⊙` multiplies element by element.
//!
//! # Precision
//!
//! A layer computes in the precision of its input and its parameters, which must be the same. It makes constants in the
//! type of the input, and never in the default type of the device.
//!
//! # Kinks and ties
//!
//! | layer | where | convention |
//! | --- | --- | --- |
//! | [`Relu`] | `x = 0` | gradient 0, or 1 where it is asked for |
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
pub mod nn;
#[cfg(feature = "flex")]
mod node;
mod row_norm;
mod samples;
#[cfg(feature = "flex")]
mod segment;
mod sides;
mod sign;
mod soft_cross_entropy;
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
pub use row_norm::{RowNormGradients, RowNormSaved};
pub use sides::Sides;
pub use soft_cross_entropy::{SoftCrossEntropy, SoftCrossEntropySaved};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropySaved};

// One line a layer: its file and its type.
list! {
    conv2d::Conv2d,
    max_pool2d::MaxPool2d,
    avg_pool2d::AvgPool2d,
    global_avg_pool::GlobalAvgPool,
    linear::Linear,
    flatten::Flatten,
    scale::Scale,
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
    group_norm::GroupNorm,
    layer_norm::LayerNorm,
    dropout::Dropout,
    residual::Residual,
}

impl Layer {
    /// The layer, and those inside of it, in the order of their numbers.
    #[must_use]
    pub fn all(&self) -> Vec<&Self> {
        let inside = self.branches().into_iter().flatten().flat_map(Self::all);
        std::iter::once(self).chain(inside).collect()
    }

    /// How many layers it is: 1, and those inside of it.
    #[must_use]
    pub fn count(&self) -> usize {
        1 + count(self.branches().into_iter().flatten())
    }
}

/// How many layers these are, those inside of them included.
fn count<'l>(layers: impl IntoIterator<Item = &'l Layer>) -> usize {
    layers.into_iter().map(Layer::count).sum()
}
