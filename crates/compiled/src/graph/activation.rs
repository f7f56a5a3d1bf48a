//! The memory between two nodes.

use backproof_kernels::{Border, LANES, Layout};

/// An activation between two nodes: what flows there, and its gradient.
#[derive(Debug, Clone)]
pub(crate) struct Activation {
    pub(crate) values: Layout,
    pub(crate) gradient: Layout,
    /// Whether the values are needed in the backward pass, or across a section; else one image's memory is enough.
    pub(crate) values_kept: bool,
    /// Whether the gradient is needed across a section.
    pub(crate) gradient_kept: bool,
    /// Whether a ReLU has been applied, which whoever makes the gradient has to heed…
    pub(crate) relu_fused: bool,
    /// …and whether the node after heeds it already.
    pub(crate) masked_next: bool,
    /// Whether a residual connection begins here, so that several nodes read it. Then what the nodes make of the
    /// gradient is added up first, and only whoever has made the values heeds a ReLU.
    pub(crate) shared: bool,
}

impl Activation {
    pub(super) fn new(values: Layout) -> Self {
        Self {
            values,
            gradient: Layout::blocked([values.channels, values.height, values.width], Border::default()),
            values_kept: true,
            gradient_kept: true,
            relu_fused: false,
            masked_next: false,
            shared: false,
        }
    }

    /// Numbers of the values, rounded up to whole vectors.
    pub(crate) fn stride(&self) -> usize {
        self.values.size().next_multiple_of(LANES)
    }

    pub(crate) fn gradient_stride(&self) -> usize {
        self.gradient.size().next_multiple_of(LANES)
    }

    /// Where feature `feature` of `[C·H·W]` lies.
    pub(crate) fn feature(&self, feature: usize) -> usize {
        let Layout { height, width, .. } = self.values;
        let (channel, pixel) = (feature / (height * width), feature % (height * width));
        self.values.offset(channel, (pixel / width) as isize, (pixel % width) as isize)
    }

    pub(crate) fn features(&self) -> usize {
        self.values.channels * self.values.height * self.values.width
    }
}
