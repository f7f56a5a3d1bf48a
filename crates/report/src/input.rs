//! What a network gets of a picture, as PNG.

use backproof_data::{Fit, Picture};
use backproof_spec::{Color, Resize, Shape};

use crate::image::{Image, MAGNIFIED};

/// What is between the two pictures of [`seen_png`], in pixels.
const GAP: usize = 8;
/// A picture is at most so many times as wide as it is high in [`seen_png`], or as high as it is wide.
const WIDEST: usize = 4;

/// The image `pixels`, `[C, H, W]` of `shape`, as a PNG file with every pixel as it is.
///
/// # Panics
///
/// If there are not as many pixels as `shape` has elements.
#[must_use]
pub fn input_png(pixels: &[u8], shape: Shape) -> Vec<u8> {
    image(pixels, shape).png()
}

/// The same as a `data:` address.
///
/// # Panics
///
/// As [`input_png`].
#[must_use]
pub fn input_uri(pixels: &[u8], shape: Shape) -> String {
    image(pixels, shape).data_uri()
}

/// The picture, and beside it the image `pixels` that the network gets of it, `[C, H, W]` of `shape`, enlarged so that
/// each pixel is a square, as a PNG file.
///
/// # Panics
///
/// As [`input_png`], and if `shape` has other than 1 or 3 channels.
#[must_use]
pub fn seen_png(picture: &Picture, pixels: &[u8], shape: Shape) -> Vec<u8> {
    let [channels, height, width] = dimensions(shape);
    let times = MAGNIFIED.div_ceil(height.max(width)).max(1);
    let (height, width) = (times * height, times * width);
    let (old_width, old_height) = picture.size();
    let beside = (old_width * height).div_ceil(old_height).clamp(height.div_ceil(WIDEST), WIDEST * height);
    let fit = Fit { resize: Resize::Pad, behind: Color::WHITE, around: Color::WHITE };
    let colours = if picture.is_grey() { 1 } else { 3 };
    let old = picture.to_pixels(Shape::image(colours, height, beside), fit);
    let value = |channel: usize, row: usize, column: usize| match column {
        column if column < beside => old[(channel.min(colours - 1) * height + row) * beside + column],
        column if column < beside + GAP => 255,
        column => {
            let (row, column) = (row / times, (column - beside - GAP) / times);
            pixels[(channel.min(channels - 1) * (height / times) + row) * (width / times) + column]
        }
    };
    Image::new([channels.max(colours), height, beside + GAP + width], value).png()
}

fn image(pixels: &[u8], shape: Shape) -> Image {
    assert_eq!(pixels.len(), shape.elements(), "an image has the pixels of its shape");
    let [channels, height, width] = dimensions(shape);
    Image::new([channels, height, width], |channel, row, column| pixels[(channel * height + row) * width + column])
}

fn dimensions(shape: Shape) -> [usize; 3] {
    match shape {
        Shape::Image { channels, height, width } => [channels, height, width],
        Shape::Vector { features } => [1, 1, features],
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use resvg::tiny_skia::Pixmap;

    #[test]
    fn a_picture_is_beside_what_the_network_gets_of_it() {
        let shape = Shape::image(1, 2, 2);
        let red = Shape::image(3, 1, 2);
        let file = input_png(&[255, 255, 0, 0, 0, 0], red);
        let picture = Picture::decode(Path::new("red.png"), &file, Color::WHITE).unwrap();
        assert_eq!(
            (picture.size(), picture.to_pixels(red, Fit::of(&of_a_data_set(), red))),
            ((2, 1), vec![255, 255, 0, 0, 0, 0])
        );
        let seen = Pixmap::decode_png(&seen_png(&picture, &[0, 50, 100, 150], shape)).unwrap();
        assert_eq!((seen.width(), seen.height()), (512 + 8 + 256, 256));
        let at = |x, y| {
            let pixel = seen.pixel(x, y).unwrap();
            [pixel.red(), pixel.green(), pixel.blue()]
        };
        assert_eq!([at(0, 0), at(511, 255), at(515, 3)], [[255, 0, 0], [255, 0, 0], [255, 255, 255]]);
        assert_eq!([at(520, 0), at(775, 0), at(520, 255), at(775, 255)], [[0; 3], [50; 3], [100; 3], [150; 3]]);
    }

    fn of_a_data_set() -> backproof_spec::ImageSource {
        backproof_spec::ImageSource::DataSet("any".to_owned())
    }

    #[test]
    fn a_strip_is_not_so_wide_that_nothing_else_is_seen() {
        let strip = input_png(&[9; 100], Shape::image(1, 1, 100));
        let picture = Picture::decode(Path::new("strip.png"), &strip, Color::WHITE).unwrap();
        let seen = Pixmap::decode_png(&seen_png(&picture, &[0; 4], Shape::image(1, 2, 2))).unwrap();
        assert_eq!((seen.width(), seen.height()), (4 * 256 + 8 + 256, 256));
    }
}
