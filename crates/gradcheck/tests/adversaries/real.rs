//! Arithmetic in the precision under test: a function that is written once is computed in f32 as well as in f64.

use std::iter::Sum;
use std::ops::{Add, Div, Mul, Neg, Sub};

use backproof_gradcheck::Value;

/// A float type.
pub(crate) trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Sum
    + 'static
{
    fn of(x: f64) -> Self;
    fn double(self) -> f64;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn ln_1p(self) -> Self;
    fn tanh(self) -> Self;
    fn sqrt(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn abs(self) -> Self;
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
}

macro_rules! real {
    ($type:ty) => {
        impl Real for $type {
            fn of(x: f64) -> Self {
                x as $type
            }
            fn double(self) -> f64 {
                self.into()
            }
            fn exp(self) -> Self {
                self.exp()
            }
            fn ln(self) -> Self {
                self.ln()
            }
            fn ln_1p(self) -> Self {
                self.ln_1p()
            }
            fn tanh(self) -> Self {
                self.tanh()
            }
            fn sqrt(self) -> Self {
                self.sqrt()
            }
            fn sin(self) -> Self {
                self.sin()
            }
            fn cos(self) -> Self {
                self.cos()
            }
            fn abs(self) -> Self {
                self.abs()
            }
            fn max(self, other: Self) -> Self {
                self.max(other)
            }
            fn min(self, other: Self) -> Self {
                self.min(other)
            }
        }
    };
}

real!(f32);
real!(f64);

/// `1 / (1 + e^−x)`, without overflow and with all digits on both sides.
pub(crate) fn sigmoid<R: Real>(x: R) -> R {
    let e = (-x.abs()).exp();
    let one = R::of(1.0);
    if x >= R::of(0.0) { one / (one + e) } else { e / (one + e) }
}

/// `1 − erf(x)`, with all digits on the right.
///
/// `erf(x) = 2/√π e^{−x²} Σ 2^n x^{2n+1} / (2n+1)!!`, whose terms all have one sign, below 1.5; a continued fraction from there on.
pub(crate) fn erfc<R: Real>(x: R) -> R {
    let (one, two) = (R::of(1.0), R::of(2.0));
    let size = x.abs();
    let root = R::of(std::f64::consts::PI.sqrt());
    let tail = if size < R::of(1.5) {
        let (mut term, mut sum, mut n) = (size, size, one);
        while term > sum * R::of(1e-18) && n < R::of(100.0) {
            term = term * two * size * size / (two * n + one);
            sum = sum + term;
            n = n + one;
        }
        one - two / root * (-size * size).exp() * sum
    } else {
        // erfc(x) = e^{−x²}/√π · 1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …)))), from the inside.
        let mut fraction = size;
        for k in (1..60).rev() {
            fraction = size + R::of(f64::from(k) / 2.0) / fraction;
        }
        (-size * size).exp() / root / fraction
    };
    if x < R::of(0.0) { two - tail } else { tail }
}

/// A tensor in the precision under test.
#[derive(Clone)]
pub(crate) struct Array<R> {
    pub(crate) dims: Vec<usize>,
    pub(crate) data: Vec<R>,
}

impl<R: Real> Array<R> {
    pub(crate) fn new(dims: impl Into<Vec<usize>>, data: Vec<R>) -> Self {
        Self { dims: dims.into(), data }
    }

    pub(crate) fn zeros(dims: &[usize]) -> Self {
        Self::new(dims, vec![R::of(0.0); dims.iter().product()])
    }

    pub(crate) fn map(&self, f: impl Fn(R) -> R) -> Self {
        Self::new(self.dims.clone(), self.data.iter().map(|&x| f(x)).collect())
    }

    /// `f` of the elements of this and of another of the same size.
    pub(crate) fn with(&self, other: &Self, f: impl Fn(R, R) -> R) -> Self {
        Self::new(self.dims.clone(), self.data.iter().zip(&other.data).map(|(&a, &b)| f(a, b)).collect())
    }

    /// The elements of the last axis.
    pub(crate) fn columns(&self) -> usize {
        *self.dims.last().expect("no scalar")
    }

    /// Along the last axis.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[R]> {
        self.data.chunks(self.columns())
    }
}

impl<R: Real> From<&Value> for Array<R> {
    fn from(value: &Value) -> Self {
        Self::new(value.dims(), value.data().iter().map(|&x| R::of(x)).collect())
    }
}

impl<R: Real> From<Array<R>> for Value {
    fn from(array: Array<R>) -> Self {
        Self::new(array.dims, array.data.into_iter().map(Real::double).collect())
    }
}

#[test]
fn the_error_function_has_all_its_digits() {
    // By mpmath, erfc(x) with 20 digits.
    for (x, expected) in [
        (0.5, 0.479_500_122_186_953_5),
        (1.9, 0.007_209_570_764_742_533),
        (2.1, 0.002_979_466_656_332_984),
        (5.0, 1.537_459_794_428_035e-12),
        (-1.0, 1.842_700_792_949_714_8),
    ] {
        assert!((erfc(x) / expected - 1.0f64).abs() < 1e-13, "{x}: {:e}", erfc(x));
        assert!((f64::from(erfc(x as f32)) / expected - 1.0).abs() < 4e-5, "{x}: {:e}", erfc(x as f32));
    }
}
