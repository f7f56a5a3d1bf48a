//! How the numbers of one image lie in memory.
//!
//! Between two layers an image has a border of zeros as wide as the next convolution's padding. So no inner loop asks
//! whether it is at the edge. Blocks have 16 channels on every machine (`vector.rs`), so data laid out for one set of
//! instructions is laid out for all.

use std::ops::Range;

use crate::vector::LANES;

/// Zeros around an image, in pixels. Whoever writes the image leaves them alone, so that a window may hang over the
/// edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Border {
    /// Rows above.
    pub top: usize,
    /// Columns to the left.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Border {
    /// The smallest border that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            top: self.top.max(other.top),
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.max(other.right),
        }
    }
}

/// An image `[C, H, W]` with a border, either plane by plane or in blocks of 16 channels.
///
/// Blocked, the 16 channels of a pixel are neighbours, `[⌈C/16⌉, H′, W′, 16]` with H′ and W′ the sizes with border;
/// planar, it is `[C, H′, W′]`. The channels past the last, up to a whole block, are zero. A vector of features is a
/// blocked image of 1×1 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Number of channels, C.
    pub channels: usize,
    /// Rows, H, without the border.
    pub height: usize,
    /// Columns, W, without the border.
    pub width: usize,
    /// Zeros around.
    pub border: Border,
    /// Channels that are neighbours in memory: 16, or 1 where it is planar.
    pub channels_per_block: usize,
}

impl Layout {
    /// In blocks of 16 channels.
    #[must_use]
    #[inline]
    pub const fn blocked([channels, height, width]: [usize; 3], border: Border) -> Self {
        Self { channels, height, width, border, channels_per_block: LANES }
    }

    /// Plane by plane.
    #[must_use]
    #[inline]
    pub const fn planar([channels, height, width]: [usize; 3], border: Border) -> Self {
        Self { channels, height, width, border, channels_per_block: 1 }
    }

    /// A vector of features.
    #[must_use]
    #[inline]
    pub fn vector(features: usize) -> Self {
        Self::blocked([features, 1, 1], Border::default())
    }

    /// The same with another border.
    #[must_use]
    #[inline]
    pub const fn with_border(self, border: Border) -> Self {
        Self { border, ..self }
    }

    /// Blocks of channels.
    #[must_use]
    #[inline]
    pub const fn blocks(&self) -> usize {
        self.channels.div_ceil(self.channels_per_block)
    }

    /// Channels, rounded up to whole blocks.
    #[must_use]
    #[inline]
    pub const fn padded_channels(&self) -> usize {
        self.blocks() * self.channels_per_block
    }

    /// Numbers of an image, border and padded channels included.
    ///
    /// # Panics
    ///
    /// If there are more than a `usize` counts: a slice of that length would otherwise pass for an image.
    #[must_use]
    #[inline]
    pub const fn size(&self) -> usize {
        let Self { height, width, border, channels_per_block, .. } = *self;
        let columns = plus(plus(width, border.left), border.right);
        let rows = plus(plus(height, border.top), border.bottom);
        times(times(times(columns, channels_per_block), rows), self.blocks())
    }

    /// From a row to the next.
    #[must_use]
    #[inline]
    pub const fn row_stride(&self) -> usize {
        (self.width + self.border.left + self.border.right) * self.channels_per_block
    }

    /// From a block of channels to the next.
    #[must_use]
    #[inline]
    pub const fn block_stride(&self) -> usize {
        (self.height + self.border.top + self.border.bottom) * self.row_stride()
    }

    /// Where channel `channel` of pixel (`row`, `column`) is. Rows and columns below zero are in the border.
    ///
    /// # Panics
    ///
    /// If that is outside of the border.
    #[must_use]
    #[inline]
    pub fn offset(&self, channel: usize, row: isize, column: isize) -> usize {
        let row = row + self.border.top as isize;
        let column = column + self.border.left as isize;
        assert!(
            channel < self.padded_channels()
                && (0..(self.height + self.border.top + self.border.bottom) as isize).contains(&row)
                && (0..(self.width + self.border.left + self.border.right) as isize).contains(&column),
            "channel {channel}, row {row}, column {column} of {self:?}"
        );
        (channel / self.channels_per_block) * self.block_stride()
            + row as usize * self.row_stride()
            + column as usize * self.channels_per_block
            + channel % self.channels_per_block
    }

    /// Where pixel (0, 0) of block `block` is.
    #[must_use]
    #[inline]
    pub const fn block_start(&self, block: usize) -> usize {
        block * self.block_stride() + self.border.top * self.row_stride() + self.border.left * self.channels_per_block
    }

    /// The pixels of a row of a block, without the border.
    ///
    /// # Panics
    ///
    /// If they are outside of `image`.
    #[inline(always)]
    pub(crate) fn row<'a>(&self, image: &'a [f32], block: usize, row: usize) -> &'a [[f32; LANES]] {
        image[self.block_start(block) + row * self.row_stride()..][..self.width * LANES].as_chunks().0
    }

    /// As [`row`](Self::row), to write to.
    #[inline(always)]
    pub(crate) fn row_mut<'a>(&self, image: &'a mut [f32], block: usize, row: usize) -> &'a mut [[f32; LANES]] {
        image[self.block_start(block) + row * self.row_stride()..][..self.width * LANES].as_chunks_mut().0
    }

    /// Every row of every block, as (block, row).
    #[inline(always)]
    pub(crate) fn rows(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Self { height, .. } = *self;
        (0..self.blocks()).flat_map(move |block| (0..height).map(move |row| (block, row)))
    }

    /// Channels, rows and columns.
    pub(crate) const fn shape(&self) -> [usize; 3] {
        [self.channels, self.height, self.width]
    }

    /// Panics unless it is blocked and `image` is as long as one of its images.
    #[track_caller]
    pub(crate) fn check_blocked(&self, image: &[f32]) {
        assert_eq!((self.channels_per_block, image.len()), (LANES, self.size()), "an image of {self:?}");
    }

    /// Copies an image `[C, H, W]` in row-major order into `to`, whose border stays as it is.
    ///
    /// # Panics
    ///
    /// If it is neither planar nor blocked, or a slice has not the image's size.
    pub fn write(&self, image: &[f32], to: &mut [f32]) {
        self.check(image, to);
        // Row by row, and not plane by plane, so that the 16 channels of a row meet it in the cache.
        for (block, row) in self.rows() {
            if self.channels_per_block == 1 {
                let start = self.block_start(block) + row * self.row_stride();
                to[start..][..self.width].copy_from_slice(&image[self.plain_row(block, row)]);
                continue;
            }
            let pixels = self.row_mut(to, block, row);
            for lane in 0..LANES.min(self.channels - block * LANES) {
                let values = &image[self.plain_row(block * LANES + lane, row)];
                pixels.iter_mut().zip(values).for_each(|(pixel, &value)| pixel[lane] = value);
            }
        }
    }

    /// Copies what [`write`](Self::write) wrote back to `[C, H, W]` in row-major order.
    ///
    /// # Panics
    ///
    /// If it is neither planar nor blocked, or a slice has not the image's size.
    pub fn read(&self, from: &[f32], image: &mut [f32]) {
        self.check(image, from);
        for (block, row) in self.rows() {
            if self.channels_per_block == 1 {
                let start = self.block_start(block) + row * self.row_stride();
                image[self.plain_row(block, row)].copy_from_slice(&from[start..][..self.width]);
                continue;
            }
            let pixels = self.row(from, block, row);
            for lane in 0..LANES.min(self.channels - block * LANES) {
                let values = &mut image[self.plain_row(block * LANES + lane, row)];
                values.iter_mut().zip(pixels).for_each(|(value, pixel)| *value = pixel[lane]);
            }
        }
    }

    /// Where a row of a channel is in `[C, H, W]`.
    fn plain_row(&self, channel: usize, row: usize) -> Range<usize> {
        let start = (channel * self.height + row) * self.width;
        start..start + self.width
    }

    #[track_caller]
    fn check(&self, image: &[f32], memory: &[f32]) {
        assert!([1, LANES].contains(&self.channels_per_block), "{self:?} is neither planar nor blocked");
        assert_eq!(image.len(), self.channels * self.height * self.width, "an image of {self:?}");
        assert_eq!(memory.len(), self.size(), "the memory of {self:?}");
    }
}

const fn plus(a: usize, b: usize) -> usize {
    match a.checked_add(b) {
        Some(sum) => sum,
        None => panic!("a layout larger than memory"),
    }
}

const fn times(a: usize, b: usize) -> usize {
    match a.checked_mul(b) {
        Some(product) => product,
        None => panic!("a layout larger than memory"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "larger than memory")]
    fn a_size_that_overflows_is_no_size() {
        // 2⁶⁰ · 16 is 0 in 64 bits, the length of an empty slice.
        let _ = Layout::blocked([1, 1, usize::MAX / LANES + 1], Border::default()).size();
    }

    #[test]
    fn what_is_written_is_read_and_lies_at_its_offset() {
        let border = Border { top: 1, left: 2, bottom: 3, right: 0 };
        for channels in [1, 3, 16, 17, 40] {
            for layout in [Layout::planar([channels, 3, 5], border), Layout::blocked([channels, 3, 5], border)] {
                let image: Vec<f32> = (1..=channels * 15).map(|i| i as f32).collect();
                let mut memory = vec![0.0; layout.size()];
                layout.write(&image, &mut memory);
                let mut back = vec![0.0; image.len()];
                layout.read(&memory, &mut back);
                assert_eq!(back, image);
                assert_eq!(
                    memory.iter().filter(|&&value| value != 0.0).count(),
                    image.len(),
                    "border and rest are zero"
                );
                for channel in 0..channels {
                    let found = memory[layout.offset(channel, 2, 4)];
                    assert_eq!(found, image[channel * 15 + 2 * 5 + 4], "{layout:?}");
                }
            }
        }
    }
}
