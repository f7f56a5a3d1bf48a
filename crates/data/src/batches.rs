//! The batches of a run, and of an evaluation.

use std::sync::{Arc, Mutex, PoisonError};

use backproof_spec::Augmentation;
use burn::tensor::Device;

use crate::random::epoch_order;
use crate::{Batch, Selection, Subset};

/// The batches of a run, by step. Step s gives the same batch whenever it is asked for: it is computed from the seed
/// and s alone, so a run can go on from any step.
///
/// With n images and batches of b, an epoch has ⌈n/b⌉ steps; step s belongs to epoch ⌊s / ⌈n/b⌉⌋. Every image comes
/// exactly once an epoch: the last batch of an epoch is smaller where b does not divide n. Where b is above n an
/// epoch is one batch of n.
#[derive(Debug)]
pub struct TrainingBatches {
    subset: Subset,
    batch_size: usize,
    augmentation: Augmentation,
    seed: u64,
    /// The order of the last epoch that was asked for: steps come one after the other, mostly.
    order: Mutex<Option<(u64, Arc<[usize]>)>>,
}

impl TrainingBatches {
    /// The batches of `batch_size` images of `subset`.
    ///
    /// # Panics
    ///
    /// Panics if the subset is empty or `batch_size` is 0.
    pub fn new(subset: Subset, batch_size: usize, augmentation: Augmentation, seed: u64) -> Self {
        assert!(!subset.is_empty(), "there are no images to train on");
        assert!(batch_size > 0, "a batch has at least one image");
        Self { subset, batch_size, augmentation, seed, order: Mutex::new(None) }
    }

    /// The number of steps of one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.subset.len().div_ceil(self.batch_size)
    }

    /// The epoch, from 0, that step `step` belongs to.
    pub fn epoch_of(&self, step: usize) -> usize {
        step / self.steps_per_epoch()
    }

    /// How many images steps `0..step` have seen.
    pub fn images_before(&self, step: usize) -> usize {
        let within = (step % self.steps_per_epoch()) * self.batch_size;
        self.epoch_of(step) * self.subset.len() + within
    }

    /// The data set indices of the images of step `step`, from 0, in the order of the batch.
    pub fn indices(&self, step: usize) -> Vec<usize> {
        let order = self.order(self.epoch_of(step) as u64);
        let start = (step % self.steps_per_epoch()) * self.batch_size;
        let end = (start + self.batch_size).min(order.len());
        order[start..end].iter().map(|&position| self.subset.indices()[position]).collect()
    }

    /// The images of step `step`, from 0.
    pub fn select(&self, step: usize) -> Selection<'_> {
        let epoch = self.epoch_of(step) as u64;
        Selection::new(&self.subset, self.indices(step), self.augmentation, self.seed, epoch)
    }

    /// The batch of step `step`, from 0.
    pub fn batch(&self, step: usize, device: &Device) -> Batch {
        self.select(step).batch(device)
    }

    /// The batches of steps `first`, `first` + 1, …, without end.
    pub fn iter_from<'a>(&'a self, first: usize, device: &'a Device) -> impl Iterator<Item = Batch> + 'a {
        (first..).map(move |step| self.batch(step, device))
    }

    fn order(&self, epoch: u64) -> Arc<[usize]> {
        // A poisoned lock still holds a whole order or none.
        let mut last = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((of, order)) if *of == epoch => Arc::clone(order),
            _ => {
                let order: Arc<[usize]> = epoch_order(self.subset.len(), self.seed, epoch).into();
                *last = Some((epoch, Arc::clone(&order)));
                order
            }
        }
    }
}

/// Every image of `subset` once, in the order of the subset, unchanged but normalised, in batches of `batch_size`. The
/// last batch is smaller where `batch_size` does not divide the number of images: none is left out, none comes twice.
///
/// # Panics
///
/// Panics if `batch_size` is 0.
pub fn evaluation_batches<'a>(
    subset: &'a Subset,
    batch_size: usize,
    device: &'a Device,
) -> impl ExactSizeIterator<Item = Batch> + 'a {
    evaluation_selections(subset, batch_size).map(move |images| images.batch(device))
}

/// The images of [`evaluation_batches`].
///
/// # Panics
///
/// Panics if `batch_size` is 0.
pub fn evaluation_selections(subset: &Subset, batch_size: usize) -> impl ExactSizeIterator<Item = Selection<'_>> {
    subset.indices().chunks(batch_size).map(move |indices| Selection::unchanged(subset, indices.to_vec()))
}

#[cfg(test)]
mod tests {
    use backproof_spec::Shape;
    use burn::data::dataloader::batcher::Batcher as _;
    use burn::data::dataset::Dataset as _;

    use super::*;
    use crate::{Batcher, Images, Normalizer};

    const AUGMENTATION: Augmentation = Augmentation { horizontal_flip: true, crop_padding: 1 };

    /// Twelve images, of which the ten odd and last ones are in the subset.
    fn subset() -> Subset {
        let shape = Shape::image(2, 3, 4);
        let images =
            Images::new((0..12 * 24).map(|i| (i % 251) as u8).collect(), (0..12).map(|i| i % 10).collect(), shape);
        Subset::new(images, (2..12).collect(), &Normalizer::Unit)
    }

    fn numbers(batch: &Batch) -> Vec<f32> {
        batch.images.clone().into_data().try_to_vec().unwrap()
    }

    #[test]
    fn an_epoch_has_every_image_once_and_keeps_the_last_partial_batch() {
        let batches = TrainingBatches::new(subset(), 4, AUGMENTATION, 5);
        assert_eq!(batches.steps_per_epoch(), 3);
        for epoch in 0..3 {
            let steps: Vec<_> = (0..3).map(|s| batches.batch(epoch * 3 + s, &Device::flex())).collect();
            assert_eq!(steps.iter().map(Batch::len).collect::<Vec<_>>(), [4, 4, 2]);
            let mut indices: Vec<_> = steps.iter().flat_map(|batch| batch.indices.clone()).collect();
            indices.sort_unstable();
            assert_eq!(indices, (2..12).collect::<Vec<_>>());
        }
        assert_ne!(batches.indices(0), batches.indices(3));
        assert_eq!([0, 2, 3, 4].map(|step| batches.images_before(step)), [0, 8, 10, 14]);
    }

    #[test]
    fn a_step_alone_is_the_step_of_the_iteration() {
        let device = Device::flex();
        let whole = TrainingBatches::new(subset(), 4, AUGMENTATION, 5);
        let iterated: Vec<_> = whole.iter_from(0, &device).take(9).collect();
        for (step, batch) in iterated.iter().enumerate().rev() {
            let alone = TrainingBatches::new(subset(), 4, AUGMENTATION, 5).batch(step, &device);
            assert_eq!(alone.indices, batch.indices);
            assert_eq!(numbers(&alone), numbers(batch));
        }
    }

    #[test]
    fn a_batch_holds_the_pixels_and_labels_of_its_indices() {
        let subset = subset();
        let batch = TrainingBatches::new(subset.clone(), 4, Augmentation::default(), 1).batch(1, &Device::flex());
        assert_eq!(batch.images.dims(), [4, 2, 3, 4]);
        let expected: Vec<f32> = batch
            .indices
            .iter()
            .flat_map(|&index| subset.images().pixels(index).iter().map(|&p| (f64::from(p) / 255.0) as f32))
            .collect();
        assert_eq!(numbers(&batch), expected);
        let labels: Vec<usize> = batch.indices.iter().map(|index| index % 10).collect();
        assert_eq!(batch.label_values, labels);
        let tensor: Vec<i64> = batch.labels.into_data().iter::<i64>().collect();
        assert_eq!(tensor, labels.iter().map(|&label| label as i64).collect::<Vec<_>>());
    }

    #[test]
    fn a_batch_above_the_number_of_images_is_all_of_them() {
        let batches = TrainingBatches::new(subset(), 64, AUGMENTATION, 5);
        assert_eq!(batches.steps_per_epoch(), 1);
        assert_eq!(batches.batch(7, &Device::flex()).len(), 10);
        assert_eq!(batches.epoch_of(7), 7);
    }

    #[test]
    fn the_batcher_of_burn_gives_the_same_batch() {
        let (subset, device) = (subset(), Device::flex());
        let batches = TrainingBatches::new(subset.clone(), 4, AUGMENTATION, 5);
        let batch = batches.batch(4, &device); // epoch 1
        let positions = batch.indices.iter().map(|index| index - 2).collect();
        let batcher = Batcher::training(&Normalizer::Unit, subset.images().shape(), AUGMENTATION, 5).with_epoch(1);
        let other = batcher.batch(subset.get_many(positions).unwrap(), &device);
        assert_eq!((numbers(&batch), &batch.label_values), (numbers(&other), &other.label_values));
        let plain = Batcher::of(&subset).batch(subset.get_many(vec![0, 1]).unwrap(), &device);
        assert_eq!(numbers(&plain), numbers(&evaluation_batches(&subset, 2, &device).next().unwrap()));
    }

    #[test]
    fn an_evaluation_sees_every_image_once_in_order() {
        let (subset, device) = (subset(), Device::flex());
        let batches: Vec<_> = evaluation_batches(&subset, 4, &device).collect();
        assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [4, 4, 2]);
        let indices: Vec<_> = batches.iter().flat_map(|batch| batch.indices.clone()).collect();
        assert_eq!(indices, (2..12).collect::<Vec<_>>());
        let none = Subset::new(subset.images().clone(), vec![], &Normalizer::Unit);
        assert_eq!(evaluation_batches(&none, 4, &device).len(), 0);
    }
}
