//! The windows of a convolution or a pooling: how many fit along an axis.

use super::Misfit;
use crate::{Shape, Size2, counted};

/// A window that slides along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    ceil_mode: bool,
}

/// The windows along the vertical and the horizontal axis, with nothing zero that must not be.
pub(super) fn both(
    kernel: Size2,
    stride: Size2,
    padding: Size2,
    dilation: Size2,
    ceil_mode: bool,
) -> Result<[Window; 2], Misfit> {
    for (key, size) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
        if size.height == 0 || size.width == 0 {
            return Err(Misfit::new(format!("{key} must be at least 1, got {size}")));
        }
    }
    let down = Window {
        kernel: kernel.height,
        stride: stride.height,
        padding: padding.height,
        dilation: dilation.height,
        ceil_mode,
    };
    let across = Window {
        kernel: kernel.width,
        stride: stride.width,
        padding: padding.width,
        dilation: dilation.width,
        ceil_mode,
    };
    Ok([down, across])
}

impl Window {
    /// The number of windows over `pixels` along `axis` of the input; not one is a misfit.
    pub(super) fn fit(self, pixels: usize, axis: &str, input: Shape) -> Result<usize, Misfit> {
        self.count(pixels).ok_or_else(|| {
            let mut taps = format!("a window of {}", self.kernel);
            if self.dilation > 1 {
                taps += &format!(" with dilation {}", self.dilation);
            }
            Misfit::new(format!("{taps} does not fit in {axis} {pixels} with padding {}, got {input}", self.padding))
                .help("use a smaller kernel, more padding, or less pooling before it")
        })
    }

    /// The number of windows over `input` pixels; `None` when not one fits, or when the number is out of range.
    ///
    /// ⌊(input + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1. In ceil mode ⌈·⌉ replaces ⌊·⌋ and, as in
    /// PyTorch, a last window that would start in the padding on the far side is dropped.
    fn count(self, input: usize) -> Option<usize> {
        let [input, kernel, stride, padding] = [input, self.kernel, self.stride, self.padding].map(|n| n as i128);
        let dilation = self.dilation as i128;
        // Each factor is below 2⁶⁴, so a product may not fit in i128, while the sums of what fits do.
        let reach = dilation.checked_mul(kernel - 1)?.checked_add(1)?;
        let mut room = input.checked_add(2 * padding)?.checked_sub(reach)?;
        if self.ceil_mode {
            room += stride - 1;
        }
        let mut count = room.div_euclid(stride) + 1;
        if self.ceil_mode && count >= 1 && (count - 1).checked_mul(stride)? >= input + padding {
            count -= 1;
        }
        usize::try_from(count).ok().filter(|&count| count > 0)
    }

    /// Refuses a pooling window that could lie in the padding alone, where there is nothing to take a maximum of.
    ///
    /// Padding of at most half of the window keeps a dense window in touch with the image; a dilated one must not be
    /// able to step over the whole image between two taps.
    pub(super) fn check_pooling_padding(self, input: usize) -> Result<(), Misfit> {
        let reach = (self.dilation as i128).checked_mul(self.kernel as i128 - 1).map(|span| span + 1);
        if reach.is_some_and(|reach| self.padding as i128 > reach / 2) {
            return Err(Misfit::new(format!(
                "padding {} is more than half of the window, {}",
                self.padding, self.kernel
            )));
        }
        if self.padding > 0 && self.dilation > input {
            return Err(Misfit::new(format!(
                "dilation {} with padding steps over all {}",
                self.dilation,
                counted(input, "pixel")
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `torch.nn.functional.max_pool2d` on inputs of these sizes.
    #[test]
    fn ceil_mode_counts_windows_as_pytorch_does() {
        let count = |kernel, stride, padding, ceil_mode, input| {
            Window { kernel, stride, padding, dilation: 1, ceil_mode }.count(input)
        };
        assert_eq!(count(2, 2, 0, false, 5), Some(2));
        assert_eq!(count(2, 2, 0, true, 5), Some(3));
        assert_eq!(count(3, 2, 1, true, 5), Some(3));
        assert_eq!(count(3, 2, 1, true, 6), Some(4));
        // ⌈(4 + 2 − 2)/3⌉ + 1 = 3 windows, the third of which starts at 6 − 1 = 5 ≥ 4, in the far padding: it is dropped.
        assert_eq!(count(2, 3, 1, true, 4), Some(2));
        // A window larger than the image may still hang over its edge.
        assert_eq!(count(4, 2, 0, true, 3), Some(1));
        assert_eq!(count(4, 2, 0, false, 3), None);
    }

    proptest! {
        /// Every pooling window that is accepted has at least one pixel of the image under a tap.
        #[test]
        fn every_pooling_window_touches_the_image(
            input in 1_usize..10,
            kernel in 1_usize..6,
            stride in 1_usize..6,
            padding in 0_usize..6,
            dilation in 1_usize..6,
            ceil_mode: bool,
        ) {
            let window = Window { kernel, stride, padding, dilation, ceil_mode };
            if window.check_pooling_padding(input).is_ok() && let Some(count) = window.count(input) {
                for output in 0..count {
                    let start = (output * stride) as isize - padding as isize;
                    let touches = (0..kernel).any(|tap| {
                        (0..input as isize).contains(&(start + (tap * dilation) as isize))
                    });
                    prop_assert!(touches, "window {output} of {window:?} over {input}");
                }
            }
        }
    }
}
