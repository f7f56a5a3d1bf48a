//! Along one axis: how many windows of a convolution or a pooling fit.

use super::Misfit;
use crate::counted;

/// A window that slides along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
    pub(super) ceil_mode: bool,
}

impl Window {
    /// The number of windows over `input` pixels; `None` when not one fits, or when the number is out of range.
    ///
    /// ⌊(input + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1. In ceil mode ⌈·⌉ replaces ⌊·⌋ and, as in
    /// PyTorch, a last window that would start in the padding on the far side is dropped.
    pub(super) fn count(self, input: usize) -> Option<usize> {
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
