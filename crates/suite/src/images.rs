//! A few real images for a network.

use std::path::Path;

use backproof_data::{DataError, Prepared, Source, evaluation_selections, prepare_from, sources};
use backproof_gradcheck::Value;
use backproof_spec::{Augmentation, Data, ImageSource, Normalization, Order, Shape};
use burn::tensor::Device;

use crate::subject::Draw;

/// Images and labels on the host.
#[derive(Debug, Clone)]
pub(crate) struct RealImages {
    /// Normalised, `[N, C, H, W]`.
    pub(crate) images: Value,
    /// `[N]`, each below the number of classes.
    pub(crate) labels: Vec<usize>,
    /// How many they are, and of what.
    pub(crate) about: String,
}

/// The first test images of a data set of this shape if it lies on this machine, else bundled digits, enlarged to the
/// shape; for a network with so many classes, and so many of them.
///
/// # Errors
///
/// A data set that is there and cannot be read.
pub(crate) fn of_shape(
    (shape, classes, count): (Shape, usize, usize),
    data_dir: Option<&Path>,
    device: &Device,
) -> backproof_data::Result<RealImages> {
    let load = |source: &dyn Source| {
        let data = Data {
            images: ImageSource::DataSet(source.name().to_owned()),
            training_images: None,
            validation_images: 0,
            padding: 0,
            normalization: Normalization::Standardize,
            order: Order::default(),
            augmentation: Augmentation::default(),
        };
        let prepared = prepare_from(source, &data, data_dir, 0)?;
        Ok(of_prepared(&prepared, classes, count, source.name(), device))
    };
    // The bundled ones first: the full MNIST adds nothing to its digits.
    let (bundled, published): (Vec<&dyn Source>, Vec<&dyn Source>) =
        sources().iter().partition(|source| source.published().is_none());
    let fits = |source: &&&dyn Source| source.known().is_some_and(|known| known.shape == shape);
    let otherwise = bundled.first().expect("digits are part of the program");
    let mut images = None;
    for &source in bundled.iter().chain(&published).filter(fits).chain([otherwise]) {
        match load(source) {
            Err(DataError::Missing(_)) => {}
            loaded => {
                images = Some(loaded?);
                break;
            }
        }
    }
    let images = images.expect("what is part of the program is never missing");
    Ok(if Shape::from_dimensions(&images.images.dims()[1..]) == Some(shape) {
        images
    } else {
        enlarged(&images, shape)
    })
}

/// With up to half a grey level of noise at each pixel. In a patch of one colour all outputs of a convolution tie in a
/// maximum; where several ties meet, no gradient is the right one.
pub(crate) fn without_ties(images: RealImages, seed: u64) -> RealImages {
    // A standardised grey level is about 1/70.
    const HALF_A_LEVEL: f64 = 0.007;
    let mut draw = Draw::new(seed, "images", 0);
    let data = images.images.data().iter().map(|x| x + draw.real(-HALF_A_LEVEL..HALF_A_LEVEL)).collect();
    RealImages { images: Value::new(images.images.dims(), data), ..images }
}

/// The first test images of an experiment.
pub(crate) fn of_prepared(
    prepared: &Prepared,
    classes: usize,
    count: usize,
    name: &str,
    device: &Device,
) -> RealImages {
    let images = evaluation_selections(&prepared.test, count).next().expect("a test set has images");
    let batch = images.batch(device);
    let labels: Vec<usize> = batch.label_values.iter().map(|label| label % classes).collect();
    RealImages { about: format!("{} of {name}", labels.len()), images: batch.images.into(), labels }
}

/// Digits in the middle of a larger image, one pixel further down and to the right in every channel: equal channels
/// would hide it if a backward mixed them up.
fn enlarged(digits: &RealImages, shape: Shape) -> RealImages {
    let Shape::Image { channels, height, width } = shape else { unreachable!("networks take images") };
    let [count, _, rows, columns] = *digits.images.dims() else { unreachable!("images have four axes") };
    let factor = (height / rows).min(width / columns).max(1);
    let background = digits.images.data()[0];
    let mut data = Vec::with_capacity(count * channels * height * width);
    for image in 0..count {
        for channel in 0..channels {
            for row in 0..height {
                for column in 0..width {
                    let along = |at: usize, size: usize, of: usize| -> Option<usize> {
                        let offset = (size.saturating_sub(of * factor)) / 2 + channel;
                        Some(at.checked_sub(offset)? / factor).filter(|&at| at < of)
                    };
                    data.push(match (along(row, height, rows), along(column, width, columns)) {
                        (Some(row), Some(column)) => digits.images.data()[(image * rows + row) * columns + column],
                        _ => background,
                    });
                }
            }
        }
    }
    let images = Value::new([count, channels, height, width], data);
    RealImages { images, labels: digits.labels.clone(), about: format!("{}, enlarged", digits.about) }
}
