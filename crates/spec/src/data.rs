//! Which images to train on, and what is done to them on the way in.

use serde::{Deserialize, Serialize};

use crate::Shape;

/// The data of an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// The name of the data set.
    pub dataset: String,
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
    /// How many of `training_images` one epoch has: what the split leaves, up to the limit.
    pub fn epoch_images(&self, training_images: usize) -> usize {
        let left = training_images.saturating_sub(self.validation_images);
        self.training_images.map_or(left, |limit| limit.min(left))
    }

    /// The shape that the network sees of images of `shape`: with the padding around them. Vectors stay as they are.
    pub fn padded(&self, shape: Shape) -> Shape {
        match shape {
            Shape::Image { channels, height, width } => {
                let padded = |side: usize| side.saturating_add(self.padding.saturating_mul(2));
                Shape::image(channels, padded(height), padded(width))
            }
            vector @ Shape::Vector { .. } => vector,
        }
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
