//! What a batch is trained towards: a label for each image, or two with their shares.

use burn::Tensor;
use burn::tensor::Int;

use crate::loss::{self, TrainingLoss};

/// The labels of a batch, `[N]`.
#[derive(Debug, Clone)]
pub(crate) struct Targets {
    pub(crate) labels: Tensor<1, Int>,
    /// The second labels, `[N]`, and the share of the first ones.
    pub(crate) mixed: Option<(Tensor<1, Int>, f64)>,
}

impl From<Tensor<1, Int>> for Targets {
    fn from(labels: Tensor<1, Int>) -> Self {
        Self { labels, mixed: None }
    }
}

/// [`loss::mean`], `[1]`; of two labels, λ L(first) + (1 − λ) L(second).
pub(crate) fn mean(loss: &TrainingLoss, outputs: Tensor<2>, targets: Targets) -> Tensor<1> {
    let Targets { labels, mixed } = targets;
    let Some((others, share)) = mixed else { return loss::mean(loss, outputs, labels) };
    loss::mean(loss, outputs.clone(), labels) * share + loss::mean(loss, outputs, others) * (1.0 - share)
}

/// [`mean`] and its gradient with respect to the outputs, `[N, K]`, as [`loss::mean_and_gradient`].
pub(crate) fn mean_and_gradient(loss: &TrainingLoss, outputs: Tensor<2>, targets: Targets) -> (Tensor<1>, Tensor<2>) {
    let Targets { labels, mixed } = targets;
    let Some((others, share)) = mixed else { return loss::mean_and_gradient(loss, outputs, labels) };
    let (first, of_first) = loss::mean_and_gradient(loss, outputs.clone(), labels);
    let (second, of_second) = loss::mean_and_gradient(loss, outputs, others);
    let rest = 1.0 - share;
    (first * share + second * rest, of_first * share + of_second * rest)
}

#[cfg(test)]
mod tests;
