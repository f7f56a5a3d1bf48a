//! From pixels to the numbers that a network sees.

use backproof_spec::{MeanOf, Normalization, Pixels, Shape};
use serde::{Deserialize, Serialize};

use crate::Images;
use crate::images::planes;

/// How pixels p, 0 to 255, become numbers x. Fitted on the training part only; a run can store it (serde), so that it
/// is applied later to other images. Everything is computed in f64 and rounded once, to f32.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Normalizer {
    /// x = (p/255 − mean\[c\]) / std\[c\], for each channel c.
    Standardize {
        /// The mean of p/255 in each channel, `[C]`.
        mean: Vec<f32>,
        /// The standard deviation of p/255 in each channel (over n, not n − 1), `[C]`. A channel that has one value
        /// only has 1 here: it becomes all zeros, not a division by zero.
        std: Vec<f32>,
    },
    /// x = s p − mean, with s = 1/255 or 1.
    SubtractMean {
        /// The mean of s p: of each pixel, `[C, H, W]` in row-major order; of each channel, `[C]`; or of all, one
        /// number.
        mean: Vec<f32>,
        /// The scale s.
        #[serde(default, skip_serializing_if = "is_unit")]
        pixels: Pixels,
    },
    /// x = p/255.
    Unit,
    /// x = p.
    Bytes,
}

/// Earlier versions had no other scale, and their files have no word of it.
fn is_unit(pixels: &Pixels) -> bool {
    *pixels == Pixels::Unit
}

impl Normalizer {
    /// Fits the normaliser of that kind on the images `indices` of `images`. The sums are sums of whole numbers, so
    /// rounding errors do not grow with the number of images.
    ///
    /// # Panics
    ///
    /// Panics if `indices` is empty or an index is out of range.
    pub fn fit(kind: Normalization, images: &Images, indices: &[usize]) -> Self {
        assert!(!indices.is_empty(), "a normaliser needs at least one image");
        match kind {
            Normalization::Standardize => {
                let (mean, std) = channel_statistics(images, indices);
                Self::Standardize { mean, std }
            }
            Normalization::SubtractMean { of, pixels } => {
                let mean = match of {
                    MeanOf::Image => mean_image(images, indices, pixels),
                    MeanOf::Channel => histograms(images, indices).iter().map(|of| mean(of, pixels) as f32).collect(),
                    MeanOf::All => {
                        let channels = histograms(images, indices);
                        let all = std::array::from_fn(|pixel| channels.iter().map(|of| of[pixel]).sum());
                        vec![mean(&all, pixels) as f32]
                    }
                };
                Self::SubtractMean { mean, pixels }
            }
            Normalization::Unit => Self::Unit,
            Normalization::Bytes => Self::Bytes,
        }
    }

    /// Whether it can be applied to images of that shape: it has a number for each channel or pixel, and none of
    /// them makes a pixel infinite.
    pub fn fits(&self, shape: Shape) -> bool {
        let (channels, _, _) = planes(shape);
        let finite = |numbers: &[f32]| numbers.iter().all(|number| number.is_finite());
        match self {
            Self::Standardize { mean, std } => {
                let positive = std.iter().all(|&std| std > 0.0);
                mean.len() == channels && std.len() == channels && finite(mean) && finite(std) && positive
            }
            Self::SubtractMean { mean, .. } => [1, channels, shape.elements()].contains(&mean.len()) && finite(mean),
            Self::Unit | Self::Bytes => true,
        }
    }

    /// The lookup tables that do it.
    pub(crate) fn tables(&self, shape: Shape) -> Tables {
        assert!(self.fits(shape), "the normaliser was fitted on images of another shape than {shape}");
        let (channels, _, _) = planes(shape);
        let same = |table: [f32; 256]| Tables { by_channel: vec![table; channels], mean_image: None };
        match self {
            Self::Standardize { mean, std } => {
                let numbers = mean.iter().zip(std);
                let by_channel = numbers.map(|(&mean, &std)| table(Pixels::Unit, mean.into(), std.into()));
                Tables { by_channel: by_channel.collect(), mean_image: None }
            }
            Self::SubtractMean { mean, pixels } => match mean.as_slice() {
                [mean] => same(table(*pixels, (*mean).into(), 1.0)),
                of_channels if of_channels.len() == channels => {
                    let by_channel = of_channels.iter().map(|&mean| table(*pixels, mean.into(), 1.0));
                    Tables { by_channel: by_channel.collect(), mean_image: None }
                }
                image => Tables { mean_image: Some(image.to_vec()), ..same(table(*pixels, 0.0, 1.0)) },
            },
            Self::Unit => same(table(Pixels::Unit, 0.0, 1.0)),
            Self::Bytes => same(table(Pixels::Bytes, 0.0, 1.0)),
        }
    }
}

/// The tables of a normaliser: x = `by_channel[c][p]`, minus the mean image if there is one.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) by_channel: Vec<[f32; 256]>,
    pub(crate) mean_image: Option<Vec<f32>>,
}

/// A pixel on a scale.
fn on(scale: Pixels, pixel: usize) -> f64 {
    match scale {
        Pixels::Unit => pixel as f64 / 255.0,
        Pixels::Bytes => pixel as f64,
    }
}

/// (s p − mean) / std for every p.
fn table(pixels: Pixels, mean: f64, std: f64) -> [f32; 256] {
    std::array::from_fn(|pixel| ((on(pixels, pixel) - mean) / std) as f32)
}

/// How often each channel has each value.
fn histograms(images: &Images, indices: &[usize]) -> Vec<[u64; 256]> {
    let (channels, height, width) = planes(images.shape());
    let mut histograms = vec![[0u64; 256]; channels];
    for &index in indices {
        let pixels = images.pixels(index);
        for (plane, histogram) in pixels.chunks_exact(height * width).zip(&mut histograms) {
            plane.iter().for_each(|&pixel| histogram[usize::from(pixel)] += 1);
        }
    }
    histograms
}

/// The mean of a function of the pixels.
fn weighted(histogram: &[u64; 256], value: impl Fn(usize) -> f64) -> f64 {
    let count = histogram.iter().sum::<u64>() as f64;
    histogram.iter().enumerate().map(|(pixel, &times)| times as f64 * value(pixel)).sum::<f64>() / count
}

fn mean(histogram: &[u64; 256], pixels: Pixels) -> f64 {
    weighted(histogram, |pixel| on(pixels, pixel))
}

/// Mean and standard deviation of p/255 in each channel.
fn channel_statistics(images: &Images, indices: &[usize]) -> (Vec<f32>, Vec<f32>) {
    let statistics = |histogram: &[u64; 256]| {
        let mean = mean(histogram, Pixels::Unit);
        let constant = histogram.iter().filter(|&&times| times > 0).count() <= 1;
        let variance = || weighted(histogram, |pixel| (on(Pixels::Unit, pixel) - mean).powi(2));
        let std = if constant { 1.0 } else { variance().sqrt() };
        (mean as f32, std as f32)
    };
    histograms(images, indices).iter().map(statistics).unzip()
}

fn mean_image(images: &Images, indices: &[usize], pixels: Pixels) -> Vec<f32> {
    let mut sums = vec![0u64; images.shape().elements()];
    for &index in indices {
        for (sum, &pixel) in sums.iter_mut().zip(images.pixels(index)) {
            *sum += u64::from(pixel);
        }
    }
    let count = indices.len() as f64;
    let scale = match pixels {
        Pixels::Unit => 255.0 * count,
        Pixels::Bytes => count,
    };
    sums.into_iter().map(|sum| (sum as f64 / scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two channels of one row of two pixels; the third image is never fitted on.
    fn images() -> Images {
        let pixels = vec![0, 255, 7, 7, /* */ 51, 102, 7, 7, /* */ 255, 255, 255, 255];
        Images::new(pixels, vec![0, 1, 2], Shape::image(2, 1, 2))
    }

    fn apply(normalizer: &Normalizer, image: usize) -> Vec<f32> {
        let tables = normalizer.tables(images().shape());
        let pixels = images().pixels(image).to_vec();
        let value = |(i, p): (usize, &u8)| {
            tables.by_channel[i / 2][usize::from(*p)] - tables.mean_image.as_ref().map_or(0.0, |mean| mean[i])
        };
        pixels.iter().enumerate().map(value).collect()
    }

    #[test]
    fn standardised_pixels_have_mean_zero_and_deviation_one_in_each_channel() {
        let normalizer = Normalizer::fit(Normalization::Standardize, &images(), &[0, 1]);
        let Normalizer::Standardize { mean, std } = &normalizer else { panic!("{normalizer:?}") };
        // Channel 0: 0, 1, 0.2, 0.4: mean 0.4, variance (0.16 + 0.36 + 0.04 + 0) / 4 = 0.14.
        assert!((mean[0] - 0.4).abs() < 1e-7 && (std[0] - 0.14f32.sqrt()).abs() < 1e-7);
        let x = [apply(&normalizer, 0), apply(&normalizer, 1)].concat();
        let first = [x[0], x[1], x[4], x[5]];
        assert!(first.iter().sum::<f32>().abs() < 1e-6);
        assert!((first.iter().map(|x| x * x).sum::<f32>() / 4.0 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_constant_channel_becomes_zeros() {
        let normalizer = Normalizer::fit(Normalization::Standardize, &images(), &[0, 1]);
        let Normalizer::Standardize { std, .. } = &normalizer else { panic!("{normalizer:?}") };
        assert_eq!(std[1], 1.0);
        assert!(apply(&normalizer, 0)[2..].iter().all(|x| x.abs() < 1e-7));
    }

    #[test]
    fn the_mean_image_is_subtracted_place_by_place() {
        let of_image = |pixels| Normalization::SubtractMean { of: MeanOf::Image, pixels };
        let normalizer = Normalizer::fit(of_image(Pixels::Unit), &images(), &[0, 1]);
        let x = apply(&normalizer, 0);
        let expected = [-0.1, 0.3, 0.0, 0.0]; // (0, 1) − (0.1, 0.7)
        assert!(x.iter().zip(expected).all(|(x, e)| (x - e).abs() < 1e-6), "{x:?}");
        let x = apply(&Normalizer::fit(of_image(Pixels::Bytes), &images(), &[0, 1]), 0);
        assert_eq!(x, [-25.5, 76.5, 0.0, 0.0]); // (0, 255) − (25.5, 178.5)
    }

    #[test]
    fn the_mean_of_a_channel_or_of_all_is_one_number_on_either_scale() {
        // Channel 0: (0 + 255 + 51 + 102) / 4 = 102; channel 1: 7; all: 54.5.
        let fit = |of, pixels| Normalizer::fit(Normalization::SubtractMean { of, pixels }, &images(), &[0, 1]);
        assert_eq!(apply(&fit(MeanOf::Channel, Pixels::Bytes), 1), [-51.0, 0.0, 0.0, 0.0]);
        assert_eq!(apply(&fit(MeanOf::All, Pixels::Bytes), 1), [-3.5, 47.5, -47.5, -47.5]);
        for (of, expected) in [(MeanOf::Channel, [-0.2, 0.0, 0.0, 0.0]), (MeanOf::All, [-3.5, 47.5, -47.5, -47.5])] {
            let scale = if of == MeanOf::All { 255.0 } else { 1.0 };
            let x = apply(&fit(of, Pixels::Unit), 1);
            assert!(x.iter().zip(expected).all(|(x, e)| (x - e / scale).abs() < 1e-6), "{of:?}: {x:?}");
        }
    }

    #[test]
    fn a_normaliser_of_an_earlier_version_has_pixels_from_0_to_1() {
        let text = r#"{"kind":"subtract-mean","mean":[0.5,0.25]}"#;
        let normalizer: Normalizer = serde_json::from_str(text).unwrap();
        assert_eq!(normalizer, Normalizer::SubtractMean { mean: vec![0.5, 0.25], pixels: Pixels::Unit });
        assert_eq!(serde_json::to_string(&normalizer).unwrap(), text);
    }

    #[test]
    fn unit_maps_0_to_0_and_255_to_1() {
        let x = apply(&Normalizer::fit(Normalization::Unit, &images(), &[0]), 1);
        assert_eq!(x, [0.2, 0.4, 7.0 / 255.0, 7.0 / 255.0]);
        assert_eq!(apply(&Normalizer::Unit, 2), [1.0; 4]);
        assert_eq!(apply(&Normalizer::fit(Normalization::Bytes, &images(), &[0]), 1), [51.0, 102.0, 7.0, 7.0]);
    }

    #[test]
    fn a_stored_normaliser_is_the_same_to_the_last_bit() {
        for kind in Normalization::ALL {
            let normalizer = Normalizer::fit(kind, &images(), &[0, 1]);
            let text = serde_json::to_string(&normalizer).unwrap();
            assert_eq!(serde_json::from_str::<Normalizer>(&text).unwrap(), normalizer, "{text}");
        }
    }

    #[test]
    fn a_normaliser_knows_the_shape_that_it_fits() {
        let of_image = Normalization::SubtractMean { of: MeanOf::Image, pixels: Pixels::Unit };
        let normalizer = Normalizer::fit(of_image, &images(), &[0]);
        assert!(normalizer.fits(Shape::image(2, 1, 2)));
        assert!(!normalizer.fits(Shape::image(2, 2, 2)));
        for (mean, std) in [(f32::NAN, 1.0), (0.0, 0.0), (0.0, f32::INFINITY)] {
            assert!(!Normalizer::Standardize { mean: vec![mean], std: vec![std] }.fits(Shape::image(1, 2, 2)));
        }
        let subtract = |numbers: usize| Normalizer::SubtractMean { mean: vec![0.5; numbers], pixels: Pixels::Bytes };
        assert!(subtract(3).fits(Shape::image(3, 9, 9)) && subtract(1).fits(Shape::image(3, 9, 9)));
        assert!(!subtract(2).fits(Shape::image(3, 9, 9)));
        assert!(Normalizer::Unit.fits(Shape::image(9, 9, 9)) && Normalizer::Bytes.fits(Shape::image(9, 9, 9)));
    }
}
