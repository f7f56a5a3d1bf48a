//! Small images as PNG, in the page itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Compression, Encoder};

/// Pixels along the longer side of an image for paper, at least. Some viewers of PDF blur the pixels of a small image;
/// those of a magnified one stay sharp.
pub(crate) const MAGNIFIED: usize = 256;

/// An image in rows from the top, grey or red, green, blue: bytes, one after another.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    width: usize,
    height: usize,
    colour: bool,
    bytes: Vec<u8>,
}

impl Image {
    /// Out of `[C, H, W]`, as images are in memory: 3 channels are colours, of any other number the first is grey.
    ///
    /// `value` gives the byte of channel, row, column.
    pub(crate) fn new([channels, height, width]: [usize; 3], mut value: impl FnMut(usize, usize, usize) -> u8) -> Self {
        let colour = channels == 3;
        let mut bytes = Vec::with_capacity(width * height * channels);
        for row in 0..height {
            for column in 0..width {
                bytes.extend((0..if colour { 3 } else { 1 }).map(|channel| value(channel, row, column)));
            }
        }
        Self { width, height, colour, bytes }
    }

    /// The image with each pixel so many times as wide and as high.
    pub(crate) fn magnified(&self, times: usize) -> Self {
        let pixel = if self.colour { 3 } else { 1 };
        let wide = |row: &[u8]| row.chunks(pixel).flat_map(|pixel| pixel.repeat(times)).collect::<Vec<u8>>();
        let bytes = self.bytes.chunks(self.width * pixel).flat_map(|row| wide(row).repeat(times)).collect();
        Self { width: times * self.width, height: times * self.height, colour: self.colour, bytes }
    }

    /// The longer side, in pixels.
    pub(crate) fn side(&self) -> usize {
        self.width.max(self.height)
    }

    /// A `data:` address of the image as PNG.
    pub(crate) fn data_uri(&self) -> String {
        format!("data:image/png;base64,{}", STANDARD.encode(self.png()))
    }

    /// The image as a PNG file.
    pub(crate) fn png(&self) -> Vec<u8> {
        let mut png = Vec::new();
        let mut encoder = Encoder::new(&mut png, self.width as u32, self.height as u32);
        encoder.set_color(if self.colour { ColorType::Rgb } else { ColorType::Grayscale });
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::High);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&self.bytes))
            .expect("the bytes are as many as the header says, and memory does not fail");
        png
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resvg::tiny_skia::Pixmap;

    fn pixels(image: &Image) -> Vec<[u8; 3]> {
        let pixels = Pixmap::decode_png(&image.png()).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (3, 2));
        pixels.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect()
    }

    #[test]
    fn channels_rows_and_columns_are_where_they_belong() {
        let value = |channel, row, column| (100 * channel + 10 * row + column) as u8;
        let expected = [[0, 100, 200], [1, 101, 201], [2, 102, 202], [10, 110, 210], [11, 111, 211], [12, 112, 212]];
        assert_eq!(pixels(&Image::new([3, 2, 3], value)), expected);
        let grey = [0, 1, 2, 10, 11, 12].map(|value| [value; 3]);
        assert_eq!(pixels(&Image::new([1, 2, 3], value)), grey);
    }

    #[test]
    fn a_magnified_image_has_each_pixel_as_a_square() {
        let image = Image::new([3, 1, 2], |channel, _, column| (100 * channel + column) as u8).magnified(2);
        assert_eq!((image.width, image.height), (4, 2));
        let row = [[0, 100, 200], [0, 100, 200], [1, 101, 201], [1, 101, 201]].concat();
        assert_eq!(image.bytes, row.repeat(2));
    }
}
