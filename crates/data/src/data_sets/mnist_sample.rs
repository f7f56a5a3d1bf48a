//! The bundled sample: 5,000 digits of MNIST's training files. `sample/make_sample.py` made the files and says how they
//! are divided; `sample/NOTICE` says whose they are.
//!
//! The training set is the 4,000 training images followed by the 500 validation images, so that a split into
//! other sizes is possible; a validation part of 500 is the published one.

use std::collections::BTreeMap;
use std::path::Path;

use backproof_spec::{DataSet, Shape};

use super::mnist;
use crate::content::{gunzip, sha256};
use crate::error::Result;
use crate::formats::idx;
use crate::{Images, LoadedData, Origin, Source};

pub(super) static SOURCE: MnistSample = MnistSample;

/// The digits that are part of the program.
#[derive(Debug)]
pub(super) struct MnistSample;

/// A part of the sample.
struct Part {
    count: usize,
    images: File,
    labels: File,
}

struct File {
    name: &'static str,
    packed: &'static [u8],
}

macro_rules! part {
    ($name:literal, $count:literal) => {
        Part {
            count: $count,
            images: File {
                name: concat!($name, "-images-idx3-ubyte"),
                packed: include_bytes!(concat!("../../sample/", $name, "-images-idx3-ubyte.gz")),
            },
            labels: File {
                name: concat!($name, "-labels-idx1-ubyte"),
                packed: include_bytes!(concat!("../../sample/", $name, "-labels-idx1-ubyte.gz")),
            },
        }
    };
}

const TRAINING: Part = part!("training", 4_000);
const VALIDATION: Part = part!("validation", 500);
const TEST: Part = part!("test", 500);

impl MnistSample {
    fn data_set(&self) -> DataSet {
        DataSet {
            name: self.name().to_owned(),
            shape: Shape::image(1, 28, 28),
            class_names: mnist::DIGITS.iter().map(|&digit| digit.to_owned()).collect(),
            training_images: TRAINING.count + VALIDATION.count,
            test_images: TEST.count,
            validation_images: Some(VALIDATION.count),
        }
    }
}

impl Source for MnistSample {
    fn name(&self) -> &str {
        "mnist-sample"
    }

    fn known(&self) -> Option<DataSet> {
        Some(self.data_set())
    }

    fn load(&self, _: Option<&Path>) -> Result<LoadedData> {
        let mut checksums = BTreeMap::new();
        let (mut pixels, mut labels) = read(&TRAINING, &mut checksums)?;
        let (validation_pixels, validation_labels) = read(&VALIDATION, &mut checksums)?;
        pixels.extend(validation_pixels);
        labels.extend(validation_labels);
        let (test_pixels, test_labels) = read(&TEST, &mut checksums)?;
        let data_set = self.data_set();
        Ok(LoadedData {
            training: Images::new(pixels, labels, data_set.shape),
            test: Images::new(test_pixels, test_labels, data_set.shape),
            data_set,
            published_validation: Some(TRAINING.count..TRAINING.count + VALIDATION.count),
            origin: Origin::Bundled,
            checksums,
            notes: Vec::new(),
        })
    }
}

fn read(part: &Part, checksums: &mut BTreeMap<String, String>) -> Result<(Vec<u8>, Vec<u16>)> {
    let mut content = |file: &File, size: usize| -> Result<Vec<u8>> {
        let content = gunzip(file.name, file.packed, size as u64)?;
        checksums.insert(file.name.to_owned(), sha256(&content));
        Ok(content)
    };
    let images = idx::images(part.images.name, content(&part.images, 16 + part.count * 784)?)?;
    let labels = content(&part.labels, 8 + part.count)?;
    let labels = idx::labels(part.labels.name, labels, 0, mnist::DIGITS.len())?;
    Ok((images.pixels, labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `make_sample.py` printed. Another release of zlib may pack the same content otherwise; the content is this.
    #[test]
    fn the_sample_is_the_one_that_the_script_makes() {
        let data = SOURCE.load(None).unwrap();
        let expected = [
            ("test-images-idx3-ubyte", "a5302e260b7c6fc136cf7edb0088a43cf273c1f28e265c86ed6740b11b038927"),
            ("test-labels-idx1-ubyte", "2bed0e3790b2dac87cb49ca6718054c88d630c4060f2671b4e1557c9e0ca6621"),
            ("training-images-idx3-ubyte", "74422b12132c7d8b0957cdb994d971a505f77a57ddac808ef1ea84f4bb9e7a2e"),
            ("training-labels-idx1-ubyte", "5dbd7686910cb66a8a6303f16940c2fae43896243c187897cd3976aab00f4817"),
            ("validation-images-idx3-ubyte", "62ef3c1c4d3705f9a65a58dd6216a4d2cb7098d8bcb24eb14b3f200c38e8a4fe"),
            ("validation-labels-idx1-ubyte", "2bed0e3790b2dac87cb49ca6718054c88d630c4060f2671b4e1557c9e0ca6621"),
        ];
        let found: Vec<_> = data.checksums.iter().map(|(name, sum)| (name.as_str(), sum.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(data.training.len(), 4_500);
        assert_eq!(data.test.len(), 500);
        assert_eq!(data.training.class_counts(10), [450; 10]);
        assert_eq!(data.test.class_counts(10), [50; 10]);
    }

    /// A one is a bar that stands upright: over rows its pixels spread wide, over columns they do not.
    #[test]
    fn a_one_stands_upright() {
        let data = SOURCE.load(None).unwrap();
        let (mut rows, mut columns) = ([0u32; 28], [0u32; 28]);
        for index in (0..data.test.len()).filter(|&index| data.test.label(index) == 1) {
            for (at, &pixel) in data.test.pixels(index).iter().enumerate() {
                rows[at / 28] += u32::from(pixel);
                columns[at % 28] += u32::from(pixel);
            }
        }
        assert!(columns.iter().max() > rows.iter().max());
    }
}
