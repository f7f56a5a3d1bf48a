//! From a file to pixels, within bounds: which format it is, PNG and JPEG.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use backproof_spec::Color;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_png::PngDecoder;

use super::bounds::{Decoded, NO_SIZE, TooLarge, check_size, options, planes, split};
use super::orientation::Orientation;
use super::{Picture, more_formats, tiff};
use crate::error::{DataError, Result};

/// The longest file that is read, 64 MiB.
const BYTES: u64 = 64 << 20;
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// The formats, by the first bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Jpeg,
    Gif,
    Bmp,
    WebP,
    Tiff,
}

impl Format {
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            _ if bytes.starts_with(&PNG) => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some(Self::Bmp),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            _ => None,
        }
    }
}

/// What a file is that is none of the formats, where its first bytes say so.
fn other_format(bytes: &[u8]) -> &'static str {
    match bytes {
        [] => "is empty",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h' | b'm', ..] => {
            "is HEIC, which is not read; convert it to JPEG or PNG"
        }
        [_, _, _, _, b'f', b't', b'y', b'p', b'a', ..] => "is AVIF, which is not read; convert it to JPEG or PNG",
        [b'<', ..] => "is text, perhaps SVG or a web page, and no picture of pixels",
        [b'%', b'P', b'D', b'F', ..] => "is a PDF, and no picture",
        _ => "is no PNG, JPEG, GIF, BMP, WebP or TIFF",
    }
}

impl Picture {
    /// Reads a PNG, JPEG, GIF, BMP, WebP or TIFF file; its first bytes say which it is, not its name.
    ///
    /// What is transparent is laid over `behind`. What the file says of its orientation (EXIF) is done. Of an animation
    /// or of several pages, this is the first. Colour profiles are ignored, as data sets ignore them.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is a folder, has another format, is damaged or cut, is longer than 64 MiB or has more
    /// than 2²⁶ pixels: more than any camera makes, and little enough to be held in memory.
    pub fn read(path: &Path, behind: Color) -> Result<Self> {
        Self::decode(path, &Self::bytes(path)?, behind)
    }

    /// All bytes of the file at `path`.
    pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>> {
        let refuse = |problem: String| DataError::Picture { path: path.to_path_buf(), problem, source: None };
        let metadata = fs::metadata(path).map_err(DataError::io("read", path))?;
        if metadata.is_dir() {
            return Err(refuse("is a folder, not a picture".to_owned()));
        }
        // A pipe or a device could wait for ever.
        if !metadata.is_file() {
            return Err(refuse("is no regular file".to_owned()));
        }
        let mut bytes = Vec::with_capacity(metadata.len().min(BYTES) as usize + 1);
        let file = File::open(path).map_err(DataError::io("read", path))?;
        file.take(BYTES + 1).read_to_end(&mut bytes).map_err(DataError::io("read", path))?;
        if bytes.len() as u64 > BYTES {
            return Err(refuse(format!("has more than {} MiB, the most that is read", BYTES >> 20)));
        }
        Ok(bytes)
    }

    /// The picture in `bytes`, all of the file at `path`, which only errors name; as [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// As of [`read`](Self::read).
    pub fn decode(path: &Path, bytes: &[u8], behind: Color) -> Result<Self> {
        let refuse = |problem: String| DataError::Picture { path: path.to_path_buf(), problem, source: None };
        let decoded = match Format::of(bytes) {
            Some(Format::Png) => png(bytes, behind),
            Some(Format::Jpeg) => jpeg(bytes),
            Some(Format::Gif) => more_formats::gif(bytes, behind),
            Some(Format::Bmp) => more_formats::bmp(bytes, behind),
            Some(Format::WebP) => more_formats::webp(bytes, behind),
            Some(Format::Tiff) => tiff::tiff(bytes, behind),
            None => return Err(refuse(other_format(bytes).to_owned())),
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

fn png(bytes: &[u8], behind: Color) -> Decoded {
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
    let planes = planes(space, pixels, behind)?;
    Ok((Picture { width, height, planes }, orientation))
}

fn jpeg(bytes: &[u8]) -> Decoded {
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
