//! The transforms of a tile, 16 channels at once.
//!
//! In one dimension, m outputs of a kernel of r = 7 − m taps need m + r − 1 = 6 inputs, and are, with ⊙ element by
//! element,
//!
//! ```text
//! y = Aᵀ [(G w) ⊙ (Bᵀ x)]
//! ```
//!
//! (Winograd 1980; Lavin and Gray 2016, <https://arxiv.org/abs/1509.09308>, equation 6). It comes from the product of
//! two polynomials, which evaluates both at 0, ±1, ±2 and ∞, multiplies there, and interpolates. For a fixed w that is
//! a linear map of the other polynomial, and filtering is its transpose: G evaluates w, Bᵀ is the transposed
//! interpolation, and Aᵀ the transposed evaluation. Bᵀ does not depend on m. The gradient of the taps is
//! `∂L/∂w = Gᵀ [(Bᵀ x) ⊙ (A ∂L/∂y)]`, the transpose once more. In two dimensions each transform T is applied along the
//! columns and along the rows.

use crate::vector::Lanes;

/// Inputs of a tile in one dimension, and points.
pub(super) const SIZE: usize = 6;

/// Elements of a transformed tile.
pub(super) const ELEMENTS: usize = SIZE * SIZE;

/// A matrix of the algorithm, `FROM` numbers to `TO`.
pub(super) trait Transform<const FROM: usize, const TO: usize> {
    /// The matrix times a vector, lane by lane.
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    unsafe fn once<V: Lanes>(x: [V; FROM]) -> [V; TO];

    /// `T x Tᵀ`.
    ///
    /// # Safety
    ///
    /// The machine has the instructions of `V`.
    #[inline(always)]
    unsafe fn twice<V: Lanes>(x: [[V; FROM]; FROM]) -> [[V; TO]; TO] {
        // SAFETY: the caller's.
        unsafe {
            let zero = V::splat(0.0);
            let mut columns = [[zero; FROM]; TO];
            for j in 0..FROM {
                let mut column = [zero; FROM];
                for i in 0..FROM {
                    column[i] = x[i][j];
                }
                let column = Self::once(column);
                for i in 0..TO {
                    columns[i][j] = column[i];
                }
            }
            let mut both = [[zero; TO]; TO];
            for i in 0..TO {
                both[i] = Self::once(columns[i]);
            }
            both
        }
    }
}

/// Bᵀ: inputs to points.
pub(super) struct OfInput;

impl Transform<SIZE, SIZE> for OfInput {
    #[inline(always)]
    unsafe fn once<V: Lanes>(x: [V; SIZE]) -> [V; SIZE] {
        // SAFETY: the caller's.
        unsafe {
            let [two, four, minus_two, minus_four, minus_five] =
                [V::splat(2.0), V::splat(4.0), V::splat(-2.0), V::splat(-4.0), V::splat(-5.0)];
            let (even, odd) = (x[4].fma(minus_four, x[2]), x[3].fma(minus_four, x[1]));
            let (even_two, odd_two) = (x[4].sub(x[2]), x[3].sub(x[1]));
            [
                x[4].fma(minus_five, x[2]).fma(four, x[0]),
                even.add(odd),
                even.sub(odd),
                even_two.fma(two, odd_two),
                even_two.fma(minus_two, odd_two),
                x[5].fma(minus_five, x[3]).fma(four, x[1]),
            ]
        }
    }
}

/// Aᵀ: points to outputs.
pub(super) struct ToOutput;

impl Transform<SIZE, 2> for ToOutput {
    #[inline(always)]
    unsafe fn once<V: Lanes>(x: [V; SIZE]) -> [V; 2] {
        // SAFETY: the caller's.
        unsafe {
            let sum = x[0].add(x[1].add(x[2])).add(x[3].add(x[4]));
            [sum, x[5].add(x[1].sub(x[2])).fma(V::splat(2.0), x[3].sub(x[4]))]
        }
    }
}

impl Transform<SIZE, 4> for ToOutput {
    #[inline(always)]
    unsafe fn once<V: Lanes>(x: [V; SIZE]) -> [V; 4] {
        // SAFETY: the caller's.
        unsafe {
            let (sum, sum_two) = (x[1].add(x[2]), x[3].add(x[4]));
            let (difference, difference_two) = (x[1].sub(x[2]), x[3].sub(x[4]));
            [
                x[0].add(sum).add(sum_two),
                difference.fma(V::splat(2.0), difference_two),
                sum.fma(V::splat(4.0), sum_two),
                x[5].add(difference).fma(V::splat(8.0), difference_two),
            ]
        }
    }
}

/// A: gradients of outputs to points.
pub(super) struct OfGradient;

impl Transform<2, SIZE> for OfGradient {
    #[inline(always)]
    unsafe fn once<V: Lanes>(g: [V; 2]) -> [V; SIZE] {
        // SAFETY: the caller's.
        unsafe {
            [g[0], g[0].add(g[1]), g[0].sub(g[1]), g[0].fma(V::splat(2.0), g[1]), g[0].fma(V::splat(-2.0), g[1]), g[1]]
        }
    }
}

impl Transform<4, SIZE> for OfGradient {
    #[inline(always)]
    unsafe fn once<V: Lanes>(g: [V; 4]) -> [V; SIZE] {
        // SAFETY: the caller's.
        unsafe {
            let (even, odd) = (g[0].add(g[2]), g[1].add(g[3]));
            let (even_two, odd_two) = (g[0].fma(V::splat(4.0), g[2]), g[1].fma(V::splat(4.0), g[3]));
            [
                g[0],
                even.add(odd),
                even.sub(odd),
                even_two.fma(V::splat(2.0), odd_two),
                even_two.fma(V::splat(-2.0), odd_two),
                g[3],
            ]
        }
    }
}

/// G: taps to points.
pub(super) struct OfWeights;

impl<const R: usize> Transform<R, SIZE> for OfWeights {
    #[inline(always)]
    unsafe fn once<V: Lanes>(w: [V; R]) -> [V; SIZE] {
        let g = const { of_taps::<R>() };
        // SAFETY: the caller's.
        unsafe {
            let mut to = [V::splat(0.0); SIZE];
            for i in 0..SIZE {
                for k in 0..R {
                    if g[i][k] != 0.0 {
                        to[i] = to[i].fma(V::splat(g[i][k]), w[k]);
                    }
                }
            }
            to
        }
    }
}

/// Gᵀ: points to gradients of taps.
pub(super) struct ToWeights;

impl<const R: usize> Transform<SIZE, R> for ToWeights {
    #[inline(always)]
    unsafe fn once<V: Lanes>(x: [V; SIZE]) -> [V; R] {
        let g = const { of_taps::<R>() };
        // SAFETY: the caller's.
        unsafe {
            let mut to = [V::splat(0.0); R];
            for i in 0..SIZE {
                for k in 0..R {
                    if g[i][k] != 0.0 {
                        to[k] = to[k].fma(V::splat(g[i][k]), x[i]);
                    }
                }
            }
            to
        }
    }
}

/// The elements of G: point p to the power k, divided by the product of p's distances to the other finite points.
const fn of_taps<const R: usize>() -> [[f32; R]; SIZE] {
    let points: [(f64, f64); 5] = [(0.0, 4.0), (1.0, -6.0), (-1.0, -6.0), (2.0, 24.0), (-2.0, 24.0)];
    let mut g = [[0.0; R]; SIZE];
    let mut i = 0;
    while i < points.len() {
        let (point, product) = points[i];
        let mut power = 1.0;
        let mut k = 0;
        while k < R {
            g[i][k] = (power / product) as f32;
            power *= point;
            k += 1;
        }
        i += 1;
    }
    g[SIZE - 1][R - 1] = 1.0;
    g
}
