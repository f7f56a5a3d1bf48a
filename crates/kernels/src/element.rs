//! Functions of one element and their slopes, number by number of a blocked image.

use crate::functions::{
    LOWEST_EXPONENT, NORMAL_REACH, at_least, at_most, exp_below_zero, ln_one_plus, logistic, magnitude, normal, tanh,
};
use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// A function of one element. `backproof_layers` derives the slopes.
///
/// Values are within 2⁻²⁰ of the exact ones, relative to them; those of [`GeluTanh`](Self::GeluTanh) within 2⁻¹⁴ where
/// they are below 1/20, and those of [`Elu`](Self::Elu) within 2⁻²⁰ of `alpha`. Slopes are within 2⁻²⁰ of the sum of
/// their terms, likewise. At −∞ a function is its limit.
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

impl ElementFunction {
    /// Whether its slope is computed from the output, and not from the input.
    #[must_use]
    pub const fn keeps_output(self) -> bool {
        matches!(self, Self::Sigmoid | Self::Tanh)
    }

    /// The function at `x`.
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    #[inline(always)]
    unsafe fn value<V: Lanes>(self, x: V) -> V {
        // SAFETY: the instructions are the caller's.
        unsafe {
            let zero = V::splat(0.0);
            match self {
                // Below its reach a gate is 0, and −∞ · 0 would be NaN.
                Self::Gelu => at_least(x, -NORMAL_REACH).mul(normal(x).0),
                Self::GeluTanh => at_least(x, -GATE_REACH).mul(gate(x).0),
                Self::Silu => at_least(x, LOWEST_EXPONENT).mul(logistic(x).0),
                Self::Sigmoid => logistic(x).0,
                Self::Tanh => tanh(x),
                Self::Elu { alpha } => {
                    // As the layer has it: next to 0 the difference has the precision of 1, in both.
                    let negative = exp_below_zero(at_most(x, 0.0)).sub(V::splat(1.0)).mul(V::splat(alpha));
                    x.select_greater(zero, x, negative)
                }
                Self::LeakyRelu { slope } => x.select_greater(zero, x, x.mul(V::splat(slope))),
                Self::Scale { factor } => x.mul(V::splat(factor)),
                Self::Softplus => x.relu().add(ln_one_plus(exp_below_zero(zero.sub(magnitude(x))))),
            }
        }
    }

    /// The slope, from the input or from the output ([`keeps_output`](Self::keeps_output)).
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    #[inline(always)]
    unsafe fn slope<V: Lanes>(self, known: V) -> V {
        // SAFETY: the instructions are the caller's.
        unsafe {
            let (one, zero) = (V::splat(1.0), V::splat(0.0));
            let within = |reach: f32| at_most(at_least(known, -reach), reach);
            match self {
                Self::Gelu => {
                    let (gate, density) = normal(known);
                    gate.fma(within(NORMAL_REACH), density)
                }
                Self::GeluTanh => {
                    let (gate, density) = gate(known);
                    gate.fma(within(GATE_REACH), density)
                }
                Self::Silu => {
                    let (gate, density) = logistic(known);
                    gate.fma(within(-LOWEST_EXPONENT), density)
                }
                Self::Sigmoid => known.mul(one.sub(known)),
                Self::Tanh => one.sub(known.mul(known)),
                Self::Elu { alpha } => {
                    let negative = exp_below_zero(at_most(known, 0.0)).mul(V::splat(alpha));
                    known.select_greater(zero, one, negative)
                }
                Self::LeakyRelu { slope } => known.select_greater(zero, one, V::splat(slope)),
                Self::Softplus => logistic(known).0,
                Self::Scale { factor } => V::splat(factor),
            }
        }
    }
}

/// From here on `σ(2u)` is 0 or 1 in single precision, and its slope 0.
const GATE_REACH: f32 = 11.0;

/// `σ(2u)` and its slope, `2u' σ(2u) (1 − σ(2u))`.
///
/// # Safety
///
/// The machine has the instructions of `V`.
#[inline(always)]
unsafe fn gate<V: Lanes>(x: V) -> (V, V) {
    const CUBIC: f32 = 0.044_715;
    /// 2 √(2/π).
    #[expect(clippy::excessive_precision, reason = "the digits of the number")]
    const RATE: f32 = 1.595_769_1;
    // SAFETY: the instructions are the caller's.
    unsafe {
        let x = at_most(at_least(x, -GATE_REACH), GATE_REACH);
        let (one, rate, square) = (V::splat(1.0), V::splat(RATE), x.mul(x));
        let (gate, density) = logistic(x.mul(rate).mul(one.fma(square, V::splat(CUBIC))));
        (gate, density.mul(rate).mul(one.fma(square, V::splat(3.0 * CUBIC))))
    }
}

/// `to ← f(from)`, all but the border; the channels past the last stay 0.
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
) {
    layout.check_blocked(from);
    to_layout.check_blocked(to);
    assert_eq!(layout.shape(), to_layout.shape(), "one shape");
    isa.run(Forward { f, from: (layout, from), to: (to_layout, to) });
}

struct Forward<'a> {
    f: ElementFunction,
    from: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { f, from: (layout, from), to: (to_layout, to) } = self;
        for (block, row) in layout.rows() {
            // f(0) need not be 0, and where there is no channel there has to be a 0.
            let left = layout.channels - block * LANES;
            let exists: [f32; LANES] = std::array::from_fn(|lane| if lane < left { 1.0 } else { 0.0 });
            let pixels = layout.row(from, block, row).iter().zip(to_layout.row_mut(to, block, row));
            for (from, to) in pixels {
                // SAFETY: the instructions are the caller's.
                unsafe { f.value(V::of(from)).mul(V::of(&exists)).put(to) }
            }
        }
    }
}

/// `∂L/∂x = g ⊙ f'`, all but the border, from g of layout `layout` and from what the slope is computed of, the input or
/// the output ([`ElementFunction::keeps_output`]), of layout `of`.
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
    of.check_blocked(known);
    layout.check_blocked(gradient);
    to_layout.check_blocked(to);
    for layout in [layout, to_layout] {
        assert_eq!(of.shape(), layout.shape(), "one shape");
    }
    isa.run(Backward { f, known: (of, known), gradient: (layout, gradient), to: (to_layout, to) });
}

struct Backward<'a> {
    f: ElementFunction,
    known: (&'a Layout, &'a [f32]),
    gradient: (&'a Layout, &'a [f32]),
    to: (&'a Layout, &'a mut [f32]),
}

impl Kernel for Backward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { f, known: (of, known), gradient: (layout, gradient), to: (to_layout, to) } = self;
        for (block, row) in layout.rows() {
            let pixels = of.row(known, block, row).iter().zip(layout.row(gradient, block, row));
            for ((known, gradient), to) in pixels.zip(to_layout.row_mut(to, block, row)) {
                // SAFETY: the instructions are the caller's.
                unsafe { f.slope(V::of(known)).mul(V::of(gradient)).put(to) }
            }
        }
    }
}

/// `Σ g min(x, 0)` of one image: the gradient of the slope of a leaky ReLU.
///
/// # Panics
///
/// If a layout is planar, the two differ in shape, or a slice has another length than it should.
#[must_use]
pub fn negative_products(isa: Isa, of: &Layout, input: &[f32], layout: &Layout, gradient: &[f32]) -> f32 {
    of.check_blocked(input);
    layout.check_blocked(gradient);
    assert_eq!(of.shape(), layout.shape(), "one shape");
    let mut sum = 0.0;
    isa.run(NegativeProducts { input: (of, input), gradient: (layout, gradient), sum: &mut sum });
    sum
}

struct NegativeProducts<'a> {
    input: (&'a Layout, &'a [f32]),
    gradient: (&'a Layout, &'a [f32]),
    sum: &'a mut f32,
}

impl Kernel for NegativeProducts<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { input: (of, input), gradient: (layout, gradient), sum } = self;
        // SAFETY: the instructions are the caller's.
        unsafe {
            let mut total = V::splat(0.0);
            for (block, row) in layout.rows() {
                // A sum a row, so that a large total loses no digits of each product.
                let mut of_row = V::splat(0.0);
                for (x, g) in of.row(input, block, row).iter().zip(layout.row(gradient, block, row)) {
                    of_row = of_row.fma(at_most(V::of(x), 0.0), V::of(g));
                }
                total = total.add(of_row);
            }
            *sum = total.sum();
        }
    }
}

#[cfg(test)]
mod tests;
