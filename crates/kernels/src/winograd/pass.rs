//! One correlation by tiles: between which layouts, and how many tiles at once.

use std::ops::Range;

use super::product::Sizes;
use crate::layout::Layout;
use crate::vector::LANES;

/// The most tiles that are worked on at once, so that they stay in the cache of a core.
const MOST_TILES: usize = 64;

/// The most tiles where the weights do not stay in the cache: each weight that is loaded is used for as many tiles.
const MOST_TILES_TOGETHER: usize = 112;

/// One correlation of 6×6 tiles of `from`.
#[derive(Debug, Clone)]
pub(super) struct Pass {
    pub(super) from: Layout,
    /// Where the first tile begins, in pixels from the first of `from`'s memory.
    pub(super) origin: [usize; 2],
    /// Tiles of an image in each dimension.
    pub(super) tiles: [usize; 2],
    /// The most tiles that are worked on at once.
    at_once: usize,
    /// Blocks of input and of output channels.
    pub(super) blocks: [usize; 2],
}

impl Pass {
    /// From `from`, the first window `padding` before the first pixel, to `[O, H, W]` in tiles of `m`×`m`; tiles of
    /// several images at once if they go `together`.
    pub(super) fn new(
        from: Layout,
        padding: [usize; 2],
        [channels, height, width]: [usize; 3],
        m: usize,
        together: bool,
    ) -> Self {
        assert_eq!(from.channels_per_block, LANES, "tiles are cut out of blocks");
        assert!(from.border.top >= padding[0] && from.border.left >= padding[1], "a window leaves {from:?}");
        let tiles = [height.div_ceil(m), width.div_ceil(m)];
        let count = tiles[0] * tiles[1];
        // Of one image, as many as divide their number.
        let of_one = || (1..=MOST_TILES.min(count)).rev().find(|&at_once| count.is_multiple_of(at_once)).unwrap_or(1);
        Self {
            from,
            origin: [from.border.top - padding[0], from.border.left - padding[1]],
            tiles,
            at_once: if together { MOST_TILES_TOGETHER } else { of_one() },
            blocks: [from.channels, channels].map(|channels| channels.div_ceil(LANES)),
        }
    }

    /// All tiles of `images` images, so many at once: steps as equal as they can be.
    pub(super) fn steps(&self, images: usize) -> impl Iterator<Item = Step> + use<> {
        let of_image = self.tiles[0] * self.tiles[1];
        let all = images * of_image;
        let steps = all.div_ceil(self.at_once);
        (0..steps).map(move |step| Step { tiles: all * step / steps..all * (step + 1) / steps, of_image })
    }

    /// The sizes of the product of some tiles.
    pub(super) fn sizes(&self, tiles: usize) -> Sizes {
        Sizes { blocks: self.blocks, tiles }
    }

    /// Numbers of the transformed weights.
    pub(super) fn weights(&self) -> usize {
        self.sizes(0).weights()
    }

    pub(super) fn workspace(&self) -> usize {
        let sizes = self.sizes(self.at_once);
        sizes.inputs() + sizes.outputs()
    }
}

/// Tiles that are worked on at once, numbered through all images.
#[derive(Debug, Clone)]
pub(super) struct Step {
    tiles: Range<usize>,
    /// Tiles of an image.
    of_image: usize,
}

impl Step {
    /// How many tiles.
    pub(super) fn len(&self) -> usize {
        self.tiles.len()
    }

    /// The images of the tiles; of each which of its tiles, and the place of the first in this step.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (usize, Range<usize>, usize)> + use<> {
        let Self { tiles, of_image } = self.clone();
        (tiles.start / of_image..tiles.end.div_ceil(of_image)).map(move |image| {
            let first = image * of_image;
            let of_this = tiles.start.max(first)..tiles.end.min(first + of_image);
            let place = of_this.start - tiles.start;
            (image, of_this.start - first..of_this.end - first, place)
        })
    }
}
