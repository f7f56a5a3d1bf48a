//! Everything that an experiment says about its data, done.

use std::collections::BTreeMap;
use std::path::Path;

use backproof_spec::{Augmentation, Data};

use crate::error::Result;
use crate::{Normalizer, Split, Subset, TrainingBatches, load};

/// The data of an experiment: loaded, divided, and with a normaliser fitted on the training part.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The images to train on.
    pub training: Subset,
    /// The images held out of the training set; may be empty.
    pub validation: Subset,
    /// The test images.
    pub test: Subset,
    /// How pixels become numbers; the three parts apply it already.
    pub normalizer: Normalizer,
    /// The SHA-256 of every file that was read, unpacked, by its name.
    pub checksums: BTreeMap<String, String>,
    augmentation: Augmentation,
    seed: u64,
}

/// Loads the data set, from `data_dir` as [`load()`] does, pads its images, divides its training set by `seed` and fits the normaliser on the
/// training part only, after the limit.
///
/// # Errors
///
/// What [`load()`] and [`Split::new`] give.
pub fn prepare(data: &Data, data_dir: Option<&Path>, seed: u64) -> Result<Prepared> {
    let loaded = load(data.dataset, data_dir)?;
    let (training, test) = (loaded.training.padded(data.padding), loaded.test.padded(data.padding));
    let split =
        Split::new(&training, loaded.published_validation.clone(), data.validation_images, data.training_images, seed)?;
    let normalizer = Normalizer::fit(data.normalization, &training, &split.training);
    let test_images: Vec<usize> = (0..test.len()).collect();
    Ok(Prepared {
        training: Subset::new(training.clone(), split.training, &normalizer),
        validation: Subset::new(training, split.validation, &normalizer),
        test: Subset::new(test, test_images, &normalizer),
        normalizer,
        checksums: loaded.checksums,
        augmentation: data.augmentation,
        seed,
    })
}

impl Prepared {
    /// The batches to train on: augmented as the experiment says, in the order that its seed gives.
    ///
    /// # Panics
    ///
    /// Panics if `batch_size` is 0.
    pub fn training_batches(&self, batch_size: usize) -> TrainingBatches {
        TrainingBatches::new(self.training.clone(), batch_size, self.augmentation, self.seed)
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::{Dataset, Normalization};

    use super::*;

    fn data(training_images: Option<usize>, validation_images: usize) -> Data {
        Data {
            dataset: Dataset::MnistSample,
            training_images,
            validation_images,
            padding: 0,
            normalization: Normalization::Standardize,
            augmentation: Augmentation::default(),
        }
    }

    #[test]
    fn the_normaliser_is_fitted_on_the_training_part_after_the_limit() {
        let all = prepare(&data(None, 500), None, 1).unwrap();
        let few = prepare(&data(Some(100), 500), None, 1).unwrap();
        assert_eq!(few.training.len(), 100);
        assert_ne!(all.normalizer, few.normalizer);
        let refitted = Normalizer::fit(Normalization::Standardize, few.training.images(), few.training.indices());
        assert_eq!(few.normalizer, refitted);
    }

    #[test]
    fn the_sample_is_divided_as_it_is_published() {
        let prepared = prepare(&data(None, 500), None, 9).unwrap();
        assert_eq!(prepared.training.indices(), (0..4000).collect::<Vec<_>>());
        assert_eq!(prepared.validation.indices(), (4000..4500).collect::<Vec<_>>());
        assert_eq!(prepared.test.len(), 500);
        for (part, each) in [(&prepared.training, 400), (&prepared.validation, 50), (&prepared.test, 50)] {
            for class in 0..10 {
                assert_eq!((0..part.len()).filter(|&i| part.label(i) == class).count(), each);
            }
        }
    }

    #[test]
    fn padding_makes_the_images_as_large_as_the_experiment_says() {
        let data = Data { padding: 2, ..data(Some(50), 500) };
        let prepared = prepare(&data, None, 1).unwrap();
        for part in [&prepared.training, &prepared.validation, &prepared.test] {
            assert_eq!(part.images().shape(), data.shape());
        }
        assert_eq!(data.shape(), backproof_spec::Shape::image(1, 32, 32));
    }

    #[test]
    fn the_number_of_training_images_is_the_one_that_the_experiment_counts_with() {
        for data in [data(None, 500), data(None, 0), data(Some(77), 123), data(Some(9_999), 500)] {
            assert_eq!(prepare(&data, None, 3).unwrap().training.len(), data.epoch_images());
        }
    }
}
