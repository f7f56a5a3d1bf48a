//! Losses, and what a pass gives beside the gradients.

use backproof_kernels::{binary_cross_entropy, mean_squared_error, softmax_cross_entropy};

/// The loss of an image, whose mean over the batch is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// `−ln softmax(z)[label]`.
    CrossEntropy,
    /// The mean over the outputs of `(z − [k = label])²`.
    MeanSquaredError,
    /// The mean over the outputs of the cross-entropies of `σ(z)`.
    BinaryCrossEntropy,
}

impl Objective {
    /// The loss of one image with these outputs, and in `gradient` its gradient times `weight`.
    ///
    /// # Panics
    ///
    /// If the slices differ in length or the label is outside of them.
    pub fn loss(self, outputs: &[f32], label: usize, weight: f32, gradient: &mut [f32]) -> f64 {
        let of = match self {
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
    /// The mean loss.
    pub loss: f64,
    /// Images whose largest output is that of their label.
    pub correct: usize,
}
