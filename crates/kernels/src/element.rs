//! Functions of one element and their slopes, number by number of a blocked image.
//!
//! A function with an exponential costs several times what its slope costs besides. So the forward pass of training
//! computes both and keeps the slope in the place of its input, and the backward pass is a product.
//!
//! They are passes of their own, and no part of a convolution as ReLU is. On AVX-512 a pass over 12,544 numbers takes
//! 1 µs where there is hardly any arithmetic, and 3 to 7 µs with an exponential. So fusing could save little.

mod formulas;
#[cfg(test)]
mod tests;

use formulas::Formula;

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// A function of one element. `backproof_layers` derives the slopes.
///
/// The largest errors over finite numbers of every exponent, in units in the last place of the exact number. Of a slope
/// that is a sum of two terms they are in those of the sum of the terms' magnitudes.
///
/// | function | value | slope |
/// | --- | ---: | ---: |
/// | GELU | 5 (8 without fused instructions) | 4 |
/// | GELU by tanh | 4 | 5 |
/// | SiLU, sigmoid, tanh | 3 | 4 |
/// | ELU | 3 | 2 |
/// | softplus | 3 | 3 |
/// | leaky ReLU, scale | ½ | 0 |
///
/// Of numbers below 2⁻¹¹⁸ the error may be 2⁻¹⁴¹ besides. At ±∞ a function is its limit, and NaN stays NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ElementFunction {
    /// `x Φ(x)`.
    Gelu,
    /// `x σ(2u)` with `u = √(2/π) (x + 0.044715 x³)`: GELU approximated by tanh.
    GeluTanh,
    /// `x σ(x)`.
    Silu,
    /// `σ(x) = 1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `tanh x`.
    Tanh,
    /// `x` above 0, `alpha · (eˣ − 1)` elsewhere.
    Elu {
        /// The factor of the negative side.
        alpha: f32,
    },
    /// `x` above 0, `slope · x` elsewhere.
    LeakyRelu {
        /// The slope of the negative side.
        slope: f32,
    },
    /// `ln(1 + eˣ)`.
    Softplus,
    /// `factor · x`.
    Scale {
        /// The factor.
        factor: f32,
    },
}

/// What is done with the type that has the formula of a function.
trait WithFormula {
    fn with(self, formula: impl Formula);
}

impl ElementFunction {
    /// Whether its backward pass takes the slopes that [`element_forward`] kept, and not the input.
    #[must_use]
    pub const fn keeps_slopes(self) -> bool {
        !matches!(self, Self::LeakyRelu { .. } | Self::Scale { .. })
    }

    fn formula(self, then: impl WithFormula) {
        match self {
            Self::Gelu => then.with(formulas::Gelu),
            Self::GeluTanh => then.with(formulas::GeluTanh),
            Self::Silu => then.with(formulas::Silu),
            Self::Sigmoid => then.with(formulas::Sigmoid),
            Self::Tanh => then.with(formulas::Tanh),
            Self::Elu { alpha } => then.with(formulas::Elu { alpha }),
            Self::LeakyRelu { slope } => then.with(formulas::LeakyRelu { slope }),
            Self::Softplus => then.with(formulas::Softplus),
            Self::Scale { factor } => then.with(formulas::Scale { factor }),
        }
    }
}

/// `to ← f(from)`, all but the border; the channels past the last stay 0. With `slopes`, which has the layout of `to`,
/// also `slopes ← f'(from)`.
///
/// # Panics
///
/// If a layout is planar, the two differ in shape, or a slice has another length than it should.
pub fn element_forward(
    isa: Isa,
    f: ElementFunction,
    layout: &Layout,
    from: &[f32],
    to_layout: &Layout,
    to: &mut [f32],
    slopes: Option<&mut [f32]>,
) {
    layout.check_blocked(from);
    to_layout.check_blocked(to);
    slopes.iter().for_each(|slopes| to_layout.check_blocked(slopes));
    assert_eq!(layout.shape(), to_layout.shape(), "one shape");
    f.formula(RunForward { isa, from: (layout, from), to: (to_layout, to), slopes });
}

struct RunForward<'a> {
    isa: Isa,
    from: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
    slopes: Option<&'a mut [f32]>,
}

impl WithFormula for RunForward<'_> {
    fn with(self, formula: impl Formula) {
        let Self { isa, from, to, slopes } = self;
        match slopes {
            None => isa.run(Forward { formula, from, to }),
            Some(slopes) => isa.run(ForwardKeeping { formula, from, to, slopes }),
        }
    }
}

/// 1 where a block has a channel, and 0 where it has none.
fn existing(layout: &Layout, block: usize) -> [f32; LANES] {
    let left = layout.channels - block * LANES;
    std::array::from_fn(|lane| if lane < left { 1.0 } else { 0.0 })
}

struct Forward<'a, F> {
    formula: F,
    from: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
}

impl<F: Formula> Kernel for Forward<'_, F> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { formula, from: (layout, from), to: (to_layout, to) } = self;
        for (block, row) in layout.rows() {
            let existing = existing(layout, block);
            let pixels = layout.row(from, block, row).iter().zip(to_layout.row_mut(to, block, row));
            for (from, to) in pixels {
                // SAFETY: the instructions are the caller's.
                unsafe {
                    let (value, _) = formula.at(V::of(from));
                    let value = if F::KEEPS_ZERO { value } else { value.mul(V::of(&existing)) };
                    value.put(to);
                }
            }
        }
    }
}

struct ForwardKeeping<'a, F> {
    formula: F,
    from: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
    slopes: &'a mut [f32],
}

impl<F: Formula> Kernel for ForwardKeeping<'_, F> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { formula, from: (layout, from), to: (to_layout, to), slopes } = self;
        for (block, row) in layout.rows() {
            let existing = existing(layout, block);
            let pixels = layout.row(from, block, row).iter().zip(to_layout.row_mut(to, block, row));
            for ((from, to), to_slope) in pixels.zip(to_layout.row_mut(slopes, block, row)) {
                // SAFETY: the instructions are the caller's.
                unsafe {
                    let (value, slope) = formula.at(V::of(from));
                    let value = if F::KEEPS_ZERO { value } else { value.mul(V::of(&existing)) };
                    value.put(to);
                    slope.put(to_slope);
                }
            }
        }
    }
}

/// `∂L/∂x = g ⊙ f'`, all but the border, from g of layout `layout`, and from the slopes that [`element_forward`] kept
/// or else the input ([`ElementFunction::keeps_slopes`]), of layout `of`.
///
/// # Panics
///
/// If a layout is planar, two differ in shape, or a slice has another length than it should.
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn element_backward(
    isa: Isa,
    f: ElementFunction,
    of: &Layout,
    known: &[f32],
    layout: &Layout,
    gradient: &[f32],
    to_layout: &Layout,
    to: &mut [f32],
) {
    check_backward([of, layout, to_layout], [known, gradient, to]);
    let (known, gradient, to) = ((of, known), (layout, gradient), (to_layout, to));
    if f.keeps_slopes() {
        return isa.run(Product { slopes: known, gradient, to });
    }
    f.formula(RunBackward { isa, known, gradient, to });
}

fn check_backward(layouts: [&Layout; 3], images: [&[f32]; 3]) {
    for (layout, image) in layouts.into_iter().zip(images) {
        layout.check_blocked(image);
        assert_eq!(layout.shape(), layouts[0].shape(), "one shape");
    }
}

struct RunBackward<'a> {
    isa: Isa,
    known: (&'a Layout, &'a [f32]),
    gradient: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
}

impl WithFormula for RunBackward<'_> {
    fn with(self, formula: impl Formula) {
        let Self { isa, known, gradient, to } = self;
        isa.run(Backward { formula, input: known, gradient, to });
    }
}

struct Product<'a> {
    slopes: (&'a Layout, &'a [f32]),
    gradient: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
}

impl Kernel for Product<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { slopes: (of, slopes), gradient: (layout, gradient), to: (to_layout, to) } = self;
        for (block, row) in layout.rows() {
            let pixels = of.row(slopes, block, row).iter().zip(layout.row(gradient, block, row));
            for ((slope, gradient), to) in pixels.zip(to_layout.row_mut(to, block, row)) {
                // SAFETY: the instructions are the caller's.
                unsafe { V::of(slope).mul(V::of(gradient)).put(to) }
            }
        }
    }
}

struct Backward<'a, F> {
    formula: F,
    input: (&'a Layout, &'a [f32]),
    gradient: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
}

impl<F: Formula> Kernel for Backward<'_, F> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { formula, input: (of, input), gradient: (layout, gradient), to: (to_layout, to) } = self;
        for (block, row) in layout.rows() {
            let pixels = of.row(input, block, row).iter().zip(layout.row(gradient, block, row));
            for ((x, gradient), to) in pixels.zip(to_layout.row_mut(to, block, row)) {
                // SAFETY: the instructions are the caller's.
                unsafe { formula.at(V::of(x)).1.mul(V::of(gradient)).put(to) }
            }
        }
    }
}

/// The backward pass of a leaky ReLU with a slope that is learned, for one image: `∂L/∂x`, all but the border, and
/// `Σ g min(x, 0)`, the gradient of the slope.
///
/// # Panics
///
/// If a layout is planar, two differ in shape, or a slice has another length than it should.
#[must_use]
#[allow(clippy::too_many_arguments)] // operands and results of one loop
pub fn prelu_backward(
    isa: Isa,
    slope: f32,
    of: &Layout,
    input: &[f32],
    layout: &Layout,
    gradient: &[f32],
    to_layout: &Layout,
    to: &mut [f32],
) -> f32 {
    check_backward([of, layout, to_layout], [input, gradient, to]);
    let mut sum = 0.0;
    let (input, gradient, to) = ((of, input), (layout, gradient), (to_layout, to));
    isa.run(PreluBackward { slope, input, gradient, to, sum: &mut sum });
    sum
}

struct PreluBackward<'a> {
    slope: f32,
    input: (&'a Layout, &'a [f32]),
    gradient: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
    sum: &'a mut f32,
}

impl Kernel for PreluBackward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { slope, input: (of, input), gradient: (layout, gradient), to: (to_layout, to), sum } = self;
        let formula = formulas::LeakyRelu { slope };
        // SAFETY: the instructions are the caller's.
        unsafe {
            let mut total = V::splat(0.0);
            for (block, row) in layout.rows() {
                // A sum a row, so that a large total loses no digits of each product.
                let mut of_row = V::splat(0.0);
                let pixels = of.row(input, block, row).iter().zip(layout.row(gradient, block, row));
                for ((x, g), to) in pixels.zip(to_layout.row_mut(to, block, row)) {
                    let (x, g) = (V::of(x), V::of(g));
                    of_row = of_row.fma(x.at_most(V::splat(0.0)), g);
                    formula.at(x).1.mul(g).put(to);
                }
                total = total.add(of_row);
            }
            *sum = total.sum();
        }
    }
}
