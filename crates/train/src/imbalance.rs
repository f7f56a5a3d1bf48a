//! Classes of different sizes: the weight of each in the loss, and what a person is told.

use backproof_data::{Prepared, Subset};
use backproof_spec::{ClassWeights, Experiment, Order, Training, counted, thousands};

/// A class that has more than so many times the training images of another is worth a warning.
const STRIKING: usize = 10;
/// Classes that a warning names.
const SHOWN: usize = 3;

/// The number of images of each class, in label order.
pub(crate) fn images_of_each(images: &Subset, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    (0..images.len()).for_each(|position| counts[images.label(position)] += 1);
    counts
}

/// The weight of each class in the loss, in label order, on these training images; `None` where none is asked for.
pub(crate) fn class_weights(training: &Training, classes: usize, images: &Subset) -> Option<Vec<f64>> {
    training.class_weights.as_ref().map(|weights| match weights {
        ClassWeights::Each(weights) => weights.clone(),
        ClassWeights::Balanced => balanced(&images_of_each(images, classes)),
    })
}

/// N / (K · n) of a class with n of N images, of K classes, as scikit-learn's `class_weight="balanced"`. Its K are the
/// classes that have images, and so they are here: 0 for a class without images.
fn balanced(counts: &[usize]) -> Vec<f64> {
    let images: usize = counts.iter().sum();
    let classes = counts.iter().filter(|&&count| count > 0).count();
    let weight = |&count: &usize| if count == 0 { 0.0 } else { images as f64 / (classes * count) as f64 };
    counts.iter().map(weight).collect()
}

/// `balanced, from 0.109 (one) to 10.9 (nine)`: the weights of the classes `names`, and where they come from.
#[must_use]
pub fn class_weights_in_words(how: &ClassWeights, weights: &[f64], names: &[String]) -> String {
    let how = match how {
        ClassWeights::Balanced => "balanced",
        ClassWeights::Each(_) => "as the config gives them",
    };
    // A class without images has none.
    let some = || weights.iter().zip(names).filter(|(weight, _)| **weight > 0.0);
    let [least, most] = [some().min_by(|a, b| a.0.total_cmp(b.0)), some().max_by(|a, b| a.0.total_cmp(b.0))];
    match (least, most) {
        (Some((least, _)), Some((most, _))) if least == most => format!("{how}, {} each", digits(*least)),
        (Some((least, of)), Some((most, other))) => {
            format!("{how}, from {} ({of}) to {} ({other})", digits(*least), digits(*most))
        }
        _ => how.to_owned(),
    }
}

/// Three digits that count.
fn digits(number: f64) -> String {
    let decimals = (2.0 - number.log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{number:.decimals$}")
}

/// Adds to the notes of the data how classes of different sizes are treated.
pub(crate) fn note(experiment: &Experiment, weights: Option<&[f64]>, data: &mut Prepared) {
    let names = &data.data_set.class_names;
    if let (Some(how), Some(weights)) = (&experiment.training.class_weights, weights) {
        data.notes.push(format!("class weights: {}", class_weights_in_words(how, weights, names)));
    }
    if experiment.data.order == Order::Balanced {
        let counts = images_of_each(&data.training, names.len());
        let classes = counted(counts.iter().filter(|&&count| count > 0).count(), "class");
        data.notes.push(format!("balanced batches: each image is drawn from one of {classes}, all as likely"));
    }
}

/// What a person should know of the sizes of the classes before training.
pub(crate) fn warnings(experiment: &Experiment, data: &Prepared) -> Vec<String> {
    let names = &data.data_set.class_names;
    let counts = images_of_each(&data.training, names.len());
    let (weights, order) = (&experiment.training.class_weights, experiment.data.order);
    let by_weights = (*weights == Some(ClassWeights::Balanced)).then_some("class_weights = \"balanced\"");
    let by_order = (order == Order::Balanced).then_some("order = \"balanced\"");
    let mut warnings = Vec::new();
    if let (Some(weights), Some(order)) = (by_weights, by_order) {
        warnings.push(format!(
            "{weights} and {order} each make up for the sizes of the classes: with both, small classes count for more \
             than large ones; one of the two is enough"
        ));
    }
    let empty: Vec<&String> =
        names.iter().zip(&counts).filter(|(_, count)| **count == 0).map(|(name, _)| name).collect();
    if let (Some(key), false) = (by_weights.or(by_order), empty.is_empty()) {
        let mut shown: Vec<String> = empty.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        if empty.len() > SHOWN {
            shown.push(format!("{} more", empty.len() - SHOWN));
        }
        let (classes, shown) = (counted(empty.len(), "class"), shown.join(", "));
        warnings.push(format!("{classes} without training images: {shown}; {key} cannot make up for that"));
    }
    let some = || names.iter().zip(&counts).filter(|(_, count)| **count > 0);
    let [least, most] = [some().min_by_key(|(_, count)| **count), some().max_by_key(|(_, count)| **count)];
    if let (Some((small, &few)), Some((large, &many))) = (least, most)
        && many > STRIKING * few
        && weights.is_none()
        && by_order.is_none()
    {
        let (few, many) = (thousands(few), thousands(many));
        warnings.push(format!(
            "`{large}` has {many} training images and `{small}` has {few}: a network may learn little but the large \
             classes. `training.class_weights = \"balanced\"` makes the images of small classes count more in the loss; \
             `data.order = \"balanced\"` draws every class as often"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use backproof_data::{Images, Normalizer};
    use backproof_spec::Shape;

    use super::*;
    use crate::testing::experiment;

    /// Images of one pixel.
    fn images(counts: &[usize]) -> Subset {
        let labels: Vec<u16> = counts.iter().zip(0..).flat_map(|(&count, class)| vec![class; count]).collect();
        let all = labels.len();
        Subset::new(Images::new(vec![0; all], labels, Shape::image(1, 1, 1)), (0..all).collect(), &Normalizer::Unit)
    }

    fn training(class_weights: Option<ClassWeights>) -> Training {
        Training { class_weights, ..experiment(&[]).training }
    }

    /// scikit-learn 1.9.1: `compute_class_weight("balanced", classes=numpy.unique(y), y=y)` with
    /// `y = numpy.repeat(numpy.arange(len(counts)), counts)`.
    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        let of_sklearn: [(&[usize], &[f64]); 4] = [
            (&[100, 10, 1], &[0.37, 3.7, 37.0]),
            (&[1, 1], &[1.0, 1.0]),
            (&[97, 2, 1, 3, 250], &[0.7278350515463917, 35.3, 70.6, 23.533333333333335, 0.2824]),
            (
                &[5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50],
                &[
                    0.24812,
                    0.41394728061394725,
                    0.6907572383073497,
                    1.151903435468895,
                    1.9234108527131784,
                    3.2056847545219638,
                    5.347413793103448,
                    8.925179856115108,
                    14.946987951807229,
                    24.812,
                ],
            ),
        ];
        for (counts, expected) in of_sklearn {
            let found = class_weights(&training(Some(ClassWeights::Balanced)), counts.len(), &images(counts));
            assert_eq!(found.as_deref(), Some(expected), "{counts:?}");
        }
        assert_eq!(class_weights(&training(None), 2, &images(&[1, 2])), None);
        let each = ClassWeights::Each(vec![2.0, 0.5]);
        assert_eq!(class_weights(&training(Some(each)), 2, &images(&[1, 2])), Some(vec![2.0, 0.5]));
    }

    #[test]
    fn a_class_without_images_has_no_weight_and_is_not_counted() {
        // As scikit-learn without this class: 6 / (2 · 4) and 6 / (2 · 2).
        assert_eq!(balanced(&[4, 0, 2]), [0.75, 0.0, 1.5]);
    }

    #[test]
    fn weights_are_told_with_the_classes_of_the_least_and_the_most() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let words = |how, weights: &[f64]| class_weights_in_words(&how, weights, &names);
        assert_eq!(words(ClassWeights::Balanced, &[0.109_12, 0.0, 1234.5]), "balanced, from 0.109 (a) to 1234 (c)");
        let each = vec![2.0, 0.001_25, 1.0];
        let expected = "as the config gives them, from 0.00125 (b) to 2.00 (a)";
        assert_eq!(words(ClassWeights::Each(each.clone()), &each), expected);
        assert_eq!(words(ClassWeights::Balanced, &[1.0; 3]), "balanced, 1.00 each");
    }
}
