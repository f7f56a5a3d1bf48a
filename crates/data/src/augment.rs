//! Random changes to a training image, and writing an image as numbers, in one pass.

use backproof_spec::{Augmentation, Shape};
use rand::RngExt;

use crate::images::planes;
use crate::normalize::Tables;
use crate::random::stream;

/// How one image is changed: mirrored or not, then shifted. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Change {
    flip: bool,
    /// Row i of the result is row `i + down` of the image; outside there is black.
    down: isize,
    /// Column j of the result is column `j + right` of the (mirrored) image.
    right: isize,
}

impl Change {
    /// The change of data set image `index` in epoch `epoch`: a function of the arguments alone.
    ///
    /// A crop out of an image padded by P on every side is a shift by −P to P along each axis, every value as likely.
    pub(crate) fn draw(augmentation: Augmentation, seed: u64, epoch: u64, index: usize) -> Self {
        if augmentation == Augmentation::default() {
            return Self::default();
        }
        let mut random = stream(seed, "augmentation", epoch, index as u64);
        let flip = augmentation.horizontal_flip && random.random::<bool>();
        let padding = i32::try_from(augmentation.crop_padding).unwrap_or(i32::MAX);
        let mut shift = || if padding == 0 { 0 } else { random.random_range(-padding..=padding) as isize };
        Self { flip, down: shift(), right: shift() }
    }
}

/// Writes `pixels`, one image of `shape`, to `out` as C·H·W numbers: changed, then normalised.
///
/// A shift brings in black pixels, which have the value 0 *before* normalisation. There the network sees (0 − mean) /
/// std, the value of the black background of a digit. A 0 after normalisation would be a mid-grey. (torchvision's
/// `RandomCrop` in front of `Normalize` does the same.) The mean image is subtracted at the new place of a pixel.
pub(crate) fn write(out: &mut [f32], pixels: &[u8], shape: Shape, tables: &Tables, change: Change) {
    let (_, height, width) = planes(shape);
    let size = height * width;
    for ((to, plane), table) in out.chunks_exact_mut(size).zip(pixels.chunks_exact(size)).zip(&tables.by_channel) {
        let number = |&pixel: &u8| table[usize::from(pixel)];
        if change == Change::default() {
            to.iter_mut().zip(plane).for_each(|(to, pixel)| *to = number(pixel));
            continue;
        }
        // The columns of the result that lie inside the image, and the first of them in the (mirrored) image.
        let left = (-change.right).clamp(0, width as isize) as usize;
        let inside = width - change.right.unsigned_abs().min(width);
        let from = change.right.clamp(0, width as isize) as usize;
        to.fill(table[0]);
        for (i, to) in to.chunks_exact_mut(width).enumerate() {
            let row = i as isize + change.down;
            if !(0..height as isize).contains(&row) {
                continue;
            }
            let row = &plane[row as usize * width..][..width];
            let to = to[left..][..inside].iter_mut();
            if change.flip {
                to.zip(row[width - from - inside..width - from].iter().rev())
                    .for_each(|(to, pixel)| *to = number(pixel));
            } else {
                to.zip(&row[from..][..inside]).for_each(|(to, pixel)| *to = number(pixel));
            }
        }
    }
    if let Some(mean) = &tables.mean_image {
        out.iter_mut().zip(mean).for_each(|(number, mean)| *number -= mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backproof_spec::Pixels;

    use crate::Normalizer;

    /// 2 rows, 3 columns, 2 channels, all pixels different.
    const IMAGE: [u8; 12] = [1, 2, 3, 4, 5, 6, 101, 102, 103, 104, 105, 106];

    fn changed(change: Change) -> Vec<u8> {
        let shape = Shape::image(2, 2, 3);
        let mut out = vec![0.0; 12];
        write(&mut out, &IMAGE, shape, &Normalizer::Unit.tables(shape), change);
        out.iter().map(|x| (x * 255.0).round() as u8).collect()
    }

    #[test]
    fn no_change_keeps_every_pixel() {
        assert_eq!(changed(Change::default()), IMAGE);
    }

    #[test]
    fn a_flip_mirrors_left_to_right_only() {
        let flip = Change { flip: true, ..Change::default() };
        assert_eq!(changed(flip), [3, 2, 1, 6, 5, 4, 103, 102, 101, 106, 105, 104]);
    }

    #[test]
    fn a_shift_brings_in_black() {
        let right = Change { right: 1, ..Change::default() };
        assert_eq!(changed(right)[..6], [2, 3, 0, 5, 6, 0]);
        let left = Change { right: -2, ..Change::default() };
        assert_eq!(changed(left)[6..], [0, 0, 101, 0, 0, 104]);
        let down = Change { down: 1, ..Change::default() };
        assert_eq!(changed(down), [4, 5, 6, 0, 0, 0, 104, 105, 106, 0, 0, 0]);
        let up_left_flipped = Change { flip: true, down: -1, right: -1 };
        assert_eq!(changed(up_left_flipped)[..6], [0, 0, 0, 0, 3, 2]);
        let flipped_right = Change { flip: true, down: 0, right: 1 };
        assert_eq!(changed(flipped_right)[..6], [2, 1, 0, 5, 4, 0]);
    }

    #[test]
    fn a_shift_past_the_image_leaves_black() {
        for (down, right) in [(0, 3), (0, -3), (2, 0), (-7, 0), (0, 100), (0, -100)] {
            for flip in [false, true] {
                assert_eq!(changed(Change { flip, down, right }), [0; 12], "{down} {right}");
            }
        }
    }

    #[test]
    fn black_is_normalised_and_the_mean_image_stays_in_place() {
        let shape = Shape::image(1, 1, 3);
        let right = Change { right: 1, ..Change::default() };
        let mut out = [0.0; 3];
        let standard = Normalizer::Standardize { mean: vec![0.5], std: vec![0.25] };
        write(&mut out, &[0, 255, 0], shape, &standard.tables(shape), right);
        assert_eq!(out, [2.0, -2.0, -2.0]);
        let mean = Normalizer::SubtractMean { mean: vec![0.25, 0.5, 0.75], pixels: Pixels::Unit };
        write(&mut out, &[0, 255, 0], shape, &mean.tables(shape), right);
        assert_eq!(out, [0.75, -0.5, -0.75]);
    }

    #[test]
    fn a_change_is_a_function_of_seed_epoch_and_index_and_reaches_every_shift() {
        let augmentation = Augmentation { horizontal_flip: true, crop_padding: 2 };
        let draw = |seed, epoch, index| Change::draw(augmentation, seed, epoch, index);
        let many = |seed, epoch| (0..2000).map(|index| draw(seed, epoch, index)).collect::<Vec<_>>();
        assert_eq!(many(1, 0), many(1, 0));
        assert_ne!(many(1, 0), many(1, 1));
        assert_ne!(many(1, 0), many(2, 0));
        for flip in [false, true] {
            for down in -2..=2 {
                for right in -2..=2 {
                    let times = many(1, 0).iter().filter(|&&c| c == Change { flip, down, right }).count();
                    assert!((15..=75).contains(&times), "{flip} {down} {right}: {times} of 2000, expected about 40");
                }
            }
        }
        assert_eq!(Change::draw(Augmentation::default(), 1, 0, 5), Change::default());
    }
}
