//! Max pooling and average pooling of one blocked image.

mod average;
mod max;

use crate::layout::Layout;

pub use average::{Divisor, avg_pool_backward, avg_pool_forward};
pub use max::{max_pool_backward, max_pool_forward};

/// Windows over an image; pairs are `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of a window.
    pub kernel: [usize; 2],
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Pixels around the image, which never win and add nothing.
    pub padding: [usize; 2],
    /// Pixels from a tap of a window to the next.
    pub dilation: [usize; 2],
}

impl Window {
    /// For window (`row`, `column`) the taps that lie inside of an image of `height` × `width`: tap in the window, row
    /// and column.
    fn taps(
        self,
        [row, column]: [usize; 2],
        [height, width]: [usize; 2],
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let inside = move |axis: usize, window: usize, tap: usize, size: usize| {
            (window * self.stride[axis] + tap * self.dilation[axis])
                .checked_sub(self.padding[axis])
                .filter(|&at| at < size)
        };
        (0..self.kernel[0]).flat_map(move |k| {
            let row = inside(0, row, k, height);
            (0..self.kernel[1]).filter_map(move |l| Some((k * self.kernel[1] + l, row?, inside(1, column, l, width)?)))
        })
    }
}

/// Calls `f` with block, row and column of every pixel of `to`.
#[inline(always)]
fn each_window(to: &Layout, mut f: impl FnMut(usize, usize, usize)) {
    for (block, row) in to.rows() {
        for column in 0..to.width {
            f(block, row, column);
        }
    }
}

/// Sets all but the border to zero.
fn clear(layout: &Layout, image: &mut [f32]) {
    for (block, row) in layout.rows() {
        layout.row_mut(image, block, row).as_flattened_mut().fill(0.0);
    }
}

/// Panics unless both are blocked, have as many channels, and lie in slices of their lengths.
#[track_caller]
fn check(from: &Layout, input: &[f32], to: &Layout, output: &[f32]) {
    from.check_blocked(input);
    to.check_blocked(output);
    assert_eq!(from.channels, to.channels, "{from:?} to {to:?}");
}

#[cfg(test)]
mod tests;
