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

pub(super) fn tiff(bytes: &[u8], behind: Color) -> Decoded {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = MEMORY;
    let mut decoder = Decoder::new(Cursor::new(bytes))?.with_limits(limits);
    let (width, height) = decoder.dimensions()?;
    let (width, height) = (width as usize, height as usize);
    check_pixels(width, height)?;
    let orientation = decoder.find_tag_unsigned::<u32>(Tag::Orientation).ok().flatten();
    let orientation = orientation.map_or(Orientation::UPRIGHT, Orientation::of_number);
    let kind = decoder.colortype()?;
    let samples = eight_bits(decoder.read_image()?)?;
    let (space, pixels) = match kind {
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
