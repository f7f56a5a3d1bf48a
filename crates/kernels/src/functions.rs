//! Exponentials and what is made of them, sixteen numbers at once.
//!
//! Where a function is computed, so is its slope: both are made of the same exponential. NaN stays NaN. How far the
//! results are from the exact ones is said, and tested, where they are used: at [`crate::ElementFunction`].

use std::f32::consts::LOG2_E;

use crate::vector::Lanes;

/// The exponential of it, and of everything below, is 0 in single precision: e⁻¹⁰⁴ is less than half of 2⁻¹⁴⁹.
pub(crate) const LOWEST_EXPONENT: f32 = -104.0;

/// `c[0] xⁿ + c[1] xⁿ⁻¹ + … + c[n]`.
///
/// # Safety
///
/// Here and below: the machine has the instructions of `V`.
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

/// `n` and `eʳ − 1` with `x + rest = n ln 2 + r`, `n` whole, `|r|` hardly above `½ ln 2`, and `rest` small against `x`.
#[inline(always)]
unsafe fn reduced<V: Lanes>(x: V, rest: Option<V>) -> (V, V) {
    /// A sum with it, of a number below 2²² in magnitude, has no digits behind the point.
    const SHIFT: f32 = 1.5 * (1 << 23) as f32;
    /// ln 2 in two parts. The first has ten digits, so that its product with n is exact without a fused instruction.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Of (eʳ − 1 − r) / r², like `LN_2` from expf of the Cephes Mathematical Library (Moshier).
    #[expect(clippy::excessive_precision, reason = "the digits of the source")]
    const TAIL: [f32; 6] =
        [1.987_569_2e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.000_000_1e-1];
    // SAFETY: the instructions are the caller's.
    unsafe {
        let n = V::splat(SHIFT).fma(x, V::splat(LOG2_E)).sub(V::splat(SHIFT));
        let mut r = x.fma(n, V::splat(-LN_2[0])).fma(n, V::splat(-LN_2[1]));
        if let Some(rest) = rest {
            r = r.add(rest);
        }
        (n, r.fma(r.mul(r), polynomial(r, TAIL)))
    }
}

/// `eˣ` for `x ≤ 0`.
#[inline(always)]
unsafe fn exp_below_zero<V: Lanes>(x: V) -> V {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let (n, less_one) = reduced(x.at_least(V::splat(LOWEST_EXPONENT)), None);
        V::splat(1.0).add(less_one).times_power_of_two(n)
    }
}

/// `eˣ − 1` and `eˣ` for `x ≤ 0`.
#[inline(always)]
pub(crate) unsafe fn exp_less_one<V: Lanes>(x: V) -> (V, V) {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let one = V::splat(1.0);
        let (n, less_one) = reduced(x.at_least(V::splat(LOWEST_EXPONENT)), None);
        let exp = one.add(less_one).times_power_of_two(n);
        // From −½ ln 2 on n is 0, and below the difference is more than a quarter.
        (n.select_equal(V::splat(0.0), less_one, exp.sub(one)), exp)
    }
}

/// `tanh x` and `1 − tanh² x`: with `e = exp(−2 |x|)`, they are `(1 − e) / (1 + e)`, which gets the sign of `x`, and
/// `4 e / (1 + e)²`.
#[inline(always)]
pub(crate) unsafe fn tanh<V: Lanes>(x: V) -> (V, V) {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let (less_one, e) = exp_less_one(x.magnitude().mul(V::splat(-2.0)));
        let share = V::splat(1.0).div(V::splat(1.0).add(e));
        let twice = share.add(share);
        (less_one.mul(share).with_sign(x), e.mul(twice).mul(twice))
    }
}

/// `σ(x) = 1 / (1 + e⁻ˣ)` and `σ'(x) = σ (1 − σ)`: with `e = exp(−|x|)`, `σ` is `1 / (1 + e)` or `e / (1 + e)`, and
/// `σ'` is `e / (1 + e)²`.
#[inline(always)]
pub(crate) unsafe fn logistic<V: Lanes>(x: V) -> (V, V) {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let e = exp_below_zero(V::splat(0.0).sub(x.magnitude()));
        of_exponential(x, e)
    }
}

/// What [`logistic`] gives, of `x` and `e = exp(−|x|)`.
#[inline(always)]
unsafe fn of_exponential<V: Lanes>(x: V, e: V) -> (V, V) {
    // SAFETY: the instructions are the caller's.
    unsafe {
        let one = V::splat(1.0);
        let share = one.div(one.add(e));
        let other = e.mul(share);
        (x.select_greater(V::splat(0.0), share, other), share.mul(other))
    }
}

/// `ln(1 + eˣ)` and `σ(x)`: with `e = exp(−|x|)`, the logarithm is `max(x, 0) + ln(1 + e)`, and `ln(1 + e)` is
/// `2 artanh(s)` with `s = e / (2 + e) ≤ 1/3`, whose series ends with an error of 2⁻²⁹.
#[inline(always)]
pub(crate) unsafe fn softplus<V: Lanes>(x: V) -> (V, V) {
    const SERIES: [f32; 8] = [1.0 / 15.0, 1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
    // SAFETY: the instructions are the caller's.
    unsafe {
        let e = exp_below_zero(V::splat(0.0).sub(x.magnitude()));
        let s = e.div(V::splat(2.0).add(e));
        (x.relu().fma(s.add(s), polynomial(s.mul(s), SERIES)), of_exponential(x, e).0)
    }
}

/// `σ(v)` and its slope in `x`, for `v = 2 √(2/π) (x + 0.044715 x³)`: the gate of GELU by tanh. It is 0 or 1 from
/// [`GATE_REACH`] on, and is asked for no further.
#[inline(always)]
pub(crate) unsafe fn gate<V: Lanes>(x: V) -> (V, V) {
    const RATE: f64 = 1.595_769_121_605_730_7;
    const CUBE: f64 = RATE * 0.044_715;
    /// A number in two parts.
    const fn parts(number: f64) -> [f32; 2] {
        [number as f32, (number - number as f32 as f64) as f32]
    }
    const RATES: [f32; 2] = parts(RATE);
    const CUBES: [f32; 2] = parts(CUBE);
    // SAFETY: the instructions are the caller's.
    unsafe {
        // An exponential makes a relative error of an absolute one, and v is up to 112. So each product and sum has
        // a second number, what its rounding lost: of t², of the factor f = 2 √(2/π) (1 + 0.044715 t²), and of v = t f.
        let t = x.magnitude();
        let square = t.mul(t);
        let of_square = t.lost_of_product(t, square);
        let (rate, cube) = (V::splat(RATES[0]), V::splat(CUBES[0]));
        let term = square.mul(cube);
        let of_term = square.lost_of_product(cube, term).fma(of_square, cube).fma(square, V::splat(CUBES[1]));
        // The rate need not be the larger one.
        let factor = rate.add(term);
        let added = factor.sub(rate);
        let of_sum = rate.sub(factor.sub(added)).add(term.sub(added));
        let of_factor = of_term.add(of_sum).add(V::splat(RATES[1]));
        let v = t.mul(factor);
        let of_v = t.lost_of_product(factor, v).fma(t, of_factor);
        let zero = V::splat(0.0);
        let (n, less_one) = reduced(zero.sub(v), Some(zero.sub(of_v)));
        let e = V::splat(1.0).add(less_one).times_power_of_two(n);
        let (gate, density) = of_exponential(x, e);
        // v' = 2 √(2/π) (1 + 3 · 0.044715 t²) = f + 2 · 0.044715 · 2 √(2/π) t².
        (gate, density.mul(factor.add(term.add(term))))
    }
}

/// From here on `σ(v)` of [`gate`] is 0 or 1 in single precision, and its slope 0.
pub(crate) const GATE_REACH: f32 = 11.0;

/// `Φ(x)` and `φ(x) = Φ'(x)` of the standard normal distribution.
///
/// `Φ(−t) = exp(−t² / 2) m(t)` for `t ≥ 0`, where `m`, which is Mills' ratio but for a constant factor, falls slowly.
/// It is a quotient of polynomials, fitted for `t ≤ 15` with a relative error of 6.3e-9 (1.6e-8 with the coefficients
/// rounded): by least squares at 1,500 points that are denser at both ends, with Lawson's weights. All coefficients are
/// positive, so that no digit is lost. Beyond 15, `Φ(−t)` is 0.
#[inline(always)]
pub(crate) unsafe fn normal<V: Lanes>(x: V) -> (V, V) {
    const ABOVE: [f32; 5] = [0.004_153_208_5, 0.040_880_984, 0.183_968_71, 0.439_282_86, 0.5];
    const BELOW: [f32; 6] = [0.010_410_438, 0.102_479_55, 0.471_407_57, 1.205_546_5, 1.676_450_7, 1.0];
    /// 1 / √(2π).
    const HEIGHT: f32 = 0.398_942_3;
    // SAFETY: the instructions are the caller's.
    unsafe {
        let t = x.magnitude().at_most(V::splat(NORMAL_REACH));
        // With what the rounding of t² lost, since an exponential makes a relative error of an absolute one.
        let square = t.mul(t);
        let half = V::splat(-0.5);
        let (n, less_one) = reduced(square.mul(half), Some(t.lost_of_product(t, square).mul(half)));
        let bell = V::splat(1.0).add(less_one).times_power_of_two(n);
        let tail = bell.mul(polynomial(t, ABOVE)).div(polynomial(t, BELOW));
        let above = V::splat(1.0).sub(tail);
        (x.select_greater(V::splat(0.0), above, tail), bell.mul(V::splat(HEIGHT)))
    }
}

/// From here on `Φ(−t)` and `φ(t)` are 0 in single precision.
pub(crate) const NORMAL_REACH: f32 = 15.0;
