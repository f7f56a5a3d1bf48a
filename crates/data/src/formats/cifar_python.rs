//! The Python versions of CIFAR-10 and CIFAR-100: pickled dictionaries.
//!
//! `data` is an array of bytes `[N, 3072]`, whose rows are the pixels of a record of the binary version
//! (`cifar.rs`). CIFAR-10 has a list `labels`, CIFAR-100 the lists `coarse_labels` and `fine_labels`. Published are
//! pickles of Python 2; those that newer ones write are read too.

use backproof_arrays::{FormatError, pickle};
use backproof_spec::counted;

use super::{Remake, bad_label, of_arrays};
use crate::error::{DataError, Result};

/// The number of pixels of an image, in all channels.
const PIXELS: usize = 3 * 32 * 32;

/// Makes records of a pickle.
#[derive(Debug)]
pub(crate) struct CifarPython {
    /// The lists of labels in the order of a record, each with the number of its classes.
    pub(crate) labels: &'static [(&'static str, usize)],
}

impl Remake for CifarPython {
    fn remake(&self, file: &str, bytes: &[u8], _: usize, most: u64) -> Result<Vec<u8>> {
        let problem = of_arrays(file);
        let pickle = pickle::read(bytes).map_err(&problem)?;
        let data = pickle.array("data").map_err(&problem)?;
        let shape = data.shape.clone();
        let (pixels, images) = match (data.into_bytes(), &shape[..]) {
            (Some(pixels), &[images, PIXELS]) => (pixels, images),
            (pixels, _) => {
                let kind = if pixels.is_some() { "bytes" } else { "other numbers than bytes" };
                let found = format!("has an array `data` of {kind} of the shape {shape:?}");
                return Err(problem(FormatError::new(found, "bytes of the shape [N, 3072]")));
            }
        };
        let record = self.labels.len() + PIXELS;
        let size = images.saturating_mul(record);
        if size as u64 != most {
            let expected = most / record as u64;
            return Err(DataError::format(file, "number of images", expected, images));
        }
        let mut lists = Vec::new();
        for &(key, classes) in self.labels {
            let labels = pickle.integers(key).map_err(&problem)?;
            if labels.len() != images {
                let expected = format!("one for each of {}", counted(images, "image"));
                return Err(DataError::format(file, "number of labels", expected, labels.len()));
            }
            let byte = |&label: &i64| u8::try_from(label).ok().filter(|&label| usize::from(label) < classes);
            if let Some(at) = labels.iter().position(|label| byte(label).is_none()) {
                return Err(bad_label(file, 0, classes, labels[at], at));
            }
            lists.push(labels.iter().filter_map(byte).collect::<Vec<u8>>());
        }
        let mut records = Vec::with_capacity(size);
        for (image, pixels) in pixels.chunks_exact(PIXELS).enumerate() {
            records.extend(lists.iter().map(|labels| labels[image]));
            records.extend_from_slice(pixels);
        }
        Ok(records)
    }
}
