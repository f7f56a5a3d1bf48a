//! Four registers of NEON.

use std::arch::aarch64::{
    float32x4_t, vabsq_f32, vaddq_f32, vaddq_s32, vbslq_f32, vceqq_f32, vcgtq_f32, vcvtq_s32_f32, vdivq_f32,
    vdupq_n_f32, vdupq_n_s32, vdupq_n_u32, vfmaq_f32, vld1q_f32, vmaxq_f32, vminq_f32, vmulq_f32,
    vreinterpretq_f32_s32, vshlq_n_s32, vshrq_n_s32, vsqrtq_f32, vst1q_f32, vsubq_f32, vsubq_s32,
};

use super::Lanes;

#[derive(Clone, Copy)]
pub(crate) struct Neon([float32x4_t; 4]);

// SAFETY of every block below: the caller has the instructions and gives pointers to 16 numbers, as `Lanes` demands.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Lanes for Neon {
    const ACCUMULATORS: usize = 6;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([unsafe { vdupq_n_f32(value) }; 4])
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        unsafe { Self([vld1q_f32(from), vld1q_f32(from.add(4)), vld1q_f32(from.add(8)), vld1q_f32(from.add(12))]) }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        for quarter in 0..4 {
            unsafe { vst1q_f32(to.add(4 * quarter), self.0[quarter]) };
        }
    }
    #[inline(always)]
    unsafe fn fma(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vfmaq_f32(self.0[i], a.0[i], b.0[i]) }))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vaddq_f32(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vsubq_f32(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vmulq_f32(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vdivq_f32(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vsqrtq_f32(self.0[i]) }))
    }
    #[inline(always)]
    unsafe fn relu(self) -> Self {
        // NEON's maximum of a NaN and a number is NaN.
        Self(std::array::from_fn(|i| unsafe { vmaxq_f32(vdupq_n_f32(0.0), self.0[i]) }))
    }
    #[inline(always)]
    unsafe fn select_greater(self, other: Self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vbslq_f32(vcgtq_f32(self.0[i], other.0[i]), yes.0[i], no.0[i]) }))
    }
    #[inline(always)]
    unsafe fn select_equal(self, other: Self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vbslq_f32(vceqq_f32(self.0[i], other.0[i]), yes.0[i], no.0[i]) }))
    }
    #[inline(always)]
    unsafe fn at_least(self, bound: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vmaxq_f32(bound.0[i], self.0[i]) }))
    }
    #[inline(always)]
    unsafe fn at_most(self, bound: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vminq_f32(bound.0[i], self.0[i]) }))
    }
    #[inline(always)]
    unsafe fn magnitude(self) -> Self {
        Self(self.0.map(|quarter| unsafe { vabsq_f32(quarter) }))
    }
    #[inline(always)]
    unsafe fn with_sign(self, of: Self) -> Self {
        Self(std::array::from_fn(|i| unsafe { vbslq_f32(vdupq_n_u32(1 << 31), of.0[i], self.0[i]) }))
    }
    #[inline(always)]
    unsafe fn times_power_of_two(self, n: Self) -> Self {
        // In two factors, since 2ⁿ alone may be below the smallest number with all digits.
        Self(std::array::from_fn(|i| unsafe {
            let power = |n| vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(n, vdupq_n_s32(127))));
            let n = vcvtq_s32_f32(n.0[i]);
            let half = vshrq_n_s32::<1>(n);
            vmulq_f32(vmulq_f32(self.0[i], power(half)), power(vsubq_s32(n, half)))
        }))
    }
}
