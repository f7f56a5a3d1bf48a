//! Sums over the pixels of an image, channel by channel.

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// Adds the sum over all pixels of a blocked image to `sums`, a number a channel.
///
/// # Panics
///
/// If the layout is planar or a slice has another length than it should.
pub fn add_channel_sums(isa: Isa, layout: &Layout, image: &[f32], sums: &mut [f32]) {
    layout.check_blocked(image);
    assert_eq!(sums.len(), layout.padded_channels(), "a sum a channel");
    isa.run(Sum { layout, image, sums });
}

/// `to ← to + from`.
///
/// # Panics
///
/// If the slices differ in length.
pub fn accumulate(isa: Isa, from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len(), "two slices");
    isa.run(Accumulate { from, to });
}

struct Accumulate<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Accumulate<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let (whole, rest) = self.to.as_chunks_mut::<LANES>();
        let (from, from_rest) = self.from.as_chunks::<LANES>();
        for (to, from) in whole.iter_mut().zip(from) {
            // SAFETY: the instructions are the caller's.
            unsafe { V::of(to).add(V::of(from)).put(to) }
        }
        rest.iter_mut().zip(from_rest).for_each(|(to, from)| *to += from);
    }
}

struct Sum<'a> {
    layout: &'a Layout,
    image: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { layout, image, sums } = self;
        for (block, to) in sums.as_chunks_mut().0.iter_mut().enumerate() {
            // SAFETY: the instructions are the caller's; everything else is arrays.
            unsafe {
                let sum = sum_rows(layout, image, block, |sum: V, pixel| sum.add(pixel));
                V::of(to).add(sum).put(to);
            }
        }
    }
}

/// `add` over all pixels of a block, from zero. Every fourth pixel of a row goes to the same sum, so that an addition
/// need not wait for the one before; then the four are added up.
///
/// # Safety
///
/// The machine has the instructions of `V`.
#[inline(always)]
pub(crate) unsafe fn sum_rows<V: Lanes>(
    layout: &Layout,
    image: &[f32],
    block: usize,
    mut add: impl FnMut(V, V) -> V,
) -> V {
    // SAFETY: the instructions are the caller's; everything else is arrays.
    unsafe {
        let mut sums = [V::splat(0.0); 4];
        for row in 0..layout.height {
            let (fours, rest) = layout.row(image, block, row).as_chunks::<4>();
            for pixels in fours {
                for i in 0..4 {
                    sums[i] = add(sums[i], V::of(&pixels[i]));
                }
            }
            for i in 0..3 {
                if let Some(pixel) = rest.get(i) {
                    sums[i] = add(sums[i], V::of(pixel));
                }
            }
        }
        sums[0].add(sums[1]).add(sums[2].add(sums[3]))
    }
}
