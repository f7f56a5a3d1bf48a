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
    assert_eq!((layout.lanes, image.len()), (LANES, layout.size()), "the image");
    assert_eq!(sums.len(), layout.blocks() * LANES, "a sum a channel");
    isa.run(Sum { layout, image, sums });
}

/// `to ← to + from`.
///
/// # Panics
///
/// If the slices differ in length.
pub(crate) fn accumulate(isa: Isa, from: &[f32], to: &mut [f32]) {
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
            // SAFETY: arrays of 16.
            unsafe { V::load(to.as_ptr()).add(V::load(from.as_ptr())).store(to.as_mut_ptr()) }
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
        for (block, to) in sums.chunks_exact_mut(LANES).enumerate() {
            // SAFETY: rows and columns are inside of the layout, whose size is the image's length.
            unsafe {
                let mut sums = [V::splat(0.0); 4];
                for row in 0..layout.height {
                    let start = layout.block_start(block) + row * layout.row_stride();
                    let pixels = image[start..][..layout.width * LANES].as_ptr();
                    for column in 0..layout.width {
                        sums[column % 4] = sums[column % 4].add(V::load(pixels.add(column * LANES)));
                    }
                }
                let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
                V::load(to.as_ptr()).add(sum).store(to.as_mut_ptr());
            }
        }
    }
}
