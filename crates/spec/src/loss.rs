//! What training makes small.

use serde::{Deserialize, Serialize};

/// The loss of one image, from the network's outputs z, one a class, and the one-hot row y of its class. Training makes
/// its mean over a mini-batch small.
///
/// The predicted class is that of the largest output. The probabilities of an evaluation follow from what the loss
/// takes the outputs for, and sum to 1 over the K classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// −Σ y ln p with p = softmax(z), which are the probabilities.
    #[default]
    CrossEntropy,
    /// 1/K Σ (z − y)². Its least value over all data is where z are the probabilities; since a network may miss [0, 1],
    /// those reported are max(z, 0) over their sum, or 1/K each where no output is positive.
    MeanSquaredError,
    /// −1/K Σ (y ln σ(z) + (1 − y) ln(1 − σ(z))), σ the logistic function: K independent decisions, "this class or
    /// not". Their probabilities σ(z) need not sum to 1; those reported are σ(z) over their sum.
    BinaryCrossEntropy,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Self; 3] = [Self::CrossEntropy, Self::MeanSquaredError, Self::BinaryCrossEntropy];

    /// Its name in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "cross-entropy",
            Self::MeanSquaredError => "mean-squared-error",
            Self::BinaryCrossEntropy => "binary-cross-entropy",
        }
    }
}
