//! Average pooling.

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::keys::PADDING;
use super::pooling::{self, CEIL_MODE, KERNEL, STRIDE};
use super::words::unless_plain;
use super::{Inferred, Misfit, window};
use crate::config::{Entries, Key, Kind, Literal, Presence, Record, key};
use crate::{Shape, Size2};

/// Average pooling: the mean value of each window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvgPool2dSpec {
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

impl AvgPool2dSpec {
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

impl Definition for AvgPool2dSpec {
    const DOC: &'static str = "The mean value of each window.";

    const KEYS: &'static [Key] = &[
        KERNEL,
        STRIDE,
        PADDING,
        CEIL_MODE,
        key(
            "count_include_pad",
            Kind::Flag,
            Presence::Default(Literal::Flag(true)),
            "Whether the padding counts in the mean's divisor.",
        ),
    ];

    const STEM: Option<&'static str> = Some("pool");

    fn read(record: &Record) -> Self {
        Self {
            kernel: record.size("kernel"),
            stride: record.optional_size("stride"),
            padding: record.size("padding"),
            ceil_mode: record.flag("ceil_mode"),
            count_include_pad: record.flag("count_include_pad"),
        }
    }

    fn write(&self, entries: &mut Entries) {
        entries.push("kernel", self.kernel);
        entries.push_some("stride", self.stride);
        entries.push("padding", self.padding);
        entries.push("ceil_mode", self.ceil_mode);
        entries.push("count_include_pad", self.count_include_pad);
    }

    fn infer(&self, input: Shape, _: &[Shape]) -> Result<Inferred, Misfit> {
        let (stride, dense) = (self.effective_stride(), Size2::square(1));
        pooling::infer(window::both(self.kernel, stride, self.padding, dense, self.ceil_mode)?, input)
    }

    fn describe(&self) -> String {
        let mut text = format!("average pool {}", self.kernel);
        text += &unless_plain("stride", self.effective_stride(), 0);
        text += &unless_plain("padding", self.padding, 0);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_and_the_far_edge_add_windows() {
        let pool = AvgPool2dSpec { padding: Size2::square(1), ..AvgPool2dSpec::new(3) };
        let expected = Inferred::without_parameters(Shape::image(3, 3, 3));
        assert_eq!(pool.infer(Shape::image(3, 8, 8), &[]).unwrap(), expected);
        let pool = AvgPool2dSpec { stride: Some(Size2::new(2, 4)), ceil_mode: true, ..AvgPool2dSpec::new(2) };
        // Down: ⌈(7 − 2)/2⌉ + 1 = 4; across: ⌈(7 − 2)/4⌉ + 1 = 3, the last of which would start behind the image.
        assert_eq!(pool.infer(Shape::image(3, 7, 7), &[]).unwrap().output, Shape::image(3, 4, 2));
    }

    #[test]
    fn what_is_not_plain_is_described() {
        let pool = AvgPool2dSpec { padding: Size2::square(1), ..AvgPool2dSpec::new(2) };
        assert_eq!(pool.describe(), "average pool 2×2, stride 2, padding 1");
    }

    #[test]
    fn a_vector_is_refused() {
        let misfit = AvgPool2dSpec::new(2).infer(Shape::vector(1), &[]).unwrap_err();
        assert_eq!(misfit.problem, "expected an image, got a vector of 1 feature");
        let help = "put it before the `flatten` or `linear` layer that makes the vector";
        assert_eq!(misfit.help.as_deref(), Some(help));
    }
}
