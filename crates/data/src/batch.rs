//! Batches: images as a tensor. Only with the feature `tensors`.

use burn::Tensor;
use burn::tensor::{Device, Int, TensorData};

use crate::Selection;
use crate::images::planes;

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
}

impl Selection<'_> {
    /// All of the images as tensors.
    pub fn batch(&self, device: &Device) -> Batch {
        let (channels, height, width) = planes(self.shape());
        let label_values = self.labels();
        let labels: Vec<i64> = label_values.iter().map(|&label| label as i64).collect();
        Batch {
            images: Tensor::from_data(TensorData::new(self.numbers(), [self.len(), channels, height, width]), device),
            labels: Tensor::from_data(TensorData::new(labels, [self.len()]), device),
            indices: self.indices().to_vec(),
            label_values,
        }
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::{Augmentation, Order, Shape};

    use super::*;
    use crate::{Images, Normalizer, Subset, TrainingBatches};

    #[test]
    fn a_batch_is_the_numbers_and_labels_of_its_images() {
        let shape = Shape::image(2, 3, 4);
        let images = Images::new((0..5 * 24).collect(), vec![4, 0, 65_535, 2, 1], shape);
        let subset = Subset::new(images, (0..5).collect(), &Normalizer::Unit);
        let batches = TrainingBatches::new(subset, 5, Order::Epochs, Augmentation::default(), 1);
        let images = batches.select(0);
        let batch = images.batch(&Device::flex());
        assert_eq!((batch.images.dims(), batch.len()), ([5, 2, 3, 4], 5));
        let numbers: Vec<f32> = batch.images.into_data().try_to_vec().unwrap();
        assert_eq!(numbers, images.numbers());
        let labels: Vec<i64> = batch.labels.into_data().iter::<i64>().collect();
        assert_eq!(labels, images.labels().iter().map(|&label| label as i64).collect::<Vec<_>>());
        assert!(labels.contains(&65_535));
        assert_eq!((&batch.label_values[..], &batch.indices[..]), (&images.labels()[..], images.indices()));
    }
}
