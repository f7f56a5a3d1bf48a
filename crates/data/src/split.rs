//! Dividing the training set: a validation part, then a limit on what is left, both balanced by class.

use std::ops::Range;

use rand::seq::SliceRandom;

use crate::Images;
use crate::error::{DataError, Result};
use crate::random::stream;

/// Which images of a training set are trained on and which are held out. The indices are those of the data set; they
/// rise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainingSplit {
    /// The images to train on.
    pub training: Vec<usize>,
    /// The images held out.
    pub validation: Vec<usize>,
}

impl TrainingSplit {
    /// Holds `validation` of `images` out, and keeps at most `limit` of the others for training. A function of its
    /// arguments; `limit` has no influence on the validation part.
    ///
    /// Both parts are stratified: each class has a share in proportion to its size. Largest remainders round the
    /// shares, so that their sum is exact (the lower class wins a tie). No class is held out as a whole where others have
    /// images to spare. `seed` decides which images of a class are taken.
    ///
    /// `published` are the indices of the validation part that the data set is published with. If `validation` is the
    /// size of this part, exactly this part is held out, whatever the seed.
    ///
    /// # Errors
    ///
    /// If nothing would be left to train on.
    pub fn new(
        images: &Images,
        published: Option<Range<usize>>,
        validation: usize,
        limit: Option<usize>,
        seed: u64,
    ) -> Result<Self> {
        if validation >= images.len() {
            return Err(DataError::TrainingSplit { validation, available: images.len() });
        }
        if limit == Some(0) {
            return Err(DataError::NoTrainingImages);
        }
        let classes = (0..images.len()).map(|i| images.label(i) + 1).max().unwrap_or(0);
        let mut by_class = vec![Vec::new(); classes];
        let fixed = published.filter(|range| range.len() == validation);
        for index in 0..images.len() {
            if !fixed.as_ref().is_some_and(|range| range.contains(&index)) {
                by_class[images.label(index)].push(index);
            }
        }
        for (class, members) in by_class.iter_mut().enumerate() {
            members.shuffle(&mut stream(seed, "split", class as u64, 0));
        }
        let mut held_out = match fixed {
            Some(range) => range.collect(),
            None => take(&mut by_class, validation, shares_leaving_one),
        };
        let left = by_class.iter().map(Vec::len).sum();
        let mut training = take(&mut by_class, limit.unwrap_or(left).min(left), shares);
        held_out.sort_unstable();
        training.sort_unstable();
        Ok(Self { training, validation: held_out })
    }
}

/// Takes `count` images off the front of the classes, in proportion to their sizes.
fn take(by_class: &mut [Vec<usize>], count: usize, shares: fn(&[usize], usize) -> Vec<usize>) -> Vec<usize> {
    let sizes: Vec<usize> = by_class.iter().map(Vec::len).collect();
    let mut taken = Vec::with_capacity(count);
    for (members, share) in by_class.iter_mut().zip(shares(&sizes, count)) {
        taken.extend(members.drain(..share));
    }
    taken
}

/// Divides `count` in proportion to `sizes` by largest remainders. No share is above its size where `count` is at most
/// their sum.
fn shares(sizes: &[usize], count: usize) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    if total == 0 {
        return vec![0; sizes.len()];
    }
    let mut shares: Vec<usize> = sizes.iter().map(|size| size * count / total).collect();
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&class| std::cmp::Reverse(sizes[class] * count % total));
    let missing = count - shares.iter().sum::<usize>();
    for &class in by_remainder.iter().take(missing) {
        shares[class] += 1;
    }
    shares
}

/// As [`shares`], but no class gives its last image where there are enough others.
fn shares_leaving_one(sizes: &[usize], count: usize) -> Vec<usize> {
    let plain = shares(sizes, count);
    let mut kept = plain.clone();
    let mut missing = 0;
    for (share, &size) in kept.iter_mut().zip(sizes) {
        if size > 0 && *share == size {
            *share -= 1;
            missing += 1;
        }
    }
    let mut by_room: Vec<usize> = (0..sizes.len()).collect();
    by_room.sort_by_key(|&class| std::cmp::Reverse(sizes[class] - kept[class]));
    while missing > 0 {
        let before = missing;
        for &class in &by_room {
            if missing > 0 && sizes[class] > kept[class] + 1 {
                kept[class] += 1;
                missing -= 1;
            }
        }
        if missing == before {
            return plain;
        }
    }
    kept
}

/// Divides images of these labels into those to train on and a share of test images, whose numbers are rounded down
/// only where a class would be left with none to train on. `seed` decides which images of a class are taken. The indices
/// rise.
#[cfg(feature = "pictures")]
pub(crate) fn test_part(labels: &[u16], classes: usize, fraction: f64, seed: u64) -> [Vec<usize>; 2] {
    let mut by_class = vec![Vec::new(); classes];
    labels.iter().enumerate().for_each(|(index, &label)| by_class[usize::from(label)].push(index));
    for (class, members) in by_class.iter_mut().enumerate() {
        members.shuffle(&mut stream(seed, "test", class as u64, 0));
    }
    let mut test = take(&mut by_class, test_count(labels.len(), fraction), shares_leaving_one);
    let mut training: Vec<usize> = by_class.into_iter().flatten().collect();
    test.sort_unstable();
    training.sort_unstable();
    [training, test]
}

/// How many of `images` are test images.
pub(crate) fn test_count(images: usize, fraction: f64) -> usize {
    (images as f64 * fraction).round() as usize
}

#[cfg(test)]
mod tests {
    use backproof_spec::Shape;
    use proptest::prelude::*;

    use super::*;

    /// `counts[c]` images of class c, the classes taking turns while they last.
    fn images(counts: &[usize]) -> Images {
        let most = counts.iter().copied().max().unwrap_or(0);
        let labels: Vec<u16> =
            (0..most).flat_map(|turn| (0..counts.len()).filter(move |&c| turn < counts[c]).map(|c| c as u16)).collect();
        Images::new(vec![0; labels.len()], labels, Shape::image(1, 1, 1))
    }

    fn class_counts(images: &Images, indices: &[usize], classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        indices.iter().for_each(|&index| counts[images.label(index)] += 1);
        counts
    }

    #[test]
    fn both_parts_are_stratified_disjoint_and_of_the_size_asked_for() {
        let images = images(&[60, 30, 10]);
        let split = TrainingSplit::new(&images, None, 25, Some(40), 1).unwrap();
        // 25 · (60, 30, 10) / 100 = 15, 7.5, 2.5: the tie of remainders goes to the lower class.
        assert_eq!(class_counts(&images, &split.validation, 3), [15, 8, 2]);
        // 40 · (45, 22, 8) / 75 = 24, 11.73, 4.27.
        assert_eq!(class_counts(&images, &split.training, 3), [24, 12, 4]);
        assert!(split.training.iter().all(|index| !split.validation.contains(index)));
    }

    #[test]
    fn the_seed_decides_and_the_limit_leaves_the_validation_part_alone() {
        let images = images(&[50; 10]);
        let split = |limit, seed| TrainingSplit::new(&images, None, 100, limit, seed).unwrap();
        assert_eq!(split(None, 1), split(None, 1));
        assert_ne!(split(None, 1).validation, split(None, 2).validation);
        assert_eq!(split(Some(17), 1).validation, split(None, 1).validation);
        assert_eq!(split(Some(17), 1).training.len(), 17);
        assert_eq!(split(None, 1).training.len(), 400);
        assert_eq!(split(Some(100_000), 1), split(None, 1));
    }

    #[test]
    fn a_published_validation_part_is_used_as_it_is_when_its_size_is_asked_for() {
        let images = images(&[50; 10]);
        for seed in 0..3 {
            let split = TrainingSplit::new(&images, Some(400..500), 100, None, seed).unwrap();
            assert_eq!(split.validation, (400..500).collect::<Vec<_>>());
            assert_eq!(split.training, (0..400).collect::<Vec<_>>());
        }
        let other = TrainingSplit::new(&images, Some(400..500), 50, None, 1).unwrap();
        assert_eq!(class_counts(&images, &other.validation, 10), [5; 10]);
        assert!(other.validation.iter().any(|&index| index < 400));
    }

    #[test]
    fn a_split_that_leaves_nothing_is_an_error() {
        let images = images(&[3, 3]);
        assert_eq!(
            TrainingSplit::new(&images, None, 6, None, 1).unwrap_err().to_string(),
            "nothing is left to train on after 6 validation images: the training set has 6 images"
        );
        assert!(TrainingSplit::new(&images, None, 5, None, 1).is_ok());
        assert!(TrainingSplit::new(&images, None, 0, Some(0), 1).is_err());
        assert!(
            TrainingSplit::new(&super::Images::new(vec![], vec![], Shape::image(1, 1, 1)), None, 0, None, 1).is_err()
        );
    }

    #[test]
    fn no_class_gives_its_last_image_where_others_have_more() {
        // By largest remainders alone, 4 of 10 would take the only images of some classes.
        assert_eq!(shares_leaving_one(&[1, 1, 1, 7], 4), [0, 0, 0, 4]);
        assert_eq!(shares_leaving_one(&[2, 2, 2], 3), [1, 1, 1]);
        assert_eq!(shares_leaving_one(&[60, 30, 10], 25), shares(&[60, 30, 10], 25));
        // There are not enough others.
        assert_eq!(shares_leaving_one(&[1, 1, 2], 3), shares(&[1, 1, 2], 3));
        let labels: Vec<u16> = [vec![0; 40], vec![1; 10], vec![2]].concat();
        let [training, test] = test_part(&labels, 3, 0.2, 1);
        assert_eq!((training.len(), test.len()), (41, 10));
        let of = |class: u16, part: &[usize]| part.iter().filter(|&&index| labels[index] == class).count();
        assert_eq!([0, 1, 2].map(|class| of(class, &test)), [8, 2, 0]);
        assert!(training.iter().all(|index| !test.contains(index)));
        assert_ne!(test_part(&labels, 3, 0.2, 2)[1], test);
        assert_eq!(test_part(&labels, 3, 0.2, 1)[1], test);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_none_is_above_its_size(sizes in prop::collection::vec(0usize..200, 1..12), part in 0.0f64..=1.0) {
            let count = (sizes.iter().sum::<usize>() as f64 * part) as usize;
            let shares = shares(&sizes, count);
            prop_assert_eq!(shares.iter().sum::<usize>(), count);
            prop_assert!(shares.iter().zip(&sizes).all(|(share, size)| share <= size));
        }
    }
}
