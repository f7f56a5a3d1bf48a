//! What a convolution is, and where its taps lie.

use std::ops::Range;

use crate::layout::{Border, Layout};

/// What a convolution is; pairs are `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2dShape {
    /// Channels of the input, C.
    pub channels: usize,
    /// Rows and columns of the input.
    pub input: [usize; 2],
    /// Channels of the output, O.
    pub outputs: usize,
    /// Rows and columns of a kernel.
    pub kernel: [usize; 2],
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Zeros on each side.
    pub padding: [usize; 2],
    /// Pixels from a tap to the next.
    pub dilation: [usize; 2],
    /// Parts that the channels are divided into.
    pub groups: usize,
}

impl Conv2dShape {
    /// Rows and columns of the output.
    ///
    /// # Panics
    ///
    /// If the padded image is smaller than the kernel.
    #[must_use]
    pub fn output(&self) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            let padded = self.input[axis] + 2 * self.padding[axis];
            assert!(padded >= reach, "a padded image of {padded} has no window of {reach}");
            (padded - reach) / self.stride[axis] + 1
        })
    }

    /// Weights, `O · C/groups · K · K′`.
    #[must_use]
    pub const fn weights(&self) -> usize {
        self.outputs * (self.channels / self.groups) * self.kernel[0] * self.kernel[1]
    }

    /// The border that the input has to have.
    #[must_use]
    pub const fn input_border(&self) -> Border {
        let [vertical, horizontal] = self.padding;
        Border { top: vertical, left: horizontal, bottom: vertical, right: horizontal }
    }

    /// The border that the output gradient has to have for the input gradient: none is read where it stops being more
    /// than zero, so that a padding above the kernel's reach needs none.
    #[must_use]
    pub fn gradient_border(&self) -> Border {
        let spread = self.spread_output();
        let [before, after]: [[usize; 2]; 2] = [
            std::array::from_fn(|axis| {
                (self.dilation[axis] * (self.kernel[axis] - 1)).saturating_sub(self.padding[axis])
            }),
            std::array::from_fn(|axis| (self.input[axis] + self.padding[axis]).saturating_sub(spread[axis])),
        ];
        Border { top: before[0], left: before[1], bottom: after[0], right: after[1] }
    }

    /// Rows and columns of the output with `stride − 1` zeros between neighbours.
    pub(super) fn spread_output(&self) -> [usize; 2] {
        let output = self.output();
        std::array::from_fn(|axis| (output[axis] - 1) * self.stride[axis] + 1)
    }

    pub(super) fn is_strided(&self) -> bool {
        self.stride != [1, 1]
    }

    /// The channels, of `of` in all, that are in a group with channel `channel` of `channels`.
    pub(super) fn partners(&self, channel: usize, [channels, of]: [usize; 2]) -> Range<usize> {
        let group = channel / (channels / self.groups);
        let size = of / self.groups;
        group * size..(group + 1) * size
    }

    /// Panics where there is nothing to compute: sizes of zero would be divided by.
    pub(super) fn check(&self) {
        let sizes = [[self.channels, self.outputs], self.input, self.kernel, self.stride, self.dilation];
        assert!(self.groups > 0 && sizes.as_flattened().iter().all(|&size| size > 0), "a size is zero: {self:?}");
    }

    /// Where the taps of `channel` lie for the first pixel: forward, tap k is `k·dilation − padding` away from it,
    /// backward as far to the other side.
    ///
    /// # Panics
    ///
    /// If a tap of the first or of the last pixel leaves the border; so then would none of a pixel between them.
    pub(super) fn taps(&self, layout: Layout, channel: usize, towards: Towards) -> Vec<usize> {
        let (sign, pixels, stride) = match towards {
            Towards::Output => (1, self.output(), self.stride),
            Towards::Input => (-1, self.input, [1, 1]),
        };
        let at = |axis: usize, tap: usize| sign * ((tap * self.dilation[axis]) as isize - self.padding[axis] as isize);
        let last: [isize; 2] = std::array::from_fn(|axis| ((pixels[axis] - 1) * stride[axis]) as isize);
        (0..self.kernel[0])
            .flat_map(|k| (0..self.kernel[1]).map(move |l| (k, l)))
            .map(|(k, l)| {
                let _ = layout.offset(channel, at(0, k) + last[0], at(1, l) + last[1]);
                layout.offset(channel, at(0, k), at(1, l))
            })
            .collect()
    }
}

/// Which way a correlation goes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Towards {
    Output,
    Input,
}
