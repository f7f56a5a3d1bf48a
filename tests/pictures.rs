//! Pictures for folders of a user's own, written byte by byte.

use std::path::Path;

/// A BMP file of `width` × `height` pixels of the colour `rgb`.
///
/// # Panics
///
/// If it cannot be written.
pub fn write_bmp(path: &Path, [width, height]: [usize; 2], [red, green, blue]: [u8; 3]) {
    let row = (3 * width).next_multiple_of(4);
    let mut bytes = Vec::with_capacity(54 + row * height);
    bytes.extend(b"BM");
    for number in [54 + row * height, 0, 54, 40, width, height] {
        bytes.extend((number as u32).to_le_bytes());
    }
    bytes.extend([1, 0, 24, 0]);
    bytes.extend([0; 24]);
    let mut line = [blue, green, red].repeat(width);
    line.resize(row, 0);
    bytes.extend(line.repeat(height));
    std::fs::write(path, bytes).unwrap();
}
