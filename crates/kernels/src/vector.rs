//! Sixteen numbers at once, whatever the width of a register: one AVX-512 register, two of AVX2, four of NEON.
//!
//! Because a vector has 16 lanes everywhere, data laid out in blocks of 16 channels means the same to every machine. A
//! kernel is written once over such a vector and compiled for each set of instructions.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use portable::Portable;

/// Lanes of a vector, and channels of a block.
pub const LANES: usize = 16;

/// Sixteen f32.
///
/// # Safety
///
/// Every method needs the instructions of the type, and `load` and `store` a pointer to 16 numbers, aligned as f32.
/// Where numbers come as arrays, `of` and `put` ask for the instructions alone.
pub(crate) trait Lanes: Copy {
    /// Vectors that fit into the registers as sums of a loop, with room left for its operands.
    const ACCUMULATORS: usize;

    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    /// The numbers of an array.
    #[inline(always)]
    unsafe fn of(array: &[f32; LANES]) -> Self {
        // SAFETY: an array of 16; the instructions are the caller's.
        unsafe { Self::load(array.as_ptr()) }
    }
    /// Sets an array to it.
    #[inline(always)]
    unsafe fn put(self, array: &mut [f32; LANES]) {
        // SAFETY: an array of 16; the instructions are the caller's.
        unsafe { self.store(array.as_mut_ptr()) }
    }
    /// `self + a · b`, rounded once.
    unsafe fn fma(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    unsafe fn sqrt(self) -> Self;
    /// max(0, x); NaN stays NaN.
    unsafe fn relu(self) -> Self;
    /// The larger of both; NaN of `self` stays NaN.
    unsafe fn at_least(self, bound: Self) -> Self;
    /// The smaller of both; NaN of `self` stays NaN.
    unsafe fn at_most(self, bound: Self) -> Self;
    /// |x|.
    unsafe fn magnitude(self) -> Self;
    /// |self| with the sign of `of`.
    unsafe fn with_sign(self, of: Self) -> Self;
    /// Lane by lane, `self > other ? yes : no`.
    unsafe fn select_greater(self, other: Self, yes: Self, no: Self) -> Self;
    /// Lane by lane, `self == other ? yes : no`.
    unsafe fn select_equal(self, other: Self, yes: Self, no: Self) -> Self;
    /// `self · 2ⁿ`, rounded once, for whole n from −252 to 127. With n NaN it is any number.
    unsafe fn times_power_of_two(self, n: Self) -> Self;
    /// `self · other − product`: what was lost when `product` was rounded. It is exact, but for an underflow.
    #[inline(always)]
    unsafe fn lost_of_product(self, other: Self, product: Self) -> Self {
        // SAFETY: the caller's.
        unsafe { Self::splat(0.0).sub(product).fma(self, other) }
    }
    /// The lanes as an array.
    #[inline(always)]
    unsafe fn to_array(self) -> [f32; LANES] {
        let mut lanes = [0.0; LANES];
        // SAFETY: the array has room for 16 numbers.
        unsafe { self.store(lanes.as_mut_ptr()) };
        lanes
    }
    /// The sum of all lanes, always in the same order: lanes 8 apart, then 4, 2, 1.
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's.
        let mut lanes = unsafe { self.to_array() };
        for half in [8, 4, 2, 1] {
            for lane in 0..half {
                lanes[lane] += lanes[lane + half];
            }
        }
        lanes[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::{Isa, Kernel};

    struct Agree;

    impl Kernel for Agree {
        #[inline(always)]
        unsafe fn run<V: Lanes>(self) {
            let a: [f32; LANES] = std::array::from_fn(|i| i as f32 - 7.5);
            let b: [f32; LANES] = std::array::from_fn(|i| if i % 3 == 0 { i as f32 - 7.5 } else { 2.5 - i as f32 });
            // SAFETY: arrays of 16; the instructions are the caller's concern.
            unsafe {
                let (x, y) = (V::load(a.as_ptr()), V::load(b.as_ptr()));
                let same = |found: V, expected: &dyn Fn(usize) -> f32| {
                    let expected: [f32; LANES] = std::array::from_fn(expected);
                    assert_eq!(found.to_array(), expected);
                };
                same(x.add(y), &|i| a[i] + b[i]);
                same(x.sub(y), &|i| a[i] - b[i]);
                same(x.mul(y), &|i| a[i] * b[i]);
                same(x.div(y), &|i| a[i] / b[i]);
                same(x.mul(x).sqrt(), &|i| (a[i] * a[i]).sqrt());
                same(x.fma(y, V::splat(3.0)), &|i| b[i].mul_add(3.0, a[i]));
                same(x.relu(), &|i| a[i].max(0.0));
                same(x.select_greater(y, V::splat(1.0), V::splat(2.0)), &|i| if a[i] > b[i] { 1.0 } else { 2.0 });
                same(x.select_equal(y, V::splat(1.0), V::splat(2.0)), &|i| if a[i] == b[i] { 1.0 } else { 2.0 });
                same(x.at_least(y), &|i| a[i].max(b[i]));
                same(x.at_most(y), &|i| a[i].min(b[i]));
                same(x.magnitude(), &|i| a[i].abs());
                same(x.with_sign(y), &|i| a[i].copysign(b[i]));
                // A product of 14 digits more than it has room for, and what is left of it.
                let [third, seventh] = [V::splat(1.0 / 3.0), V::splat(1.0 / 7.0)];
                let exact = f64::from(1.0f32 / 3.0) * f64::from(1.0f32 / 7.0);
                let lost = (exact - f64::from(exact as f32)) as f32;
                assert!(lost != 0.0);
                same(third.lost_of_product(seventh, third.mul(seventh)), &|_| lost);
                for first in (-252..=112).step_by(7) {
                    let whole: [f32; LANES] = std::array::from_fn(|i| (first + i as i32) as f32);
                    let power = |i: usize| 2f64.powi(first + i as i32);
                    let found = V::splat(1.75).times_power_of_two(V::of(&whole));
                    same(found, &|i| (1.75 * power(i)) as f32);
                }
                let nan = V::splat(f32::NAN);
                for stays in [nan.at_least(x), nan.at_most(x), nan.magnitude(), nan.with_sign(x)] {
                    assert!(stays.to_array().iter().all(|lane| lane.is_nan()));
                }
                assert_eq!(x.sum(), 0.0);
                assert!(V::splat(f32::NAN).relu().to_array().iter().all(|lane| lane.is_nan()));
            }
        }
    }

    #[test]
    fn every_instruction_set_computes_what_plain_rust_computes() {
        for isa in Isa::available() {
            isa.run(Agree);
        }
    }
}
