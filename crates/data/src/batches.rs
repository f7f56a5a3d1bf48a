//! The batches of a run, and of an evaluation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use backproof_spec::{Augmentation, Order};

use crate::random::{balanced_batch, epoch_order, random_batch};
use crate::selection::Draw;
use crate::{Selection, Subset};

/// The batches of a run, by step. Step s gives the same batch whenever it is asked for: it is computed from the seed
/// and s alone, so a run can go on from any step.
///
/// In [`Order::Epochs`], with n images and batches of b, an epoch has ⌈n/b⌉ steps; step s belongs to epoch
/// ⌊s / ⌈n/b⌉⌋. Every image comes exactly once an epoch. If b does not divide n, the last batch of an epoch is smaller.
/// If b is larger than n, an epoch is one batch of n.
///
/// In [`Order::Random`], each batch has b different images, each subset of b images as likely, whatever the other
/// batches have. An epoch is as many steps, but an image may come more than once in it, or not at all.
///
/// In [`Order::Balanced`], each of the b places of a batch has an image of a class that is drawn uniformly from the
/// classes with images, and that image is drawn uniformly from those of the class, whatever the other places have. So
/// an image may come twice in a batch, each time with random changes of its own. An epoch is as many steps as above.
#[derive(Debug)]
pub struct TrainingBatches {
    subset: Subset,
    batch_size: usize,
    kind: Order,
    augmentation: Augmentation,
    seed: u64,
    /// The data set indices of the images of each class that has some; only for [`Order::Balanced`].
    by_class: Vec<Vec<usize>>,
    /// The order of the last epoch that was asked for: steps come one after the other, mostly.
    order: Mutex<Option<(u64, Arc<[usize]>)>>,
}

impl TrainingBatches {
    /// The batches of `batch_size` images of `subset`.
    ///
    /// # Panics
    ///
    /// Panics if the subset is empty or `batch_size` is 0.
    pub fn new(subset: Subset, batch_size: usize, kind: Order, augmentation: Augmentation, seed: u64) -> Self {
        assert!(!subset.is_empty(), "there are no images to train on");
        assert!(batch_size > 0, "a batch has at least one image");
        let by_class = if kind == Order::Balanced { by_class(&subset) } else { Vec::new() };
        Self { subset, batch_size, kind, augmentation, seed, by_class, order: Mutex::new(None) }
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
        if self.kind != Order::Epochs {
            return step * self.batch_size.min(self.subset.len());
        }
        let within = (step % self.steps_per_epoch()) * self.batch_size;
        self.epoch_of(step) * self.subset.len() + within
    }

    /// The data set indices of the images of step `step`, from 0, in the order of the batch.
    pub fn indices(&self, step: usize) -> Vec<usize> {
        let indices_at = |positions: &[usize]| positions.iter().map(|&at| self.subset.indices()[at]).collect();
        match self.kind {
            Order::Epochs => {
                let order = self.order(self.epoch_of(step) as u64);
                let start = (step % self.steps_per_epoch()) * self.batch_size;
                let end = (start + self.batch_size).min(order.len());
                indices_at(&order[start..end])
            }
            Order::Random => indices_at(&random_batch(self.subset.len(), self.batch_size, self.seed, step as u64)),
            Order::Balanced => {
                let size = self.batch_size.min(self.subset.len());
                balanced_batch(&self.by_class, size, self.seed, step as u64)
            }
        }
    }

    /// The images of step `step`, from 0.
    pub fn select(&self, step: usize) -> Selection<'_> {
        // An image that comes twice in an epoch, or in a batch, is not changed in the same way.
        let draw = match self.kind {
            Order::Epochs => Draw::One(self.epoch_of(step) as u64),
            Order::Random => Draw::One(step as u64),
            Order::Balanced => Draw::From(self.images_before(step) as u64),
        };
        Selection::new(&self.subset, self.indices(step), self.augmentation, self.seed, draw).mixed(step as u64)
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

/// The data set indices of the images of each class of `subset`, in label order, without the classes that have none.
fn by_class(subset: &Subset) -> Vec<Vec<usize>> {
    let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (position, &index) in subset.indices().iter().enumerate() {
        classes.entry(subset.label(position)).or_default().push(index);
    }
    classes.into_values().collect()
}

/// Every image of `subset` once, in the order of the subset, unchanged but normalised, in batches of `batch_size`. The
/// last batch is smaller if `batch_size` does not divide the number of images. No image is left out, and none comes
/// twice.
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

    use super::*;
    use crate::{Images, Normalizer};

    const AUGMENTATION: Augmentation = Augmentation { horizontal_flip: true, crop_padding: 1, ..Augmentation::NONE };

    /// Twelve images, of which the ten odd and last ones are in the subset.
    fn subset() -> Subset {
        let shape = Shape::image(2, 3, 4);
        let images =
            Images::new((0..12 * 24).map(|i| (i % 251) as u8).collect(), (0..12).map(|i| i % 10).collect(), shape);
        Subset::new(images, (2..12).collect(), &Normalizer::Unit)
    }

    #[test]
    fn an_epoch_has_every_image_once_and_keeps_the_last_partial_batch() {
        let batches = TrainingBatches::new(subset(), 4, Order::Epochs, AUGMENTATION, 5);
        assert_eq!(batches.steps_per_epoch(), 3);
        for epoch in 0..3 {
            let steps: Vec<_> = (0..3).map(|s| batches.select(epoch * 3 + s)).collect();
            assert_eq!(steps.iter().map(Selection::len).collect::<Vec<_>>(), [4, 4, 2]);
            let mut indices: Vec<_> = steps.iter().flat_map(|images| images.indices().to_vec()).collect();
            indices.sort_unstable();
            assert_eq!(indices, (2..12).collect::<Vec<_>>());
        }
        assert_ne!(batches.indices(0), batches.indices(3));
        assert_eq!([0, 2, 3, 4].map(|step| batches.images_before(step)), [0, 8, 10, 14]);
    }

    #[test]
    fn a_step_alone_is_the_step_of_all_in_their_order() {
        for order in Order::ALL {
            let whole = TrainingBatches::new(subset(), 4, order, AUGMENTATION, 5);
            let in_order: Vec<_> = (0..9).map(|step| whole.select(step)).collect();
            for (step, images) in in_order.iter().enumerate().rev() {
                let fresh = TrainingBatches::new(subset(), 4, order, AUGMENTATION, 5);
                let alone = fresh.select(step);
                assert_eq!(alone.indices(), images.indices());
                assert_eq!(alone.numbers(), images.numbers());
            }
        }
    }

    #[test]
    fn a_random_batch_has_different_images_and_every_image_comes_as_often() {
        let batches = TrainingBatches::new(subset(), 4, Order::Random, AUGMENTATION, 5);
        let mut times = [0; 12];
        for step in 0..5000 {
            let mut indices = batches.indices(step);
            indices.iter().for_each(|&index| times[index] += 1);
            indices.sort_unstable();
            indices.dedup();
            assert_eq!(indices.len(), 4, "step {step}");
        }
        // 5,000 batches of 4 of 10: 2,000 ± 35.
        assert_eq!(times[..2], [0; 2]);
        assert!(times[2..].iter().all(|&times| (1860..2140).contains(&times)), "{times:?}");
        assert_eq!([0, 2, 3, 4].map(|step| batches.images_before(step)), [0, 8, 12, 16]);
    }

    #[test]
    fn an_image_that_comes_twice_in_a_random_epoch_is_changed_anew() {
        let batches = TrainingBatches::new(subset(), 64, Order::Random, AUGMENTATION, 5);
        let [first, second] = [0, 1].map(|step| batches.select(step));
        assert_eq!((first.len(), second.len(), batches.images_before(2)), (10, 10, 20));
        let image = |batch: &Selection<'_>, index: usize| {
            let position = batch.indices().iter().position(|&at| at == index).unwrap();
            batch.numbers()[position * 24..][..24].to_vec()
        };
        assert!((2..12).any(|index| image(&first, index) != image(&second, index)));
    }

    /// 97 images of class 0, 2 of class 3 and 1 of class 7, with others around them.
    fn imbalanced() -> Subset {
        let labels: Vec<u16> = (0..104).map(|at| [0, 3, 7][usize::from(at >= 99) + usize::from(at >= 101)]).collect();
        let pixels = (0..104 * 24).map(|i| (i % 251) as u8).collect();
        Subset::new(Images::new(pixels, labels, Shape::image(2, 3, 4)), (2..102).collect(), &Normalizer::Unit)
    }

    #[test]
    fn a_balanced_batch_has_each_class_as_often_and_each_image_of_a_class() {
        let batches = TrainingBatches::new(imbalanced(), 10, Order::Balanced, AUGMENTATION, 5);
        assert_eq!((batches.steps_per_epoch(), batches.epoch_of(25), batches.images_before(25)), (10, 2, 250));
        let mut times = [0; 104];
        for step in 0..6000 {
            let indices = batches.indices(step);
            assert_eq!(indices.len(), 10);
            indices.into_iter().for_each(|index| times[index] += 1);
        }
        // 60,000 draws: of a class 20,000 ± 115; of each image of class 3 10,000 ± 91; of class 0 206 ± 14.
        assert_eq!((times[..2].iter().sum::<usize>(), times[102..].iter().sum::<usize>()), (0, 0));
        assert!((19_400..20_600).contains(&times[2..99].iter().sum::<usize>()), "{times:?}");
        assert!(times[2..99].iter().all(|times| (135..277).contains(times)), "{times:?}");
        assert!(times[99..101].iter().all(|times| (9_500..10_500).contains(times)), "{times:?}");
        assert!((19_400..20_600).contains(&times[101]), "{times:?}");
    }

    #[test]
    fn an_image_that_comes_twice_in_a_balanced_batch_is_changed_anew() {
        let batches = TrainingBatches::new(imbalanced(), 100, Order::Balanced, AUGMENTATION, 5);
        let batch = batches.select(0);
        let numbers = batch.numbers();
        let places = batch.indices().iter().enumerate().filter(|(_, index)| **index == 101).map(|(place, _)| place);
        let mut seen: Vec<&[f32]> = places.map(|place| &numbers[place * 24..][..24]).collect();
        let times = seen.len();
        seen.sort_by(|one, other| one.partial_cmp(other).unwrap());
        seen.dedup();
        // A shift of −1 to 1 along both axes, mirrored or not: 18 changes.
        assert!(times > 20 && seen.len() > 9, "{} of {times} differ", seen.len());
    }

    #[test]
    fn a_batch_holds_the_pixels_and_labels_of_its_indices() {
        let subset = subset();
        let batches = TrainingBatches::new(subset.clone(), 4, Order::Epochs, Augmentation::default(), 1);
        let images = batches.select(1);
        let expected: Vec<f32> = images
            .indices()
            .iter()
            .flat_map(|&index| subset.images().pixels(index).iter().map(|&p| (f64::from(p) / 255.0) as f32))
            .collect();
        assert_eq!(images.numbers(), expected);
        assert_eq!(images.labels(), images.indices().iter().map(|index| index % 10).collect::<Vec<_>>());
    }

    #[test]
    fn a_batch_above_the_number_of_images_is_all_of_them() {
        let batches = TrainingBatches::new(subset(), 64, Order::Epochs, AUGMENTATION, 5);
        assert_eq!(batches.steps_per_epoch(), 1);
        assert_eq!(batches.select(7).len(), 10);
        assert_eq!(batches.epoch_of(7), 7);
    }

    #[test]
    fn an_evaluation_sees_every_image_once_in_order() {
        let subset = subset();
        let batches: Vec<_> = evaluation_selections(&subset, 4).collect();
        assert_eq!(batches.iter().map(Selection::len).collect::<Vec<_>>(), [4, 4, 2]);
        let indices: Vec<_> = batches.iter().flat_map(|images| images.indices().to_vec()).collect();
        assert_eq!(indices, (2..12).collect::<Vec<_>>());
        let none = Subset::new(subset.images().clone(), vec![], &Normalizer::Unit);
        assert_eq!(evaluation_selections(&none, 4).len(), 0);
    }
}
