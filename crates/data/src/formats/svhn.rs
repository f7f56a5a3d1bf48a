//! The cropped digits of SVHN: MATLAB files with the arrays `X` of images and `y` of labels.
//!
//! `X` is `[H, W, C, N]`. MATLAB's first axis is the fastest, so a channel of an image lies column by column, and has
//! to be transposed. Labels are 1 to 10, where 10 is the digit 0.

use backproof_arrays::matlab::{Array, Content, Variables};
use backproof_arrays::{Budget, Element, FormatError, Numbers};
use backproof_spec::{Shape, counted};

use super::{Expected, Format, bad_label, of_arrays};
use crate::Images;
use crate::error::{DataError, Result};
use crate::images::planes;

/// A file of images and labels.
#[derive(Debug)]
pub(crate) struct Svhn;

impl Format for Svhn {
    fn read(&self, expected: &Expected, files: &mut dyn Iterator<Item = Result<(String, Vec<u8>)>>) -> Result<Images> {
        let (name, bytes) = files.next().expect("a set has a file")?;
        let problem = of_arrays(&name);
        // Pixels, and labels of up to eight bytes; a re-saved file may hold them as they are or packed.
        let numbers = expected.images as u64 * (expected.shape.elements() as u64 + 8);
        let variables = Variables::of(&bytes, &mut Budget::of(numbers + (1 << 20))).map_err(&problem)?;
        let (mut images, mut labels) = (None, None);
        for content in &variables.contents {
            let array = Array::read(content, variables.big_endian).map_err(&problem)?;
            match (array.name.as_str(), array.content) {
                ("X", Content::Numbers(numbers)) => images = Some((array.dims, numbers)),
                ("y", Content::Numbers(numbers)) => labels = Some(numbers),
                _ => {}
            }
        }
        let (Some((dims, pixels)), Some(labels)) = (images, labels) else {
            return Err(problem(FormatError::new(
                "lacks one of the arrays `X` and `y`",
                "`X` of images and `y` of labels, as in train_32x32.mat",
            )));
        };
        let count = labels.len();
        let pixels = rows(&name, &dims, &pixels, expected.shape, count)?;
        Ok(Images::new(pixels, digits(&name, &labels, expected.classes)?, expected.shape))
    }

    fn fixes_the_size(&self) -> bool {
        false
    }
}

/// The pixels of `count` images, `[N, C, H, W]`, of an array `[H, W, C, N]` whose first axis is the fastest.
fn rows(file: &str, dims: &[usize], pixels: &Numbers<'_>, shape: Shape, count: usize) -> Result<Vec<u8>> {
    let (channels, height, width) = planes(shape);
    // MATLAB has no last axis of length 1.
    let expected = [height, width, channels, count];
    let expected = if count == 1 { &expected[..3] } else { &expected[..] };
    if dims != expected || pixels.element != Element::U8 {
        let kind = if pixels.element == Element::U8 { "" } else { " that are no bytes" };
        return Err(DataError::format(
            file,
            "size of the array `X`",
            format!("bytes, {height}×{width}×{channels} for each of {} in `y`", counted(count, "label")),
            format!("{}{kind}", dims.iter().map(usize::to_string).collect::<Vec<_>>().join("×")),
        ));
    }
    let mut turned = Vec::with_capacity(pixels.bytes.len());
    for plane in pixels.bytes.chunks_exact(height * width) {
        for row in 0..height {
            turned.extend((0..width).map(|column| plane[column * height + row]));
        }
    }
    Ok(turned)
}

/// The digits that labels from 1 to 10 stand for.
fn digits(file: &str, labels: &Numbers<'_>, classes: usize) -> Result<Vec<u16>> {
    let mut digits = Vec::with_capacity(labels.len());
    for at in 0..labels.len() {
        let label = labels.get(at);
        if label.fract() != 0.0 || !(1.0..=classes as f64).contains(&label) {
            return Err(bad_label(file, 1, classes, label, at));
        }
        digits.push((label as usize % classes) as u16);
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written::{matlab as file, matlab_variable as variable};

    fn read(bytes: Vec<u8>) -> Result<Images> {
        let expected = Expected { shape: Shape::image(3, 2, 4), classes: 10, images: 2 };
        Svhn.read(&expected, &mut [Ok(("f.mat".to_owned(), bytes))].into_iter())
    }

    /// Pixel (row, column) of channel c of image i is 100 i + 30 c + 10 row + column.
    fn pixels() -> Vec<u8> {
        let axes = (0..2).flat_map(|i| (0..3).map(move |c| 100 * i + 30 * c));
        axes.flat_map(|of| (0..4).flat_map(move |column| (0..2).map(move |row| of + 10 * row + column))).collect()
    }

    #[test]
    fn columns_become_rows_and_ten_is_the_digit_zero() {
        let images =
            read(file(&[variable("X", &[2, 4, 3, 2], &pixels(), 9, 2), variable("y", &[2, 1], &[10, 9], 9, 2)]))
                .unwrap();
        assert_eq!([images.label(0), images.label(1)], [0, 9]);
        assert_eq!(images.pixels(0)[..8], [0, 1, 2, 3, 10, 11, 12, 13]);
        assert_eq!(images.pixels(1)[16..], [160, 161, 162, 163, 170, 171, 172, 173]);
        // Labels as MATLAB saves numbers by itself, and variables in another order, with one more.
        let doubles = [1.0_f64, 10.0].map(f64::to_le_bytes).concat();
        let again = read(file(&[
            variable("y", &[1, 2], &doubles, 6, 9),
            variable("z", &[1, 1], &[1], 9, 2),
            variable("X", &[2, 4, 3, 2], &pixels(), 9, 2),
        ]))
        .unwrap();
        assert_eq!([again.label(0), again.label(1)], [1, 0]);
        assert_eq!(again.pixels(1), images.pixels(1));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_was_expected() {
        let x = |dims: &[i32]| variable("X", dims, &pixels(), 9, 2);
        let y = |labels: [u8; 2]| variable("y", &[2, 1], &labels, 9, 2);
        let refused = |variables: &[Vec<u8>]| read(file(variables)).unwrap_err().to_string();
        let size = "`f.mat`: size of the array `X`: expected bytes, 2×4×3 for each of 2 labels in `y`, found ";
        for (dims, found) in [([4, 2, 3, 2], "4×2×3×2"), ([2, 3, 4, 2], "2×3×4×2"), ([2, 4, 2, 3], "2×4×2×3")]
        {
            assert_eq!(refused(&[x(&dims), y([1, 2])]), format!("{size}{found}"));
        }
        assert_eq!(refused(&[x(&[2, 4, 3, 2]), y([0, 1])]), "`f.mat`: label: expected 1 to 10, found 0 at image 0");
        assert_eq!(refused(&[x(&[2, 4, 3, 2]), y([1, 11])]), "`f.mat`: label: expected 1 to 10, found 11 at image 1");
        assert!(refused(&[y([1, 2])]).starts_with("`f.mat` lacks one of the arrays `X` and `y`; expected "));
        let whole = file(&[x(&[2, 4, 3, 2]), y([1, 2])]);
        for length in 0..whole.len() {
            assert!(read(whole[..length].to_vec()).is_err(), "cut at {length}");
        }
        let doubles = [1.0_f64; 48].map(f64::to_le_bytes).concat();
        let error = refused(&[variable("X", &[2, 4, 3, 2], &doubles, 6, 9), y([1, 2])]);
        assert!(error.ends_with("found 2×4×3×2 that are no bytes"), "{error}");
    }
}
