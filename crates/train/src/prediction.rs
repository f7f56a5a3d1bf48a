//! What a network says of one image, and of one class.

use serde::{Deserialize, Serialize};

use crate::areas::Areas;

/// The most classes of which every probability of an image is kept. Of more, their number would grow with the product
/// of images and classes.
pub const MOST_KEPT: usize = 1_000;

/// The classes that top-k accuracy looks at, and of which the probabilities are kept where not all are.
pub const TOP: usize = 5;

/// What the network said of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The image's index in its data set file.
    pub index: usize,
    /// Its true class.
    pub label: usize,
    /// The class of the largest output; the first one wins a tie.
    pub predicted: usize,
    /// The probabilities of its classes, as [`Loss`](backproof_spec::Loss) defines them.
    pub probabilities: Probabilities,
    /// The loss of this image.
    pub loss: f64,
}

/// The probabilities of the classes of one image.
#[derive(Debug, Clone, PartialEq)]
pub enum Probabilities {
    /// Of each class; they sum to 1.
    Every(Vec<f64>),
    /// Of the true class, and of the [`TOP`] likeliest, the likeliest first: what is kept of more than [`MOST_KEPT`]
    /// classes.
    Likeliest {
        /// Of the true class.
        own: f64,
        /// Classes and their probabilities.
        top: Vec<(usize, f64)>,
    },
}

impl From<Vec<f64>> for Probabilities {
    fn from(every: Vec<f64>) -> Self {
        Self::Every(every)
    }
}

impl Prediction {
    /// A prediction that keeps as many of `probabilities`, one a class, as are kept of so many classes.
    pub(crate) fn kept(index: usize, label: usize, predicted: usize, probabilities: Vec<f64>, loss: f64) -> Self {
        let own = probabilities[label];
        let is_much = probabilities.len() > MOST_KEPT;
        let mut prediction = Self { index, label, predicted, probabilities: probabilities.into(), loss };
        if is_much {
            prediction.probabilities = Probabilities::Likeliest { own, top: prediction.likeliest(TOP) };
        }
        prediction
    }

    /// The probability of the predicted class.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        match &self.probabilities {
            Probabilities::Every(every) => every[self.predicted],
            Probabilities::Likeliest { top, .. } => top[0].1,
        }
    }

    /// The probability of the true class.
    #[must_use]
    pub fn of_label(&self) -> f64 {
        match &self.probabilities {
            Probabilities::Every(every) => every[self.label],
            Probabilities::Likeliest { own, .. } => *own,
        }
    }

    /// The probability of each class, where they are kept.
    #[must_use]
    pub fn every(&self) -> Option<&[f64]> {
        match &self.probabilities {
            Probabilities::Every(every) => Some(every),
            Probabilities::Likeliest { .. } => None,
        }
    }

    /// The `count` likeliest classes with their probabilities, or as many of them as are kept. The predicted class is
    /// the likeliest; of others with equal probabilities the first one is likelier.
    #[must_use]
    pub fn likeliest(&self, count: usize) -> Vec<(usize, f64)> {
        match &self.probabilities {
            Probabilities::Every(every) => {
                let order = |a: &(usize, f64), b: &(usize, f64)| {
                    let is_predicted = |it: &(usize, f64)| it.0 == self.predicted;
                    is_predicted(b).cmp(&is_predicted(a)).then(b.1.total_cmp(&a.1)).then(a.0.cmp(&b.0))
                };
                let mut classes: Vec<(usize, f64)> = every.iter().copied().enumerate().collect();
                if count < classes.len() {
                    classes.select_nth_unstable_by(count, order);
                    classes.truncate(count);
                    // Otherwise what is kept of an image would have the room of all classes.
                    classes.shrink_to_fit();
                }
                classes.sort_unstable_by(order);
                classes
            }
            Probabilities::Likeliest { top, .. } => top.iter().take(count).copied().collect(),
        }
    }

    /// Whether the true class is among the `k` [likeliest](Self::likeliest), at most [`TOP`].
    pub(crate) fn is_among(&self, k: usize) -> bool {
        self.likeliest(k).iter().any(|&(class, _)| class == self.label)
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
    /// The areas of more than [`MOST_KEPT`] classes; those of fewer follow from `predictions.csv`.
    #[serde(flatten)]
    pub areas: Areas,
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
