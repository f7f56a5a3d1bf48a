//! What a network gets right on a set of images: every image counted once.

use backproof_spec::{Loss, Views};
use burn::Tensor;
use serde::{Deserialize, Serialize};

use crate::areas::Areas;
use crate::loss::{Score, score};
use crate::measures::Measures;
use crate::prediction::{ClassResult, Prediction};

/// The version of `result.json`, `confusion.csv` and `predictions.csv`.
pub const EVALUATION_SCHEMA: u32 = 1;

/// Predictions of a whole subset.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// One prediction per image, in the subset's order.
    pub predictions: Vec<Prediction>,
    loss: Loss,
    classes: usize,
    views: Views,
    /// One for each class, of so many classes that the predictions do not keep every probability.
    areas: Vec<Areas>,
}

/// The content of `result.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationResult {
    /// [`EVALUATION_SCHEMA`].
    pub schema_version: u32,
    /// The subset: `training`, `validation` or `test`.
    pub split: String,
    /// The iteration of the weights; `null` of a weights file that is no checkpoint.
    pub iteration: Option<usize>,
    /// Images evaluated.
    pub images: usize,
    /// Images whose predicted class is the true one.
    pub correct: usize,
    /// `correct / images`.
    pub accuracy: f64,
    /// Mean of the loss that was trained; in nats where it is a cross-entropy.
    pub loss: f64,
    /// Further figures, each a key of its own; files of earlier versions lack them.
    #[serde(flatten)]
    pub measures: Measures,
    /// The views of each image whose logits were averaged; left out for one.
    #[serde(default, skip_serializing_if = "is_one")]
    pub views: Views,
    /// One entry per class, in label order.
    pub classes: Vec<ClassResult>,
}

/// Files of earlier versions have no word of views.
fn is_one(views: &Views) -> bool {
    *views == Views::One
}

impl Evaluation {
    /// No predictions yet, of a network with `classes` outputs that was trained by `loss`.
    #[must_use]
    pub fn new(loss: Loss, classes: usize) -> Self {
        Self { predictions: Vec::new(), loss, classes, views: Views::default(), areas: Vec::new() }
    }

    /// The same of images that are looked at in these views; [`add`](Self::add) is given the mean logits.
    #[must_use]
    pub fn by(mut self, views: Views) -> Self {
        self.views = views;
        self
    }

    /// The same with the areas of each class, which the predictions of many classes do not give.
    #[must_use]
    pub(crate) fn with_areas(mut self, areas: Vec<Areas>) -> Self {
        self.areas = areas;
        self
    }

    /// Adds the predictions of one batch. `logits` is `[N, K]`; `indices` and `labels` have N entries.
    pub fn add(&mut self, logits: Tensor<2>, indices: &[usize], labels: &[usize]) {
        let rows = host_rows(logits);
        for ((row, &index), &label) in rows.iter().zip(indices).zip(labels) {
            let Score { probabilities, loss } = score(self.loss, row, label);
            self.predictions.push(Prediction::kept(index, label, argmax(row), probabilities, loss));
        }
    }

    /// Images evaluated.
    #[must_use]
    pub fn images(&self) -> usize {
        self.predictions.len()
    }

    /// Images whose predicted class is the true one.
    #[must_use]
    pub fn correct(&self) -> usize {
        self.predictions.iter().filter(|prediction| prediction.predicted == prediction.label).count()
    }

    /// Share of images whose predicted class is the true one; 0 of no images.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.images().max(1) as f64
    }

    /// Mean loss; 0 of no images.
    #[must_use]
    pub fn loss(&self) -> f64 {
        let sum: f64 = self.predictions.iter().map(|prediction| prediction.loss).sum();
        sum / self.images().max(1) as f64
    }

    /// `[true][predicted]` counts: rows are true classes, columns predicted ones.
    #[must_use]
    pub fn confusion(&self) -> Vec<Vec<usize>> {
        let mut counts = vec![vec![0; self.classes]; self.classes];
        for prediction in &self.predictions {
            counts[prediction.label][prediction.predicted] += 1;
        }
        counts
    }

    /// The content of `result.json`.
    #[must_use]
    pub fn result(&self, split: &str, iteration: Option<usize>, class_names: &[impl AsRef<str>]) -> EvaluationResult {
        // Without the matrix, which of many classes has more cells than there is memory.
        let mut counts = vec![[0_usize; 3]; self.classes];
        for prediction in &self.predictions {
            counts[prediction.label][0] += usize::from(prediction.label == prediction.predicted);
            counts[prediction.label][1] += 1;
            counts[prediction.predicted][2] += 1;
        }
        let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
        let classes: Vec<ClassResult> = class_names
            .iter()
            .enumerate()
            .map(|(class, name)| {
                let [true_positives, support, predicted] = counts[class];
                ClassResult {
                    class: name.as_ref().to_owned(),
                    precision: share(true_positives, predicted),
                    recall: share(true_positives, support),
                    true_positives,
                    support,
                    areas: self.areas.get(class).copied().unwrap_or_default(),
                }
            })
            .collect();
        EvaluationResult {
            schema_version: EVALUATION_SCHEMA,
            split: split.to_owned(),
            iteration,
            images: self.images(),
            correct: self.correct(),
            accuracy: self.accuracy(),
            loss: self.loss(),
            measures: Measures::of(&classes, &self.predictions),
            views: self.views,
            classes,
        }
    }
}

/// The rows of a matrix on the host, in f64.
pub(crate) fn host_rows(matrix: Tensor<2>) -> Vec<Vec<f64>> {
    let [_, columns] = matrix.dims();
    host_values(matrix).chunks(columns).map(<[f64]>::to_vec).collect()
}

/// The numbers of `matrix` in row-major order.
pub(crate) fn host_values(matrix: Tensor<2>) -> Vec<f64> {
    matrix.into_data().iter::<f64>().collect()
}

/// The index of the largest value; the first one wins a tie.
pub(crate) fn argmax(row: &[f64]) -> usize {
    let mut best = 0;
    for (class, &value) in row.iter().enumerate() {
        if value > row[best] {
            best = class;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn evaluation() -> Evaluation {
        let device = Device::flex();
        let mut evaluation = Evaluation::new(Loss::CrossEntropy, 3);
        let logits = Tensor::from_data([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0]], &device);
        evaluation.add(logits, &[7, 9], &[0, 0]);
        evaluation.add(Tensor::from_data([[0.0, 1e4, -1e4]], &device), &[8], &[1]);
        evaluation
    }

    #[test]
    fn a_partial_batch_weighs_as_much_per_image_as_a_full_one() {
        let evaluation = evaluation();
        assert_eq!(evaluation.images(), 3);
        assert_eq!(evaluation.correct(), 2);
        assert_eq!(evaluation.accuracy(), 2.0 / 3.0);
        // −ln softmax by hand: ln(1 + e⁻¹ + e⁻²), ln(2 + e³), and 0 for a logit ahead by 1e4.
        let by_hand = (0.407_605_964_444_38 + 3.094_923_011_017_86 + 0.0) / 3.0;
        assert!((evaluation.loss() - by_hand).abs() < 1e-6, "{}", evaluation.loss());
    }

    #[test]
    fn rows_of_the_confusion_matrix_are_true_classes() {
        assert_eq!(evaluation().confusion(), [vec![1, 1, 0], vec![0, 1, 0], vec![0, 0, 0]]);
    }

    #[test]
    fn two_classes_and_a_thousand_are_counted_like_ten() {
        for classes in [2, 1_000] {
            let mut evaluation = Evaluation::new(Loss::CrossEntropy, classes);
            let mut outputs = vec![0.0; 2 * classes];
            // The first image is taken for the last class, of which it is; the second for it too, and is of the first.
            outputs[classes - 1] = 9.0;
            outputs[2 * classes - 1] = 9.0;
            let logits = Tensor::from_data(burn::tensor::TensorData::new(outputs, [2, classes]), &Device::flex());
            evaluation.add(logits, &[0, 1], &[classes - 1, 0]);
            let names: Vec<String> = (0..classes).map(|class| class.to_string()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let result = evaluation.result("test", None, &names);
            let others = ((classes - 1) as f64 * (-9.0_f64).exp()).ln_1p();
            assert!((result.loss - (others + 9.0 + others) / 2.0).abs() < 1e-6, "{}", result.loss);
            assert_eq!((result.accuracy, result.classes.len()), (0.5, classes));
            assert_eq!(result.classes[classes - 1].precision, Some(0.5));
            assert_eq!((result.classes[0].precision, result.classes[0].recall), (None, Some(0.0)));
        }
    }

    #[test]
    fn a_class_without_images_or_predictions_has_no_precision_and_no_recall() {
        let result = evaluation().result("test", Some(5), &["a", "b", "c"]);
        assert_eq!(result.classes[0].precision, Some(1.0));
        assert_eq!(result.classes[0].recall, Some(0.5));
        assert_eq!(result.classes[1].precision, Some(0.5));
        assert_eq!(result.classes[2].precision, None);
        assert_eq!(result.classes[2].recall, None);
    }

    #[test]
    fn the_first_class_wins_a_tie() {
        assert_eq!(argmax(&[1.0, 2.0, 2.0]), 1);
    }
}
