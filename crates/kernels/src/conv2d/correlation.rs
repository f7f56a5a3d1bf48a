//! The loop of the forward pass and of the input gradient: windows times weights.

use std::ops::Range;

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// Blocks of output channels that see the same input channels.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The blocks, of 16 output channels each.
    pub(super) blocks: Range<usize>,
    /// The input channels that they see, in order.
    pub(super) channels: Vec<usize>,
    /// Where each (channel, tap) lies for the first output pixel.
    pub(super) offsets: Vec<usize>,
    /// Where the weights of the first block begin.
    pub(super) weights_at: usize,
    /// Whether the block is shared by groups, so that some of its channels have no weight for some of the channels.
    pub(super) mixed: bool,
}

impl Part {
    /// Numbers of the weights of a block.
    pub(super) fn block_weights(&self) -> usize {
        self.offsets.len() * LANES
    }
}

/// `y[o, i, j] = b[o] + Σ_r w[r, o] · x[offset_r + i·row_step + j·pixel_step]`.
#[derive(Debug, Clone)]
pub(super) struct Correlation {
    parts: Vec<Part>,
    input: Layout,
    outputs: [usize; 3],
    row_step: usize,
    pixel_step: usize,
    taps: usize,
}

impl Correlation {
    /// Windows `stride` pixels apart on `input`, as many as `output` has pixels.
    ///
    /// # Panics
    ///
    /// If a window leaves the memory of an image. This is what makes [`run`](Self::run) sound: every offset is at most
    /// the last tap's, every pixel at most the last.
    pub(super) fn new(parts: Vec<Part>, input: Layout, stride: [usize; 2], output: Layout) -> Self {
        let [row_step, pixel_step] = [stride[0] * input.row_stride(), stride[1] * input.channels_per_block];
        let last_pixel = (output.height - 1) * row_step + (output.width - 1) * pixel_step;
        let last_tap = parts.iter().flat_map(|part| &part.offsets).max().copied().unwrap_or(0);
        // Neither summand overflows: offsets and pixels are inside of layouts whose size is a `usize`.
        assert!(last_tap.saturating_add(last_pixel) < input.size(), "a window of {output:?} leaves {input:?}");
        let taps = parts.first().map_or(0, |part| part.offsets.len() / part.channels.len());
        Self { parts, input, outputs: [output.channels, output.height, output.width], row_step, pixel_step, taps }
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Numbers of all weights.
    pub(super) fn weights(&self) -> usize {
        self.parts.iter().map(|part| part.blocks.len() * part.block_weights()).sum()
    }

    /// Where the weight of (`output`, `channel`, tap 0) is; the next tap is 16 further. None where `output` does not
    /// see it.
    pub(super) fn weight_at(&self, output: usize, channel: usize) -> Option<usize> {
        let block = output / LANES;
        let part = self.parts.iter().find(|part| part.blocks.contains(&block))?;
        let index = channel.checked_sub(*part.channels.first()?).filter(|&index| index < part.channels.len())?;
        let start = part.weights_at + (block - part.blocks.start) * part.block_weights();
        Some(start + index * self.taps * LANES + output % LANES)
    }

    /// Does it for one image, into the layout `to`.
    #[allow(clippy::too_many_arguments)] // operands and results of one loop
    pub(super) fn run(
        &self,
        isa: Isa,
        input: &[f32],
        weights: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        output: &mut [f32],
        to: &Layout,
    ) {
        assert_eq!(input.len(), self.input.size(), "the input");
        assert_eq!(weights.len(), self.weights(), "the weights");
        assert_eq!(
            ([to.channels, to.height, to.width], to.channels_per_block),
            (self.outputs, LANES),
            "the output's layout"
        );
        assert_eq!(output.len(), to.size(), "the output");
        if let Some(bias) = bias {
            assert_eq!(bias.len(), to.padded_channels(), "the bias");
        }
        isa.run(Run { correlation: self, input, weights, bias, relu, output: output.as_mut_ptr(), to });
    }
}

struct Run<'a> {
    correlation: &'a Correlation,
    input: &'a [f32],
    weights: &'a [f32],
    bias: Option<&'a [f32]>,
    relu: bool,
    output: *mut f32,
    to: &'a Layout,
}

impl Kernel for Run<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        // SAFETY: the instructions are the caller's; `Correlation` has checked tables and lengths.
        unsafe {
            match self.correlation.pixel_step {
                1 => self.stepping::<V, 1>(),
                4 => self.stepping::<V, 4>(), // AlexNet's first, plane by plane
                LANES => self.stepping::<V, LANES>(),
                _ => self.stepping::<V, 0>(),
            }
        }
    }
}

impl Run<'_> {
    /// `STEP` is the distance of neighbouring windows, 0 where it is not known at compile time.
    #[inline(always)]
    unsafe fn stepping<V: Lanes, const STEP: usize>(self) {
        for part in &self.correlation.parts {
            let mut block = part.blocks.start;
            while block < part.blocks.end {
                // Two blocks at once use every broadcast twice, where there are registers for both.
                let pair = V::ACCUMULATORS >= 24 && block + 2 <= part.blocks.end;
                // SAFETY: as in `run`; the part has a second block where `pair` says so.
                unsafe {
                    if pair {
                        self.blocks::<V, STEP, 2>(part, block);
                    } else {
                        self.blocks::<V, STEP, 1>(part, block);
                    }
                }
                block += if pair { 2 } else { 1 };
            }
        }
    }

    /// All pixels of `BLOCKS` blocks from `block` on.
    #[inline(always)]
    unsafe fn blocks<V: Lanes, const STEP: usize, const BLOCKS: usize>(&self, part: &Part, block: usize) {
        let Self { correlation, input, weights, bias, relu, to, .. } = self;
        let [_, rows, columns] = correlation.outputs;
        let tiles = columns.div_ceil((V::ACCUMULATORS / BLOCKS).min(16));
        for row in 0..rows {
            let mut column = 0;
            for tile in 0..tiles {
                // Tiles as equal as they can be: 28 columns are two tiles of 14, not one of 16 and one of 12.
                let end = columns * (tile + 1) / tiles;
                // SAFETY: block, row and column are inside of the output's layout, as long as whose image the slice is;
                // the windows of the tile's pixels are inside of the input, as `Correlation::new` asserted for the last
                // of all; a block has `block_weights` weights and 16 numbers of bias.
                unsafe {
                    let at = Tile {
                        input: input.as_ptr().add(row * correlation.row_step + column * correlation.pixel_step),
                        step: if STEP == 0 { correlation.pixel_step } else { STEP },
                        offsets: &part.offsets,
                        weights: weights
                            .as_ptr()
                            .add(part.weights_at + (block - part.blocks.start) * part.block_weights()),
                        bias: bias.map(|bias| bias.as_ptr().add(block * LANES)),
                        relu: *relu,
                        output: self.output.add(to.block_start(block) + row * to.row_stride() + column * LANES),
                        block_stride: to.block_stride(),
                    };
                    at.any_width::<V, BLOCKS>(end - column);
                }
                column = end;
            }
        }
    }
}

/// Neighbouring pixels of a row, whose sums stay in registers. For each of `width` pixels and `BLOCKS` blocks, `input`
/// may be read at each offset, `weights` and `bias` have 16 numbers an offset and a block, and `output` has room for
/// 16.
struct Tile<'a> {
    input: *const f32,
    step: usize,
    offsets: &'a [usize],
    weights: *const f32,
    bias: Option<*const f32>,
    relu: bool,
    output: *mut f32,
    block_stride: usize,
}

impl Tile<'_> {
    #[inline(always)]
    unsafe fn any_width<V: Lanes, const BLOCKS: usize>(&self, width: usize) {
        macro_rules! widths {
            ($($width:literal)*) => {
                match width {
                    $($width => if $width * BLOCKS <= V::ACCUMULATORS {
                        // SAFETY: the caller's.
                        unsafe { self.sum::<V, $width, BLOCKS>() }
                    })*
                    _ => unreachable!("tiles are at most 16 wide"),
                }
            };
        }
        widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
    }

    #[inline(always)]
    unsafe fn sum<V: Lanes, const WIDTH: usize, const BLOCKS: usize>(&self) {
        // SAFETY: the pointers are good for what is read and written here, as `Tile` says.
        unsafe {
            let mut sums = [[V::splat(0.0); WIDTH]; BLOCKS];
            if let Some(bias) = self.bias {
                for block in 0..BLOCKS {
                    sums[block] = [V::load(bias.add(block * LANES)); WIDTH];
                }
            }
            let mut weights = self.weights;
            let next_block = self.offsets.len() * LANES;
            for &offset in self.offsets {
                let input = self.input.add(offset);
                let mut of_tap = [V::splat(0.0); BLOCKS];
                for block in 0..BLOCKS {
                    of_tap[block] = V::load(weights.add(block * next_block));
                }
                for pixel in 0..WIDTH {
                    let value = V::splat(*input.add(pixel * self.step));
                    for block in 0..BLOCKS {
                        sums[block][pixel] = sums[block][pixel].fma(of_tap[block], value);
                    }
                }
                weights = weights.add(LANES);
            }
            for block in 0..BLOCKS {
                for pixel in 0..WIDTH {
                    let sum = sums[block][pixel];
                    let sum = if self.relu { sum.relu() } else { sum };
                    sum.store(self.output.add(block * self.block_stride + pixel * LANES));
                }
            }
        }
    }
}
