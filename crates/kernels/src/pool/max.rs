//! The largest value of each window, and its way back.

use super::{Window, check, clear, each_window};
use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// The largest value of each window, and in `winners`, as a number, which place of the window it has: the first in row-major
/// order. `output` and `winners` have the layout `to`. NaN never wins; a window with no number in it gives −∞.
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
    winners: &mut [f32],
) {
    check(from, input, to, output);
    assert_eq!(winners.len(), output.len(), "the winners");
    let pass = Forward { window, from, input, to, output, winners };
    if is_quarters(window, from, to) { isa.run(Quarters(pass)) } else { isa.run(pass) }
}

struct Forward<'a> {
    window: &'a Window,
    from: &'a Layout,
    input: &'a [f32],
    to: &'a Layout,
    output: &'a mut [f32],
    winners: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { window, from, input, to, output, winners } = self;
        let size = [from.height, from.width];
        each_window(to, |block, row, column| {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let mut best = Best::<V>::none();
                for (place, at, column) in window.places([row, column], size) {
                    best.meet(place, &from.row(input, block, at)[column]);
                }
                best.value.put(&mut to.row_mut(output, block, row)[column]);
                best.place.put(&mut to.row_mut(winners, block, row)[column]);
            }
        });
    }
}

/// The largest value so far, and its place.
struct Best<V> {
    value: V,
    place: V,
}

impl<V: Lanes> Best<V> {
    /// # Safety
    ///
    /// As for all of [`Lanes`], and so below.
    #[inline(always)]
    unsafe fn none() -> Self {
        // SAFETY: the caller's.
        unsafe { Self { value: V::splat(f32::NEG_INFINITY), place: V::splat(0.0) } }
    }

    #[inline(always)]
    unsafe fn meet(&mut self, place: usize, pixel: &[f32; LANES]) {
        // SAFETY: the caller's.
        unsafe {
            let value = V::of(pixel);
            self.place = value.select_greater(self.value, V::splat(place as f32), self.place);
            self.value = value.select_greater(self.value, value, self.value);
        }
    }
}

/// A pass over windows of 2×2, side by side: two rows of pixels and one of windows at a time.
struct Quarters<T>(T);

impl Kernel for Quarters<Forward<'_>> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Forward { from, input, to, output, winners, .. } = self.0;
        for (block, row) in to.rows() {
            let [upper, lower] = [0, 1].map(|second| from.row(input, block, 2 * row + second).as_chunks().0.iter());
            let results = to.row_mut(output, block, row).iter_mut().zip(to.row_mut(winners, block, row));
            for (([a, b], [c, d]), (value, place)) in upper.zip(lower).zip(results) {
                // SAFETY: the instructions are the caller's; everything else is arrays.
                unsafe {
                    let mut best = Best::<V>::none();
                    for (place, pixel) in [a, b, c, d].into_iter().enumerate() {
                        best.meet(place, pixel);
                    }
                    best.value.put(value);
                    best.place.put(place);
                }
            }
        }
    }
}

/// `∂L/∂x` of [`max_pool_forward`]: the gradient of each output goes to its winner. With `positive`, the output of the forward
/// pass, only where that is above zero: the gradient through a ReLU before the pooling. `gradient` has the layout
/// `to`, `winners` and `positive` the one beside the winners, of the same shape; `input_gradient`, of which all but the border is written, has `from`.
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
    winners: (&Layout, &[f32]),
    positive: Option<&[f32]>,
    from: &Layout,
    input_gradient: &mut [f32],
) {
    check(from, input_gradient, to, gradient);
    winners.0.check_blocked(winners.1);
    assert_eq!(winners.0.shape(), to.shape(), "a winner a window");
    assert!(positive.is_none_or(|output| output.len() == winners.0.size()), "the output");
    let pass = Backward { window, to, gradient, winners, positive, from, input_gradient };
    if is_quarters(window, from, to) { isa.run(Quarters(pass)) } else { isa.run(pass) }
}

struct Backward<'a> {
    window: &'a Window,
    to: &'a Layout,
    gradient: &'a [f32],
    winners: (&'a Layout, &'a [f32]),
    positive: Option<&'a [f32]>,
    from: &'a Layout,
    input_gradient: &'a mut [f32],
}

/// What a row of windows has to give away.
struct Row<'a> {
    gradient: &'a [[f32; LANES]],
    winners: &'a [[f32; LANES]],
    positive: Option<&'a [[f32; LANES]]>,
}

impl Backward<'_> {
    #[inline(always)]
    fn row(&self, block: usize, row: usize) -> Row<'_> {
        let (kept, winners) = self.winners;
        Row {
            gradient: self.to.row(self.gradient, block, row),
            winners: kept.row(winners, block, row),
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
    // No closure: one that is not inlined is compiled without the vector instructions, and made this seven times slower on AVX2.
    #[inline(always)]
    unsafe fn share<V: Lanes>(&self, column: usize) -> Share<V> {
        // SAFETY: the instructions are the caller's; everything else is arrays.
        unsafe {
            let (mut gradient, zero) = (V::of(&self.gradient[column]), V::splat(0.0));
            if let Some(positive) = self.positive {
                gradient = V::of(&positive[column]).select_greater(zero, gradient, zero);
            }
            Share { gradient, winner: V::of(&self.winners[column]) }
        }
    }
}

/// The gradient of a window, and who is to have it.
struct Share<V> {
    gradient: V,
    winner: V,
}

impl<V: Lanes> Share<V> {
    /// What place `place` gets.
    ///
    /// # Safety
    ///
    /// As for all of [`Lanes`].
    #[inline(always)]
    unsafe fn of(&self, place: usize) -> V {
        // SAFETY: the caller's.
        unsafe { self.winner.select_equal(V::splat(place as f32), self.gradient, V::splat(0.0)) }
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
                    for (place, row, column) in window.places([row, column], size) {
                        let to = &mut from.row_mut(to_all, block, row)[column];
                        V::of(to).add(share.of(place)).put(to);
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

/// Whether the windows are 2×2, side by side, and cover the image: the common case, whose loops need no table of places.
fn is_quarters(window: &Window, from: &Layout, to: &Layout) -> bool {
    *window == Window { kernel: [2, 2], stride: [2, 2], padding: [0, 0], dilation: [1, 1] }
        && [from.height, from.width] == [2 * to.height, 2 * to.width]
}
