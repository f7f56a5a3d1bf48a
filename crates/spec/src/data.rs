//! Which images to train on, and what is done to them on the way in.

use serde::{Deserialize, Serialize};

use crate::unset::is_default;
use crate::{ImageSource, Shape};

/// The data of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Where the images come from.
    pub images: ImageSource,
    /// How many training images are used, of those that the split leaves; all when absent.
    pub training_images: Option<usize>,
    /// How many images of the training set are held out for validation.
    pub validation_images: usize,
    /// Black pixels put around every image, on each side, before anything else.
    pub padding: usize,
    /// How pixels become numbers.
    pub normalization: Normalization,
    /// Which images make a batch.
    pub order: Order,
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
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Normalization {
    /// Each channel minus its mean, over its standard deviation.
    #[default]
    Standardize,
    /// Pixels minus a mean.
    SubtractMean {
        /// Of what the mean is taken.
        of: MeanOf,
        /// The scale of the pixels, and of the mean.
        pixels: Pixels,
    },
    /// Pixels scaled to [0, 1].
    Unit,
    /// Pixels as they are, 0 to 255.
    Bytes,
}

impl Normalization {
    /// Every normalisation.
    pub const ALL: [Self; 9] = {
        const fn minus(of: MeanOf, pixels: Pixels) -> Normalization {
            Normalization::SubtractMean { of, pixels }
        }
        [
            Self::Standardize,
            minus(MeanOf::Image, Pixels::Unit),
            minus(MeanOf::Image, Pixels::Bytes),
            minus(MeanOf::Channel, Pixels::Unit),
            minus(MeanOf::Channel, Pixels::Bytes),
            minus(MeanOf::All, Pixels::Unit),
            minus(MeanOf::All, Pixels::Bytes),
            Self::Unit,
            Self::Bytes,
        ]
    };
}

/// Of what a mean is taken, over all training images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MeanOf {
    /// Of each pixel of each channel: a mean image.
    #[default]
    Image,
    /// Of each channel.
    Channel,
    /// Of all pixels of all channels: one number.
    All,
}

impl MeanOf {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Image, Self::Channel, Self::All];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Channel => "channel",
            Self::All => "all",
        }
    }
}

/// The scale of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pixels {
    /// From 0 to 1.
    #[default]
    Unit,
    /// As they are in a file, from 0 to 255.
    Bytes,
}

impl Pixels {
    /// Every scale.
    pub const ALL: [Self; 2] = [Self::Unit, Self::Bytes];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Bytes => "bytes",
        }
    }
}

/// Which training images make a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Every image once an epoch, in an order of its own; the last batch of an epoch may be smaller.
    #[default]
    Epochs,
    /// Different images drawn from all at random, for each batch anew.
    Random,
    /// For each place of a batch a class, each as likely, and one of its images, each as likely; with replacement. An
    /// image of a class with n images has a chance in proportion to 1/n, as PyTorch's `WeightedRandomSampler` with
    /// these weights draws.
    Balanced,
}

impl Order {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Epochs, Self::Random, Self::Balanced];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Epochs => "epochs",
            Self::Random => "random",
            Self::Balanced => "balanced",
        }
    }
}

/// Random changes to training images; none by default. They are made in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augmentation {
    /// Multiplies the pixels of an image by a factor from 1 − b to 1 + b.
    #[serde(default, skip_serializing_if = "is_default")]
    pub brightness: f64,
    /// Multiplies the distance of each pixel from the mean of the image by a factor from 1 − c to 1 + c.
    #[serde(default, skip_serializing_if = "is_default")]
    pub contrast: f64,
    /// Mirrors an image left to right, with probability ½.
    pub horizontal_flip: bool,
    /// Mirrors half of the images in the first epoch, the other half in the second, and so on (Jordan 2024,
    /// arXiv:2404.00498).
    #[serde(default, skip_serializing_if = "is_default")]
    pub alternating_flip: bool,
    /// Pads each side by that many pixels and cuts out the old size at a random place; 0 does nothing.
    pub crop_padding: usize,
    /// What the pixels of the padding are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crop_border: CropBorder,
    /// Sets a square of this side to 0, at a random place, after the normalisation (DeVries and Taylor 2017,
    /// arXiv:1708.04552). Its middle is inside of the image.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cutout: usize,
    /// α of mixup: each image of a batch becomes λ of itself and 1 − λ of another one of the batch, with λ of
    /// Beta(α, α), one a batch, and the label likewise (Zhang et al. 2018, arXiv:1710.09412). 0 does nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mixup: f64,
    /// α of `CutMix`: each image of a batch gets a rectangle of another one of the batch, at the same place, of the
    /// share 1 − λ with λ of Beta(α, α). The rectangle is one a batch, and is cut off at the border. The label is mixed
    /// by the areas that are left (Yun et al. 2019, arXiv:1905.04899). 0 does nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cutmix: f64,
}

impl Augmentation {
    /// No change.
    pub const NONE: Self = Self {
        brightness: 0.0,
        contrast: 0.0,
        horizontal_flip: false,
        alternating_flip: false,
        crop_padding: 0,
        crop_border: CropBorder::Black,
        cutout: 0,
        mixup: 0.0,
        cutmix: 0.0,
    };
}

impl Default for Augmentation {
    fn default() -> Self {
        Self::NONE
    }
}

/// What the pixels around an image are, for a crop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CropBorder {
    /// Pixels of value 0.
    #[default]
    Black,
    /// The image mirrored at its first or last row and column.
    Reflect,
}

impl CropBorder {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Black, Self::Reflect];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Black => "black",
            Self::Reflect => "reflect",
        }
    }
}
