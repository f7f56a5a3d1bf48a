//! Mixtures of the images of a batch: mixup and `CutMix`.

use std::ops::Range;

use backproof_spec::{Augmentation, Shape};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_distr::{Beta, Distribution};

use crate::images::planes;
use crate::random::stream;

/// How the images of a batch are mixed with one another: image i with image `partners[i]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mix {
    /// A permutation of the batch.
    pub(crate) partners: Vec<usize>,
    /// λ, the share of an image's own label, in [0, 1].
    pub(crate) share: f64,
    /// The rows and columns that the partner gives; of mixup, whose images are mixed everywhere, none.
    cut: Option<[Range<usize>; 2]>,
}

/// The labels that are mixed with those of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// The second label of each image.
    pub labels: Vec<usize>,
    /// λ, the share of the first label, in [0, 1]. The second one has 1 − λ.
    pub share: f64,
}

impl Mix {
    /// The mixture of step `step` with `count` images: a function of the arguments alone. `None` without mixing.
    pub(crate) fn draw(of: Augmentation, shape: Shape, count: usize, seed: u64, step: u64) -> Option<Self> {
        let alpha = of.mixup.max(of.cutmix);
        // A config allows no other numbers.
        let beta = Beta::new(alpha, alpha).ok().filter(|_| alpha > 0.0)?;
        let mut random = stream(seed, "mixing", step, 0);
        let mut partners: Vec<usize> = (0..count).collect();
        partners.shuffle(&mut random);
        // α of almost 0 may give what is no number; then all is of one image.
        let share = Some(beta.sample(&mut random)).filter(|share| (0.0..=1.0).contains(share)).unwrap_or(1.0);
        if of.cutmix == 0.0 {
            return Some(Self { partners, share, cut: None });
        }
        let (_, height, width) = planes(shape);
        let side = (1.0 - share).sqrt();
        let mut cut = |size: usize| {
            let length = (size as f64 * side) as usize;
            let start = random.random_range(0..size) as isize - (length / 2) as isize;
            let end = (start + length as isize).min(size as isize);
            start.max(0) as usize..end.max(0) as usize
        };
        let (rows, columns) = (cut(height), cut(width));
        let left = height * width - rows.len() * columns.len();
        let share = left as f64 / (height * width) as f64;
        Some(Self { partners, share, cut: Some([rows, columns]) })
    }

    /// Mixes `partner` into `image`, both `[C, H, W]` of `shape`.
    pub(crate) fn apply(&self, image: &mut [f32], partner: &[f32], shape: Shape) {
        let Some([rows, columns]) = &self.cut else {
            let (own, other) = (self.share as f32, (1.0 - self.share) as f32);
            return image.iter_mut().zip(partner).for_each(|(own_, other_)| *own_ = own * *own_ + other * other_);
        };
        let (_, height, width) = planes(shape);
        for (to, from) in image.chunks_exact_mut(height * width).zip(partner.chunks_exact(height * width)) {
            for row in rows.clone() {
                let place = row * width + columns.start..row * width + columns.end;
                to[place.clone()].copy_from_slice(&from[place]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use backproof_spec::Order;

    use super::*;
    use crate::{Images, Normalizer, Selection, Subset, TrainingBatches};

    const SHAPE: Shape = Shape::image(2, 8, 5);
    const MIXUP: Augmentation = Augmentation { mixup: 0.4, ..Augmentation::NONE };
    const CUTMIX: Augmentation = Augmentation { cutmix: 1.0, ..Augmentation::NONE };

    fn batches(augmentation: Augmentation) -> TrainingBatches {
        let pixels = (0..10 * 80).map(|i| (i * 7 % 256) as u8).collect();
        let images = Images::new(pixels, (0..10).collect(), SHAPE);
        TrainingBatches::new(
            Subset::new(images, (0..10).collect(), &Normalizer::Unit),
            4,
            Order::Epochs,
            augmentation,
            3,
        )
    }

    #[test]
    fn the_shares_have_the_mean_and_the_variance_of_the_beta_distribution() {
        for alpha in [0.2, 1.0, 3.0] {
            let of = Augmentation { mixup: alpha, ..Augmentation::NONE };
            let shares: Vec<f64> = (0..20_000).map(|step| Mix::draw(of, SHAPE, 4, 1, step).unwrap().share).collect();
            let mean = shares.iter().sum::<f64>() / 2e4;
            let variance = shares.iter().map(|share| (share - 0.5).powi(2)).sum::<f64>() / 2e4;
            // The mean of 20,000 is within 0.5/√20,000 = 0.0035 of a half; 1 / (4 (2 α + 1)) is the variance.
            assert!((mean - 0.5).abs() < 0.015, "{alpha}: {mean}");
            assert!((variance * 4.0 * (2.0 * alpha + 1.0) - 1.0).abs() < 0.04, "{alpha}: {variance}");
            // The third moment about the mean is 0, and the distribution function at ½ is ½.
            let below = shares.iter().filter(|&&share| share < 0.5).count();
            assert!((below as f64 / 2e4 - 0.5).abs() < 0.015, "{alpha}: {below}");
        }
    }

    #[test]
    fn every_image_of_a_batch_is_a_partner_once_and_a_step_is_mixed_alone_as_in_its_order() {
        for augmentation in [MIXUP, CUTMIX] {
            let batches = batches(augmentation);
            let in_order: Vec<Selection<'_>> = (0..9).map(|step| batches.select(step)).collect();
            for (step, images) in in_order.iter().enumerate().rev() {
                let alone = self::batches(augmentation);
                let alone = alone.select(step);
                assert_eq!((alone.numbers(), alone.mixture()), (images.numbers(), images.mixture()));
                let (mut labels, mut partners) = (images.labels(), images.mixture().unwrap().labels);
                labels.sort_unstable();
                partners.sort_unstable();
                assert_eq!(labels, partners);
            }
            assert_ne!(in_order[0].mixture().unwrap().share, in_order[3].mixture().unwrap().share);
        }
        assert_eq!(batches(Augmentation::NONE).select(0).mixture(), None);
    }

    #[test]
    fn a_mixed_image_is_the_share_of_itself_and_the_rest_of_its_partner() {
        let (mixed, plain) = (batches(MIXUP), batches(Augmentation::NONE));
        let (mixed, plain) = (mixed.select(1), plain.select(1));
        let Mixture { labels, share } = mixed.mixture().unwrap();
        assert!(share > 0.0 && share < 1.0);
        let (mixed, own) = (mixed.numbers(), plain.numbers());
        for (image, label) in labels.iter().enumerate() {
            let partner = plain.labels().iter().position(|own| own == label).unwrap();
            for at in 0..80 {
                let expected =
                    share * f64::from(own[image * 80 + at]) + (1.0 - share) * f64::from(own[partner * 80 + at]);
                assert!((f64::from(mixed[image * 80 + at]) - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_cut_is_a_rectangle_of_the_partner_and_the_share_is_what_is_left() {
        let mut smaller_at_the_border = 0;
        for step in 0..500 {
            let mix = Mix::draw(CUTMIX, SHAPE, 4, 1, step).unwrap();
            let (mut image, partner) = (vec![1.0; 80], vec![2.0; 80]);
            mix.apply(&mut image, &partner, SHAPE);
            let [rows, columns] = mix.cut.clone().unwrap();
            for (at, &found) in image.iter().enumerate() {
                let inside = rows.contains(&(at % 40 / 5)) && columns.contains(&(at % 5));
                assert_eq!(found, if inside { 2.0 } else { 1.0 });
            }
            let left = image.iter().filter(|&&number| number == 1.0).count();
            assert_eq!(mix.share, left as f64 / 80.0);
            smaller_at_the_border += usize::from(rows.start == 0 || columns.start == 0);
        }
        assert!(smaller_at_the_border > 50, "{smaller_at_the_border}");
    }

    /// Runs of last year must be runs of today: an upgrade of `rand_distr` that draws otherwise fails here.
    #[test]
    fn the_shares_do_not_change_with_a_version() {
        let shares = [0, 1].map(|step| Mix::draw(MIXUP, SHAPE, 4, 1, step).unwrap().share);
        // Machines may differ in the last bit of a logarithm.
        for (share, expected) in shares.into_iter().zip([0.897_268_351_685_109_3, 0.031_711_321_807_505_79]) {
            assert!((share - expected).abs() < 1e-14, "{share}, not {expected}");
        }
    }
}
