//! Occlusion: what the network no longer sees if a patch covers a place.

use super::map::Map;

/// Images in one forward pass.
const BATCH: usize = 32;
/// A patch has this share of the image's shorter side.
const SHARE: usize = 7;

/// How much the probability of a class falls when a patch covers each place of the image.
///
/// M. D. Zeiler, R. Fergus, *Visualizing and understanding convolutional networks*, 2014.
#[derive(Debug, Clone, PartialEq)]
pub struct Occlusion {
    /// The side of the patch, in pixels: a seventh of the shorter side, rounded.
    pub patch: usize,
    /// How far the patch moves: half its side.
    pub stride: usize,
    /// For each pixel, the mean over the patches that cover it of the probability of the whole image less that of the
    /// covered one. It is negative where the probability rises.
    pub map: Map,
    /// The largest fall by one patch.
    pub largest: f64,
}

/// The occlusion of the image `input`, `[C, H, W]`, as the network gets it. The patch has the mean of each channel of
/// the image. `probabilities` gives the probability of the class of each of so many images, `[N, C, H, W]`; that of the
/// whole image is `whole`.
pub(super) fn occlusion(
    input: &[f32],
    [channels, height, width]: [usize; 3],
    whole: f64,
    probabilities: impl Fn(Vec<f32>, usize) -> Vec<f64>,
) -> Occlusion {
    let side = height.min(width);
    let patch = ((side + SHARE / 2) / SHARE).clamp(1, side);
    let stride = (patch / 2).max(1);
    let area = height * width;
    let means: Vec<f32> = input
        .chunks_exact(area)
        .map(|plane| (plane.iter().map(|&number| f64::from(number)).sum::<f64>() / area as f64) as f32)
        .collect();
    let rows = places(height, patch, stride);
    let columns = places(width, patch, stride);
    let corners: Vec<[usize; 2]> = rows.iter().flat_map(|&top| columns.iter().map(move |&left| [top, left])).collect();
    let covered = |[top, left]: [usize; 2]| {
        let mut image = input.to_vec();
        for (channel, mean) in (0..channels).zip(&means) {
            for row in top..top + patch {
                image[channel * area + row * width + left..][..patch].fill(*mean);
            }
        }
        image
    };
    let (mut sums, mut counts, mut largest) = (vec![0.0; area], vec![0_u32; area], f64::NEG_INFINITY);
    for batch in corners.chunks(BATCH) {
        let images: Vec<f32> = batch.iter().flat_map(|&corner| covered(corner)).collect();
        for ([top, left], probability) in batch.iter().zip(probabilities(images, batch.len())) {
            let fall = whole - probability;
            largest = fall.max(largest);
            for row in *top..top + patch {
                sums[row * width + left..][..patch].iter_mut().for_each(|sum| *sum += fall);
                counts[row * width + left..][..patch].iter_mut().for_each(|count| *count += 1);
            }
        }
    }
    let values = sums.iter().zip(counts).map(|(sum, count)| sum / f64::from(count)).collect();
    Occlusion { patch, stride, map: Map { height, width, values }, largest }
}

/// Where patches begin along a side; the last one ends where the side does.
fn places(side: usize, patch: usize, stride: usize) -> Vec<usize> {
    let last = side - patch;
    (0..last).step_by(stride).chain([last]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability is that number of the image at row 2, column 9, over 10: only patches over it change it.
    #[test]
    fn the_probability_falls_where_the_patch_covers_what_counts() {
        let (height, width) = (8, 15);
        let mut input = vec![1.0; height * width];
        input[2 * width + 9] = 9.0;
        let seen = |images: Vec<f32>, count: usize| -> Vec<f64> {
            assert_eq!(images.len(), count * height * width);
            images.chunks_exact(height * width).map(|image| f64::from(image[2 * width + 9]) / 10.0).collect()
        };
        let found = occlusion(&input, [1, height, width], 0.9, seen);
        assert_eq!((found.patch, found.stride), (1, 1));
        let mean = (119.0 + 9.0) / 120.0;
        assert!((found.largest - (0.9 - mean / 10.0)).abs() < 1e-6, "{found:?}");
        for (place, value) in found.map.values.iter().enumerate() {
            assert_eq!(*value > 0.5, place == 2 * width + 9, "{place}");
        }
    }

    #[test]
    fn patches_cover_every_pixel_up_to_the_edges() {
        for (side, patch) in [(28, 4), (32, 5), (33, 5), (224, 32), (1, 1), (2, 1), (5, 5)] {
            let stride = (patch / 2).max(1);
            let found = places(side, patch, stride);
            let covered = |place: usize| found.iter().any(|&from| (from..from + patch).contains(&place));
            assert!((0..side).all(covered), "{side} {patch}: {found:?}");
            assert_eq!(found.last(), Some(&(side - patch)));
        }
        let found = occlusion(&[0.5; 3 * 32 * 32], [3, 32, 32], 0.25, |_, count| vec![0.125; count]);
        assert_eq!((found.patch, found.stride, found.largest), (5, 2, 0.125));
        assert!(found.map.values.iter().all(|value| *value == 0.125));
    }
}
