//! How images and labels are written in files, whatever the data set and however the files are packed.

pub(crate) mod cifar;
pub(crate) mod cifar_python;
pub(crate) mod idx;
pub(crate) mod npz;
pub(crate) mod svhn;

use std::fmt;

use backproof_spec::Shape;

use crate::Images;
use crate::error::{DataError, Result};

/// A format of files.
pub(crate) trait Format: fmt::Debug + Sync {
    /// The images and labels of one set, out of its files in the order that the data set lists: the path of each, as
    /// errors call it, and its content, unpacked.
    ///
    /// # Errors
    ///
    /// What a file gives as an error, and content that is not what is expected.
    fn read(&self, expected: &Expected, files: &mut dyn Iterator<Item = Result<(String, Vec<u8>)>>) -> Result<Images>;

    /// Whether the same images and labels always make files of the same size. Packed ones do not.
    fn fixes_the_size(&self) -> bool {
        true
    }
}

/// How the content of published files is made again of files in another format.
pub(crate) trait Remake: fmt::Debug + Sync {
    /// The content of published file number `part`, of at most `most` bytes, out of `bytes`, the content of the file at
    /// the path `file`.
    ///
    /// # Errors
    ///
    /// Content that is not in the format, or does not fit into that of the published file.
    fn remake(&self, file: &str, bytes: &[u8], part: usize, most: u64) -> Result<Vec<u8>>;
}

/// The error of the file at the path `file`, which does not hold the arrays that it should.
pub(crate) fn of_arrays(file: &str) -> impl Fn(backproof_arrays::FormatError) -> DataError {
    move |problem| DataError::Arrays { file: file.to_owned(), problem }
}

/// The error of a label out of range.
pub(crate) fn bad_label(file: &str, first: usize, classes: usize, label: impl fmt::Display, at: usize) -> DataError {
    let expected = format!("{first} to {}", (first + classes).saturating_sub(1));
    DataError::format(file, "label", expected, format!("{label} at image {at}"))
}

/// What is known of a set before it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// The shape of one image.
    pub(crate) shape: Shape,
    /// The number of classes: every label is below.
    pub(crate) classes: usize,
    /// About how many images there are.
    pub(crate) images: usize,
}
