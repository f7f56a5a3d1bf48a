//! Which images to train on, and what is done to them on the way in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Shape;

/// The data of an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// The data set.
    pub dataset: Dataset,
    /// How many training images are used, of those that the split leaves; all when absent.
    pub training_images: Option<usize>,
    /// How many images of the training set are held out for validation.
    pub validation_images: usize,
    /// Black pixels put around every image, on each side, before anything else.
    pub padding: usize,
    /// How pixels become numbers.
    pub normalization: Normalization,
    /// What is done to training images at random.
    pub augmentation: Augmentation,
}

impl Data {
    /// How many images one epoch has: what the split leaves, up to the limit.
    pub fn epoch_images(&self) -> usize {
        let left = self.dataset.training_images().saturating_sub(self.validation_images);
        self.training_images.map_or(left, |limit| limit.min(left))
    }

    /// The shape of one image as the network sees it: the data set's, padded.
    pub fn shape(&self) -> Shape {
        match self.dataset.shape() {
            Shape::Image { channels, height, width } => {
                let padded = |side: usize| side.saturating_add(self.padding.saturating_mul(2));
                Shape::image(channels, padded(height), padded(width))
            }
            vector @ Shape::Vector { .. } => vector,
        }
    }
}

/// A data set of ten classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dataset {
    /// 5,000 digits of MNIST that come with the program.
    #[serde(rename = "mnist-sample")]
    MnistSample,
    /// 70,000 handwritten digits, 1×28×28.
    #[serde(rename = "mnist")]
    Mnist,
    /// 70,000 pieces of clothing, 1×28×28.
    #[serde(rename = "fashion-mnist")]
    FashionMnist,
    /// 60,000 colour photographs, 3×32×32.
    #[serde(rename = "cifar-10")]
    Cifar10,
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const CLOTHES: [&str; 10] =
    ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];
const THINGS: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

impl Dataset {
    /// Every data set.
    pub const ALL: [Self; 4] = [Self::MnistSample, Self::Mnist, Self::FashionMnist, Self::Cifar10];

    /// Its name in a config: `mnist-sample`, `mnist`, `fashion-mnist` or `cifar-10`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MnistSample => "mnist-sample",
            Self::Mnist => "mnist",
            Self::FashionMnist => "fashion-mnist",
            Self::Cifar10 => "cifar-10",
        }
    }

    /// The data set of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dataset| dataset.name() == name)
    }

    /// The shape of one image.
    pub const fn shape(self) -> Shape {
        match self {
            Self::MnistSample | Self::Mnist | Self::FashionMnist => Shape::image(1, 28, 28),
            Self::Cifar10 => Shape::image(3, 32, 32),
        }
    }

    /// The number of classes.
    pub const fn classes(self) -> usize {
        self.class_names().len()
    }

    /// The names of the classes, in the order of their labels.
    pub const fn class_names(self) -> [&'static str; 10] {
        match self {
            Self::MnistSample | Self::Mnist => DIGITS,
            Self::FashionMnist => CLOTHES,
            Self::Cifar10 => THINGS,
        }
    }

    /// The number of images in the training set, before any are held out for validation.
    pub const fn training_images(self) -> usize {
        match self {
            Self::MnistSample => 4_500,
            Self::Mnist | Self::FashionMnist => 60_000,
            Self::Cifar10 => 50_000,
        }
    }

    /// The number of images in the test set.
    pub const fn test_images(self) -> usize {
        match self {
            Self::MnistSample => 500,
            Self::Mnist | Self::FashionMnist | Self::Cifar10 => 10_000,
        }
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How the pixels, 0 to 255, become the numbers that the network sees. What is fitted is fitted on the training part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// Each channel minus its mean, over its standard deviation.
    #[default]
    Standardize,
    /// Pixels scaled to [0, 1], minus the mean image.
    SubtractMean,
    /// Pixels scaled to [0, 1].
    Unit,
}

impl Normalization {
    /// Every normalisation.
    pub const ALL: [Self; 3] = [Self::Standardize, Self::SubtractMean, Self::Unit];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standardize => "standardize",
            Self::SubtractMean => "subtract-mean",
            Self::Unit => "unit",
        }
    }
}

/// Random changes to training images; none by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Augmentation {
    /// Mirrors an image left to right, with probability ½.
    pub horizontal_flip: bool,
    /// Pads each side by that many zeros and cuts out the old size at a random place; 0 does nothing.
    pub crop_padding: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_is_found_by_the_name_that_it_has() {
        for dataset in Dataset::ALL {
            assert_eq!(Dataset::by_name(dataset.name()), Some(dataset));
        }
        assert_eq!(Dataset::by_name("MNIST"), None);
    }
}
