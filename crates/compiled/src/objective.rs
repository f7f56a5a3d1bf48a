//! Losses, and what a pass gives beside the gradients.

use backproof_kernels::{binary_cross_entropy, mean_squared_error, soft_cross_entropy, softmax_cross_entropy};

/// The loss of an image, whose mean over the batch is minimised.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// `−ln softmax(z)[label]`.
    CrossEntropy,
    /// `−Σ_k w_k ((1 − s) [k = label] + s/K) ln softmax(z)[k]`. In the mean, an image counts as much as its class.
    SoftCrossEntropy {
        /// `s`, in [0, 1).
        smoothing: f32,
        /// `w`, one a class.
        weights: Vec<f32>,
        /// `w s/K`, one a class.
        everywhere: Vec<f32>,
    },
    /// The mean over the outputs of `(z − [k = label])²`.
    MeanSquaredError,
    /// The mean over the outputs of the cross-entropies of `σ(z)`.
    BinaryCrossEntropy,
}

impl Objective {
    /// [`SoftCrossEntropy`](Self::SoftCrossEntropy) with this smoothing and these weights of the classes.
    #[must_use]
    pub fn soft_cross_entropy(smoothing: f64, weights: &[f64]) -> Self {
        let share = smoothing / weights.len() as f64;
        Self::SoftCrossEntropy {
            smoothing: smoothing as f32,
            weights: weights.iter().map(|&weight| weight as f32).collect(),
            everywhere: weights.iter().map(|&weight| (weight * share) as f32).collect(),
        }
    }

    /// How much an image of this class counts in the mean over a batch.
    #[must_use]
    pub fn weight(&self, label: usize) -> f64 {
        match self {
            Self::SoftCrossEntropy { weights, .. } => f64::from(weights[label]),
            _ => 1.0,
        }
    }

    /// The loss of one image with these outputs, and in `gradient` its gradient times `weight`.
    ///
    /// # Panics
    ///
    /// If the slices differ in length or the label is outside of them.
    pub fn loss(&self, outputs: &[f32], label: usize, weight: f32, gradient: &mut [f32]) -> f64 {
        let of = match self {
            Self::SoftCrossEntropy { smoothing, weights, everywhere } => {
                assert!(label < weights.len(), "label {label} of {} classes", weights.len());
                let at_label = weights[label] * (1.0 - smoothing);
                return soft_cross_entropy(outputs, label, everywhere, at_label, weight, gradient);
            }
            Self::CrossEntropy => softmax_cross_entropy,
            Self::MeanSquaredError => mean_squared_error,
            Self::BinaryCrossEntropy => binary_cross_entropy,
        };
        of(outputs, label, weight, gradient)
    }
}

/// What a pass over a batch gives beside the gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PassOutcome {
    /// The mean loss; each image counts as much as its class ([`Objective::weight`]).
    pub loss: f64,
    /// Images whose largest output is that of their label.
    pub correct: usize,
}
