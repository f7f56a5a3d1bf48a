//! From a file to pixels, within bounds.

use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use backproof_spec::counted;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;
use zune_png::PngDecoder;

use super::Picture;
use super::orientation::Orientation;
use crate::error::{DataError, Result};

/// The longest file that is read, 64 MiB.
const BYTES: u64 = 64 << 20;
/// The most pixels that are decoded: a few bytes can claim more than any memory holds.
const PIXELS: usize = 1 << 26;
/// The most pixels that a byte of a file can hold: deflate makes at most 1,032 bytes of one, each of 8 pixels of one
/// bit. In a JPEG it is 512, of a bit for a block of 8 × 8. A file that claims more is lying, and gets no memory.
const PIXELS_PER_BYTE: usize = 8 * 1_032;
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];

const NO_SIZE: &str = "the picture has no size";

/// What stops a decoder.
type Problem = Box<dyn Error + Send + Sync>;

impl Picture {
    /// Reads a PNG or JPEG file; its first bytes say which it is, not its name.
    ///
    /// What is transparent is laid over white, as most programs show it. What the file says of its orientation (EXIF)
    /// is done. Of an animation, this is the first frame. Colour profiles are ignored, as data sets ignore them.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is a folder, is no PNG or JPEG, is damaged or cut, is longer than 64 MiB or has more
    /// than 2²⁶ pixels: more than any camera makes, and little enough to be held in memory.
    pub fn read(path: &Path) -> Result<Self> {
        let refuse = |problem: String| DataError::Picture { path: path.to_path_buf(), problem, source: None };
        let metadata = fs::metadata(path).map_err(DataError::io("read", path))?;
        if metadata.is_dir() {
            return Err(refuse("is a folder, not a picture".to_owned()));
        }
        // A pipe or a device could wait for ever.
        if !metadata.is_file() {
            return Err(refuse("is no regular file".to_owned()));
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(DataError::io("read", path))?;
        file.take(BYTES + 1).read_to_end(&mut bytes).map_err(DataError::io("read", path))?;
        if bytes.len() as u64 > BYTES {
            return Err(refuse(format!("has more than {} MiB, the most that is read", BYTES >> 20)));
        }
        Self::decode(path, &bytes)
    }

    /// The picture in `bytes`, all of the file at `path`, which only errors name; as [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// As of [`read`](Self::read).
    pub fn decode(path: &Path, bytes: &[u8]) -> Result<Self> {
        let refuse = |problem: String| DataError::Picture { path: path.to_path_buf(), problem, source: None };
        let decoded = if bytes.starts_with(&PNG) {
            png(bytes)
        } else if bytes.starts_with(&JPEG) {
            jpeg(bytes)
        } else {
            return Err(refuse("is neither PNG nor JPEG".to_owned()));
        };
        let (picture, orientation) = decoded.map_err(|source| match source.downcast::<TooLarge>() {
            Ok(too_large) => refuse(too_large.to_string()),
            Err(source) => DataError::Picture {
                path: path.to_path_buf(),
                problem: "is damaged or cut".to_owned(),
                source: Some(source),
            },
        })?;
        Ok(orientation.apply(picture))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("has {0} × {1} pixels; at most {PIXELS} are decoded")]
struct TooLarge(usize, usize);

fn check_size(width: usize, height: usize, bytes: &[u8]) -> Result<(), Problem> {
    let pixels = width.saturating_mul(height);
    if pixels > PIXELS {
        return Err(TooLarge(width, height).into());
    }
    if pixels > bytes.len().saturating_mul(PIXELS_PER_BYTE) {
        return Err(format!("{width} × {height} pixels do not fit into {}", counted(bytes.len(), "byte")).into());
    }
    Ok(())
}

/// The decoders' own limit is for each side; ours is for both together.
fn options() -> DecoderOptions {
    DecoderOptions::default().set_max_width(PIXELS).set_max_height(PIXELS)
}

fn png(bytes: &[u8]) -> Result<(Picture, Orientation), Problem> {
    // Palettes and 1 to 16 bits all become 8 bits of grey or RGB, perhaps with alpha.
    let options = options().png_set_strip_to_8bit(true).png_set_confirm_crc(true).inflate_set_confirm_adler(true);
    let mut decoder = PngDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers()?;
    let (width, height) = decoder.dimensions().ok_or(NO_SIZE)?;
    check_size(width, height, bytes)?;
    let space = decoder.colorspace().ok_or(NO_SIZE)?;
    let exif = decoder.info().and_then(|info| info.exif.as_deref());
    let orientation = exif.map_or(Orientation::UPRIGHT, Orientation::of_exif);
    let pixels = decoder.decode_raw()?;
    let planes = match space {
        ColorSpace::Luma => vec![pixels],
        ColorSpace::LumaA => split(&pixels, |[grey, alpha]| [over_white(grey, alpha)]),
        ColorSpace::RGB => split(&pixels, |rgb: [u8; 3]| rgb),
        ColorSpace::RGBA => split(&pixels, |[r, g, b, alpha]| [r, g, b].map(|value| over_white(value, alpha))),
        other => return Err(format!("has the colour space {other:?}").into()),
    };
    Ok((Picture { width, height, planes }, orientation))
}

fn jpeg(bytes: &[u8]) -> Result<(Picture, Orientation), Problem> {
    // Strict: otherwise what is missing of a picture would be grey.
    let options = options().set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers()?;
    let (width, height) = decoder.dimensions().ok_or(NO_SIZE)?;
    check_size(width, height, bytes)?;
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let space = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let pixels = decoder.decode()?;
    if !has_end(bytes) {
        return Err("the end of the picture is missing".into());
    }
    let orientation = decoder.exif().map_or(Orientation::UPRIGHT, |exif| Orientation::of_exif(exif));
    let planes = if grey { vec![pixels] } else { split(&pixels, |rgb: [u8; 3]| rgb) };
    Ok((Picture { width, height, planes }, orientation))
}

/// Whether a JPEG goes on to its end marker: the decoder does without, and takes a few missing bytes for zeros. Not the
/// last two bytes alone, since cameras append things; nor any end marker, since a segment may hold a whole small
/// picture.
fn has_end(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(place) = rest.iter().position(|&byte| byte == 0xff) {
        rest = &rest[place + 1..];
        match rest {
            [0xd9, ..] => return true,
            // A byte 255 of the picture, filling, and markers without a segment.
            [0x00 | 0x01 | 0xd0..=0xd8, after @ ..] => rest = after,
            [0xff, ..] => {}
            [_, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(1 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    false
}

/// One plane for each channel, from pixels of `FROM` values that `convert` makes `TO` channels of.
fn split<const FROM: usize, const TO: usize>(pixels: &[u8], convert: impl Fn([u8; FROM]) -> [u8; TO]) -> Vec<Vec<u8>> {
    let mut planes = vec![Vec::with_capacity(pixels.len() / FROM); TO];
    for pixel in pixels.as_chunks::<FROM>().0 {
        planes.iter_mut().zip(convert(*pixel)).for_each(|(plane, value)| plane.push(value));
    }
    planes
}

/// A value with the opacity `alpha` in front of white.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
