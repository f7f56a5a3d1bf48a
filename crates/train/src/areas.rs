//! How well the probability of a class tells its images from all others, in one number: the areas under two curves.

use serde::{Deserialize, Serialize};

/// The areas of one class against the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Areas {
    /// The area under the ROC curve, by the trapezoidal rule, as scikit-learn's `roc_auc_score` has it; `None` where
    /// all images are of the class, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Σ (R_n − R_{n−1}) P_n over the thresholds, as `average_precision_score` has it; `None` where no image is of the
    /// class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_precision: Option<f64>,
}

impl Areas {
    /// Of how many images of other classes and of this class have their probability at each threshold, by falling
    /// thresholds. Thresholds that only images of other classes have may be taken together, between two that images of
    /// the class have.
    #[must_use]
    pub fn of(counts: &[[usize; 2]]) -> Self {
        let [negatives, positives] = counts.iter().fold([0, 0], |sum, it| [sum[0] + it[0], sum[1] + it[1]]);
        if positives == 0 {
            return Self::default();
        }
        let (mut area, mut average_precision, mut before) = (0.0, 0.0, [0, 0]);
        for &[wrong, right] in counts {
            let now = [before[0] + wrong, before[1] + right];
            area += wrong as f64 * (now[1] + before[1]) as f64 / 2.0;
            if right > 0 {
                average_precision += right as f64 / positives as f64 * now[1] as f64 / (now[0] + now[1]) as f64;
            }
            before = now;
        }
        Self {
            auc: (negatives > 0).then(|| area / (positives as f64 * negatives as f64)),
            average_precision: Some(average_precision),
        }
    }
}

/// Counts for [`Areas`] in memory that grows with images and classes, and not with their product.
///
/// The probabilities that the images of a class have of it are the thresholds that matter, and are known after a first
/// pass over all images. A second pass counts between which of them the other images are.
pub(crate) struct Counts {
    images: usize,
    /// Of all classes, one after the other: by falling thresholds.
    steps: Vec<Step>,
    /// Where the steps of each class begin, and of the last one end.
    begins: Vec<usize>,
}

/// A probability that images of a class have of it.
struct Step {
    threshold: f64,
    /// How many they are.
    positives: usize,
    /// Images of other classes with the same probability of this class.
    equal: usize,
    /// Those whose probability is higher, and lower than that of the step before.
    above: usize,
}

impl Counts {
    /// Nothing counted yet, over `classes` classes. `own` is the true class of each image and its probability.
    pub(crate) fn new(classes: usize, mut own: Vec<(usize, f64)>) -> Self {
        let images = own.len();
        own.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut begins = vec![0; classes + 1];
        let mut steps = Vec::new();
        for equal in own.chunk_by(|a, b| a == b) {
            let (label, threshold) = equal[0];
            steps.push(Step { threshold, positives: equal.len(), equal: 0, above: 0 });
            begins[label + 1] = steps.len();
        }
        // A class without images ends where the one before does.
        for class in 1..begins.len() {
            begins[class] = begins[class].max(begins[class - 1]);
        }
        Self { images, steps, begins }
    }

    /// Counts an image of the class `label` by its probabilities, one a class.
    pub(crate) fn add(&mut self, probabilities: &[f64], label: usize) {
        for (class, &probability) in probabilities.iter().enumerate().filter(|(class, _)| *class != label) {
            let steps = &mut self.steps[self.begins[class]..self.begins[class + 1]];
            let at = steps.partition_point(|step| step.threshold > probability);
            if let Some(step) = steps.get_mut(at) {
                *(if step.threshold == probability { &mut step.equal } else { &mut step.above }) += 1;
            }
        }
    }

    /// The areas of each class, once every image is counted.
    pub(crate) fn areas(&self) -> Vec<Areas> {
        let of_class = |ends: &[usize]| {
            let steps = &self.steps[ends[0]..ends[1]];
            let counted: usize = steps.iter().map(|step| step.positives + step.equal + step.above).sum();
            let counts = steps.iter().flat_map(|step| [[step.above, 0], [step.equal, step.positives]]);
            // The others are below all of them.
            Areas::of(&counts.chain([[self.images - counted, 0]]).collect::<Vec<_>>())
        };
        self.begins.windows(2).map(of_class).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_a_few_images_worked_out_by_hand() {
        // By falling probability: of the class, another, of the class and another equally.
        let areas = Areas::of(&[[0, 1], [1, 0], [1, 1]]);
        // 2 · 2 pairs: the first one beats both others, the second one loses to one and ties with one.
        assert_eq!(areas.auc, Some((2.0 + 0.5) / 4.0));
        // Recall 1/2 at precision 1, then recall 1 at precision 2/4.
        assert_eq!(areas.average_precision, Some(0.5 + 0.25));
        assert_eq!(Areas::of(&[[3, 0]]), Areas::default());
        assert_eq!(Areas::of(&[[0, 3]]), Areas { auc: None, average_precision: Some(1.0) });
    }

    #[test]
    fn two_passes_count_what_all_probabilities_at_once_give() {
        const CLASSES: usize = 7;
        // Few values, so that many are equal; no image is of the last class.
        let images: Vec<(usize, Vec<f64>)> = (0..200)
            .map(|image| {
                let row = (0..CLASSES).map(|class| f64::from(((image * 31 + class * class * 17) % 13) as u8) / 16.0);
                (image % (CLASSES - 1), row.collect())
            })
            .collect();
        let own = images.iter().map(|(label, row)| (*label, row[*label])).collect();
        let mut counts = Counts::new(CLASSES, own);
        images.iter().for_each(|(label, row)| counts.add(row, *label));
        for (class, found) in counts.areas().into_iter().enumerate() {
            let mut scores: Vec<(f64, bool)> =
                images.iter().map(|(label, row)| (row[class], *label == class)).collect();
            scores.sort_by(|a, b| b.0.total_cmp(&a.0));
            let of_class = |equal: &[(f64, bool)]| equal.iter().filter(|it| it.1).count();
            let all: Vec<[usize; 2]> = scores
                .chunk_by(|a, b| a.0 == b.0)
                .map(|equal| [equal.len() - of_class(equal), of_class(equal)])
                .collect();
            let expected = Areas::of(&all);
            let close = |one: Option<f64>, other: Option<f64>| match (one, other) {
                (Some(one), Some(other)) => (one - other).abs() < 1e-12,
                (one, other) => one == other,
            };
            assert!(close(found.auc, expected.auc), "{class}: {found:?}, {expected:?}");
            assert!(close(found.average_precision, expected.average_precision), "{class}: {found:?}, {expected:?}");
            assert_eq!(found.average_precision.is_none(), class == CLASSES - 1);
        }
    }
}
