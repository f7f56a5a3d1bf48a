//! Max pooling.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::keys::{DILATION, PADDING};
use super::pooling::{self, CEIL_MODE, KERNEL, STRIDE};
use super::words::unless_plain;
use super::{Inferred, Misfit, window};
use crate::config::{Entries, Key, Record};
use crate::{Shape, Size2};

/// Max pooling: the largest value of each window. Padding never wins: it counts as −∞.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPool2dSpec {
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

impl MaxPool2dSpec {
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

impl Definition for MaxPool2dSpec {
    const DOC: &'static str = "The largest value of each window.";

    const KEYS: &'static [Key] = &[KERNEL, STRIDE, PADDING, DILATION, CEIL_MODE];

    const STEM: Option<&'static str> = Some("pool");

    fn read(record: &Record) -> Self {
        Self {
            kernel: record.size("kernel"),
            stride: record.optional_size("stride"),
            padding: record.size("padding"),
            dilation: record.size("dilation"),
            ceil_mode: record.flag("ceil_mode"),
        }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("kernel", self.kernel);
        entries.push_some("stride", self.stride);
        entries.push("padding", self.padding);
        entries.push("dilation", self.dilation);
        entries.push("ceil_mode", self.ceil_mode);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        let stride = self.effective_stride();
        pooling::infer(window::both(self.kernel, stride, self.padding, self.dilation, self.ceil_mode)?, input)
    }

    fn describe(&self) -> String {
        let mut text = format!("max pool {}", self.kernel);
        text += &unless_plain("stride", self.effective_stride(), 0);
        text += &unless_plain("padding", self.padding, 0);
        text += &unless_plain("dilation", self.dilation, 1);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_the_stride_unless_there_is_another() {
        let input = Shape::image(3, 8, 8);
        let pool = MaxPool2dSpec::new([2, 4]);
        assert_eq!(pool.infer(input, &[]).unwrap(), Inferred::without_parameters(Shape::image(3, 4, 2)));
        assert_eq!(pool.describe(), "max pool 2×4, stride 2×4");
        let overlapping = MaxPool2dSpec { stride: Some(Size2::square(1)), ..pool };
        assert_eq!(overlapping.infer(input, &[]).unwrap().output, Shape::image(3, 7, 5));
        assert_eq!(overlapping.describe(), "max pool 2×4, stride 1");
    }

    #[test]
    fn a_window_may_be_dilated_and_hang_over_the_edge() {
        let pool = MaxPool2dSpec { dilation: Size2::new(2, 1), ..MaxPool2dSpec::new(2) };
        assert_eq!(pool.infer(Shape::image(1, 7, 7), &[]).unwrap().output, Shape::image(1, 3, 3));
        assert_eq!(pool.describe(), "max pool 2×2, stride 2, dilation 2×1");
        let pool = MaxPool2dSpec { ceil_mode: true, ..pool };
        // Down, a window reaches over three pixels: ⌈(7 − 3)/2⌉ + 1 = 3; across over two: ⌈(7 − 2)/2⌉ + 1 = 4.
        assert_eq!(pool.infer(Shape::image(1, 7, 7), &[]).unwrap().output, Shape::image(1, 3, 4));
    }

    #[test]
    fn a_misfit_says_what_came() {
        let cases = [
            (
                MaxPool2dSpec { padding: Size2::square(2), ..MaxPool2dSpec::new(3) },
                "padding 2 is more than half of the window, 3",
            ),
            (
                MaxPool2dSpec { padding: Size2::square(3), dilation: Size2::square(5), ..MaxPool2dSpec::new(2) },
                "dilation 5 with padding steps over all 4 pixels",
            ),
            (MaxPool2dSpec::new(5), "a window of 5 does not fit in height 4 with padding 0, got 6×4×4"),
        ];
        for (layer, expected) in cases {
            assert_eq!(layer.infer(Shape::image(6, 4, 4), &[]).unwrap_err().problem, expected);
        }
    }
}
