//! What is done to tiles: one kernel a transform, over tiles of an image or all kernels of a layer.

use std::ops::Range;

use super::pass::Pass;
use super::product::stride;
use super::transforms::{self, SIZE, Transform};
use crate::isa::Kernel;
use crate::layout::Layout;
use crate::vector::{LANES, Lanes};

/// Tiles of one image among those that are worked on at once.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) tiles: Range<usize>,
    /// The place of the first, of how many.
    pub(super) place: usize,
    pub(super) of: usize,
}

impl Piece {
    /// The place of tile `tile` of the image.
    const fn place(&self, tile: usize) -> usize {
        self.place + tile - self.tiles.start
    }
}

/// `Bᵀ x B` of tiles of an image.
pub(super) struct OfInput<'a> {
    pub(super) pass: &'a Pass,
    pub(super) piece: Piece,
    /// Pixels from a tile to the next.
    pub(super) step: usize,
    pub(super) input: &'a [f32],
    pub(super) to: &'a mut [f32],
}

impl Kernel for OfInput<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { pass, piece, step, input, to } = self;
        let Pass { from, origin, tiles: [_, tile_columns], blocks: [blocks, _], .. } = *pass;
        let [rows, columns] = [from.block_stride() / from.row_stride(), from.row_stride() / LANES];
        for block in 0..blocks {
            for tile in piece.tiles.clone() {
                let row = origin[0] + tile / tile_columns * step;
                let column = origin[1] + tile % tile_columns * step;
                let start = block * from.block_stride() + row * from.row_stride() + column * LANES;
                // The last tiles may hang over the edge, where everything is zero.
                let (here_rows, here_columns) = (SIZE.min(rows - row), SIZE.min(columns - column));
                // SAFETY: the instructions are the caller's. The image is as long as its layout, and what is read of it
                // is at most its last row and column; `to` has a vector for each block, element and tile, and the
                // piece is a part of the tiles.
                unsafe {
                    let mut x = [[V::splat(0.0); SIZE]; SIZE];
                    let from_tile = input.as_ptr().add(start);
                    if here_rows == SIZE && here_columns == SIZE {
                        for i in 0..SIZE {
                            for j in 0..SIZE {
                                x[i][j] = V::load(from_tile.add(i * from.row_stride() + j * LANES));
                            }
                        }
                    } else {
                        for i in 0..here_rows {
                            for j in 0..here_columns {
                                x[i][j] = V::load(from_tile.add(i * from.row_stride() + j * LANES));
                            }
                        }
                    }
                    put(transforms::OfInput::twice(x), to, blocks, block, piece.place(tile), stride(piece.of));
                }
            }
        }
    }
}

/// Stores the elements of tile `tile` of `tiles`, of block `block` of `blocks`, each to its product.
///
/// # Safety
///
/// The machine has the instructions of `V`, and `to` room for `36 · blocks · tiles` vectors.
#[inline(always)]
unsafe fn put<V: Lanes>(x: [[V; SIZE]; SIZE], to: &mut [f32], blocks: usize, block: usize, tile: usize, tiles: usize) {
    for i in 0..SIZE {
        for j in 0..SIZE {
            let index = ((i * SIZE + j) * blocks + block) * tiles + tile;
            // SAFETY: the caller's.
            unsafe { x[i][j].store(to.as_mut_ptr().add(index * LANES)) };
        }
    }
}

/// What [`put`] stores.
///
/// # Safety
///
/// As for [`put`].
#[inline(always)]
unsafe fn get<V: Lanes>(from: &[f32], blocks: usize, block: usize, tile: usize, tiles: usize) -> [[V; SIZE]; SIZE] {
    // SAFETY: the caller's.
    unsafe {
        let mut x = [[V::splat(0.0); SIZE]; SIZE];
        for i in 0..SIZE {
            for j in 0..SIZE {
                let index = ((i * SIZE + j) * blocks + block) * tiles + tile;
                x[i][j] = V::load(from.as_ptr().add(index * LANES));
            }
        }
        x
    }
}

/// `b + Aᵀ x A` of tiles of an image.
pub(super) struct ToOutput<'a, const M: usize> {
    pub(super) pass: &'a Pass,
    pub(super) piece: Piece,
    pub(super) products: &'a [f32],
    pub(super) bias: Option<&'a [f32]>,
    pub(super) relu: bool,
    pub(super) output: &'a mut [f32],
    pub(super) to: &'a Layout,
}

impl<const M: usize> Kernel for ToOutput<'_, M>
where
    transforms::ToOutput: Transform<SIZE, M>,
{
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { pass: &Pass { tiles: [_, tile_columns], .. }, piece, products, bias, relu, output, to } = self;
        for block in 0..to.blocks() {
            for tile in piece.tiles.clone() {
                let (row, column) = (tile / tile_columns * M, tile % tile_columns * M);
                let start = to.block_start(block) + row * to.row_stride() + column * LANES;
                let (here_rows, here_columns) = (M.min(to.height - row), M.min(to.width - column));
                // SAFETY: the instructions are the caller's. There is a product for each block, element and tile, and
                // 16 numbers of bias a block; what is written is inside of the image, and `output` as long as its
                // layout.
                unsafe {
                    let bias = bias.map_or(V::splat(0.0), |bias| V::load(bias.as_ptr().add(block * LANES)));
                    let x = get(products, to.blocks(), block, piece.place(tile), stride(piece.of));
                    let y: [[V; M]; M] = transforms::ToOutput::twice(x);
                    let to_tile = output.as_mut_ptr().add(start);
                    for i in 0..here_rows {
                        for j in 0..here_columns {
                            let y = y[i][j].add(bias);
                            let y = if relu { y.relu() } else { y };
                            y.store(to_tile.add(i * to.row_stride() + j * LANES));
                        }
                    }
                }
            }
        }
    }
}

/// `A g Aᵀ` of tiles of an image.
pub(super) struct OfGradient<'a, const M: usize> {
    pub(super) pass: &'a Pass,
    pub(super) piece: Piece,
    pub(super) from: &'a Layout,
    pub(super) gradient: &'a [f32],
    pub(super) to: &'a mut [f32],
}

impl<const M: usize> Kernel for OfGradient<'_, M>
where
    transforms::OfGradient: Transform<M, SIZE>,
{
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { pass: &Pass { tiles: [_, tile_columns], .. }, piece, from, gradient, to } = self;
        for block in 0..from.blocks() {
            for tile in piece.tiles.clone() {
                let (row, column) = (tile / tile_columns * M, tile % tile_columns * M);
                let start = from.block_start(block) + row * from.row_stride() + column * LANES;
                let (here_rows, here_columns) = (M.min(from.height - row), M.min(from.width - column));
                // SAFETY: the instructions are the caller's. What is read is inside of the image, and `gradient` as
                // long as its layout; `to` has a vector for each block, element and tile.
                unsafe {
                    let mut g = [[V::splat(0.0); M]; M];
                    let from_tile = gradient.as_ptr().add(start);
                    for i in 0..here_rows {
                        for j in 0..here_columns {
                            g[i][j] = V::load(from_tile.add(i * from.row_stride() + j * LANES));
                        }
                    }
                    let places = (piece.place(tile), stride(piece.of));
                    put(transforms::OfGradient::twice(g), to, from.blocks(), block, places.0, places.1);
                }
            }
        }
    }
}

/// `G w Gᵀ` of all kernels.
pub(super) struct OfWeights<'a, const R: usize> {
    /// A vector for each block, channel and tap.
    pub(super) weights: &'a [f32],
    /// Whether the last tap comes first.
    pub(super) reversed: bool,
    /// Blocks of outputs, and channels.
    pub(super) blocked: [usize; 2],
    /// Channels rounded up to whole blocks.
    pub(super) padded: usize,
    /// A vector for each element, block and padded channel.
    pub(super) transformed: &'a mut [f32],
}

impl<const R: usize> Kernel for OfWeights<'_, R> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { weights, reversed, blocked: [blocks, channels], padded, transformed } = self;
        for block in 0..blocks {
            for channel in 0..channels {
                let kernel = &weights[(block * channels + channel) * R * R * LANES..][..R * R * LANES];
                // SAFETY: the instructions are the caller's; the kernel has R² vectors; the lengths were asserted.
                unsafe {
                    let mut w = [[V::splat(0.0); R]; R];
                    for i in 0..R {
                        for j in 0..R {
                            let tap = if reversed { R * R - 1 - (i * R + j) } else { i * R + j };
                            w[i][j] = V::load(kernel.as_ptr().add(tap * LANES));
                        }
                    }
                    put(transforms::OfWeights::twice(w), transformed, blocks, block, channel, padded);
                }
            }
        }
    }
}

/// `Gᵀ x G` of all kernels, added.
pub(super) struct ToWeights<'a, const R: usize> {
    pub(super) sum: &'a [f32],
    pub(super) blocked: [usize; 2],
    pub(super) padded: usize,
    pub(super) packed: &'a mut [f32],
}

impl<const R: usize> Kernel for ToWeights<'_, R> {
    #[inline(always)]
    unsafe fn run<V: Lanes>(self) {
        let Self { sum, blocked: [blocks, channels], padded, packed } = self;
        for block in 0..blocks {
            for channel in 0..channels {
                let kernel = &mut packed[(block * channels + channel) * R * R * LANES..][..R * R * LANES];
                // SAFETY: the instructions are the caller's; the kernel has R² vectors; the lengths were asserted.
                unsafe {
                    let x = get(sum, blocks, block, channel, padded);
                    let w: [[V; R]; R] = transforms::ToWeights::twice(x);
                    for (tap, w) in w.as_flattened().iter().enumerate() {
                        let to = kernel.as_mut_ptr().add(tap * LANES);
                        V::load(to).add(*w).store(to);
                    }
                }
            }
        }
    }
}
