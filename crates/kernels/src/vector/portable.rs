//! Arrays of plain Rust, which a compiler turns into what vectors the target has.

use super::{LANES, Lanes};

#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

impl Lanes for Portable {
    const ACCUMULATORS: usize = 3;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller points to 16 numbers.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller points to 16 numbers.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        // Rounded twice where there is no instruction for it: calling the library once a number would be 30 times
        // slower.
        #[cfg(target_feature = "fma")]
        let once = |sum: f32, a: f32, b: f32| a.mul_add(b, sum);
        #[cfg(not(target_feature = "fma"))]
        let once = |sum: f32, a: f32, b: f32| sum + a * b;
        Self(std::array::from_fn(|lane| once(self.0[lane], a.0[lane], b.0[lane])))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        Self(self.0.map(|x| if x < 0.0 { 0.0 } else { x }))
    }
    #[inline(always)]
    unsafe fn select_greater(self, other: Self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] > other.0[i] { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    unsafe fn select_equal(self, other: Self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|i| if self.0[i] == other.0[i] { yes.0[i] } else { no.0[i] }))
    }
    #[inline(always)]
    unsafe fn at_least(self, bound: Self) -> Self {
        self.zip(bound, |x, bound| if x < bound { bound } else { x })
    }
    #[inline(always)]
    unsafe fn at_most(self, bound: Self) -> Self {
        self.zip(bound, |x, bound| if x > bound { bound } else { x })
    }
    #[inline(always)]
    unsafe fn magnitude(self) -> Self {
        Self(self.0.map(f32::abs))
    }
    #[inline(always)]
    unsafe fn with_sign(self, of: Self) -> Self {
        self.zip(of, f32::copysign)
    }
    #[inline(always)]
    unsafe fn times_power_of_two(self, n: Self) -> Self {
        // In two factors, since 2ⁿ alone may be below the smallest number with all digits.
        let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23) as u32);
        // Above 2²³ a number has its whole part in its last bits, which no vector instruction is needed to convert.
        let shift = 1.5 * (1 << 23) as f32;
        self.zip(n, |x, n| {
            let n = ((n + shift).to_bits() as i32).wrapping_sub(shift.to_bits() as i32);
            let half = n >> 1;
            x * power(half) * power(n.wrapping_sub(half))
        })
    }
    #[inline(always)]
    unsafe fn lost_of_product(self, other: Self, product: Self) -> Self {
        // `fma` may round twice. A product of two numbers of single precision is exact in double precision.
        let lost = |lane: usize| f64::from(self.0[lane]) * f64::from(other.0[lane]) - f64::from(product.0[lane]);
        Self(std::array::from_fn(|lane| lost(lane) as f32))
    }
}
