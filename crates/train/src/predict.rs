//! The network of a run, on images from elsewhere.

pub(crate) mod attribution;
pub(crate) mod explanation;

use std::sync::atomic::AtomicBool;

use backproof_data::{Fit, Images, Normalizer, Subset, evaluation_selections, source_of};
use backproof_models::{Changes, Network, PassMode};
use backproof_spec::{Experiment, ImageSource, Loss, Shape, Views};
use burn::tensor::Device;

use crate::data::data;
use crate::evaluation::host_rows;
use crate::loss::score;
use crate::views::mean_logits;
use crate::weights::Loaded;
use crate::{Observer, RunFolder, Setup, TrainError, Weights};

/// A trained network that predicts the class of single images.
#[derive(Debug)]
pub struct Predictor {
    network: Network,
    normalizer: Normalizer,
    shape: Shape,
    images: ImageSource,
    padding: usize,
    class_names: Vec<String>,
    iteration: Option<usize>,
    changes: Changes,
    loss: Loss,
    views: Views,
    device: Device,
}

impl Predictor {
    /// The network of the run in `folder` with `weights`, on the device of `setup`.
    ///
    /// The names of the classes are those of the run's evaluation, or else of its `run.json`. A run of an earlier version
    /// that has neither takes those of its data set, which must be there unless the program knows its classes.
    ///
    /// Images are normalised as the run's training images were: by the numbers in its `normalizer.json`. A folder of an
    /// earlier version has none; then they are fitted anew on the data set, which must be there.
    ///
    /// # Errors
    ///
    /// Config, weights or normaliser that cannot be read, and a data set that is needed and is not there.
    pub fn open(
        folder: &RunFolder,
        weights: &Weights,
        setup: &Setup,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let experiment = folder.experiment()?;
        let network = Network::new(&experiment.model, experiment.seed, &setup.device)?;
        let class_names = class_names(folder, &experiment, setup)?;
        let Loaded { network, iteration, changes } = weights.load(folder, network, &class_names)?;
        let normalizer = match folder.normalizer(experiment.model.input)? {
            Some(normalizer) => normalizer,
            None => data(&experiment, setup, observer, &AtomicBool::new(false))?.normalizer,
        };
        Ok(Self {
            network,
            normalizer,
            shape: without_padding(experiment.model.input, experiment.data.padding),
            images: experiment.data.images,
            padding: experiment.data.padding,
            class_names,
            iteration,
            changes,
            loss: experiment.training.loss,
            views: experiment.views,
            device: setup.device.clone(),
        })
    }

    /// The shape of an image of the data set: what a picture is brought to, before the black pixels around it that the
    /// experiment may say.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How a picture is brought to this shape: as the images were that the network was trained on.
    #[must_use]
    pub fn fit(&self) -> Fit {
        Fit::of(&self.images, self.shape)
    }

    /// Where the images come from that the network was trained on.
    #[must_use]
    pub fn images(&self) -> &ImageSource {
        &self.images
    }

    /// The classes, in label order.
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The iteration of the weights, where they are a checkpoint's.
    #[must_use]
    pub fn iteration(&self) -> Option<usize> {
        self.iteration
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The device that it is on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// From the pixels of an image with its padding to the numbers that the network takes.
    #[must_use]
    pub fn normalizer(&self) -> &Normalizer {
        &self.normalizer
    }

    /// Black pixels that come around an image of [`shape`](Self::shape), on each side.
    #[must_use]
    pub fn padding(&self) -> usize {
        self.padding
    }

    /// The loss, from which the probabilities follow.
    #[must_use]
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// The views of an image over which [`probabilities`](Self::probabilities) takes the mean of the logits.
    #[must_use]
    pub fn views(&self) -> Views {
        self.views
    }

    /// What was done to a weights file before its tensors were taken.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The probability of each class for one image, `pixels` `[C, H, W]` in row-major order, 0 to 255. They sum to 1.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotFinite`] where the weights are so large that a logit overflows.
    ///
    /// # Panics
    ///
    /// Panics if there are not as many pixels as [`shape`](Self::shape) has elements.
    pub fn probabilities(&self, pixels: Vec<u8>) -> Result<Vec<f64>, TrainError> {
        let image = Images::new(pixels, vec![0], self.shape).padded(self.padding);
        let subset = Subset::new(image, vec![0], &self.normalizer);
        let image = evaluation_selections(&subset, 1).next().expect("there is one image");
        let logits = mean_logits(self.views, &image, |image| {
            self.network.forward(image.batch(&self.device).images, PassMode::Inference)
        });
        let logits = host_rows(logits).swap_remove(0);
        if !logits.iter().all(|logit| logit.is_finite()) {
            return Err(TrainError::NotFinite);
        }
        Ok(score(self.loss, &logits, 0).probabilities)
    }
}

/// The classes that the network of the run in `folder` tells apart.
fn class_names(folder: &RunFolder, experiment: &Experiment, setup: &Setup) -> Result<Vec<String>, TrainError> {
    let classes = experiment.model.classes()?;
    let told = folder.result();
    if let Ok(Some(told)) = &told
        && told.classes.len() == classes
    {
        return Ok(told.classes.iter().map(|class| class.class.clone()).collect());
    }
    // An evaluation that cannot be read is no reason not to predict, as long as the data set says the names.
    if let Ok(record) = folder.record()
        && record.class_names.len() == classes
    {
        return Ok(record.class_names);
    }
    let looked = source_of(&experiment.data.images, 0).and_then(|source| source.look(setup.data_dir.as_deref()));
    let data_set = match (looked, told) {
        (Ok(data_set), _) => data_set,
        (Err(_), Err(unreadable)) => return Err(unreadable),
        (Err(missing), _) => return Err(missing.into()),
    };
    experiment.check_data_set(&data_set)?;
    Ok(data_set.class_names)
}

/// The shape of an image that is of `shape` with `padding` pixels around it.
pub(crate) fn without_padding(shape: Shape, padding: usize) -> Shape {
    match shape {
        Shape::Image { channels, height, width } => {
            let side = |padded: usize| padded.saturating_sub(2 * padding);
            Shape::image(channels, side(height), side(width))
        }
        vector @ Shape::Vector { .. } => vector,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use backproof_data::load;

    use super::*;
    use crate::Silent;
    use crate::testing::{experiment, run, setup};

    #[test]
    fn an_image_has_the_probabilities_that_the_evaluation_gave_it() {
        let runs = tempfile::tempdir().unwrap();
        let setup = setup(Path::new(""));
        let test = load("mnist-sample", None).unwrap().test;
        for overrides in [
            &[][..],
            &["evaluation.views=six"],
            &["evaluation.views=mirror"],
            &["model.name=lenet-5", "data.padding=2", "training.loss=mean-squared-error"],
        ] {
            let folder = run(&experiment(overrides), runs.path()).unwrap();
            let told = folder.predictions(&folder.result().unwrap().unwrap()).unwrap();
            let agrees = |predictor: &Predictor| {
                for prediction in &told[..20] {
                    let found = predictor.probabilities(test.pixels(prediction.index).to_vec()).unwrap();
                    for (found, told) in found.iter().zip(prediction.every().unwrap()) {
                        assert!((found - told).abs() < 1e-4, "{found}, the evaluation said {told}");
                    }
                }
            };
            let predictor = Predictor::open(&folder, &Weights::Last, &setup, &mut Silent).unwrap();
            assert_eq!((predictor.iteration(), predictor.shape()), (Some(20), Shape::image(1, 28, 28)));
            assert_eq!(predictor.class_names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
            agrees(&predictor);
            // The names are those of the run, whatever the data set of this program calls them.
            let path = folder.path().join("evaluation/result.json");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("\"class\": \"7\"", "\"class\": \"seven\"")).unwrap();
            assert_eq!(
                Predictor::open(&folder, &Weights::Last, &setup, &mut Silent).unwrap().class_names()[7],
                "seven"
            );
            // As in a folder of an earlier version: the numbers are fitted anew, and are the same.
            fs::remove_file(folder.path().join("normalizer.json")).unwrap();
            agrees(&Predictor::open(&folder, &Weights::Last, &setup, &mut Silent).unwrap());
            // A run that was not evaluated yet: the classes are those of the data set.
            fs::remove_dir_all(folder.path().join("evaluation")).unwrap();
            let predictor = Predictor::open(&folder, &Weights::Last, &setup, &mut Silent).unwrap();
            assert_eq!(predictor.class_names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
            agrees(&predictor);
        }
    }
}
