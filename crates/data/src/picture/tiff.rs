//! TIFF: the first page.

use std::io::Cursor;

use ::tiff::ColorType;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};
use ::tiff::tags::Tag;
use backproof_spec::Color;
use zune_jpeg::zune_core::colorspace::ColorSpace;

use super::bounds::{Decoded, Problem, check_pixels, picture};
use super::orientation::Orientation;

/// The most bytes of a decoded page: 2²⁶ pixels of four channels, or half as many of 16 bits.
const MEMORY: usize = 4 << 26;

/// What the pixels of a picture with a palette are: indices (TIFF 6.0, page 37). The decoder does not read these.
const OF_PALETTE: u16 = 3;
/// Grey, 0 is black: as which it reads the indices.
const BLACK_IS_ZERO: u8 = 1;

pub(super) fn tiff(bytes: &[u8], behind: Color) -> Decoded {
    let indices = as_grey(bytes);
    let bytes = indices.as_deref().unwrap_or(bytes);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MEMORY;
    let mut decoder = Decoder::new(Cursor::new(bytes))?.with_limits(limits);
    let (width, height) = decoder.dimensions()?;
    let (width, height) = (width as usize, height as usize);
    check_pixels(width, height)?;
    let orientation = decoder.find_tag_unsigned::<u32>(Tag::Orientation).ok().flatten();
    let orientation = orientation.map_or(Orientation::UPRIGHT, Orientation::of_number);
    let kind = decoder.colortype()?;
    let palette = match indices {
        Some(_) => Some(decoder.get_tag_u16_vec(Tag::ColorMap)?),
        None => None,
    };
    let samples = eight_bits(decoder.read_image()?)?;
    let (space, pixels) = match kind {
        ColorType::Gray(bits @ (1 | 2 | 4 | 8)) if palette.is_some() => {
            let grey = if bits == 8 { samples } else { unpack(&samples, width, height, bits)? };
            (ColorSpace::RGB, of_palette(&grey, bits, &palette.unwrap_or_default())?)
        }
        other if palette.is_some() => return Err(format!("it has a palette for {other:?}, which is not read").into()),
        ColorType::Gray(bits @ (1 | 2 | 4)) => (ColorSpace::Luma, unpack(&samples, width, height, bits)?),
        ColorType::Gray(8 | 16 | 32) => (ColorSpace::Luma, samples),
        ColorType::GrayA(8 | 16) | ColorType::Multiband { bit_depth: 8 | 16, num_samples: 2 } => {
            (ColorSpace::LumaA, samples)
        }
        ColorType::RGB(8 | 16 | 32) | ColorType::YCbCr(8) => (ColorSpace::RGB, samples),
        ColorType::RGBA(8 | 16) => (ColorSpace::RGBA, samples),
        ColorType::CMYK(8 | 16) => (ColorSpace::RGB, of_inks(&samples)),
        other => return Err(format!("it has the colours {other:?}, which are not read").into()),
    };
    picture(width, height, space, pixels, behind, orientation)
}

/// The file with indices into a palette declared as shades of grey; `None` of a file without a palette.
fn as_grey(bytes: &[u8]) -> Option<Vec<u8>> {
    let is_little = bytes.starts_with(b"II");
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = bytes.get(at..at.checked_add(length)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    };
    // BigTIFF has longer numbers: place of the directory, its count, an entry, where that has its value.
    let (place, count_length, entry_length, value) = match number(2, 2)? {
        42 => (number(4, 4)?, 2, 12, 8),
        43 => (number(8, 8)?, 8, 20, 12),
        _ => return None,
    };
    let place = usize::try_from(place).ok()?;
    let count = number(place, count_length)?.min(u64::from(u16::MAX)) as usize;
    let entries = (0..count).map_while(|entry| place.checked_add(count_length + entry * entry_length));
    let photometric = u64::from(Tag::PhotometricInterpretation.to_u16());
    let entry = entries.take_while(|&at| at < bytes.len()).find(|&at| number(at, 2) == Some(photometric))?;
    if number(entry + value, 2)? != u64::from(OF_PALETTE) {
        return None;
    }
    let mut grey = bytes.to_vec();
    grey[entry + value + usize::from(!is_little)] = BLACK_IS_ZERO;
    Some(grey)
}

/// The colours of indices that are stretched to 0 to 255. The palette has 16 bits a colour: all reds, greens, blues.
fn of_palette(grey: &[u8], bits: u8, palette: &[u16]) -> Result<Vec<u8>, Problem> {
    let colours = 1_usize << bits;
    if palette.len() != 3 * colours {
        return Err(
            format!("its palette has {} numbers, and not 3 for each of {colours} colours", palette.len()).into()
        );
    }
    let step = 255 / (colours - 1);
    let colour =
        |&grey: &u8| (0..3).map(move |channel| (palette[channel * colours + usize::from(grey) / step] >> 8) as u8);
    Ok(grey.iter().flat_map(colour).collect())
}

/// The upper eight bits of each sample.
fn eight_bits(samples: DecodingResult) -> Result<Vec<u8>, Problem> {
    Ok(match samples {
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.into_iter().map(|sample| (sample >> 8) as u8).collect(),
        DecodingResult::U32(samples) => samples.into_iter().map(|sample| (sample >> 24) as u8).collect(),
        DecodingResult::F32(samples) => {
            samples.into_iter().map(|sample| (sample * 255.0).round().clamp(0.0, 255.0) as u8).collect()
        }
        _ => return Err("its samples are no whole numbers of 8, 16 or 32 bits, and not from 0 to 1".into()),
    })
}

/// Rows of `bits` bits a pixel, each from a byte's begin on, as bytes from 0 to 255.
fn unpack(packed: &[u8], width: usize, height: usize, bits: u8) -> Result<Vec<u8>, Problem> {
    let (bits, most) = (usize::from(bits), (1_u16 << bits) - 1);
    let row = (width * bits).div_ceil(8);
    if packed.len() < row * height {
        return Err("rows are missing".into());
    }
    let value = |row: &[u8], column: usize| {
        let at = column * bits;
        let value = u16::from(row[at / 8] >> (8 - bits - at % 8)) & most;
        (value * 255 / most) as u8
    };
    Ok(packed.chunks_exact(row).take(height).flat_map(|row| (0..width).map(move |at| value(row, at))).collect())
}

/// Red, green and blue of cyan, magenta, yellow and black, without a colour profile.
fn of_inks(samples: &[u8]) -> Vec<u8> {
    let light = |ink: u8, black: u8| (u16::from(255 - ink) * u16::from(255 - black) / 255) as u8;
    samples.as_chunks::<4>().0.iter().flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| light(ink, k))).collect()
}
