//! From pixels to a PNG file.

use backproof_spec::Shape;
use zune_jpeg::zune_core::bit_depth::BitDepth;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::EncoderOptions;
use zune_png::PngEncoder;

use crate::images::planes;

/// An image of 1 or 3 channels, `pixels` `[C, H, W]`, as a PNG file with every pixel as it is.
///
/// The encoder does not compress: its files are as long as the pixels, and fast to read.
///
/// # Panics
///
/// If there are other than 1 or 3 channels.
pub(crate) fn png(pixels: &[u8], shape: Shape) -> Vec<u8> {
    let (channels, height, width) = planes(shape);
    let space = match channels {
        1 => ColorSpace::Luma,
        3 => ColorSpace::RGB,
        _ => panic!("a PNG has 1 or 3 channels"),
    };
    let area = height * width;
    let interleaved: Vec<u8> = (0..area * channels).map(|at| pixels[at % channels * area + at / channels]).collect();
    let options = EncoderOptions::new(width, height, space, BitDepth::Eight);
    let mut out = Vec::new();
    PngEncoder::new(&interleaved, options).encode(&mut out).expect("a vector takes all bytes");
    out
}
