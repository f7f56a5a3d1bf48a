//! The layers that a network can be made of, as data.

use serde::{Deserialize, Serialize};

use crate::Size2;

/// One layer of an [`Architecture`](crate::Architecture).
///
/// In a config a layer is a table with a `type`, `{ type = "conv2d", out_channels = 16, kernel = 5 }`, or its type
/// alone, `"relu"`, where it has no key without a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Layer {
    /// Convolution of images.
    Conv2d(Conv2d),
    /// The largest value of each window.
    MaxPool2d(MaxPool2d),
    /// The mean value of each window.
    AvgPool2d(AvgPool2d),
    /// Fully connected layer on vectors.
    Linear(Linear),
    /// `[C, H, W]` to `[C·H·W]`, the last axis fastest.
    Flatten,
    /// max(0, x).
    Relu,
    /// x for x > 0, slope · x elsewhere.
    LeakyRelu {
        /// Slope for x ≤ 0.
        slope: f64,
    },
    /// [`LeakyRelu`](Layer::LeakyRelu) with one slope that is learned, shared by all channels.
    Prelu {
        /// The slope before training.
        initial_slope: f64,
    },
    /// x for x > 0, α · (eˣ − 1) elsewhere.
    Elu {
        /// α.
        alpha: f64,
    },
    /// x · Φ(x), Φ the distribution function of the standard normal distribution.
    Gelu,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// tanh x.
    Tanh,
    /// Normalisation over the batch, per channel of an image or per feature of a vector.
    BatchNorm(BatchNorm),
    /// Zeroes values at random while training.
    Dropout(Dropout),
}

/// A two-dimensional convolution, `[C, H, W]` to `[out_channels, H′, W′]` with
/// H′ = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, and W′ likewise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Number of kernels, and so of channels of the output.
    pub out_channels: usize,
    /// Size of a kernel in pixels.
    pub kernel: Size2,
    /// Step from one window to the next.
    pub stride: Size2,
    /// Zeros put around the image, on each side.
    pub padding: Size2,
    /// Distance between the taps of a kernel; 1 is a dense kernel.
    pub dilation: Size2,
    /// Groups of channels that do not see one another; divides the channels in and out.
    pub groups: usize,
    /// Whether each output channel has a bias.
    pub bias: bool,
}

impl Conv2d {
    /// A convolution with stride 1, no padding, no dilation, one group, with bias.
    pub fn new(out_channels: usize, kernel: impl Into<Size2>) -> Self {
        Self {
            out_channels,
            kernel: kernel.into(),
            stride: Size2::square(1),
            padding: Size2::square(0),
            dilation: Size2::square(1),
            groups: 1,
            bias: true,
        }
    }

    /// The same with another stride.
    #[must_use]
    pub fn stride(mut self, stride: impl Into<Size2>) -> Self {
        self.stride = stride.into();
        self
    }

    /// The same with another padding.
    #[must_use]
    pub fn padding(mut self, padding: impl Into<Size2>) -> Self {
        self.padding = padding.into();
        self
    }

    /// The same with another dilation.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Into<Size2>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// The same with another number of groups.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// The same without a bias.
    #[must_use]
    pub fn without_bias(mut self) -> Self {
        self.bias = false;
        self
    }
}

/// Max pooling. Padding never wins: it counts as −∞.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPool2d {
    /// Size of a window in pixels.
    pub kernel: Size2,
    /// Step from one window to the next; the kernel's size when absent.
    pub stride: Option<Size2>,
    /// Pixels put around the image, on each side; at most half of the kernel.
    pub padding: Size2,
    /// Distance between the taps of a window.
    pub dilation: Size2,
    /// Whether a window may hang over the far edge, where ⌈·⌉ replaces ⌊·⌋ in the output size.
    pub ceil_mode: bool,
}

impl MaxPool2d {
    /// Windows side by side, no padding.
    pub fn new(kernel: impl Into<Size2>) -> Self {
        Self {
            kernel: kernel.into(),
            stride: None,
            padding: Size2::square(0),
            dilation: Size2::square(1),
            ceil_mode: false,
        }
    }

    /// The stride in force: the given one, or the kernel's size.
    pub fn effective_stride(&self) -> Size2 {
        self.stride.unwrap_or(self.kernel)
    }
}

/// Average pooling.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvgPool2d {
    /// Size of a window in pixels.
    pub kernel: Size2,
    /// Step from one window to the next; the kernel's size when absent.
    pub stride: Option<Size2>,
    /// Zeros put around the image, on each side; at most half of the kernel.
    pub padding: Size2,
    /// Whether a window may hang over the far edge, where ⌈·⌉ replaces ⌊·⌋ in the output size.
    pub ceil_mode: bool,
    /// Whether the zeros of the padding count in the mean's divisor.
    pub count_include_pad: bool,
}

impl AvgPool2d {
    /// Windows side by side, no padding.
    pub fn new(kernel: impl Into<Size2>) -> Self {
        Self {
            kernel: kernel.into(),
            stride: None,
            padding: Size2::square(0),
            ceil_mode: false,
            count_include_pad: true,
        }
    }

    /// The stride in force: the given one, or the kernel's size.
    pub fn effective_stride(&self) -> Size2 {
        self.stride.unwrap_or(self.kernel)
    }
}

/// A fully connected layer, `[F]` to `[out_features]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linear {
    /// Number of features of the output.
    pub out_features: usize,
    /// Whether each output feature has a bias.
    pub bias: bool,
}

impl Linear {
    /// A fully connected layer with bias.
    pub fn new(out_features: usize) -> Self {
        Self { out_features, bias: true }
    }
}

/// Batch normalisation with a learned scale and offset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    /// Added to the variance before the root.
    pub epsilon: f64,
    /// Weight of the batch in the running mean and variance: running ← (1 − momentum) · running + momentum · batch.
    pub momentum: f64,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1 }
    }
}

/// Inverted dropout: what is kept is divided by 1 − probability while training; inference changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// Probability that a value is zeroed, in [0, 1).
    pub probability: f64,
}
