//! What an evaluation says beside accuracy and loss: means over classes, the k likeliest classes, and calibration.

use serde::{Deserialize, Serialize};

use crate::prediction::{ClassResult, Prediction, TOP};

/// The bins of confidence, of equal width.
pub const CONFIDENCE_BINS: usize = 15;

/// Figures of `result.json` that follow from its classes and from the probabilities. All but those of calibration are as
/// scikit-learn defines them; what is not defined is `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measures {
    /// The mean recall of the classes that have images, which is also called macro recall or macro accuracy
    /// (`balanced_accuracy_score`).
    pub balanced_accuracy: Option<f64>,
    /// The mean precision of the classes that were predicted (`precision_score` with `average="macro"` and
    /// `zero_division=nan`).
    pub macro_precision: Option<f64>,
    /// The mean F1 of the classes that have images or were predicted (`f1_score` with `average="macro"`).
    pub macro_f1: Option<f64>,
    /// The share of images whose true class is among the [`TOP`] likeliest; the first one wins a tie. Left out of so few
    /// classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_5_accuracy: Option<f64>,
    /// The mean over the images of |accuracy − mean confidence| of the image's bin: Guo et al., *On calibration of
    /// modern neural networks*, ICML 2017, equation 3, with [`CONFIDENCE_BINS`] bins.
    pub expected_calibration_error: Option<f64>,
    /// The largest |accuracy − mean confidence| of a bin with images: equation 5 there.
    pub maximum_calibration_error: Option<f64>,
}

/// The images whose confidence, the probability of the predicted class, lies in a bin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ConfidenceBin {
    /// How many there are.
    pub images: usize,
    /// How many of them are classified correctly.
    pub correct: usize,
    /// The sum of their confidences.
    confidences: f64,
}

impl ConfidenceBin {
    /// The share that is classified correctly; `None` of no images.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.images > 0).then(|| self.correct as f64 / self.images as f64)
    }

    /// The mean confidence; `None` of no images.
    #[must_use]
    pub fn confidence(&self) -> Option<f64> {
        (self.images > 0).then(|| self.confidences / self.images as f64)
    }

    /// |accuracy − mean confidence|; 0 of no images.
    fn gap(&self) -> f64 {
        self.accuracy().zip(self.confidence()).map_or(0.0, |(accuracy, confidence)| (accuracy - confidence).abs())
    }
}

impl Measures {
    /// The figures of an evaluation with these classes and predictions.
    #[must_use]
    pub fn of(classes: &[ClassResult], predictions: &[Prediction]) -> Self {
        let images = predictions.len() as f64;
        let top = || predictions.iter().filter(|prediction| prediction.is_among(TOP)).count() as f64 / images;
        let bins = confidence_bins(predictions);
        let is_known = !predictions.is_empty();
        Self {
            balanced_accuracy: mean(classes.iter().map(|class| class.recall)),
            macro_precision: mean(classes.iter().map(|class| class.precision)),
            macro_f1: mean(classes.iter().map(ClassResult::f1)),
            top_5_accuracy: (is_known && classes.len() > TOP).then(top),
            expected_calibration_error: is_known
                .then(|| bins.iter().map(|bin| bin.gap() * bin.images as f64).sum::<f64>() / images),
            maximum_calibration_error: is_known.then(|| bins.iter().map(ConfidenceBin::gap).fold(0.0, f64::max)),
        }
    }
}

/// The predictions by their confidence. Bin m has those in ((m − 1)/M, m/M], as in Guo et al.; the first one also has 0.
#[must_use]
pub fn confidence_bins(predictions: &[Prediction]) -> [ConfidenceBin; CONFIDENCE_BINS] {
    let mut bins = [ConfidenceBin::default(); CONFIDENCE_BINS];
    for prediction in predictions {
        let confidence = prediction.confidence();
        let below = (1..CONFIDENCE_BINS).filter(|&edge| (edge as f64 / CONFIDENCE_BINS as f64) < confidence).count();
        bins[below].images += 1;
        bins[below].correct += usize::from(prediction.predicted == prediction.label);
        bins[below].confidences += confidence;
    }
    bins
}

/// The mean of the figures that are defined.
fn mean(figures: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let figures: Vec<f64> = figures.flatten().collect();
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use backproof_spec::Loss;
    use serde_json::Value;

    use super::*;
    use crate::evaluation::argmax;
    use crate::{Areas, Evaluation};

    fn prediction(label: usize, probabilities: &[f64]) -> Prediction {
        let (predicted, probabilities) = (argmax(probabilities), probabilities.to_vec().into());
        Prediction { index: 0, label, predicted, probabilities, loss: 0.0 }
    }

    #[test]
    fn figures_are_those_of_scikit_learn() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/evaluation/evaluations.json");
        let cases: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for case in cases.as_array().unwrap() {
            let numbers = |value: &Value| -> Vec<f64> {
                value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
            };
            let labels = numbers(&case["labels"]);
            let rows = case["probabilities"].as_array().unwrap();
            let classes = rows[0].as_array().unwrap().len();
            let mut evaluation = Evaluation::new(Loss::CrossEntropy, classes);
            evaluation.predictions =
                labels.iter().zip(rows).map(|(&label, row)| prediction(label as usize, &numbers(row))).collect();
            let names: Vec<String> = (0..classes).map(|class| class.to_string()).collect();
            let result = evaluation.result("test", None, &names);
            let ours = serde_json::to_value(&result).unwrap();
            let expected = case["result"].as_object().unwrap();
            assert_eq!(expected.len(), 7);
            for (key, theirs) in expected {
                match (ours.get(key).and_then(Value::as_f64), theirs.as_f64()) {
                    (Some(ours), Some(theirs)) => assert!((ours - theirs).abs() < 1e-12, "{key}: {ours}, {theirs}"),
                    (ours, theirs) => assert_eq!(ours, theirs, "{key} of {classes} classes"),
                }
            }
            let told: crate::EvaluationResult = serde_json::from_value(ours).unwrap();
            assert_eq!(told, result);
        }
        assert_eq!(cases.as_array().unwrap().len(), 3);
    }

    #[test]
    fn f1_is_the_harmonic_mean_and_undefined_without_images_and_predictions() {
        let class = |precision, recall| ClassResult {
            class: "a".to_owned(),
            precision,
            recall,
            true_positives: 1,
            support: 2,
            areas: Areas::default(),
        };
        // 2 · 0.5 · 1 / 1.5
        assert_eq!(class(Some(0.5), Some(1.0)).f1(), Some(1.0 / 1.5));
        assert_eq!(class(Some(0.0), Some(0.0)).f1(), Some(0.0));
        assert_eq!(class(None, Some(0.0)).f1(), Some(0.0));
        assert_eq!(class(None, None).f1(), None);
    }

    #[test]
    fn a_confidence_at_an_edge_is_in_the_bin_below_and_certainty_in_the_last() {
        // 0.2 is 3/15.
        let four = [0.2, 0.2, 0.2, 0.2, 0.2];
        let bins = confidence_bins(&[prediction(0, &four), prediction(1, &four), prediction(1, &[0.0, 1.0])]);
        assert_eq!((bins[2].images, bins[2].correct, bins[3].images), (2, 1, 0));
        assert_eq!((bins[14].images, bins[14].accuracy(), bins[14].confidence()), (1, Some(1.0), Some(1.0)));
        assert_eq!((bins[0].accuracy(), bins[0].gap()), (None, 0.0));
    }

    #[test]
    fn of_equal_probabilities_the_first_class_is_likelier() {
        let equal = [0.125; 8];
        let is_among: Vec<bool> = (0..8).map(|label| prediction(label, &equal).is_among(5)).collect();
        assert_eq!(is_among, [true, true, true, true, true, false, false, false]);
        // What was predicted by its output is the likeliest, also where rounding has made its probability equal.
        let last = Prediction { predicted: 7, ..prediction(4, &equal) };
        assert!(!last.is_among(5) && Prediction { label: 7, ..last }.is_among(1));
    }

    #[test]
    fn nothing_is_said_of_no_images() {
        let result = Evaluation::new(Loss::CrossEntropy, 9).result("test", None, &["a"; 9]);
        assert_eq!(result.measures, Measures::default());
    }
}
