//! Operations put together to nodes, with where their parameters are.

use std::ops::Range;

use backproof_kernels::{DirectConv2d, Divisor, ElementFunction, Layout, Window, Winograd};

/// From one activation, or two, to the next: node `i` gives activation `i + 1`.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Conv2d {
        conv: Box<DirectConv2d>,
        weights: Range<usize>,
        bias: Option<Range<usize>>,
        /// Where, among all flipped weights, its own are; none for the first node, whose input needs no gradient.
        flipped: Option<Range<usize>>,
        /// How it is computed where that is faster.
        tiles: Option<Box<Tiles>>,
        /// Whether the gradient comes without the border that it needs.
        padded: Option<Layout>,
    },
    MaxPool2d {
        window: Window,
    },
    AvgPool2d {
        window: Window,
        divisor: Divisor,
    },
    Linear {
        outputs: usize,
        weights: Range<usize>,
        bias: Option<Range<usize>>,
        first: bool,
    },
    Relu,
    ReluPassingZero,
    Elementwise(ElementFunction),
    Prelu {
        slope: Range<usize>,
    },
    BatchNorm {
        /// Which of the plan's normalisations.
        index: usize,
        gamma: Range<usize>,
        beta: Range<usize>,
    },
    Dropout,
    /// Pixels at a stride, and channels of zeros. Where a residual connection begins, it is before the nodes of the
    /// body: in the backward pass these have written the gradient of what both read, and it adds its own.
    Pixels {
        stride: [usize; 2],
    },
    /// The sum of what it reads and of another activation.
    Sum {
        other: usize,
    },
}

/// A convolution by tiles.
#[derive(Debug, Clone)]
pub(crate) struct Tiles {
    pub(crate) winograd: Winograd,
    /// Where its own are among all transformed weights, and among the sums of their gradients.
    pub(crate) weights: Range<usize>,
    /// Likewise those for the input gradient.
    pub(crate) flipped: Option<Range<usize>>,
}

impl Node {
    /// Whether it takes all images of a shard at once.
    pub(crate) fn takes_all_images(&self) -> bool {
        match self {
            Self::Linear { .. } => true,
            Self::Conv2d { conv, .. } => Winograd::together(conv.shape()),
            _ => false,
        }
    }
}
