//! What every decoder keeps to: how many pixels there may be, and what planes are made of them.

use std::error::Error;

use backproof_spec::{Color, counted};
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::orientation::Orientation;
use super::{Picture, luminance};

/// The most pixels that are decoded: a few bytes can claim more than any memory holds.
const PIXELS: usize = 1 << 26;
/// The most pixels that a byte of a file can hold: deflate makes at most 1,032 bytes of one, each of 8 pixels of one
/// bit. In a JPEG it is 512, of a bit for a block of 8 × 8. A file that claims more is lying, and gets no memory.
const PIXELS_PER_BYTE: usize = 8 * 1_032;

pub(super) const NO_SIZE: &str = "the picture has no size";

/// What stops a decoder.
pub(super) type Problem = Box<dyn Error + Send + Sync>;

/// A picture as a file has it, and how it is to be held.
pub(super) type Decoded = Result<(Picture, Orientation), Problem>;

#[derive(Debug, thiserror::Error)]
#[error("has {0} × {1} pixels; at most {PIXELS} are decoded")]
pub(super) struct TooLarge(usize, usize);

/// That a picture has a size, and not more pixels than are decoded. Nothing is allocated before.
pub(super) fn check_pixels(width: usize, height: usize) -> Result<(), Problem> {
    match width.saturating_mul(height) {
        0 => Err(NO_SIZE.into()),
        pixels if pixels > PIXELS => Err(TooLarge(width, height).into()),
        _ => Ok(()),
    }
}

/// The same, and that so many pixels fit into the file.
pub(super) fn check_size(width: usize, height: usize, bytes: &[u8]) -> Result<(), Problem> {
    check_pixels(width, height)?;
    if width * height > bytes.len().saturating_mul(PIXELS_PER_BYTE) {
        return Err(format!("{width} × {height} pixels do not fit into {}", counted(bytes.len(), "byte")).into());
    }
    Ok(())
}

/// The decoders' own limit is for each side; ours is for both together.
pub(super) fn options() -> DecoderOptions {
    DecoderOptions::default().set_max_width(PIXELS).set_max_height(PIXELS)
}

/// One plane for each channel, from pixels of `FROM` values that `convert` makes `TO` channels of.
pub(super) fn split<const FROM: usize, const TO: usize>(
    pixels: &[u8],
    convert: impl Fn([u8; FROM]) -> [u8; TO],
) -> Vec<Vec<u8>> {
    let pixels = pixels.as_chunks::<FROM>().0;
    let mut planes = vec![vec![0; pixels.len()]; TO];
    let mut places: [_; TO] = std::array::from_fn(|_| [].iter_mut());
    places.iter_mut().zip(&mut planes).for_each(|(place, plane)| *place = plane.iter_mut());
    for pixel in pixels {
        for (place, value) in places.iter_mut().zip(convert(*pixel)) {
            *place.next().expect("each plane has as many pixels") = value;
        }
    }
    planes
}

/// The planes of `pixels` in the colour space `space`, what is transparent over `behind`.
pub(super) fn planes(space: ColorSpace, pixels: Vec<u8>, behind: Color) -> Result<Vec<Vec<u8>>, Problem> {
    let Color(rgb) = behind;
    Ok(match space {
        ColorSpace::Luma => vec![pixels],
        ColorSpace::LumaA => {
            let grey = luminance(rgb);
            split(&pixels, |[value, alpha]| [over(value, grey, alpha)])
        }
        ColorSpace::RGB => split(&pixels, |rgb: [u8; 3]| rgb),
        ColorSpace::RGBA => {
            split(&pixels, |[r, g, b, alpha]| [over(r, rgb[0], alpha), over(g, rgb[1], alpha), over(b, rgb[2], alpha)])
        }
        other => return Err(format!("it has the colour space {other:?}").into()),
    })
}

/// A value with the opacity `alpha` in front of another.
fn over(value: u8, behind: u8, alpha: u8) -> u8 {
    let [value, behind, alpha] = [value, behind, alpha].map(u32::from);
    ((value * alpha + behind * (255 - alpha) + 127) / 255) as u8
}

/// A picture of decoded pixels, once their number is checked.
pub(super) fn picture(
    width: usize,
    height: usize,
    space: ColorSpace,
    pixels: Vec<u8>,
    behind: Color,
    orientation: Orientation,
) -> Decoded {
    let planes = planes(space, pixels, behind)?;
    match planes.iter().all(|plane| plane.len() == width * height) {
        true => Ok((Picture { width, height, planes }, orientation)),
        false => Err("it has another number of pixels than it says".into()),
    }
}
