//! What the images of a training part are like, in a few numbers, to tell other images from them.

use std::fmt;

use backproof_spec::Shape;
use serde::{Deserialize, Serialize};

use crate::Images;
use crate::images::planes;

/// The most images that are measured.
const IMAGES: usize = 4_000;
/// The most pixels that are measured, so that large images take no longer.
const PIXELS: usize = 1 << 26;
/// A pixel below this is black: an eighth, as where a digit is cut out.
const BLACK: u8 = 32;
/// An image is unlike the others beyond all of them, and beyond so many standard deviations if they are too few for
/// their extremes to say much.
const DEVIATIONS: f64 = 4.0;
const FEW: usize = 1_000;
/// Differences that are smaller come from a file format.
const LEAST: f64 = 0.01;

/// Something that is measured in an image. All but the extent and the place of the mass are of pixels from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The mean of a channel.
    Mean,
    /// The standard deviation of a channel.
    Contrast,
    /// The share of numbers below an eighth.
    Black,
    /// The mean of the pixels along the edges.
    Border,
    /// The mean difference of a pixel to the next one in its row.
    Roughness,
    /// Of a grey image, the longer side of the box of all that is not black, in shares of the image's side.
    Extent,
    /// Of a grey image, how far the centre of mass is from the middle, in shares of the image's side.
    OffCentre,
}

/// What a measure is over many images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// What is measured.
    pub measure: Measure,
    /// The channel, where the measure is of one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<usize>,
    /// The mean.
    pub mean: f64,
    /// The standard deviation over the images.
    pub std: f64,
    /// The least of an image.
    pub least: f64,
    /// The most of an image.
    pub most: f64,
}

/// What the images of a training part are like, without padding and before augmentation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageStatistics {
    images: usize,
    measures: Vec<Spread>,
}

/// In what an image is unlike the training images. Its text is a clause: "its mean is 0.71; training images have 0.13 ±
/// 0.04".
#[derive(Debug, Clone, PartialEq)]
pub struct Unlike {
    /// What is measured, and what it is in the training images.
    pub spread: Spread,
    /// What it is in this image.
    pub found: f64,
    is_grey: bool,
}

impl ImageStatistics {
    /// Measures the images `indices` of `images`, which have `padding` pixels around them that do not count. Of many
    /// images, these are 4,000, and of large ones fewer, evenly spread.
    ///
    /// # Panics
    ///
    /// Panics if `indices` is empty or an index is out of range.
    #[must_use]
    pub fn of(images: &Images, indices: &[usize], padding: usize) -> Self {
        assert!(!indices.is_empty(), "statistics need at least one image");
        let shape = images.shape();
        let count = indices.len().min(IMAGES).min((PIXELS / shape.elements()).max(1));
        let mut measured: Vec<Vec<(Measure, Option<usize>, f64)>> = Vec::with_capacity(count);
        for place in 0..count {
            let pixels = images.pixels(indices[place * indices.len() / count]);
            let (pixels, shape) = without_padding(pixels, shape, padding);
            measured.push(measure(&pixels, shape));
        }
        let spread = |at: usize| {
            let (measure, channel, _) = measured[0][at];
            let values = || measured.iter().map(|of| of[at].2);
            let mean = values().sum::<f64>() / count as f64;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
            let least = values().fold(f64::INFINITY, f64::min);
            let most = values().fold(f64::NEG_INFINITY, f64::max);
            Spread { measure, channel, mean, std: variance.sqrt(), least, most }
        };
        Self { images: count, measures: (0..measured[0].len()).map(spread).collect() }
    }

    /// Whether they are of images of that shape, all of them numbers.
    #[must_use]
    pub fn fits(&self, shape: Shape) -> bool {
        let expected = measure(&vec![0; shape.elements()], shape);
        let same = |(of, expected): (&Spread, &(Measure, Option<usize>, f64))| {
            (of.measure, of.channel) == (expected.0, expected.1)
                && [of.mean, of.std, of.least, of.most].iter().all(|number| number.is_finite())
        };
        self.measures.len() == expected.len() && self.measures.iter().zip(&expected).all(same)
    }

    /// In what an image, `pixels` `[C, H, W]` without padding, is unlike these, the largest difference first.
    ///
    /// # Panics
    ///
    /// Panics if there are not as many pixels as `shape` has elements, or it is not the shape of these images.
    #[must_use]
    pub fn unlike(&self, pixels: &[u8], shape: Shape) -> Vec<Unlike> {
        assert!(self.fits(shape), "these are statistics of images of another shape than {shape}");
        let is_grey = planes(shape).0 == 1;
        let found = measure(pixels, shape);
        let pairs = self.measures.iter().zip(found).map(|(spread, (_, _, found))| (spread, found));
        let mut unlike: Vec<Unlike> = pairs
            .filter(|(spread, found)| spread.excludes(*found, self.images < FEW))
            .map(|(spread, found)| Unlike { spread: spread.clone(), found, is_grey })
            .collect();
        unlike.sort_by(|one, other| other.deviations().total_cmp(&one.deviations()));
        unlike
    }

    /// Why the images are not bright strokes on black, centred by their mass as MNIST's digits are; `None` if they are.
    #[must_use]
    pub fn not_strokes(&self) -> Option<String> {
        let of = |measure| self.measures.iter().find(|spread| spread.measure == measure);
        let (Some(extent), Some(off), Some(black), Some(border)) =
            (of(Measure::Extent), of(Measure::OffCentre), of(Measure::Black), of(Measure::Border))
        else {
            return Some("they are in colour".to_owned());
        };
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        if black.mean < 0.6 {
            return Some(format!("{} of an image is black, and of strokes on black 60 % or more", percent(black.mean)));
        }
        if border.mean > 0.01 {
            return Some(format!("they have a border of brightness {:.2}, and not of 0", border.mean));
        }
        // 20 of 28 pixels, with a pixel more or less.
        if !(0.64..0.79).contains(&extent.mean) || extent.std > 0.05 {
            let (found, std) = (percent(extent.mean), percent(extent.std));
            return Some(format!("what is bright spans {found} ± {std} of an image, and of MNIST's digits 71 %"));
        }
        (off.mean > 0.05).then(|| format!("the centre of mass is {} of the side off the middle", percent(off.mean)))
    }
}

impl Spread {
    fn excludes(&self, found: f64, are_few: bool) -> bool {
        // Nothing can be seen in an image of one colour.
        if self.measure == Measure::Contrast && found == 0.0 && self.least > 0.0 {
            return true;
        }
        let reach = if are_few { DEVIATIONS * self.std } else { 0.0 };
        let least = (self.mean - reach).min(self.least - LEAST);
        let most = (self.mean + reach).max(self.most + LEAST);
        !(least..=most).contains(&found)
    }
}

impl Unlike {
    fn deviations(&self) -> f64 {
        (self.found - self.spread.mean).abs() / self.spread.std.max(LEAST)
    }
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spread { measure, channel, mean, std, .. } = self.spread;
        let found = self.found;
        let of = match channel {
            Some(channel) if !self.is_grey => {
                format!(" in {}", ["red", "green", "blue"].get(channel).unwrap_or(&"a channel"))
            }
            _ => String::new(),
        };
        match measure {
            Measure::Mean => write!(f, "its mean{of} is {found:.2}"),
            Measure::Contrast if found == 0.0 => write!(f, "it is of one colour{of}, with a contrast of 0.00"),
            Measure::Contrast => write!(f, "its contrast (standard deviation){of} is {found:.2}"),
            Measure::Black => write!(f, "its share of black is {found:.2}"),
            Measure::Border => write!(f, "the mean along its edges is {found:.2}"),
            Measure::Roughness => write!(f, "neighbouring pixels differ by {found:.2}"),
            Measure::Extent => write!(f, "what is bright spans {found:.2} of its side"),
            Measure::OffCentre => write!(f, "its centre of mass is {found:.2} of its side off the middle"),
        }?;
        write!(f, "; training images have {mean:.2} ± {std:.2}")
    }
}

/// The image inside of its padding, and its shape.
fn without_padding(pixels: &[u8], shape: Shape, padding: usize) -> (Vec<u8>, Shape) {
    match shape {
        Shape::Image { channels, height, width } if padding > 0 => {
            let (inner_height, inner_width) = (height - 2 * padding, width - 2 * padding);
            let planes = pixels.chunks_exact(height * width);
            let rows = planes.flat_map(|plane| plane.chunks_exact(width).skip(padding).take(inner_height));
            let inner = rows.flat_map(|row| &row[padding..][..inner_width]).copied().collect();
            (inner, Shape::image(channels, inner_height, inner_width))
        }
        _ => (pixels.to_vec(), shape),
    }
}

fn measure(pixels: &[u8], shape: Shape) -> Vec<(Measure, Option<usize>, f64)> {
    let (channels, height, width) = planes(shape);
    assert_eq!(pixels.len(), shape.elements(), "an image has the pixels of its shape");
    let mut measured = Vec::new();
    let unit = |pixel: u8| f64::from(pixel) / 255.0;
    for (channel, plane) in pixels.chunks_exact(height * width).enumerate() {
        let mut histogram = [0_u64; 256];
        plane.iter().for_each(|&pixel| histogram[usize::from(pixel)] += 1);
        let moment = |of: fn(f64) -> f64| {
            let counts = histogram.iter().enumerate().map(|(pixel, &count)| count as f64 * of(pixel as f64 / 255.0));
            counts.sum::<f64>() / plane.len() as f64
        };
        let mean = moment(|pixel| pixel);
        let number = (channels > 1).then_some(channel);
        measured.push((Measure::Mean, number, mean));
        let is_constant = plane.iter().all(|pixel| pixel == &plane[0]);
        let variance = if is_constant { 0.0 } else { (moment(|pixel| pixel * pixel) - mean * mean).max(0.0) };
        measured.push((Measure::Contrast, number, variance.sqrt()));
    }
    let all = pixels.len() as f64;
    measured.push((Measure::Black, None, pixels.iter().filter(|&&pixel| pixel < BLACK).count() as f64 / all));
    let is_edge = |at: usize| {
        let (x, y) = (at % width, at / width % height);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let (edges, count) = pixels
        .iter()
        .enumerate()
        .filter(|(at, _)| is_edge(*at))
        .fold((0.0, 0), |(sum, count), (_, &pixel)| (sum + unit(pixel), count + 1));
    measured.push((Measure::Border, None, edges / f64::from(count)));
    let rough: u64 = pixels
        .chunks_exact(width)
        .flat_map(|row| row.windows(2).map(|pair| u64::from(pair[0].abs_diff(pair[1]))))
        .sum();
    measured.push((Measure::Roughness, None, rough as f64 / 255.0 / all));
    if channels == 1 {
        let (extent, off) = place_of_mass(pixels, height, width);
        measured.extend([(Measure::Extent, None, extent), (Measure::OffCentre, None, off)]);
    }
    measured
}

/// The longer side of the box of what is not black, and the distance of the centre of mass from the middle, in shares
/// of the longer side.
fn place_of_mass(plane: &[u8], height: usize, width: usize) -> (f64, f64) {
    let side = height.max(width) as f64;
    let (mut mass, mut x_mass, mut y_mass) = (0.0, 0.0, 0.0);
    let (mut left, mut right, mut top, mut bottom) = (width, 0, height, 0);
    for (at, &pixel) in plane.iter().enumerate() {
        let (x, y, value) = (at % width, at / width, f64::from(pixel));
        (mass, x_mass, y_mass) = (mass + value, x_mass + value * (x as f64 + 0.5), y_mass + value * (y as f64 + 0.5));
        if pixel >= BLACK {
            (left, right, top, bottom) = (left.min(x), right.max(x + 1), top.min(y), bottom.max(y + 1));
        }
    }
    if mass == 0.0 {
        return (0.0, 0.0);
    }
    let extent = right.saturating_sub(left).max(bottom.saturating_sub(top)) as f64 / side;
    let off = (x_mass / mass - width as f64 / 2.0).hypot(y_mass / mass - height as f64 / 2.0);
    (extent, off / side)
}

#[cfg(test)]
mod tests;
