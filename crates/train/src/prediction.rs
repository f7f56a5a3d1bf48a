//! What a network says of one image, and of one class.

use serde::{Deserialize, Serialize};

/// What the network said of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The image's index in its data set file.
    pub index: usize,
    /// Its true class.
    pub label: usize,
    /// The class of the largest output; the first one wins a tie.
    pub predicted: usize,
    /// A probability per class, as [`Loss`](backproof_spec::Loss) defines it; they sum to 1.
    pub probabilities: Vec<f64>,
    /// The loss of this image.
    pub loss: f64,
}

impl Prediction {
    /// The probability of the predicted class.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        self.probabilities[self.predicted]
    }

    /// Whether the true class is among the `k` likeliest. The predicted class is the likeliest; of others with equal
    /// probabilities the first one is likelier.
    pub(crate) fn is_among(&self, k: usize) -> bool {
        let own = self.probabilities[self.label];
        let is_ahead = |(class, &share): (usize, &f64)| {
            class != self.label && (share > own || class == self.predicted || share == own && class < self.label)
        };
        self.label == self.predicted || self.probabilities.iter().enumerate().filter(|&it| is_ahead(it)).count() < k
    }
}

/// Precision and recall of one class; `None` where the denominator is zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassResult {
    /// The class's name.
    pub class: String,
    /// True positives / all images predicted to be of this class.
    pub precision: Option<f64>,
    /// True positives / all images of this class.
    pub recall: Option<f64>,
    /// True positives.
    pub true_positives: usize,
    /// Images of this class.
    pub support: usize,
}

impl ClassResult {
    /// The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN): 0 of a class that has images and was never
    /// predicted, `None` of one that has neither images nor predictions.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        match (self.precision, self.recall) {
            (None, None) => None,
            (Some(precision), Some(recall)) if precision + recall > 0.0 => {
                Some(2.0 * precision * recall / (precision + recall))
            }
            _ => Some(0.0),
        }
    }
}
