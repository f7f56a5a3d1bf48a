//! Max pooling and average pooling of one blocked image.

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// Windows over an image; pairs are `[height, width]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of a window.
    pub kernel: [usize; 2],
    /// Pixels from a window to the next.
    pub stride: [usize; 2],
    /// Pixels around the image, which never win and add nothing.
    pub padding: [usize; 2],
    /// Pixels from a place of a window to the next.
    pub dilation: [usize; 2],
}

impl Window {
    /// For window (`row`, `column`) the places that lie inside of an image of `height` × `width`: place in the window, row and
    /// column.
    fn places(
        self,
        [row, column]: [usize; 2],
        [height, width]: [usize; 2],
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let inside = move |axis: usize, window: usize, place: usize, size: usize| {
            (window * self.stride[axis] + place * self.dilation[axis])
                .checked_sub(self.padding[axis])
                .filter(|&at| at < size)
        };
        (0..self.kernel[0]).flat_map(move |k| {
            let row = inside(0, row, k, height);
            (0..self.kernel[1]).filter_map(move |l| Some((k * self.kernel[1] + l, row?, inside(1, column, l, width)?)))
        })
    }
}

/// The largest value of each window, and in `winners`, as a number, which place of the window it has: the first in row-major
/// order. `output` and `winners` have the layout `to`.
///
/// # Panics
///
/// If a layout is planar or a slice has another length than it should.
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn max_pool_forward(
    isa: Isa,
    window: &Window,
    from: &Layout,
    input: &[f32],
    to: &Layout,
    output: &mut [f32],
    winners: &mut [f32],
) {
    check(from, input, to, output);
    assert_eq!(winners.len(), output.len(), "the winners");
    isa.run(MaxForward { window, from, input, to, output, winners });
}

struct MaxForward<'a> {
    window: &'a Window,
    from: &'a Layout,
    input: &'a [f32],
    to: &'a Layout,
    output: &'a mut [f32],
    winners: &'a mut [f32],
}

impl Kernel for MaxForward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { window, from, input, to, output, winners } = self;
        let quarters = is_quarters(window, from, to);
        each_window(to, |block, row, column, at| {
            // SAFETY: every index is bounds-checked, and has room for 16 numbers.
            unsafe {
                let mut best = V::splat(f32::NEG_INFINITY);
                let mut winner = V::splat(0.0);
                let mut meet = |place: usize, row: usize, column: usize| {
                    let start = from.block_start(block) + row * from.row_stride() + column * LANES;
                    let value = V::load(input[start..][..LANES].as_ptr());
                    winner = value.select_greater(best, V::splat(place as f32), winner);
                    best = value.select_greater(best, value, best);
                };
                if quarters {
                    for place in 0..4 {
                        meet(place, 2 * row + place / 2, 2 * column + place % 2);
                    }
                } else {
                    window
                        .places([row, column], [from.height, from.width])
                        .for_each(|(place, row, column)| meet(place, row, column));
                }
                best.store(output[at..][..LANES].as_mut_ptr());
                winner.store(winners[at..][..LANES].as_mut_ptr());
            }
        });
    }
}

/// `∂L/∂x` of [`max_pool_forward`]: the gradient of each output goes to its winner. With `positive`, the output of the forward
/// pass, only where that is above zero: the gradient through a ReLU before the pooling. `gradient`, `winners` and `positive`
/// have the layout `to`; `input_gradient`, of which all but the border is written, has `from`.
///
/// # Panics
///
/// If a layout is planar or a slice has another length than it should.
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn max_pool_backward(
    isa: Isa,
    window: &Window,
    to: &Layout,
    gradient: &[f32],
    winners: (&Layout, &[f32]),
    positive: Option<&[f32]>,
    from: &Layout,
    input_gradient: &mut [f32],
) {
    check(from, input_gradient, to, gradient);
    assert_eq!(winners.1.len(), winners.0.size(), "the winners");
    assert!(positive.is_none_or(|output| output.len() == winners.0.size()), "the output");
    isa.run(MaxBackward { window, to, gradient, winners, positive, from, input_gradient });
}

struct MaxBackward<'a> {
    window: &'a Window,
    to: &'a Layout,
    gradient: &'a [f32],
    winners: (&'a Layout, &'a [f32]),
    positive: Option<&'a [f32]>,
    from: &'a Layout,
    input_gradient: &'a mut [f32],
}

impl Kernel for MaxBackward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { window, to, gradient, winners: (kept, winners), positive, from, input_gradient } = self;
        let quarters = is_quarters(window, from, to);
        if !quarters {
            clear(from, input_gradient);
        }
        each_window(to, |block, row, column, at| {
            // SAFETY: every index is bounds-checked, and has room for 16 numbers.
            unsafe {
                let saved = kept.block_start(block) + row * kept.row_stride() + column * LANES;
                let mut g = V::load(gradient[at..][..LANES].as_ptr());
                if let Some(output) = positive {
                    let output = V::load(output[saved..][..LANES].as_ptr());
                    g = output.select_greater(V::splat(0.0), g, V::splat(0.0));
                }
                let winner = V::load(winners[saved..][..LANES].as_ptr());
                let mut give = |place: usize, row: usize, column: usize| {
                    let start = from.block_start(block) + row * from.row_stride() + column * LANES;
                    let to = input_gradient[start..][..LANES].as_mut_ptr();
                    let share = winner.select_equal(V::splat(place as f32), g, V::splat(0.0));
                    // In quarters every pixel is in one window, so that nothing has to be added up.
                    if quarters { share.store(to) } else { V::load(to).add(share).store(to) }
                };
                if quarters {
                    for place in 0..4 {
                        give(place, 2 * row + place / 2, 2 * column + place % 2);
                    }
                } else {
                    window
                        .places([row, column], [from.height, from.width])
                        .for_each(|(place, row, column)| give(place, row, column));
                }
            }
        });
    }
}

/// Whether the windows are 2×2, side by side, and cover the image: the common case, whose loops can be unrolled.
fn is_quarters(window: &Window, from: &Layout, to: &Layout) -> bool {
    *window == Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] }
        && [from.height, from.width] == [2 * to.height, 2 * to.width]
}

/// How many places of a window the mean is over.
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

/// The mean of each window.
///
/// # Panics
///
/// If a layout is planar, a window is dilated, or a slice has another length than it should.
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
        each_window(to, |block, row, column, at| {
            // SAFETY: every index is bounds-checked, and has room for 16 numbers.
            unsafe {
                let mut sum = V::splat(0.0);
                for (_, row, column) in window.places([row, column], size) {
                    let start = from.block_start(block) + row * from.row_stride() + column * LANES;
                    sum = sum.add(V::load(input[start..][..LANES].as_ptr()));
                }
                let mean = sum.div(V::splat(divisor.of(window, [row, column], size)));
                mean.store(output[at..][..LANES].as_mut_ptr());
            }
        });
    }
}

/// `∂L/∂x` of [`avg_pool_forward`]: `gradient` has the layout `to`, `input_gradient`, of which all but the border is written,
/// `from`.
///
/// # Panics
///
/// If a layout is planar, a window is dilated, or a slice has another length than it should.
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
        each_window(to, |block, row, column, at| {
            // SAFETY: every index is bounds-checked, and has room for 16 numbers.
            unsafe {
                let share =
                    V::load(gradient[at..][..LANES].as_ptr()).div(V::splat(divisor.of(window, [row, column], size)));
                for (_, row, column) in window.places([row, column], size) {
                    let start = from.block_start(block) + row * from.row_stride() + column * LANES;
                    let to = input_gradient[start..][..LANES].as_mut_ptr();
                    V::load(to).add(share).store(to);
                }
            }
        });
    }
}

/// Calls `f` with block, row, column and place in memory of every pixel of `to`.
#[inline(always)]
fn each_window(to: &Layout, mut f: impl FnMut(usize, usize, usize, usize)) {
    for block in 0..to.blocks() {
        for row in 0..to.height {
            let start = to.block_start(block) + row * to.row_stride();
            for column in 0..to.width {
                f(block, row, column, start + column * LANES);
            }
        }
    }
}

/// Sets all but the border to zero.
fn clear(layout: &Layout, image: &mut [f32]) {
    for block in 0..layout.blocks() {
        for row in 0..layout.height {
            let start = layout.block_start(block) + row * layout.row_stride();
            image[start..][..layout.width * LANES].fill(0.0);
        }
    }
}

fn check(from: &Layout, input: &[f32], to: &Layout, output: &[f32]) {
    assert_eq!((from.lanes, to.lanes, from.blocks()), (LANES, LANES, to.blocks()), "{from:?} to {to:?}");
    assert_eq!((input.len(), output.len()), (from.size(), to.size()), "{from:?} to {to:?}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::Border;
    use crate::testing::{close, numbers};

    fn cases() -> impl Strategy<Value = (Window, [usize; 3], [usize; 2])> {
        let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
        (pair(1..=4), pair(1..=3), pair(0..=2), pair(1..=2), 1usize..=20, pair(0..=6)).prop_map(
            |(kernel, stride, padding, dilation, channels, extra)| {
                let padding: [usize; 2] = std::array::from_fn(|axis| padding[axis].min(kernel[axis] / 2));
                let reach: [usize; 2] = std::array::from_fn(|axis| dilation[axis] * (kernel[axis] - 1) + 1);
                // At least as wide as the dilation, so that no window has all its places beside the image.
                let size: [usize; 2] = std::array::from_fn(|axis| {
                    (reach[axis]).saturating_sub(2 * padding[axis]).max(dilation[axis]) + extra[axis]
                });
                let out = std::array::from_fn(|axis| {
                    (size[axis] + 2 * padding[axis]).saturating_sub(reach[axis]) / stride[axis] + 1
                });
                (Window { kernel, stride, padding, dilation }, [channels, size[0], size[1]], out)
            },
        )
    }

    fn laid(layout: &Layout, values: &[f32]) -> Vec<f32> {
        let mut memory = vec![0.0; layout.size()];
        layout.write(values, &mut memory);
        memory
    }

    fn read(layout: &Layout, memory: &[f32]) -> Vec<f32> {
        let mut values = vec![0.0; layout.channels * layout.height * layout.width];
        layout.read(memory, &mut values);
        values
    }

    fn max_agrees(window: Window, [channels, height, width]: [usize; 3], [rows, columns]: [usize; 2]) {
        let border = Border { top: 1, left: 0, bottom: 0, right: 2 };
        let from = Layout::blocked([channels, height, width], border);
        let to = Layout::blocked([channels, rows, columns], Border { top: 0, left: 1, bottom: 2, right: 0 });
        let x = numbers(channels * height * width, 1);
        let g = numbers(channels * rows * columns, 2);
        let (mut y, mut dx) = (Vec::new(), vec![0f64; x.len()]);
        let mut behind_relu = dx.clone();
        for (channel, i, j) in
            (0..channels).flat_map(|c| (0..rows).flat_map(move |i| (0..columns).map(move |j| (c, i, j))))
        {
            let mut best = (f32::NEG_INFINITY, 0);
            for (_, row, column) in window.places([i, j], [height, width]) {
                let at = (channel * height + row) * width + column;
                if x[at] > best.0 {
                    best = (x[at], at);
                }
            }
            dx[best.1] += f64::from(g[y.len()]);
            if best.0 > 0.0 {
                behind_relu[best.1] += f64::from(g[y.len()]);
            }
            y.push(f64::from(best.0));
        }
        for isa in Isa::available() {
            let (mut output, mut winners) = (vec![0.0; to.size()], vec![0.0; to.size()]);
            max_pool_forward(isa, &window, &from, &laid(&from, &x), &to, &mut output, &mut winners);
            close("output", 1, &read(&to, &output), &y);
            for (positive, expected) in [(None, &dx), (Some(&output[..]), &behind_relu)] {
                let mut found = vec![0.0; from.size()];
                let gradient = laid(&to, &g);
                max_pool_backward(isa, &window, &to, &gradient, (&to, &winners), positive, &from, &mut found);
                close("input gradient", 4, &read(&from, &found), expected);
                assert_eq!(laid(&from, &read(&from, &found)), found, "border and unused lanes stay zero");
            }
        }
    }

    #[test]
    fn quarters_agree_with_the_definition() {
        let window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
        max_agrees(window, [20, 6, 8], [3, 4]);
        max_agrees(window, [3, 7, 8], [3, 4]);
    }

    #[test]
    fn the_first_of_equals_wins() {
        let window = Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] };
        let (from, to) = (Layout::blocked([1, 2, 2], Border::default()), Layout::vector(1));
        for isa in Isa::available() {
            let (mut output, mut winners) = ([0.0; 16], [0.0; 16]);
            let input = laid(&from, &[1.0, 3.0, 3.0, 3.0]);
            max_pool_forward(isa, &window, &from, &input, &to, &mut output, &mut winners);
            assert_eq!((output[0], winners[0]), (3.0, 1.0));
        }
    }

    proptest! {
        #[test]
        fn any_max_pooling_agrees_with_the_definition((window, shape, out) in cases()) {
            max_agrees(window, shape, out);
        }

        #[test]
        fn any_average_pooling_agrees_with_the_definition((window, shape, out) in cases(), padded: bool) {
            let window = Window { dilation: [1, 1], ..window };
            let divisor = if padded { Divisor::Padded } else { Divisor::Inside };
            let [channels, height, width] = shape;
            let (from, to) = (Layout::blocked(shape, Border::default()), Layout::blocked([channels, out[0], out[1]], Border::default()));
            let x = numbers(channels * height * width, 1);
            let g = numbers(channels * out[0] * out[1], 2);
            let (mut y, mut dx) = (Vec::new(), vec![0f64; x.len()]);
            for (channel, i, j) in
                (0..channels).flat_map(|c| (0..out[0]).flat_map(move |i| (0..out[1]).map(move |j| (c, i, j))))
            {
                // Counted one by one, where the kernel has a formula.
                let within = |axis: usize, window_at: usize, size: usize| {
                    (0..window.kernel[axis])
                        .filter(|place| {
                            let at = window_at * window.stride[axis] + place;
                            if padded { at < size + 2 * window.padding[axis] }
                            else { at >= window.padding[axis] && at < size + window.padding[axis] }
                        })
                        .count()
                };
                let count = (within(0, i, height) * within(1, j, width)) as f64;
                let mut sum = 0.0;
                for (_, row, column) in window.places([i, j], [height, width]) {
                    let at = (channel * height + row) * width + column;
                    sum += f64::from(x[at]);
                    dx[at] += f64::from(g[y.len()]) / count;
                }
                y.push(sum / count);
            }
            for isa in Isa::available() {
                let mut output = vec![0.0; to.size()];
                avg_pool_forward(isa, &window, divisor, &from, &laid(&from, &x), &to, &mut output);
                close("output", 4, &read(&to, &output), &y);
                let mut found = vec![0.0; from.size()];
                avg_pool_backward(isa, &window, divisor, &to, &laid(&to, &g), &from, &mut found);
                close("input gradient", 16, &read(&from, &found), &dx);
            }
        }
    }
}
