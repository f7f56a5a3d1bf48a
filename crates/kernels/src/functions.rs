//! Exponentials and what is made of them, sixteen numbers at once.
//!
//! Each function says how far it is from the exact value, relative to that value. Below 2⁻¹²⁶ numbers have fewer
//! digits, and the error is at most 2⁻¹⁴⁸ besides. NaN stays NaN.

use std::f32::consts::LOG2_E;

use crate::vector::Lanes;

/// The exponential of it, and of everything below, is 0 in single precision: e⁻¹⁰⁴ is less than half of 2⁻¹⁴⁹.
pub(crate) const LOWEST_EXPONENT: f32 = -104.0;

/// `max(x, bound)`.
///
/// # Safety
///
/// Here and below: the machine has the instructions of `V`.
#[inline(always)]
pub(crate) unsafe fn at_least<V: Lanes>(x: V, bound: f32) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe { V::splat(bound).select_greater(x, V::splat(bound), x) }
}

/// `min(x, bound)`.
#[inline(always)]
pub(crate) unsafe fn at_most<V: Lanes>(x: V, bound: f32) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe { x.select_greater(V::splat(bound), V::splat(bound), x) }
}

/// `|x|`.
#[inline(always)]
pub(crate) unsafe fn magnitude<V: Lanes>(x: V) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe { x.select_greater(V::splat(0.0), x, V::splat(0.0).sub(x)) }
}

/// `c[0] xⁿ + c[1] xⁿ⁻¹ + … + c[n]`.
#[inline(always)]
unsafe fn polynomial<V: Lanes, const N: usize>(x: V, coefficients: [f32; N]) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let mut sum = V::splat(coefficients[0]);
        for k in 1..N {
            sum = V::splat(coefficients[k]).fma(sum, x);
        }
        sum
    }
}

/// The whole number next to `x`, which is below 2²² in magnitude: a sum above 2²³ has no digits behind the point.
#[inline(always)]
unsafe fn nearest<V: Lanes>(x: V) -> V {
    const SHIFT: f32 = 1.5 * (1 << 23) as f32;
    // SAFETY: the instructions are the caller's.
    unsafe { x.add(V::splat(SHIFT)).sub(V::splat(SHIFT)) }
}

/// `n` and `eʳ − 1` with `x = n ln 2 + r`, `n` whole and `|r| ≤ ½ ln 2`.
#[inline(always)]
unsafe fn reduced<V: Lanes>(x: V) -> (V, V) {
    /// ln 2 in two parts. The first has ten digits, so that its product with n is exact without a fused instruction.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Of (eʳ − 1 − r) / r², like `LN_2` from expf of the Cephes Mathematical Library (Moshier).
    #[expect(clippy::excessive_precision, reason = "the digits of the source")]
    const TAIL: [f32; 6] =
        [1.987_569_2e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.000_000_1e-1];
    // SAFETY: the instructions are the caller's.
    unsafe {
        let n = nearest(x.mul(V::splat(LOG2_E)));
        let r = x.fma(n, V::splat(-LN_2[0])).fma(n, V::splat(-LN_2[1]));
        (n, r.fma(r.mul(r), polynomial(r, TAIL)))
    }
}

/// `eˣ` for `x ≤ 0`, within 2⁻²².
#[inline(always)]
pub(crate) unsafe fn exp_below_zero<V: Lanes>(x: V) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let (n, less_one) = reduced(at_least(x, LOWEST_EXPONENT));
        // In two factors, since 2ⁿ alone may be below the smallest number with all digits.
        let half = nearest(n.mul(V::splat(0.5)));
        V::splat(1.0).add(less_one).mul(half.power_of_two()).mul(n.sub(half).power_of_two())
    }
}

/// `eˣ − 1` for `x ≤ 0`, within 2⁻²².
#[inline(always)]
pub(crate) unsafe fn exp_less_one_below_zero<V: Lanes>(x: V) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe {
        // e⁻⁴⁰ adds nothing to 1.
        let (n, less_one) = reduced(at_least(x, -40.0));
        let scale = n.power_of_two();
        scale.sub(V::splat(1.0)).fma(scale, less_one)
    }
}

/// `ln(1 + e)` for `e` from 0 to 1, within 2⁻²²: `2 artanh(s)` with `s = e / (2 + e) ≤ 1/3`, whose series ends with an
/// error of 2⁻²⁹.
#[inline(always)]
pub(crate) unsafe fn ln_one_plus<V: Lanes>(e: V) -> V {
    const SERIES: [f32; 8] = [1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
    // SAFETY: the instructions are the caller's.
    unsafe {
        let s = e.div(V::splat(2.0).add(e));
        s.add(s).mul(polynomial(s.mul(s), SERIES))
    }
}

/// `tanh x`, within 2⁻²¹: `−e / (2 + e)` with `e = exp(−2 |x|) − 1`, and the sign of `x`.
#[inline(always)]
pub(crate) unsafe fn tanh<V: Lanes>(x: V) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let e = exp_less_one_below_zero(magnitude(x).mul(V::splat(-2.0)));
        let negative = e.div(V::splat(2.0).add(e));
        x.select_greater(V::splat(0.0), V::splat(0.0).sub(negative), negative)
    }
}

/// `σ(x) = 1 / (1 + e⁻ˣ)` and `σ'(x) = σ (1 − σ)`, within 2⁻²¹: with `e = exp(−|x|)`, `σ` is `1 / (1 + e)` or
/// `e / (1 + e)`, and `σ'` is `e / (1 + e)²`.
#[inline(always)]
pub(crate) unsafe fn logistic<V: Lanes>(x: V) -> (V, V) {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let (one, zero) = (V::splat(1.0), V::splat(0.0));
        let e = exp_below_zero(zero.sub(magnitude(x)));
        let share = one.div(one.add(e));
        let other = e.mul(share);
        (x.select_greater(zero, share, other), share.mul(other))
    }
}

/// `Φ(x)` and `φ(x) = Φ'(x)` of the standard normal distribution, within 2⁻²⁰.
///
/// `Φ(−t) = exp(−t² / 2) m(t)` for `t ≥ 0`, where Mills' ratio (but for a constant factor) falls slowly: `m` is a
/// polynomial of `s = 1 / (1 + 0.35 t)`, fitted with a relative error of 3.2e-8 for `t ≤ 15`. Beyond, `Φ(−t)` is 0.
#[inline(always)]
pub(crate) unsafe fn normal<V: Lanes>(x: V) -> (V, V) {
    const SCALE: f32 = 0.35;
    /// Of m(t) / s, by Lawson's algorithm on 600 Chebyshev points.
    const MILLS: [f32; 9] = [
        -0.029_163_807,
        0.144_060_24,
        -0.255_900_73,
        0.159_391_67,
        -0.023_263_018,
        0.105_574_474,
        0.119_815_58,
        0.139_864_33,
        0.139_621_26,
    ];
    /// 1 / √(2π).
    const HEIGHT: f32 = 0.398_942_3;
    // SAFETY: the instructions are the caller's.
    unsafe {
        let (one, zero) = (V::splat(1.0), V::splat(0.0));
        let t = at_most(magnitude(x), NORMAL_REACH);
        // t² / 2 with what its rounding loses, since an exponential makes a relative error of an absolute one: with
        // t = near + rest, it is near² / 2, which has few digits, and (near + rest / 2) · rest, which is small.
        let near = nearest(t.mul(V::splat(16.0))).mul(V::splat(1.0 / 16.0));
        let rest = t.sub(near);
        let (large, small) = (near.mul(near).mul(V::splat(0.5)), near.fma(rest, V::splat(0.5)).mul(rest));
        let half_square = large.add(small);
        let lost = small.sub(half_square.sub(large));
        let bell = exp_below_zero(zero.sub(half_square)).mul(one.sub(lost));
        let s = one.div(one.fma(t, V::splat(SCALE)));
        let tail = bell.mul(s.mul(polynomial(s, MILLS)));
        (x.select_greater(zero, one.sub(tail), tail), bell.mul(V::splat(HEIGHT)))
    }
}

/// From here on `Φ(−t)` and `φ(t)` are 0 in single precision.
pub(crate) const NORMAL_REACH: f32 = 15.0;
