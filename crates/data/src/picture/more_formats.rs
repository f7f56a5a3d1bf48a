//! GIF, BMP and WebP.

use std::io::Cursor;
use std::num::NonZeroU64;

use ::gif::{ColorOutput, DecodeOptions, MemoryLimit};
use backproof_spec::Color;
use image_webp::WebPDecoder;
use zune_bmp::{BmpDecoder, BmpDecoderErrors};
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;

use super::bounds::{Decoded, Problem, check_pixels, check_size, options, picture};
use super::orientation::Orientation;

/// The memory of a decoder beside its output: four bytes for each pixel that is decoded, and a little more.
const MEMORY: u64 = 5 << 26;

/// The first frame, in its place on the canvas. The rest of the canvas is transparent.
pub(super) fn gif(bytes: &[u8], behind: Color) -> Decoded {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::new(MEMORY).expect("it is no zero")));
    options.check_lzw_end_code(true);
    options.check_frame_consistency(true);
    let mut decoder = options.read_info(Cursor::new(bytes))?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    check_size(width, height, bytes)?;
    let frame = decoder.read_next_frame()?.ok_or("it has no frame")?;
    let [left, top, frame_width] = [frame.left, frame.top, frame.width].map(usize::from);
    let mut canvas = vec![0; 4 * width * height];
    for (row, pixels) in frame.buffer.chunks_exact(4 * frame_width.max(1)).enumerate() {
        // The decoder has checked that the frame lies within the canvas.
        let start = 4 * ((top + row) * width + left);
        canvas.get_mut(start..start + pixels.len()).ok_or("a frame beyond the canvas")?.copy_from_slice(pixels);
    }
    picture(width, height, ColorSpace::RGBA, canvas, behind, Orientation::UPRIGHT)
}

pub(super) fn bmp(bytes: &[u8], behind: Color) -> Decoded {
    // The decoder calls a size that is too large something else. Headers of 40 bytes and more begin alike.
    if let Some(&[40..=255, _, _, _, w0, w1, w2, w3, h0, h1, h2, h3]) = bytes.get(14..26) {
        let [width, height] = [[w0, w1, w2, w3], [h0, h1, h2, h3]].map(i32::from_le_bytes).map(i32::unsigned_abs);
        check_size(width as usize, height as usize, bytes)?;
        check_length(width as usize, height as usize, bytes)?;
    }
    let mut decoder = BmpDecoder::new_with_options(ZCursor::new(bytes), options().set_strict_mode(true));
    // Its errors are no `std::error::Error`.
    let problem = |error: BmpDecoderErrors| format!("{error:?}");
    decoder.decode_headers().map_err(problem)?;
    let (width, height) = decoder.dimensions().ok_or("it has no size")?;
    check_size(width, height, bytes)?;
    let space = decoder.colorspace().ok_or("it has no colour space")?;
    let mut pixels = decoder.decode().map_err(problem)?;
    // Many programs write 32 bits a pixel and leave the last eight zero. They mean no transparency.
    if space == ColorSpace::RGBA && pixels.as_chunks::<4>().0.iter().all(|pixel| pixel[3] == 0) {
        pixels.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = 255);
    }
    picture(width, height, space, pixels, behind, Orientation::UPRIGHT)
}

/// That a BMP that is not compressed has all of its pixels: the decoder takes missing ones for zeros.
fn check_length(width: usize, height: usize, bytes: &[u8]) -> Result<(), Problem> {
    let number = |at: usize| bytes.get(at..at + 4).and_then(|it| it.first_chunk()).map(|it| u32::from_le_bytes(*it));
    let (Some(start), Some(of_pixel), Some(compression)) = (number(10), number(26), number(30)) else {
        return Err("its header is cut".into());
    };
    let bits = width * (of_pixel >> 16) as usize;
    // Rows are filled up to four bytes; some programs leave that out in the last one.
    let needed = start as usize + (height - 1) * bits.div_ceil(32) * 4 + bits.div_ceil(8);
    match compression {
        0 | 3 | 6 if bytes.len() < needed => Err("rows are missing".into()),
        _ => Ok(()),
    }
}

/// A still picture, or the first frame of an animation.
pub(super) fn webp(bytes: &[u8], behind: Color) -> Decoded {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes))?;
    let claimed = bytes.get(4..8).and_then(|size| size.first_chunk()).map_or(0, |size| u32::from_le_bytes(*size));
    // The last byte may be filling. The decoder takes missing ones for zeros.
    if bytes.len() + 1 < claimed as usize + 8 {
        return Err("the end of the file is missing".into());
    }
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    // A picture of one colour takes a few bytes, however large it is.
    check_pixels(width, height)?;
    decoder.set_memory_limit(usize::try_from(MEMORY).unwrap_or(usize::MAX));
    let exif = decoder.exif_metadata().ok().flatten();
    let orientation = exif.map_or(Orientation::UPRIGHT, |exif| Orientation::of_exif(&exif));
    let space = if decoder.has_alpha() { ColorSpace::RGBA } else { ColorSpace::RGB };
    let mut pixels = vec![0; decoder.output_buffer_size().ok_or("it has no size")?];
    decoder.read_image(&mut pixels)?;
    picture(width, height, space, pixels, behind, orientation)
}
