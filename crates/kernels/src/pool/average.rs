//! The mean of each window, and its way back.

use super::{Window, check, clear, each_window};
use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::Lanes;

/// How many taps of a window the mean is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divisor {
    /// Those inside of the image.
    Inside,
    /// Those inside of the padded image.
    Padded,
}

impl Divisor {
    fn of(self, window: &Window, [row, column]: [usize; 2], [height, width]: [usize; 2]) -> f32 {
        let extent = |axis: usize, at: usize, size: usize| {
            let start = (at * window.stride[axis]) as isize - window.padding[axis] as isize;
            let end = start + window.kernel[axis] as isize;
            let (least, most) = match self {
                Self::Inside => (0, size as isize),
                Self::Padded => (-(window.padding[axis] as isize), (size + window.padding[axis]) as isize),
            };
            (end.min(most) - start.max(least)) as f32
        };
        extent(0, row, height) * extent(1, column, width)
    }
}

/// The mean of each window, of an image of layout `from` to one of layout `to`.
///
/// # Panics
///
/// If a layout is planar, the two differ in channels, a window is dilated, or a slice has another length than it
/// should.
pub fn avg_pool_forward(
    isa: Isa,
    window: &Window,
    divisor: Divisor,
    from: &Layout,
    input: &[f32],
    to: &Layout,
    output: &mut [f32],
) {
    check(from, input, to, output);
    assert_eq!(window.dilation, [1, 1], "windows of a mean are dense");
    isa.run(AvgForward { window, divisor, from, input, to, output });
}

struct AvgForward<'a> {
    window: &'a Window,
    divisor: Divisor,
    from: &'a Layout,
    input: &'a [f32],
    to: &'a Layout,
    output: &'a mut [f32],
}

impl Kernel for AvgForward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { window, divisor, from, input, to, output } = self;
        let size = [from.height, from.width];
        each_window(to, |block, row, column| {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let mut sum = V::splat(0.0);
                for (_, row, column) in window.taps([row, column], size) {
                    sum = sum.add(V::of(&from.row(input, block, row)[column]));
                }
                let mean = sum.div(V::splat(divisor.of(window, [row, column], size)));
                mean.put(&mut to.row_mut(output, block, row)[column]);
            }
        });
    }
}

/// `∂L/∂x` of [`avg_pool_forward`]: `gradient` has the layout `to`, `input_gradient`, of which all but the border is
/// written, `from`.
///
/// # Panics
///
/// If a layout is planar, the two differ in channels, a window is dilated, or a slice has another length than it
/// should.
pub fn avg_pool_backward(
    isa: Isa,
    window: &Window,
    divisor: Divisor,
    to: &Layout,
    gradient: &[f32],
    from: &Layout,
    input_gradient: &mut [f32],
) {
    check(from, input_gradient, to, gradient);
    assert_eq!(window.dilation, [1, 1], "windows of a mean are dense");
    clear(from, input_gradient);
    isa.run(AvgBackward { window, divisor, to, gradient, from, input_gradient });
}

struct AvgBackward<'a> {
    window: &'a Window,
    divisor: Divisor,
    to: &'a Layout,
    gradient: &'a [f32],
    from: &'a Layout,
    input_gradient: &'a mut [f32],
}

impl Kernel for AvgBackward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { window, divisor, to, gradient, from, input_gradient } = self;
        let size = [from.height, from.width];
        each_window(to, |block, row, column| {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let gradient = V::of(&to.row(gradient, block, row)[column]);
                let share = gradient.div(V::splat(divisor.of(window, [row, column], size)));
                for (_, row, column) in window.taps([row, column], size) {
                    let to = &mut from.row_mut(input_gradient, block, row)[column];
                    V::of(to).add(share).put(to);
                }
            }
        });
    }
}
