//! Images and labels as NumPy arrays: `mnist.npz` of Keras, and the archives of KMNIST.
//!
//! An array of images is `[N, H, W]`, one of labels `[N]`, both of bytes. They become IDX files (`idx.rs`).

use backproof_arrays::{Budget, FormatError, numpy};

use super::{Remake, idx, of_arrays};
use crate::error::Result;

/// Makes IDX files of arrays.
#[derive(Debug)]
pub(crate) struct Npz {
    /// The array of each published file, in their order.
    pub(crate) arrays: &'static [&'static str],
}

impl Remake for Npz {
    fn remake(&self, file: &str, bytes: &[u8], part: usize, most: u64) -> Result<Vec<u8>> {
        let problem = of_arrays(file);
        let name = self.arrays[part];
        // The head of an array is a few hundred bytes.
        let mut budget = Budget::of(most + 4_096);
        let array = numpy::one(bytes, name, &mut budget).map_err(&problem)?;
        let shape = array.shape.clone();
        let content = array.into_bytes().filter(|_| matches!(shape.len(), 1 | 3));
        content.and_then(|values| idx::file_of(&shape, &values)).ok_or_else(|| {
            let found = format!("has an array `{name}` of the shape {shape:?}, or of other numbers than bytes");
            problem(FormatError::new(found, "bytes, [N, H, W] of images and [N] of labels"))
        })
    }
}
