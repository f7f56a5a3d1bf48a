//! What another framework needs to see that it computes the same.

use std::path::Path;

use backproof_data::Batch;
use burn::Tensor;
use safetensors::tensor::{Dtype, TensorView};

use crate::TrainError;
use crate::files::write_whole;

/// Images that go into the file beside the logits: enough to compare with, and small for every data set.
const IMAGES: usize = 64;

/// Logits of a whole subset, and the first images as the network saw them.
#[derive(Debug, Default)]
pub(crate) struct Logits {
    indices: Vec<u8>,
    labels: Vec<u8>,
    logits: Vec<u8>,
    images: Vec<u8>,
    rows: usize,
    classes: usize,
    image_shape: [usize; 3],
}

impl Logits {
    /// Adds a batch and its `logits`, `[N, K]`.
    pub(crate) fn add(&mut self, batch: &Batch, logits: &Tensor<2>) {
        let integers =
            |values: &[usize]| -> Vec<u8> { values.iter().flat_map(|&value| (value as i64).to_le_bytes()).collect() };
        self.indices.extend(integers(&batch.indices));
        self.labels.extend(integers(&batch.label_values));
        self.logits.extend(floats(logits.clone()));
        let [_, channels, height, width] = batch.images.dims();
        self.image_shape = [channels, height, width];
        self.classes = logits.dims()[1];
        let missing = IMAGES.saturating_sub(self.rows).min(batch.len());
        if missing > 0 {
            self.images.extend(floats(batch.images.clone().narrow(0, 0, missing)));
        }
        self.rows += batch.len();
    }

    /// How many images were added.
    pub(crate) fn images(&self) -> usize {
        self.rows
    }

    /// Writes `indices` `[N]` (of the data set's file) and `labels` `[N]` as i64; `logits` `[N, K]` and `images`
    /// `[min(N, 64), C, H, W]`, normalised, as f32.
    pub(crate) fn write(&self, path: &Path) -> Result<(), TrainError> {
        let n = self.rows;
        let [channels, height, width] = self.image_shape;
        let tensors = [
            ("indices", Dtype::I64, vec![n], &self.indices),
            ("labels", Dtype::I64, vec![n], &self.labels),
            ("logits", Dtype::F32, vec![n, self.classes], &self.logits),
            ("images", Dtype::F32, vec![n.min(IMAGES), channels, height, width], &self.images),
        ];
        let views = tensors.map(|(name, dtype, shape, bytes)| {
            (name, TensorView::new(dtype, shape, bytes).expect("there are as many elements as added"))
        });
        let bytes = safetensors::serialize(views, None)
            .map_err(|error| TrainError::write(path, std::io::Error::other(error)))?;
        write_whole(path, &bytes)
    }
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<u8> {
    tensor.into_data().iter::<f32>().flat_map(f32::to_le_bytes).collect()
}
