//! The largest value of each window, and its way back.

use super::{Window, check, clear, each_window};
use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// The largest value of each window, and in `argmax`, as a number, which tap of the window it has: the first in
/// row-major order. `output` and `argmax` have the layout `to`. NaN never wins; a window with no number in it gives −∞.
///
/// # Panics
///
/// If a layout is planar, the two differ in channels, or a slice has another length than it should.
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn max_pool_forward(
    isa: Isa,
    window: &Window,
    from: &Layout,
    input: &[f32],
    to: &Layout,
    output: &mut [f32],
    argmax: &mut [f32],
) {
    check(from, input, to, output);
    assert_eq!(argmax.len(), output.len(), "the argmax");
    let pass = Forward { window, from, input, to, output, argmax };
    if is_quarters(window, from, to) { isa.run(Quarters(pass)) } else { isa.run(pass) }
}

struct Forward<'a> {
    window: &'a Window,
    from: &'a Layout,
    input: &'a [f32],
    to: &'a Layout,
    output: &'a mut [f32],
    argmax: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { window, from, input, to, output, argmax } = self;
        let size = [from.height, from.width];
        each_window(to, |block, row, column| {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let mut best = Best::<V>::none();
                for (tap, at, column) in window.taps([row, column], size) {
                    best.meet(tap, &from.row(input, block, at)[column]);
                }
                best.value.put(&mut to.row_mut(output, block, row)[column]);
                best.tap.put(&mut to.row_mut(argmax, block, row)[column]);
            }
        });
    }
}

/// The largest value so far, and its tap.
struct Best<V> {
    value: V,
    tap: V,
}

impl<V: Lanes> Best<V> {
    /// # Safety
    ///
    /// As for all of [`Lanes`], and so below.
    #[inline(always)]
    unsafe fn none() -> Self {
        // SAFETY: the caller's.
        unsafe { Self { value: V::splat(f32::NEG_INFINITY), tap: V::splat(0.0) } }
    }

    #[inline(always)]
    unsafe fn meet(&mut self, tap: usize, pixel: &[f32; LANES]) {
        // SAFETY: the caller's.
        unsafe {
            let value = V::of(pixel);
            self.tap = value.select_greater(self.value, V::splat(tap as f32), self.tap);
            self.value = value.select_greater(self.value, value, self.value);
        }
    }
}

/// A pass over windows of 2×2, side by side: two rows of pixels and one of windows at a time.
struct Quarters<T>(T);

impl Kernel for Quarters<Forward<'_>> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Forward { from, input, to, output, argmax, .. } = self.0;
        for (block, row) in to.rows() {
            let [upper, lower] = [0, 1].map(|second| from.row(input, block, 2 * row + second).as_chunks().0.iter());
            let results = to.row_mut(output, block, row).iter_mut().zip(to.row_mut(argmax, block, row));
            for (([a, b], [c, d]), (value, tap)) in upper.zip(lower).zip(results) {
                // SAFETY: the instructions are the caller's; everything else is arrays.
                unsafe {
                    let mut best = Best::<V>::none();
                    for (tap, pixel) in [a, b, c, d].into_iter().enumerate() {
                        best.meet(tap, pixel);
                    }
                    best.value.put(value);
                    best.tap.put(tap);
                }
            }
        }
    }
}

/// `∂L/∂x` of [`max_pool_forward`]: the gradient of each output goes to its argmax. With `positive`, the output of the
/// forward pass, only where that is above zero: the gradient through a ReLU before the pooling. `gradient` has the
/// layout `to`, `argmax` and `positive` the one beside the argmax, of the same shape; `input_gradient`, of which all
/// but the border is written, has `from`.
///
/// # Panics
///
/// If a layout is planar, they do not fit each other, or a slice has another length than it should.
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn max_pool_backward(
    isa: Isa,
    window: &Window,
    to: &Layout,
    gradient: &[f32],
    argmax: (&Layout, &[f32]),
    positive: Option<&[f32]>,
    from: &Layout,
    input_gradient: &mut [f32],
) {
    check(from, input_gradient, to, gradient);
    argmax.0.check_blocked(argmax.1);
    assert_eq!(argmax.0.shape(), to.shape(), "a argmax a window");
    assert!(positive.is_none_or(|output| output.len() == argmax.0.size()), "the output");
    let pass = Backward { window, to, gradient, argmax, positive, from, input_gradient };
    if is_quarters(window, from, to) { isa.run(Quarters(pass)) } else { isa.run(pass) }
}

struct Backward<'a> {
    window: &'a Window,
    to: &'a Layout,
    gradient: &'a [f32],
    argmax: (&'a Layout, &'a [f32]),
    positive: Option<&'a [f32]>,
    from: &'a Layout,
    input_gradient: &'a mut [f32],
}

/// What a row of windows has to give away.
struct Row<'a> {
    gradient: &'a [[f32; LANES]],
    argmax: &'a [[f32; LANES]],
    positive: Option<&'a [[f32; LANES]]>,
}

impl Backward<'_> {
    #[inline(always)]
    fn row(&self, block: usize, row: usize) -> Row<'_> {
        let (kept, argmax) = self.argmax;
        Row {
            gradient: self.to.row(self.gradient, block, row),
            argmax: kept.row(argmax, block, row),
            positive: self.positive.map(|output| kept.row(output, block, row)),
        }
    }
}

impl Row<'_> {
    /// That of window `column`.
    ///
    /// # Safety
    ///
    /// As for all of [`Lanes`].
    // No closure: one that is not inlined is compiled without the vector instructions, and made this seven times slower
    // on AVX2.
    #[inline(always)]
    unsafe fn share<V: Lanes>(&self, column: usize) -> Share<V> {
        // SAFETY: the instructions are the caller's; everything else is arrays.
        unsafe {
            let (mut gradient, zero) = (V::of(&self.gradient[column]), V::splat(0.0));
            if let Some(positive) = self.positive {
                gradient = V::of(&positive[column]).select_greater(zero, gradient, zero);
            }
            Share { gradient, argmax: V::of(&self.argmax[column]) }
        }
    }
}

/// The gradient of a window, and who is to have it.
struct Share<V> {
    gradient: V,
    argmax: V,
}

impl<V: Lanes> Share<V> {
    /// What tap `tap` gets.
    ///
    /// # Safety
    ///
    /// As for all of [`Lanes`].
    #[inline(always)]
    unsafe fn of(&self, tap: usize) -> V {
        // SAFETY: the caller's.
        unsafe { self.argmax.select_equal(V::splat(tap as f32), self.gradient, V::splat(0.0)) }
    }
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        let (window, from, size) = (self.window, self.from, [self.from.height, self.from.width]);
        let to_all = std::mem::take(&mut self.input_gradient);
        clear(from, to_all);
        for (block, row) in self.to.rows() {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let windows = self.row(block, row);
                for column in 0..self.to.width {
                    let share: Share<V> = windows.share(column);
                    for (tap, row, column) in window.taps([row, column], size) {
                        let to = &mut from.row_mut(to_all, block, row)[column];
                        V::of(to).add(share.of(tap)).put(to);
                    }
                }
            }
        }
    }
}

impl Kernel for Quarters<Backward<'_>> {
    /// Every pixel is in one window, so that nothing has to be added up.
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self(mut pass) = self;
        let from = pass.from;
        let to_all = std::mem::take(&mut pass.input_gradient);
        for (block, row) in pass.to.rows() {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let windows = pass.row(block, row);
                for second in 0..2 {
                    let pixels = from.row_mut(to_all, block, 2 * row + second).as_chunks_mut::<2>().0;
                    for (column, [left, right]) in pixels.iter_mut().enumerate() {
                        let share: Share<V> = windows.share(column);
                        share.of(2 * second).put(left);
                        share.of(2 * second + 1).put(right);
                    }
                }
            }
        }
    }
}

/// Whether the windows are 2×2, side by side, and cover the image: the common case, whose loops need no table of taps.
fn is_quarters(window: &Window, from: &Layout, to: &Layout) -> bool {
    *window == Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] }
        && [from.height, from.width] == [2 * to.height, 2 * to.width]
}
