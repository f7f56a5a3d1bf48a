//! Batches: images as a tensor.

use std::sync::Arc;

use backproof_spec::{Augmentation, Shape};
use burn::Tensor;
use burn::data::dataloader::batcher::Batcher as BurnBatcher;
use burn::tensor::{Device, Int, TensorData};

use crate::augment::{Change, write};
use crate::images::planes;
use crate::normalize::Tables;
use crate::{Item, Normalizer, Subset};

/// N images, ready for a network.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The images, normalised, `[N, C, H, W]`.
    pub images: Tensor<4>,
    /// The labels, `[N]`.
    pub labels: Tensor<1, Int>,
    /// The data set index of each image, `[N]`.
    pub indices: Vec<usize>,
    /// The labels once more, on the host, `[N]`.
    pub label_values: Vec<usize>,
}

impl Batch {
    /// The number of images, N.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    pub(crate) fn new(
        numbers: Vec<f32>,
        shape: Shape,
        indices: Vec<usize>,
        label_values: Vec<usize>,
        device: &Device,
    ) -> Self {
        let (channels, height, width) = planes(shape);
        let count = indices.len();
        let labels: Vec<i64> = label_values.iter().map(|&label| label as i64).collect();
        Self {
            images: Tensor::from_data(TensorData::new(numbers, [count, channels, height, width]), device),
            labels: Tensor::from_data(TensorData::new(labels, [count]), device),
            indices,
            label_values,
        }
    }
}

/// Makes batches out of items, for Burn's data loaders. Training itself takes
/// [`TrainingBatches`](crate::TrainingBatches), which copies no image on the way and gives the same batches.
#[derive(Debug, Clone)]
pub struct Batcher {
    shape: Shape,
    tables: Arc<Tables>,
    augmentation: Augmentation,
    seed: u64,
    epoch: u64,
}

impl Batcher {
    /// A batcher for evaluation of images of that shape: normalises, changes nothing.
    ///
    /// # Panics
    ///
    /// Panics if the normaliser is for images of another shape.
    pub fn evaluation(normalizer: &Normalizer, shape: Shape) -> Self {
        Self::training(normalizer, shape, Augmentation::default(), 0)
    }

    /// A batcher for training, in epoch 0: normalises, and changes images by the random stream of
    /// (seed, epoch, data set index).
    ///
    /// # Panics
    ///
    /// Panics if the normaliser is for images of another shape.
    pub fn training(normalizer: &Normalizer, shape: Shape, augmentation: Augmentation, seed: u64) -> Self {
        Self { shape, tables: Arc::new(normalizer.tables(shape)), augmentation, seed, epoch: 0 }
    }

    /// A batcher for evaluation of `subset`.
    pub fn of(subset: &Subset) -> Self {
        let tables = Arc::clone(subset.tables());
        Self { shape: subset.images().shape(), tables, augmentation: Augmentation::default(), seed: 0, epoch: 0 }
    }

    /// The same batcher in epoch `epoch`, from 0.
    pub fn with_epoch(self, epoch: u64) -> Self {
        Self { epoch, ..self }
    }
}

impl BurnBatcher<Item, Batch> for Batcher {
    fn batch(&self, items: Vec<Item>, device: &Device) -> Batch {
        let elements = self.shape.elements();
        let mut numbers = vec![0.0; items.len() * elements];
        for (item, to) in items.iter().zip(numbers.chunks_exact_mut(elements)) {
            let change = Change::draw(self.augmentation, self.seed, self.epoch, item.index);
            write(to, &item.image, self.shape, &self.tables, change);
        }
        let (indices, labels) = items.iter().map(|item| (item.index, item.label)).unzip();
        Batch::new(numbers, self.shape, indices, labels, device)
    }
}
