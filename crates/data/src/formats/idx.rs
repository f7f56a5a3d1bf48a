//! The IDX format of MNIST and of the data sets that follow it.
//!
//! A header of big-endian numbers, then the values: two zero bytes, the type of a value (8: unsigned byte), the number
//! of axes, each axis in 4 bytes. Images have three axes `[N, H, W]`, labels one, `[N]`. The images of EMNIST lie
//! transposed, `[N, W, H]`, and its letters are counted from 1.

use backproof_spec::{Shape, counted};

use super::{Expected, Format, bad_label};
use crate::Images;
use crate::error::{DataError, Result};

/// A file of grey images, and a file of their labels.
#[derive(Debug)]
pub(crate) struct Idx {
    /// Whether the columns of an image come one after the other, and not its rows.
    transposed: bool,
    /// The label of the first class.
    first_label: u8,
}

impl Idx {
    /// As MNIST is written.
    pub(crate) const PLAIN: Self = Self { transposed: false, first_label: 0 };
    /// As EMNIST is written.
    pub(crate) const TRANSPOSED: Self = Self { transposed: true, first_label: 0 };
    /// As the letters of EMNIST are written.
    pub(crate) const LETTERS: Self = Self { transposed: true, first_label: 1 };
}

impl Format for Idx {
    fn read(&self, expected: &Expected, files: &mut dyn Iterator<Item = Result<(String, Vec<u8>)>>) -> Result<Images> {
        let mut next = || files.next().expect("a set has a file of images and one of labels");
        let (name, bytes) = next()?;
        let mut images = images(&name, bytes)?;
        if self.transposed {
            images = images.transposed();
        }
        let found = Shape::image(1, images.height, images.width);
        if found != expected.shape {
            let size = |shape: Shape| match shape {
                Shape::Image { channels: 1, height, width } => format!("{height}×{width}"),
                other => other.to_string(),
            };
            let what = "height and width of an image";
            return Err(DataError::format(&name, what, size(expected.shape), size(found)));
        }
        let count = images.pixels.len() / found.elements().max(1);
        let (name, bytes) = next()?;
        let labels = labels(&name, bytes, self.first_label, expected.classes)?;
        if labels.len() != count {
            return Err(DataError::format(
                &name,
                "number of labels",
                format!("one for each of {}", counted(count, "image")),
                labels.len(),
            ));
        }
        Ok(Images::new(images.pixels, labels, found))
    }
}

/// The images of an IDX file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IdxImages {
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// `[N, H, W]`, row-major.
    pub(crate) pixels: Vec<u8>,
}

impl IdxImages {
    /// The same with rows in place of columns.
    fn transposed(self) -> Self {
        let Self { height, width, pixels } = self;
        let mut turned = Vec::with_capacity(pixels.len());
        for image in pixels.chunks_exact((height * width).max(1)) {
            turned.extend((0..height * width).map(|at| image[at % height * width + at / height]));
        }
        Self { height: width, width: height, pixels: turned }
    }
}

/// Reads a file of images, all of `bytes`. The header is cut off in place, nothing else is allocated.
pub(crate) fn images(file: &str, bytes: Vec<u8>) -> Result<IdxImages> {
    let [_, height, width] = axes(file, &bytes)?;
    let mut pixels = bytes;
    pixels.drain(..header_size(3));
    Ok(IdxImages { height, width, pixels })
}

/// Reads a file of labels, all of `bytes`. The classes are counted from `first` in the file, and from 0 here.
pub(crate) fn labels(file: &str, bytes: Vec<u8>, first: u8, classes: usize) -> Result<Vec<u16>> {
    let [_] = axes(file, &bytes)?;
    let labels = &bytes[header_size(1)..];
    let class = |&label: &u8| label.checked_sub(first).filter(|&class| usize::from(class) < classes).map(u16::from);
    match labels.iter().position(|label| class(label).is_none()) {
        None => Ok(labels.iter().filter_map(class).collect()),
        Some(at) => Err(bad_label(file, first.into(), classes, labels[at], at)),
    }
}

/// The content of a file of values with these axes.
pub(crate) fn file_of(axes: &[usize], values: &[u8]) -> Option<Vec<u8>> {
    let mut content = vec![0, 0, 8, u8::try_from(axes.len()).ok()?];
    for &axis in axes {
        content.extend(u32::try_from(axis).ok()?.to_be_bytes());
    }
    content.extend_from_slice(values);
    Some(content)
}

const fn header_size(axes: usize) -> usize {
    4 + 4 * axes
}

/// The axes that the header promises, checked against the number of bytes that follow it.
fn axes<const N: usize>(file: &str, bytes: &[u8]) -> Result<[usize; N]> {
    let header = bytes.get(..header_size(N)).ok_or_else(|| {
        DataError::format(
            file,
            "size of an IDX file",
            format!("at least the {} bytes of its header", header_size(N)),
            counted(bytes.len(), "byte"),
        )
    })?;
    let magic = [0, 0, 8, N as u8];
    if header[..4] != magic {
        return Err(DataError::format(file, "magic number of an IDX file", hex(&magic), hex(&header[..4])));
    }
    let mut axes = [0; N];
    for (axis, four) in axes.iter_mut().zip(header[4..].chunks_exact(4)) {
        *axis = u32::from_be_bytes([four[0], four[1], four[2], four[3]]) as usize;
    }
    let promised = axes.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis));
    let present = bytes.len() - header_size(N);
    if promised != Some(present) {
        let product = axes.map(|axis| axis.to_string()).join("×");
        return Err(DataError::format(
            file,
            "number of values after the header",
            format!("{product}, as the header says"),
            present,
        ));
    }
    Ok(axes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(magic: [u8; 4], axes: &[u32]) -> Vec<u8> {
        let mut bytes = magic.to_vec();
        axes.iter().for_each(|axis| bytes.extend(axis.to_be_bytes()));
        bytes
    }

    /// Two images of 2 rows and 3 columns, every pixel another number: transposing, mirroring or mixing up images
    /// changes the answer.
    #[test]
    fn pixels_come_in_the_order_image_row_column() {
        let mut bytes = header([0, 0, 8, 3], &[2, 2, 3]);
        bytes.extend(1..=12);
        let images = images("f", bytes).unwrap();
        assert_eq!((images.height, images.width), (2, 3));
        assert_eq!(images.pixels[..6], [1, 2, 3, 4, 5, 6]); // image 0: rows 1 2 3 and 4 5 6
        assert_eq!(images.pixels[6..], [7, 8, 9, 10, 11, 12]);
    }

    /// The file has columns of two pixels: 1 2, then 3 4, then 5 6. The rows are 1 3 5 and 2 4 6.
    #[test]
    fn transposed_images_are_turned_and_letters_are_counted_from_one() {
        let files = |labels: [u8; 2]| {
            let images = file_of(&[2, 3, 2], &(1..=12).collect::<Vec<u8>>()).unwrap();
            let labels = file_of(&[2], &labels).unwrap();
            [("i", images), ("l", labels)].map(|(name, bytes)| Ok((name.to_owned(), bytes))).into_iter()
        };
        let expected = Expected { shape: Shape::image(1, 2, 3), classes: 26, images: 2 };
        let read = |format: Idx, labels| format.read(&expected, &mut files(labels));
        let letters = read(Idx::LETTERS, [26, 1]).unwrap();
        assert_eq!(letters.pixels(0), [1, 3, 5, 2, 4, 6]);
        assert_eq!(letters.pixels(1), [7, 9, 11, 8, 10, 12]);
        assert_eq!([letters.label(0), letters.label(1)], [25, 0]);
        assert_eq!(read(Idx::TRANSPOSED, [25, 0]).unwrap().label(0), 25);
        let refused = |format, labels| read(format, labels).unwrap_err().to_string();
        assert_eq!(refused(Idx::LETTERS, [1, 0]), "`l`: label: expected 1 to 26, found 0 at image 1");
        assert_eq!(refused(Idx::LETTERS, [27, 1]), "`l`: label: expected 1 to 26, found 27 at image 0");
        assert_eq!(refused(Idx::TRANSPOSED, [1, 26]), "`l`: label: expected 0 to 25, found 26 at image 1");
        let turned = "`i`: height and width of an image: expected 2×3, found 3×2";
        assert_eq!(refused(Idx::PLAIN, [1, 2]), turned);
    }

    #[test]
    fn labels_come_in_order() {
        let mut bytes = header([0, 0, 8, 1], &[3]);
        bytes.extend([7, 0, 9]);
        assert_eq!(labels("f", bytes, 0, 10).unwrap(), [7, 0, 9]);
    }

    #[test]
    fn errors_name_the_file_what_was_expected_and_what_was_found() {
        let message = |bytes: Vec<u8>| images("a.idx", bytes).unwrap_err().to_string();
        assert_eq!(
            message(vec![0, 0, 8]),
            "`a.idx`: size of an IDX file: expected at least the 16 bytes of its header, found 3 bytes"
        );
        assert_eq!(
            message(header([0, 0, 13, 3], &[1, 1, 1])),
            "`a.idx`: magic number of an IDX file: expected 00 00 08 03, found 00 00 0d 03"
        );
        let mut short = header([0, 0, 8, 3], &[2, 2, 3]);
        short.extend([0; 11]);
        assert_eq!(
            message(short),
            "`a.idx`: number of values after the header: expected 2×2×3, as the header says, found 11"
        );
        let mut long = header([0, 0, 8, 3], &[1, 1, 1]);
        long.extend([0; 2]);
        assert!(message(long).ends_with("found 2"));
        // 2³² − 1 cubed does not fit into 64 bits; nothing of that size is allocated.
        assert!(message(header([0, 0, 8, 3], &[u32::MAX; 3])).ends_with("found 0"));
        let mut bad = header([0, 0, 8, 1], &[2]);
        bad.extend([3, 10]);
        assert_eq!(
            labels("b.idx", bad, 0, 10).unwrap_err().to_string(),
            "`b.idx`: label: expected 0 to 9, found 10 at image 1"
        );
    }

    #[test]
    fn a_file_of_labels_is_not_a_file_of_images() {
        let mut bytes = header([0, 0, 8, 1], &[12]);
        bytes.extend([0; 12]);
        assert!(images("f", bytes.clone()).is_err());
        assert!(labels("f", bytes, 0, 10).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parsers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = images("f", bytes.clone());
            let _ = labels("f", bytes, 0, 10);
        }

        #[test]
        fn no_header_makes_the_parsers_panic(axes in prop::collection::vec(prop_oneof![0u32..5, any::<u32>()], 0..4), values in 0usize..60) {
            for kind in [1, 3] {
                let mut bytes = header([0, 0, 8, kind], &axes);
                bytes.extend(std::iter::repeat_n(1, values));
                if let Ok(images) = images("f", bytes.clone()) {
                    prop_assert_eq!(images.pixels.len() + 16, bytes.len());
                }
                let _ = labels("f", bytes, 0, 10);
            }
        }
    }
}
