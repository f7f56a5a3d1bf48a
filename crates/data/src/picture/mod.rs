//! Pictures of the user's own, of any size and in many formats, as the pixels that a network takes.

mod bounds;
mod centre;
mod decode;
mod encode;
mod ink;
mod more_formats;
mod orientation;
mod resize;
mod tiff;

use std::borrow::Cow;

use backproof_spec::{Color, ImageSource, Resize, Shape};

use crate::images::planes;
pub(crate) use encode::png;
pub use ink::Ink;
use resize::{Resizer, View};

/// A picture in memory: upright, opaque, 8 bits a channel, grey or RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// One plane of `height` rows for grey, three for RGB.
    planes: Vec<Vec<u8>>,
}

/// How a picture becomes an image for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    /// How it gets the proportions of the image.
    pub resize: Resize,
    /// What is behind transparent pixels.
    pub behind: Color,
    /// What is around a picture that is padded.
    pub around: Color,
}

impl Fit {
    /// The fit for a network that was trained on `images` of `shape`.
    ///
    /// Images of a folder say it themselves. An image of a grey data set shows one thing on black, and nothing of it may
    /// be cut off. In the photos of a colour data set, the thing fills the image up to its edges.
    #[must_use]
    pub fn of(images: &ImageSource, shape: Shape) -> Self {
        match images {
            ImageSource::Folder(folder) => {
                Self { resize: folder.resize, behind: folder.background, around: folder.background }
            }
            ImageSource::DataSet(_) => {
                let resize = if planes(shape).0 == 1 { Resize::Pad } else { Resize::Crop };
                Self { resize, behind: Color::WHITE, around: Color::BLACK }
            }
        }
    }
}

/// The grey of a colour: (299 R + 587 G + 114 B) / 1000 (ITU-R BT.601).
fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
}

impl Picture {
    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Whether it has no colour: one channel, or three that are the same.
    #[must_use]
    pub fn is_grey(&self) -> bool {
        self.planes.iter().all(|plane| plane == &self.planes[0])
    }

    /// The mean of all pixels, from 0, black, to 1, white.
    #[must_use]
    pub fn brightness(&self) -> f64 {
        let sum: u64 = self.planes.iter().flatten().map(|&pixel| u64::from(pixel)).sum();
        sum as f64 / 255.0 / (self.planes.len() * self.width * self.height) as f64
    }

    /// The negative: white for black.
    #[must_use]
    pub fn inverted(mut self) -> Self {
        self.planes.iter_mut().flatten().for_each(|pixel| *pixel = 255 - *pixel);
        self
    }

    /// The picture as an image of `shape`: grey or RGB, cropped or padded, resized. `[C, H, W]` in row-major order,
    /// 0 to 255. A picture that has the shape already keeps every pixel.
    ///
    /// Grey is ITU-R BT.601's luminance. Resizing is by a triangle filter over all pixels that a new one covers, as
    /// Pillow's and torchvision's antialiased `BILINEAR`.
    ///
    /// # Panics
    ///
    /// Panics if `shape` has other than 1 or 3 channels.
    #[must_use]
    pub fn to_pixels(&self, shape: Shape, fit: Fit) -> Vec<u8> {
        let (channels, height, width) = planes(shape);
        let [left, top, old_width, old_height] = match fit.resize {
            Resize::Crop => self.middle(width, height),
            Resize::Pad | Resize::Squash => [0, 0, self.width, self.height],
        };
        let start = top * self.width + left;
        let (inner_width, inner_height) = match fit.resize {
            Resize::Squash => (width, height),
            Resize::Crop | Resize::Pad => scaled_into((old_width, old_height), width, height),
        };
        let Color(around) = fit.around;
        let around = if channels == 1 { vec![luminance(around)] } else { around.to_vec() };
        let (left, top) = ((width - inner_width) / 2, (height - inner_height) / 2);
        let resizer = Resizer::new([old_width, old_height], [inner_width, inner_height]);
        let mut pixels = Vec::with_capacity(channels * height * width);
        for (plane, around) in self.with_channels(channels).iter().zip(around) {
            let part = View { pixels: &plane[start..], stride: self.width, width: old_width, height: old_height };
            let inner = resizer.resize(part);
            let begin = pixels.len();
            pixels.resize(begin + height * width, around);
            for (row, inner) in inner.chunks_exact(inner_width).enumerate() {
                pixels[begin + (top + row) * width + left..][..inner_width].copy_from_slice(inner);
            }
        }
        pixels
    }

    fn with_channels(&self, channels: usize) -> Cow<'_, [Vec<u8>]> {
        match (self.planes.as_slice(), channels) {
            ([grey], 3) => vec![grey.clone(); 3].into(),
            ([red, green, blue], 1) => {
                let grey = |((&r, &g), &b): ((&u8, &u8), &u8)| luminance([r, g, b]);
                vec![red.iter().zip(green).zip(blue).map(grey).collect()].into()
            }
            (planes, channels) => {
                assert_eq!(planes.len(), channels, "networks see 1 or 3 channels");
                planes.into()
            }
        }
    }

    /// The largest centred part with the proportions `width` : `height`: left, top, width and height.
    fn middle(&self, width: usize, height: usize) -> [usize; 4] {
        let (w, h) = if self.width * height > self.height * width {
            (rounded(self.height * width, height), self.height)
        } else {
            (self.width, rounded(self.width * height, width))
        };
        [(self.width - w) / 2, (self.height - h) / 2, w, h]
    }
}

/// The largest size with the proportions of `old`, width and height, that fits into `width` × `height`.
fn scaled_into(old: (usize, usize), width: usize, height: usize) -> (usize, usize) {
    if old.0 * height > old.1 * width {
        (width, rounded(old.1 * width, old.0).min(height))
    } else {
        (rounded(old.0 * height, old.1).min(width), height)
    }
}

/// a/b to the nearest whole number, at least 1.
fn rounded(a: usize, b: usize) -> usize {
    ((2 * a + b) / (2 * b)).max(1)
}

#[cfg(test)]
mod tests;
