//! Between the transforms: for each element of a tile a product of matrices, `[tiles × C]` times `[C × O]`.
//!
//! Transformed inputs are in the order `[element][block of channels][tile][16]`, with an odd number of vectors from a
//! block to the next: that keeps the elements of a tile in different sets of the cache. Outputs likewise. Weights are
//! `[element][block of outputs][channel][16]`.

use super::transforms::ELEMENTS;
use crate::isa::Kernel;
use crate::vector::{LANES, Lanes};

/// Vectors from a block of channels to the next, for this number of tiles.
pub(super) const fn stride(tiles: usize) -> usize {
    tiles | 1
}

/// The sizes of a product.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Blocks of input and of output channels.
    pub(super) blocks: [usize; 2],
    pub(super) tiles: usize,
}

impl Sizes {
    /// Numbers of the transformed inputs.
    pub(super) const fn inputs(&self) -> usize {
        ELEMENTS * self.blocks[0] * stride(self.tiles) * LANES
    }

    /// Numbers of the products.
    pub(super) const fn outputs(&self) -> usize {
        ELEMENTS * self.blocks[1] * stride(self.tiles) * LANES
    }

    /// Numbers of the transformed weights.
    pub(super) const fn weights(&self) -> usize {
        ELEMENTS * self.blocks[0] * self.blocks[1] * LANES * LANES
    }

    fn check(&self, inputs: usize, weights: usize, outputs: usize) {
        assert_eq!(inputs, self.inputs(), "the transformed inputs");
        assert_eq!(weights, self.weights(), "the transformed weights");
        assert_eq!(outputs, self.outputs(), "the products");
    }
}

/// Inputs times weights.
pub(super) struct Forward<'a> {
    pub(super) sizes: Sizes,
    pub(super) inputs: &'a [f32],
    pub(super) weights: &'a [f32],
    pub(super) outputs: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { sizes, inputs, weights, outputs } = self;
        sizes.check(inputs.len(), weights.len(), outputs.len());
        let Sizes { blocks: [from, to], tiles } = sizes;
        let (row, panel) = (stride(tiles) * LANES, from * LANES * LANES);
        for element in 0..ELEMENTS {
            let mut block = 0;
            while block < to {
                // Two blocks at once use every broadcast twice, where there are registers for both.
                let pair = V::ACCUMULATORS >= 24 && block + 2 <= to;
                // SAFETY: the instructions are the caller's. The lengths were checked: `inputs` has `from` rows of
                // tiles for each element, `outputs` has `to`, and `weights` a panel for each element and block.
                unsafe {
                    let at = Panel {
                        inputs: inputs.as_ptr().add(element * from * row),
                        channels: from * LANES,
                        row,
                        weights: weights.as_ptr().add((element * to + block) * panel),
                        panel,
                        outputs: outputs.as_mut_ptr().add((element * to + block) * row),
                        tiles,
                    };
                    if pair { at.all::<V, 2>() } else { at.all::<V, 1>() }
                }
                block += if pair { 2 } else { 1 };
            }
        }
    }
}

/// One element, one or two blocks of outputs, all tiles.
struct Panel {
    inputs: *const f32,
    channels: usize,
    row: usize,
    weights: *const f32,
    panel: usize,
    outputs: *mut f32,
    tiles: usize,
}

impl Panel {
    #[inline(always)]
    unsafe fn all<V: Lanes, const BLOCKS: usize>(&self) {
        let parts = self.tiles.div_ceil((V::ACCUMULATORS / BLOCKS).min(16));
        for part in 0..parts {
            // Parts as equal as they can be: 28 tiles are 14 and 14, not 16 and 12.
            let [start, end] = [part, part + 1].map(|part| self.tiles * part / parts);
            macro_rules! widths {
                ($($width:literal)*) => {
                    match end - start {
                        $($width => if $width * BLOCKS <= V::ACCUMULATORS {
                            // SAFETY: the caller's.
                            unsafe { self.some::<V, $width, BLOCKS>(start) }
                        })*
                        _ => unreachable!("parts are at most 16 wide"),
                    }
                };
            }
            widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
        }
    }

    /// `WIDTH` tiles from `first` on, whose sums stay in registers.
    #[inline(always)]
    unsafe fn some<V: Lanes, const WIDTH: usize, const BLOCKS: usize>(&self, first: usize) {
        // SAFETY: the caller's.
        unsafe {
            let mut sums = [[V::splat(0.0); WIDTH]; BLOCKS];
            let mut weights = self.weights;
            for block in 0..self.channels / LANES {
                let inputs = self.inputs.add(block * self.row + first * LANES);
                for lane in 0..LANES {
                    let mut of_channel = [V::splat(0.0); BLOCKS];
                    for block in 0..BLOCKS {
                        of_channel[block] = V::load(weights.add(block * self.panel));
                    }
                    for tile in 0..WIDTH {
                        let value = V::splat(*inputs.add(tile * LANES + lane));
                        for block in 0..BLOCKS {
                            sums[block][tile] = sums[block][tile].fma(of_channel[block], value);
                        }
                    }
                    weights = weights.add(LANES);
                }
            }
            for block in 0..BLOCKS {
                for tile in 0..WIDTH {
                    sums[block][tile].store(self.outputs.add(block * self.row + (first + tile) * LANES));
                }
            }
        }
    }
}

/// Adds the gradient of the weights, `inputsᵀ` times the gradients of the outputs.
pub(super) struct WeightGradient<'a> {
    pub(super) sizes: Sizes,
    pub(super) inputs: &'a [f32],
    pub(super) gradients: &'a [f32],
    pub(super) sum: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { sizes, inputs, gradients, sum } = self;
        sizes.check(inputs.len(), sum.len(), gradients.len());
        let Sizes { blocks: [from, to], tiles } = sizes;
        let (row, panel) = (stride(tiles) * LANES, from * LANES * LANES);
        for element in 0..ELEMENTS {
            let mut block = 0;
            while block < to {
                let pair = V::ACCUMULATORS >= 24 && block + 2 <= to;
                // SAFETY: the instructions are the caller's. The lengths were checked, as in `Forward`.
                unsafe {
                    let at = Taps {
                        inputs: inputs.as_ptr().add(element * from * row),
                        channels: from * LANES,
                        row,
                        gradients: gradients.as_ptr().add((element * to + block) * row),
                        tiles,
                        sum: sum.as_mut_ptr().add((element * to + block) * panel),
                        panel,
                    };
                    match (V::ACCUMULATORS, pair) {
                        (24.., true) => at.all::<V, 8, 2>(),
                        (24.., false) => at.all::<V, 16, 1>(),
                        _ => at.all::<V, 4, 1>(),
                    }
                }
                block += if pair { 2 } else { 1 };
            }
        }
    }
}

/// One element, one or two blocks of outputs, all channels.
struct Taps {
    inputs: *const f32,
    channels: usize,
    row: usize,
    gradients: *const f32,
    tiles: usize,
    sum: *mut f32,
    panel: usize,
}

impl Taps {
    /// `CHANNELS` at a time, whose sums stay in registers; a divisor of 16.
    #[inline(always)]
    unsafe fn all<V: Lanes, const CHANNELS: usize, const BLOCKS: usize>(&self) {
        for channel in (0..self.channels).step_by(CHANNELS) {
            // SAFETY: the caller's.
            unsafe {
                let mut inputs = self.inputs.add(channel / LANES * self.row + channel % LANES);
                let mut gradients = self.gradients;
                let mut sums = [[V::splat(0.0); CHANNELS]; BLOCKS];
                for _ in 0..self.tiles {
                    let mut gradient = [V::splat(0.0); BLOCKS];
                    for block in 0..BLOCKS {
                        gradient[block] = V::load(gradients.add(block * self.row));
                    }
                    for channel in 0..CHANNELS {
                        let value = V::splat(*inputs.add(channel));
                        for block in 0..BLOCKS {
                            sums[block][channel] = sums[block][channel].fma(gradient[block], value);
                        }
                    }
                    (inputs, gradients) = (inputs.add(LANES), gradients.add(LANES));
                }
                for block in 0..BLOCKS {
                    for index in 0..CHANNELS {
                        let to = self.sum.add(block * self.panel + (channel + index) * LANES);
                        V::load(to).add(sums[block][index]).store(to);
                    }
                }
            }
        }
    }
}
