//! The loop of the weight gradient: a tile of taps stays in registers while the pixels go by.

use crate::isa::{Isa, Kernel};
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

use super::{Conv2dShape, Part};

/// `∂L/∂w[r, o] += Σ_i,j g[o, i, j] · x[offset_r + i·row_step + j·pixel_step]`.
#[derive(Debug, Clone)]
pub(super) struct WeightGradient {
    parts: Vec<Part>,
    input: Layout,
    gradient: Layout,
    kernel_columns: usize,
    /// From a tap to the next of its row.
    tap_step: usize,
    row_step: usize,
    pixel_step: usize,
}

impl WeightGradient {
    /// The gradient of the weights of a forward pass whose `parts` were checked against `input`, for as many pixels as
    /// `gradient` has. This is what makes [`run`](Self::run) sound.
    pub(super) fn new(shape: &Conv2dShape, parts: &[Part], input: Layout, gradient: Layout) -> Self {
        Self {
            parts: parts.to_vec(),
            input,
            gradient,
            kernel_columns: shape.kernel[1],
            tap_step: shape.dilation[1] * input.channels_per_block,
            row_step: shape.stride[0] * input.row_stride(),
            pixel_step: shape.stride[1] * input.channels_per_block,
        }
    }

    /// Adds one image's gradient to `sum`.
    pub(super) fn run(&self, isa: Isa, input: &[f32], gradient: &[f32], sum: &mut [f32]) {
        assert_eq!(input.len(), self.input.size(), "the input");
        assert_eq!(gradient.len(), self.gradient.size(), "the gradient");
        let weights: usize = self.parts.iter().map(|part| part.blocks.len() * part.block_weights()).sum();
        assert_eq!(sum.len(), weights, "the weights");
        isa.run(Run { of: self, input, gradient, sum });
    }
}

struct Run<'a> {
    of: &'a WeightGradient,
    input: &'a [f32],
    gradient: &'a [f32],
    sum: &'a mut [f32],
}

impl Kernel for Run<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(mut self) {
        // SAFETY: the instructions are the caller's; tables and lengths were checked.
        unsafe {
            // Rows of taps × taps of a row, as many as there are registers for.
            let wide = V::ACCUMULATORS >= 27;
            match (self.of.kernel_columns, self.of.tap_step) {
                (5, 1) if wide => self.parts::<V, 5, 5, 1>(),
                (5, LANES) if wide => self.parts::<V, 5, 5, LANES>(),
                (3, 1) if wide => self.parts::<V, 9, 3, 1>(),
                (3, LANES) if wide => self.parts::<V, 8, 3, LANES>(),
                (11, 1) if wide => self.parts::<V, 2, 11, 1>(),
                (7, 1) if wide => self.parts::<V, 3, 7, 1>(),
                (7, LANES) if wide => self.parts::<V, 3, 7, LANES>(),
                (5, LANES) => self.parts::<V, 1, 5, LANES>(),
                (5, 1) => self.parts::<V, 1, 5, 1>(),
                (3, LANES) => self.parts::<V, 2, 3, LANES>(),
                (3, 1) => self.parts::<V, 2, 3, 1>(),
                (1, _) if wide => self.parts::<V, 16, 1, 0>(), // a block of channels
                _ if wide => self.parts::<V, 12, 1, 0>(),
                _ => self.parts::<V, 6, 1, 0>(),
            }
        }
    }
}

impl Run<'_> {
    #[inline(always)]
    unsafe fn parts<V: Lanes, const ROWS: usize, const COLUMNS: usize, const TAP: usize>(&mut self) {
        for part in &self.of.parts {
            let rows = part.offsets.len() / COLUMNS;
            for block in part.blocks.clone() {
                let gradient = &self.gradient[self.of.gradient.block_start(block)..];
                let weights_at = part.weights_at + (block - part.blocks.start) * part.block_weights();
                let sum = &mut self.sum[weights_at..][..part.block_weights()];
                for row in (0..rows).step_by(ROWS) {
                    let here = ROWS.min(rows - row);
                    // Where fewer are left, the last is computed again and thrown away.
                    let starts: [usize; ROWS] =
                        std::array::from_fn(|i| part.offsets[(row + i.min(here - 1)) * COLUMNS]);
                    let to = &mut sum[row * COLUMNS * LANES..][..here * COLUMNS * LANES];
                    // SAFETY: `gradient` begins at the first pixel of a block, and has all of its rows; the windows,
                    // which are those of the forward pass, were checked by `Correlation::new`, and the taps of a row of
                    // the kernel are `TAP` apart, from `starts` on; `to` has the index of every tap that is stored.
                    unsafe { tile::<V, ROWS, COLUMNS, TAP>(self.of, self.input, starts, gradient, to, here) }
                }
            }
        }
    }
}

/// Adds to `to` what all pixels give to `here` rows of taps.
///
/// # Safety
///
/// The machine has the instructions of `V`; `input` can be read at every tap of every window, whose rows begin at
/// `starts`, and `gradient` at every pixel; `to` has room for `here · COLUMNS` vectors.
#[inline(always)]
unsafe fn tile<V: Lanes, const ROWS: usize, const COLUMNS: usize, const TAP: usize>(
    of: &WeightGradient,
    input: &[f32],
    starts: [usize; ROWS],
    gradient: &[f32],
    to: &mut [f32],
    here: usize,
) {
    // SAFETY: the caller's, for all pixels and taps.
    unsafe {
        let mut sums = [[V::splat(0.0); COLUMNS]; ROWS];
        for row in 0..of.gradient.height {
            let gradient = gradient.as_ptr().add(row * of.gradient.row_stride());
            let input = input.as_ptr().add(row * of.row_step);
            let mut taps = [input; ROWS];
            for i in 0..ROWS {
                taps[i] = input.add(starts[i]);
            }
            let mut at = 0;
            for column in 0..of.gradient.width {
                let gradient = V::load(gradient.add(column * LANES));
                for i in 0..ROWS {
                    for j in 0..COLUMNS {
                        sums[i][j] = sums[i][j].fma(gradient, V::splat(*taps[i].add(at + j * TAP)));
                    }
                }
                at += of.pixel_step;
            }
        }
        for i in 0..here {
            for j in 0..COLUMNS {
                let to = to.as_mut_ptr().add((i * COLUMNS + j) * LANES);
                V::load(to).add(sums[i][j]).store(to);
            }
        }
    }
}
