//! How images and labels are written in files, whatever the data set and however the files are packed.

pub(crate) mod cifar;
pub(crate) mod idx;

use std::fmt;

use backproof_spec::Shape;

use crate::Images;
use crate::error::Result;

/// A format of files.
pub(crate) trait Format: fmt::Debug + Sync {
    /// The images and labels of one set, out of its files in the order that the data set lists: the path of each, as
    /// errors call it, and its content, unpacked.
    ///
    /// # Errors
    ///
    /// What a file gives as an error, and content that is not what is expected.
    fn read(&self, expected: &Expected, files: &mut dyn Iterator<Item = Result<(String, Vec<u8>)>>) -> Result<Images>;
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
