//! What a plan computes, one operation after the other.

use backproof_kernels::{Conv2dShape, Divisor, ElementFunction, Window};

/// An operation of a plan. A plan puts some together: a ReLU is computed with the convolution before it.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Convolution; the shape of its input has to be that of what comes in.
    Conv2d {
        /// What it is.
        shape: Conv2dShape,
        /// Whether it has a bias.
        bias: bool,
    },
    /// The largest value of each window.
    MaxPool2d {
        /// The windows.
        window: Window,
        /// Rows and columns of the output.
        output: [usize; 2],
    },
    /// The mean of each window.
    AvgPool2d {
        /// The windows.
        window: Window,
        /// What the mean is over.
        divisor: Divisor,
        /// Rows and columns of the output.
        output: [usize; 2],
    },
    /// Fully connected.
    Linear {
        /// Features of the output.
        outputs: usize,
        /// Whether it has a bias.
        bias: bool,
    },
    /// `[C, H, W]` to `[C·H·W]`.
    Flatten,
    /// max(0, x), with the gradient 0 at 0.
    Relu,
    /// max(0, x), with the gradient 1 at 0. It is not computed with the operation before it: its backward pass needs
    /// the input, since an output of 0 does not say whether the input was 0 or below.
    ReluPassingZero,
    /// A function of each number.
    Elementwise(ElementFunction),
    /// x above 0, slope · x elsewhere, with one slope that is learned.
    Prelu,
    /// Batch normalisation.
    BatchNorm {
        /// ε.
        epsilon: f64,
        /// The weight of the newest batch in the running statistics.
        momentum: f64,
        /// Whether it has a learned scale, γ; else that is 1.
        scale: bool,
        /// Whether it has a learned shift, β; else that is 0.
        shift: bool,
    },
    /// Inverted dropout, by a mask that the caller makes.
    Dropout,
    /// The sum of what a body and a shortcut make of the same input. Its own number comes before those of the
    /// operations in its body, and these come before those of the operations in its shortcut.
    Residual {
        /// The operations of the body.
        body: Vec<Operation>,
        /// What is beside the body.
        shortcut: Shortcut,
    },
}

/// What is beside the body of [`Operation::Residual`].
#[derive(Debug, Clone, PartialEq)]
pub enum Shortcut {
    /// The input as it is.
    Identity,
    /// Pixels at a stride, `[rows, columns]`, and channels of zeros, up to `channels` of them.
    Pixels {
        /// Channels of the output.
        channels: usize,
        /// Pixels from one that is taken to the next.
        stride: [usize; 2],
    },
    /// Operations of its own.
    Operations(Vec<Operation>),
}

impl Operation {
    /// How many numbers it takes: 1, and those of the operations inside of it.
    #[must_use]
    pub fn count(&self) -> usize {
        let inside = |operations: &[Self]| operations.iter().map(Self::count).sum::<usize>();
        match self {
            Self::Residual { body, shortcut: Shortcut::Operations(shortcut) } => 1 + inside(body) + inside(shortcut),
            Self::Residual { body, .. } => 1 + inside(body),
            _ => 1,
        }
    }
}
