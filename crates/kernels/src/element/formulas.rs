//! What functions of one element are, and their slopes, over vectors of numbers.

use crate::functions::{
    GATE_REACH, LOWEST_EXPONENT, NORMAL_REACH, exp_less_one, gate, logistic, normal, softplus, tanh,
};
use crate::vector::Lanes;

/// A function of one element. There is a type for each, so that every loop has one function in it.
pub(super) trait Formula: Copy {
    /// Whether it is 0 at 0, so that channels that there are not stay 0.
    const KEEPS_ZERO: bool = true;

    /// Value and slope at `x`. What a caller does not use of them is not computed.
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V);
}

/// `x` times a gate, and the slope `gate + x · density`, where the gate is 0 below `−reach` and 1 above `reach`.
/// Without the bounds, an infinity times 0 would be NaN.
///
/// # Safety
///
/// The machine has the instructions of `V`.
#[inline(always)]
unsafe fn gated<V: Lanes>(x: V, reach: f32, [gate, density]: [V; 2]) -> (V, V) {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let x = x.at_least(V::splat(-reach));
        (x.mul(gate), gate.fma(x.at_most(V::splat(reach)), density))
    }
}

/// `x Φ(x)`.
#[derive(Clone, Copy)]
pub(super) struct Gelu;

impl Formula for Gelu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe { gated(x, NORMAL_REACH, normal(x).into()) }
    }
}

/// `x σ(2u)` with `u = √(2/π) (x + 0.044715 x³)`.
#[derive(Clone, Copy)]
pub(super) struct GeluTanh;

impl Formula for GeluTanh {
    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe {
            let within = x.at_least(V::splat(-GATE_REACH)).at_most(V::splat(GATE_REACH));
            gated(x, GATE_REACH, gate(within).into())
        }
    }
}

/// `x σ(x)`.
#[derive(Clone, Copy)]
pub(super) struct Silu;

impl Formula for Silu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe { gated(x, -LOWEST_EXPONENT, logistic(x).into()) }
    }
}

/// `σ(x)`.
#[derive(Clone, Copy)]
pub(super) struct Sigmoid;

impl Formula for Sigmoid {
    const KEEPS_ZERO: bool = false;

    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe { logistic(x) }
    }
}

/// `tanh x`.
#[derive(Clone, Copy)]
pub(super) struct Tanh;

impl Formula for Tanh {
    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe { tanh(x) }
    }
}

/// `x` above 0, `alpha · (eˣ − 1)` elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Elu {
    pub(super) alpha: f32,
}

impl Formula for Elu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe {
            let (zero, alpha) = (V::splat(0.0), V::splat(self.alpha));
            let (less_one, exp) = exp_less_one(x.at_most(zero));
            let slope = x.select_greater(zero, V::splat(1.0), exp.mul(alpha));
            (x.select_greater(zero, x, less_one.mul(alpha)), slope)
        }
    }
}

/// `x` above 0, `slope · x` elsewhere.
#[derive(Clone, Copy)]
pub(super) struct LeakyRelu {
    pub(super) slope: f32,
}

impl Formula for LeakyRelu {
    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe {
            let (zero, slope) = (V::splat(0.0), V::splat(self.slope));
            (x.select_greater(zero, x, x.mul(slope)), x.select_greater(zero, V::splat(1.0), slope))
        }
    }
}

/// `ln(1 + eˣ)`.
#[derive(Clone, Copy)]
pub(super) struct Softplus;

impl Formula for Softplus {
    const KEEPS_ZERO: bool = false;

    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe { softplus(x) }
    }
}

/// `factor · x`.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) factor: f32,
}

impl Formula for Scale {
    #[inline(always)]
    unsafe fn at<V: Lanes>(self, x: V) -> (V, V) {
        // SAFETY: the instructions are the caller's.
        unsafe { (x.mul(V::splat(self.factor)), V::splat(self.factor)) }
    }
}
