//! One correlation by tiles: between which layouts, and how many tiles at once.

use std::ops::Range;

use super::transforms::SIZE;
use crate::conv2d::{Conv2dShape, DirectConv2d};
use crate::layout::{Border, Layout};
use crate::vector::LANES;

/// Elements of a transformed tile.
pub(super) const ELEMENTS: usize = SIZE * SIZE;

/// The most tiles that are worked on at once, for the same reason.
const MOST_TILES: usize = 64;

/// One correlation of 6×6 tiles of `from`.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) from: Layout,
    /// Where the first tile begins, in pixels from the first of `from`'s memory.
    pub(super) origin: [usize; 2],
    /// Tiles in each dimension.
    pub(super) tiles: [usize; 2],
    /// Tiles that are worked on at once; a divisor of their number.
    pub(super) at_once: usize,
    /// Between the transforms.
    pub(super) product: DirectConv2d,
    pub(super) inputs: Layout,
    pub(super) outputs: Layout,
}

impl Pass {
    /// From `from`, the first window `padding` before the first pixel, to `[O, H, W]` in tiles of `m`×`m`.
    pub(super) fn new(from: Layout, padding: [usize; 2], [channels, height, width]: [usize; 3], m: usize) -> Self {
        assert_eq!(from.channels_per_block, LANES, "tiles are cut out of blocks");
        assert!(from.border.top >= padding[0] && from.border.left >= padding[1], "a window leaves {from:?}");
        let tiles = [height.div_ceil(m), width.div_ceil(m)];
        let count = tiles[0] * tiles[1];
        let at_once = (1..=MOST_TILES.min(count)).rev().find(|&at_once| count.is_multiple_of(at_once)).unwrap_or(1);
        let of = |channels: usize| {
            // An odd distance, in vectors, keeps the 36 elements of a tile in different sets of the cache.
            let border = Border { right: 1 - at_once % 2, ..Border::default() };
            Layout::blocked([ELEMENTS * channels.next_multiple_of(LANES), 1, at_once], border)
        };
        let (inputs, outputs) = (of(from.channels), of(channels));
        let shape = Conv2dShape {
            channels: inputs.channels,
            input: [1, inputs.width],
            outputs: outputs.channels,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
            dilation: [1, 1],
            groups: ELEMENTS,
        };
        Self {
            from,
            origin: [from.border.top - padding[0], from.border.left - padding[1]],
            tiles,
            at_once,
            product: DirectConv2d::new(shape, inputs, outputs, outputs, false),
            inputs,
            outputs,
        }
    }

    /// The tiles, so many at once.
    pub(super) fn steps(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let at_once = self.at_once;
        (0..self.tiles[0] * self.tiles[1]).step_by(at_once).map(move |start| start..start + at_once)
    }

    pub(super) fn workspace(&self) -> usize {
        self.inputs.size() + self.outputs.size()
    }
}
