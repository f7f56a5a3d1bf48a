//! The binary versions of CIFAR-10 and CIFAR-100.
//!
//! No header. A record is the label and then the pixels, one plane after the other and each row by row, so that they
//! are `[C, H, W]` already. Of CIFAR-10 it has 3,073 bytes: 1 + 1,024 red + 1,024 green + 1,024 blue. CIFAR-100 has two
//! labels in front of the pixels, that of the 20 superclasses and that of the 100 classes.

use backproof_spec::{Shape, counted};

use super::{Expected, Format};
use crate::Images;
use crate::error::{DataError, Result};

/// Any number of files of records, one after the other.
#[derive(Debug)]
pub(crate) struct CifarRecords {
    /// How many labels a record has.
    labels: usize,
    /// Which of them is read.
    label: usize,
}

impl CifarRecords {
    /// Of CIFAR-10.
    pub(crate) const TEN: Self = Self { labels: 1, label: 0 };
    /// Of CIFAR-100, with its 100 classes.
    pub(crate) const FINE: Self = Self { labels: 2, label: 1 };
    /// Of CIFAR-100, with its 20 superclasses.
    pub(crate) const COARSE: Self = Self { labels: 2, label: 0 };
}

impl Format for CifarRecords {
    fn read(&self, expected: &Expected, files: &mut dyn Iterator<Item = Result<(String, Vec<u8>)>>) -> Result<Images> {
        let Expected { shape, classes, images } = *expected;
        let (mut pixels, mut labels) = (Vec::with_capacity(images * shape.elements()), Vec::with_capacity(images));
        for file in files {
            let (name, bytes) = file?;
            records(&name, &bytes, self, shape, classes, &mut pixels, &mut labels)?;
        }
        Ok(Images::new(pixels, labels, shape))
    }
}

/// Reads the records of images of `shape` in `bytes`; appends to `pixels` and `labels`.
pub(crate) fn records(
    file: &str,
    bytes: &[u8],
    format: &CifarRecords,
    shape: Shape,
    classes: usize,
    pixels: &mut Vec<u8>,
    labels: &mut Vec<u16>,
) -> Result<()> {
    let record = format.labels + shape.elements();
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        return Err(DataError::format(
            file,
            "size",
            format!("records of {record} bytes"),
            format!("{} and {}", counted(bytes.len() / record, "record"), counted(bytes.len() % record, "byte")),
        ));
    }
    let label = |record: &[u8]| record[format.label];
    let bad = bytes.chunks_exact(record).map(label).position(|label| usize::from(label) >= classes);
    if let Some(at) = bad {
        return Err(DataError::format(
            file,
            "label",
            format!("0 to {}", classes.saturating_sub(1)),
            format!("{} in record {at}", label(&bytes[at * record..])),
        ));
    }
    for one in bytes.chunks_exact(record) {
        labels.push(u16::from(label(one)));
        pixels.extend_from_slice(&one[format.labels..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], side: usize) -> Result<(Vec<u8>, Vec<u16>)> {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        let (format, shape) = (&CifarRecords::TEN, Shape::image(3, side, side));
        records("f.bin", bytes, format, shape, 10, &mut pixels, &mut labels).map(|()| (pixels, labels))
    }

    #[test]
    fn of_two_labels_the_first_is_the_superclass_and_the_second_the_class() {
        // Two images of one pixel.
        let bytes = [19, 99, 1, 2, 3, 0, 7, 4, 5, 6];
        let read = |format: CifarRecords, classes| {
            let mut file = [Ok(("f.bin".to_owned(), bytes.to_vec()))].into_iter();
            format.read(&Expected { shape: Shape::image(3, 1, 1), classes, images: 2 }, &mut file)
        };
        let (fine, coarse) = (read(CifarRecords::FINE, 100).unwrap(), read(CifarRecords::COARSE, 20).unwrap());
        assert_eq!([fine.label(0), fine.label(1)], [99, 7]);
        assert_eq!([coarse.label(0), coarse.label(1)], [19, 0]);
        assert_eq!((fine.pixels(0), coarse.pixels(1)), (&[1, 2, 3][..], &[4, 5, 6][..]));
        let error = read(CifarRecords::FINE, 99).unwrap_err().to_string();
        assert_eq!(error, "`f.bin`: label: expected 0 to 98, found 99 in record 0");
        let error = read(CifarRecords::TEN, 100).unwrap_err().to_string();
        assert!(error.contains("expected records of 4 bytes, found 2 records and 2 bytes"), "{error}");
    }

    /// Two images of 2 × 2 pixels. Red is 1x, green 2x, blue 3x; the second digit is the place: a swapped channel, a
    /// mirrored or transposed pixel changes the answer.
    #[test]
    fn pixels_come_in_the_order_image_channel_row_column() {
        let first = [4, 11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34];
        let second = [9, 15, 16, 17, 18, 25, 26, 27, 28, 35, 36, 37, 38];
        let (pixels, labels) = read(&[first, second].concat(), 2).unwrap();
        assert_eq!(labels, [4, 9]);
        assert_eq!(pixels, [&first[1..], &second[1..]].concat());
        let image = Images::new(pixels, labels, Shape::image(3, 2, 2));
        // Green, row 1, column 0 of image 1.
        assert_eq!(image.pixels(1)[(2 + 1) * 2], 27);
    }

    #[test]
    fn errors_name_the_file_what_was_expected_and_what_was_found() {
        assert_eq!(
            read(&[0; 30], 2).unwrap_err().to_string(),
            "`f.bin`: size: expected records of 13 bytes, found 2 records and 4 bytes"
        );
        assert!(read(&[], 2).is_err());
        let mut bytes = [0; 26];
        bytes[13] = 10;
        assert_eq!(read(&bytes, 2).unwrap_err().to_string(), "`f.bin`: label: expected 0 to 9, found 10 in record 1");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(0u8..12, 0..200), side in 1usize..4) {
            if let Ok((pixels, labels)) = read(&bytes, side) {
                prop_assert_eq!(pixels.len() + labels.len(), bytes.len());
            }
        }
    }
}
