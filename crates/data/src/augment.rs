//! Random changes to a training image, and writing an image as numbers, in one pass.

use backproof_spec::{Augmentation, CropBorder, Shape, View};
use rand::RngExt;

use crate::images::planes;
use crate::normalize::Tables;
use crate::random::stream;

/// How one image is changed; [`Augmentation`] says in which order. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Change {
    colour: Option<Colour>,
    flip: bool,
    /// Row i of the result is row `i + down` of the image.
    down: isize,
    /// Column j of the result is column `j + right` of the (mirrored) image.
    right: isize,
    /// What is outside of the image.
    border: CropBorder,
    cutout: Option<Cutout>,
}

/// The factors of brightness and contrast.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Colour {
    brightness: f32,
    contrast: f32,
}

/// A square of zeros, a part of which may be outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cutout {
    top: isize,
    left: isize,
    side: usize,
}

impl From<View> for Change {
    fn from(view: View) -> Self {
        let shift = isize::from(view.shift);
        Self { flip: view.mirrored, down: shift, right: shift, border: CropBorder::Reflect, ..Self::default() }
    }
}

impl Change {
    /// The change of data set image `index`, of `height` and `width`, in epoch `epoch`: a function of the arguments
    /// alone.
    ///
    /// A crop out of an image padded by P on every side is a shift by −P to P along each axis, every value as likely.
    pub(crate) fn draw(of: Augmentation, [height, width]: [usize; 2], seed: u64, epoch: u64, index: usize) -> Self {
        if of == Augmentation::NONE {
            return Self::default();
        }
        let mut random = stream(seed, "augmentation", epoch, index as u64);
        let mut flip = of.horizontal_flip && random.random::<bool>();
        if of.alternating_flip {
            let in_even_epochs: bool = stream(seed, "alternating flip", 0, index as u64).random();
            flip = in_even_epochs == epoch.is_multiple_of(2);
        }
        let padding = i32::try_from(of.crop_padding).unwrap_or(i32::MAX);
        let mut shift = || if padding == 0 { 0 } else { random.random_range(-padding..=padding) as isize };
        let (down, right) = (shift(), shift());
        let cutout = (of.cutout > 0).then(|| {
            let mut start = |size: usize| random.random_range(0..size) as isize - (of.cutout / 2) as isize;
            Cutout { top: start(height), left: start(width), side: of.cutout }
        });
        let colour = (of.brightness > 0.0 || of.contrast > 0.0).then(|| {
            let mut factor = |most: f64| (1.0 + most * random.random_range(-1.0..=1.0)) as f32;
            Colour { brightness: factor(of.brightness), contrast: factor(of.contrast) }
        });
        Self { colour, flip, down, right, border: of.crop_border, cutout }
    }

    /// The row or column of an image of `size` that is at `index`, which may be outside.
    fn inside(self, index: isize, size: usize) -> Option<usize> {
        let size = size as isize;
        match self.border {
            CropBorder::Black => (0..size).contains(&index).then_some(index as usize),
            // A config allows shifts of less than the size.
            CropBorder::Reflect if index < 0 => Some(-index as usize),
            CropBorder::Reflect => Some(if index < size { index } else { 2 * size - 2 - index } as usize),
        }
    }
}

impl Colour {
    /// What each pixel of an image becomes: v ← b v, then v ← m + c (v − m) with the mean m of all its pixels, both
    /// within 0 to 255. The numbers of a table go up in equal steps, so that there is one between two of them.
    fn tables(self, pixels: &[u8], tables: &[[f32; 256]]) -> Vec<[f32; 256]> {
        let bright = |pixel: usize| (self.brightness * pixel as f32).min(255.0);
        let sum: f64 = pixels.iter().map(|&pixel| f64::from(bright(usize::from(pixel)))).sum();
        let mean = (sum / pixels.len() as f64) as f32;
        let changed = |pixel: usize| (mean + self.contrast * (bright(pixel) - mean)).clamp(0.0, 255.0);
        let number = |table: &[f32; 256], pixel: f32| table[0] + (table[255] - table[0]) * (pixel / 255.0);
        tables.iter().map(|table| std::array::from_fn(|pixel| number(table, changed(pixel)))).collect()
    }
}

/// Writes `pixels`, one image of `shape`, to `out` as C·H·W numbers: changed, then normalised.
///
/// A shift brings in black pixels, which have the value 0 *before* normalisation. There the network sees (0 − mean) /
/// std, the value of the black background of a digit. A 0 after normalisation would be a mid-grey. (torchvision's
/// `RandomCrop` in front of `Normalize` does the same.) The mean image is subtracted at the new place of a pixel. The
/// zeros of a cutout come last.
pub(crate) fn write(out: &mut [f32], pixels: &[u8], shape: Shape, tables: &Tables, change: Change) {
    let (_, height, width) = planes(shape);
    let size = height * width;
    let coloured = change.colour.map(|colour| colour.tables(pixels, &tables.by_channel));
    let of_pixels = coloured.as_ref().unwrap_or(&tables.by_channel);
    for (channel, (to, plane)) in out.chunks_exact_mut(size).zip(pixels.chunks_exact(size)).enumerate() {
        let (table, black) = (&of_pixels[channel], tables.by_channel[channel][0]);
        let number = |&pixel: &u8| table[usize::from(pixel)];
        if !change.flip && (change.down, change.right) == (0, 0) {
            to.iter_mut().zip(plane).for_each(|(to, pixel)| *to = number(pixel));
            continue;
        }
        for (i, to) in to.chunks_exact_mut(width).enumerate() {
            let Some(row) = change.inside(i as isize + change.down, height) else {
                to.fill(black);
                continue;
            };
            let row = &plane[row * width..][..width];
            // The columns of the result that lie inside the image, and the first of them in the (mirrored) image.
            let left = (-change.right).clamp(0, width as isize) as usize;
            let inside = width - change.right.unsigned_abs().min(width);
            let from = change.right.clamp(0, width as isize) as usize;
            let middle = to[left..][..inside].iter_mut();
            if change.flip {
                let row = row[width - from - inside..width - from].iter().rev();
                middle.zip(row).for_each(|(to, pixel)| *to = number(pixel));
            } else {
                middle.zip(&row[from..][..inside]).for_each(|(to, pixel)| *to = number(pixel));
            }
            for j in (0..left).chain(left + inside..width) {
                let column = change.inside(j as isize + change.right, width);
                let column = column.map(|column| if change.flip { width - 1 - column } else { column });
                to[j] = column.map_or(black, |column| number(&row[column]));
            }
        }
    }
    if let Some(mean) = &tables.mean_image {
        out.iter_mut().zip(mean).for_each(|(number, mean)| *number -= mean);
    }
    if let Some(Cutout { top, left, side }) = change.cutout {
        let inside = |start: isize, size: usize| {
            let [from, to] = [start, start + side as isize].map(|edge| edge.clamp(0, size as isize) as usize);
            from..to
        };
        let (rows, columns) = (inside(top, height), inside(left, width));
        for plane in out.chunks_exact_mut(size) {
            rows.clone().for_each(|row| plane[row * width..][columns.clone()].fill(0.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backproof_spec::{Pixels, Views};

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
    fn six_views_are_the_image_its_mirror_and_both_shifted_along_the_diagonal() {
        let seen = Views::Six.list().iter().map(|&view| changed(view.into())[..6].to_vec()).collect::<Vec<_>>();
        // Rows 1 2 3 and 4 5 6, mirrored at the border: before row 1 comes row 4, and before column 1 column 2.
        let expected = [
            [1, 2, 3, 4, 5, 6],
            [3, 2, 1, 6, 5, 4],
            [5, 4, 5, 2, 1, 2],
            [5, 6, 5, 2, 3, 2],
            [5, 6, 5, 2, 3, 2],
            [5, 4, 5, 2, 1, 2],
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_shift_brings_in_black() {
        let right = Change { right: 1, ..Change::default() };
        assert_eq!(changed(right)[..6], [2, 3, 0, 5, 6, 0]);
        let left = Change { right: -2, ..Change::default() };
        assert_eq!(changed(left)[6..], [0, 0, 101, 0, 0, 104]);
        let down = Change { down: 1, ..Change::default() };
        assert_eq!(changed(down), [4, 5, 6, 0, 0, 0, 104, 105, 106, 0, 0, 0]);
        let up_left_flipped = Change { flip: true, down: -1, right: -1, ..Change::default() };
        assert_eq!(changed(up_left_flipped)[..6], [0, 0, 0, 0, 3, 2]);
        let flipped_right = Change { flip: true, right: 1, ..Change::default() };
        assert_eq!(changed(flipped_right)[..6], [2, 1, 0, 5, 4, 0]);
    }

    #[test]
    fn a_shift_past_the_image_leaves_black() {
        for (down, right) in [(0, 3), (0, -3), (2, 0), (-7, 0), (0, 100), (0, -100)] {
            for flip in [false, true] {
                assert_eq!(changed(Change { flip, down, right, ..Change::default() }), [0; 12], "{down} {right}");
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
        let augmentation = Augmentation { horizontal_flip: true, crop_padding: 2, ..Augmentation::NONE };
        let draw = |seed, epoch, index| Change::draw(augmentation, [9, 9], seed, epoch, index);
        let many = |seed, epoch| (0..2000).map(|index| draw(seed, epoch, index)).collect::<Vec<_>>();
        assert_eq!(many(1, 0), many(1, 0));
        assert_ne!(many(1, 0), many(1, 1));
        assert_ne!(many(1, 0), many(2, 0));
        for flip in [false, true] {
            for down in -2..=2 {
                for right in -2..=2 {
                    let times =
                        many(1, 0).iter().filter(|&&c| c == Change { flip, down, right, ..Change::default() }).count();
                    assert!((15..=75).contains(&times), "{flip} {down} {right}: {times} of 2000, expected about 40");
                }
            }
        }
        assert_eq!(Change::draw(Augmentation::NONE, [9, 9], 1, 0, 5), Change::default());
    }

    #[test]
    fn a_reflected_border_repeats_the_image_but_for_its_edge() {
        let reflect = |down, right| Change { down, right, border: CropBorder::Reflect, ..Change::default() };
        assert_eq!(changed(reflect(0, -2))[..6], [3, 2, 1, 6, 5, 4]);
        assert_eq!(changed(reflect(0, 1))[..6], [2, 3, 2, 5, 6, 5]);
        assert_eq!(changed(reflect(-1, 0))[6..], [104, 105, 106, 101, 102, 103]);
        let mirrored = Change { flip: true, ..reflect(0, 1) };
        assert_eq!(changed(mirrored)[..6], [2, 1, 2, 5, 4, 5]);
    }

    #[test]
    fn a_cutout_sets_what_is_inside_to_zero_after_the_normalisation() {
        let shape = Shape::image(2, 2, 3);
        let normalizer = Normalizer::Standardize { mean: vec![0.0, 0.5], std: vec![1.0, 1.0] };
        let cutout = Cutout { top: -1, left: 1, side: 2 };
        let mut out = [0.0; 12];
        let change = Change { cutout: Some(cutout), ..Change::default() };
        write(&mut out, &[255; 12], shape, &normalizer.tables(shape), change);
        assert_eq!(out, [1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0, 0.5, 0.5, 0.5]);
    }

    #[test]
    fn brightness_multiplies_and_contrast_pulls_from_the_mean_of_the_image() {
        let shape = Shape::image(1, 1, 4);
        let of = |brightness, contrast| {
            let change = Change { colour: Some(Colour { brightness, contrast }), ..Change::default() };
            let mut out = [0.0; 4];
            write(&mut out, &[0, 50, 100, 250], shape, &Normalizer::Bytes.tables(shape), change);
            out.map(|x| (x * 100.0).round() / 100.0)
        };
        assert_eq!(of(1.0, 1.0), [0.0, 50.0, 100.0, 250.0]);
        assert_eq!(of(1.2, 1.0), [0.0, 60.0, 120.0, 255.0]);
        assert_eq!(of(1.0, 0.5), [50.0, 75.0, 100.0, 175.0]); // the mean is 100
        assert_eq!(of(0.5, 2.0), [0.0, 0.0, 50.0, 200.0]); // of 0, 25, 50 and 125 it is 50
    }

    #[test]
    fn alternating_flips_mirror_each_image_in_every_other_epoch() {
        let augmentation = Augmentation { alternating_flip: true, ..Augmentation::NONE };
        let flips = |epoch, index| Change::draw(augmentation, [9, 9], 3, epoch, index).flip;
        let first = (0..2000).filter(|&index| flips(0, index)).count();
        assert!((900..1100).contains(&first), "{first} of 2000");
        for (index, epoch) in (0..100).flat_map(|index| (0..5).map(move |epoch| (index, epoch))) {
            assert_ne!(flips(epoch, index), flips(epoch + 1, index));
        }
    }

    #[test]
    fn squares_and_factors_reach_all_that_they_may_be() {
        let augmentation = Augmentation { cutout: 3, brightness: 0.2, contrast: 0.1, ..Augmentation::NONE };
        let changes: Vec<Change> = (0..2000).map(|index| Change::draw(augmentation, [4, 6], 1, 0, index)).collect();
        for (top, left) in (-1..3).flat_map(|top| (-1..5).map(move |left| (top, left))) {
            let cutout = Some(Cutout { top, left, side: 3 });
            let times = changes.iter().filter(|change| change.cutout == cutout).count();
            assert!((45..=125).contains(&times), "{top} {left}: {times} of 2000, expected about 83");
        }
        let factors = |of: fn(Colour) -> f32| {
            let all = changes.iter().map(|change| of(change.colour.unwrap()));
            all.fold((f32::MAX, f32::MIN), |(least, most), factor| (least.min(factor), most.max(factor)))
        };
        let ((least, most), (low, high)) = (factors(|colour| colour.brightness), factors(|colour| colour.contrast));
        assert!((0.8..0.81).contains(&least) && (1.19..1.2001).contains(&most), "{least} {most}");
        assert!((0.9..0.905).contains(&low) && (1.095..1.1001).contains(&high), "{low} {high}");
    }
}
