//! Everything that an experiment says about its data, done.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use backproof_spec::{Augmentation, Data, DataSet, ImageSource, Order};

use crate::error::Result;
use crate::source::{Watch, load_checked};
use crate::{LoadedData, Normalizer, Source, Subset, TrainingBatches, TrainingSplit, source, source_of};

/// The data of an experiment: loaded, divided, and with a normaliser fitted on the training part.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What the data set is, before the padding that the experiment may ask for.
    pub data_set: DataSet,
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
    /// What a person may want to know of the data, a sentence or a list each.
    pub notes: Vec<String>,
    order: Order,
    augmentation: Augmentation,
    seed: u64,
}

/// Loads the data set of that name in a config, with all that it has.
///
/// # Errors
///
/// A name that no data set has, and the errors of [`Source::load`].
pub fn load(name: &str, data_dir: Option<&Path>) -> Result<LoadedData> {
    load_checked(source(name)?, data_dir, &mut on)
}

/// Loads the images of an experiment with this seed, with all that there is.
///
/// # Errors
///
/// A name that no data set has, and the errors of [`Source::load`].
pub fn load_images(images: &ImageSource, data_dir: Option<&Path>, seed: u64) -> Result<LoadedData> {
    load_checked(&*source_of(images, seed)?, data_dir, &mut on)
}

/// Watches nothing.
fn on(_: usize, _: usize) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// As [`prepare_from`], from the images that the experiment names.
///
/// # Errors
///
/// A name that no data set has; otherwise as [`prepare_from`].
pub fn prepare(data: &Data, data_dir: Option<&Path>, seed: u64) -> Result<Prepared> {
    prepare_watched(data, data_dir, seed, &mut on)
}

/// As [`prepare`], and tells `watch` how far it is where images are read one by one.
///
/// # Errors
///
/// As [`prepare`], and [`DataError::Stopped`](crate::DataError::Stopped) where `watch` breaks off.
pub fn prepare_watched(data: &Data, data_dir: Option<&Path>, seed: u64, watch: Watch<'_>) -> Result<Prepared> {
    prepare_loaded(load_checked(&*source_of(&data.images, seed)?, data_dir, watch)?, data, seed)
}

/// Loads the data set of `source` out of the folder `data_dir` or [`default_directory`](crate::default_directory),
/// pads its images, divides its training set by `seed` and fits the normaliser on the training part only, after the
/// limit.
///
/// The name of the data set in `data` plays no role.
///
/// # Errors
///
/// The errors of [`Source::load`] and [`TrainingSplit::new`], and images or labels that contradict the description of
/// the source.
pub fn prepare_from(source: &dyn Source, data: &Data, data_dir: Option<&Path>, seed: u64) -> Result<Prepared> {
    prepare_loaded(load_checked(source, data_dir, &mut on)?, data, seed)
}

fn prepare_loaded(loaded: LoadedData, data: &Data, seed: u64) -> Result<Prepared> {
    // What cannot be read of a validation part is missing in it, and not made up for.
    let is_whole_part = Some(data.validation_images) == loaded.data_set.validation_images;
    let validation = match &loaded.published_validation {
        Some(part) if is_whole_part => part.len(),
        _ => data.validation_images,
    };
    let (training, test) = (loaded.training.padded(data.padding), loaded.test.padded(data.padding));
    let split =
        TrainingSplit::new(&training, loaded.published_validation.clone(), validation, data.training_images, seed)?;
    let normalizer = Normalizer::fit(data.normalization, &training, &split.training);
    let test_images: Vec<usize> = (0..test.len()).collect();
    Ok(Prepared {
        data_set: loaded.data_set,
        training: Subset::new(training.clone(), split.training, &normalizer),
        validation: Subset::new(training, split.validation, &normalizer),
        test: Subset::new(test, test_images, &normalizer),
        normalizer,
        checksums: loaded.checksums,
        notes: loaded.notes,
        order: data.order,
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
        TrainingBatches::new(self.training.clone(), batch_size, self.order, self.augmentation, self.seed)
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::{Normalization, Shape};

    use super::*;
    use crate::{Images, Origin};

    fn data(training_images: Option<usize>, validation_images: usize) -> Data {
        Data {
            images: ImageSource::DataSet("mnist-sample".to_owned()),
            training_images,
            validation_images,
            padding: 0,
            normalization: Normalization::Standardize,
            order: Order::default(),
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
            assert_eq!(part.images().shape(), data.padded(prepared.data_set.shape));
        }
        assert_eq!(prepared.training.images().shape(), Shape::image(1, 32, 32));
    }

    #[test]
    fn the_number_of_training_images_is_the_one_that_the_experiment_counts_with() {
        for data in [data(None, 500), data(None, 0), data(Some(77), 123), data(Some(9_999), 500)] {
            assert_eq!(prepare(&data, None, 3).unwrap().training.len(), data.epoch_images(4_500));
        }
    }

    /// Three classes of 20×24 images that are made here: a source that no list has. Image i of class c is c bright
    /// rows more than i.
    #[derive(Debug, Clone)]
    struct Stripes {
        training: Vec<u16>,
        shape: Shape,
        class_names: Vec<String>,
    }

    impl Stripes {
        fn new() -> Self {
            let class_names = ["one", "two", "three"].map(str::to_owned).to_vec();
            Self { training: (0..90).map(|i| i % 3).collect(), shape: Shape::image(1, 20, 24), class_names }
        }

        fn images(&self, labels: Vec<u16>) -> Images {
            let rows = |label: u16| (0..20_u16).flat_map(move |row| [if row <= label % 3 { 200 } else { 0 }; 24]);
            Images::new(labels.iter().copied().flat_map(rows).collect(), labels, self.shape)
        }
    }

    impl Source for Stripes {
        fn name(&self) -> &str {
            "stripes"
        }

        fn known(&self) -> Option<DataSet> {
            None
        }

        fn load(&self, _: Option<&Path>) -> Result<LoadedData> {
            let data_set = DataSet {
                name: self.name().to_owned(),
                shape: Shape::image(1, 20, 24),
                class_names: self.class_names.clone(),
                training_images: 90,
                test_images: 6,
                validation_images: None,
            };
            Ok(LoadedData {
                data_set,
                training: self.images(self.training.clone()),
                test: self.images(vec![0, 1, 2, 0, 1, 2]),
                published_validation: None,
                origin: Origin::Bundled,
                checksums: BTreeMap::from([("stripes".to_owned(), "0".repeat(64))]),
                notes: Vec::new(),
            })
        }
    }

    #[test]
    fn a_source_that_no_list_has_goes_through_the_whole_of_it() {
        let stripes = Stripes::new();
        assert!(
            prepare(&Data { images: ImageSource::DataSet("stripes".to_owned()), ..data(None, 0) }, None, 1).is_err()
        );
        let data = Data { padding: 2, ..data(Some(30), 15) };
        let prepared = prepare_from(&stripes, &data, None, 1).unwrap();
        assert_eq!(prepared.data_set.class_names, ["one", "two", "three"]);
        assert_eq!(prepared.data_set, stripes.look(None).unwrap());
        for (part, each) in [(&prepared.training, 10), (&prepared.validation, 5), (&prepared.test, 2)] {
            assert_eq!(part.images().shape(), Shape::image(1, 24, 28));
            for class in 0..3 {
                assert_eq!((0..part.len()).filter(|&i| part.label(i) == class).count(), each);
            }
        }
        assert!(prepared.checksums.contains_key("stripes"));
        let batches = prepared.training_batches(8);
        assert_eq!(batches.steps_per_epoch(), 4);
        let images = batches.select(1);
        let numbers = images.numbers();
        for (image, label) in numbers.chunks_exact(24 * 28).zip(images.labels()) {
            // The rows after the two of padding: as many bright ones as the class has.
            let bright = image.chunks_exact(28).filter(|row| row[2] > 0.0).count();
            assert_eq!(bright, label + 1);
        }
    }

    #[test]
    fn a_source_whose_images_are_not_what_it_says_is_an_error_and_no_panic_later() {
        let message = |stripes: Stripes| prepare_from(&stripes, &data(None, 0), None, 1).unwrap_err().to_string();
        let mut labels = Stripes::new();
        labels.training[7] = 300;
        assert_eq!(
            message(labels),
            "`stripes, training set`: label: expected a number below the 3 classes, found 300 at image 7"
        );
        let mut fewer = Stripes::new();
        fewer.training.pop();
        assert_eq!(message(fewer), "`stripes, training set`: number of images: expected 90, found 89");
        let turned = Stripes { shape: Shape::image(1, 24, 20), ..Stripes::new() };
        assert_eq!(message(turned), "`stripes, training set`: shape of an image: expected 1×20×24, found 1×24×20");
    }

    #[test]
    fn more_classes_than_a_byte_holds_are_told_apart() {
        let class_names = (0..300).map(|class| class.to_string()).collect();
        let stripes = Stripes { class_names, training: (0..90).map(|i| 210 + i).collect(), ..Stripes::new() };
        let prepared = prepare_from(&stripes, &data(None, 0), None, 1).unwrap();
        let labels: Vec<usize> = (0..90).map(|i| prepared.training.label(i)).collect();
        assert_eq!(labels, (210..300).collect::<Vec<_>>());
    }
}
