//! The losses that an experiment can ask for: over a batch on the device for training, and of one image on the host.
//!
//! On tensors they are Burn's operations, also where the layers run on the CPU kernels: with 16 images of 10 logits
//! there is nothing to gain.

use backproof_compiled::Objective;
use backproof_data::Subset;
use backproof_layers::{BinaryCrossEntropy, MeanSquaredError, SoftCrossEntropy, SoftmaxCrossEntropy};
use backproof_spec::{Loss, Training};
use burn::Tensor;
use burn::tensor::{IndexingUpdateOp, Int, TensorData};

use crate::imbalance::class_weights;

/// What training makes small: a loss, with smoothed labels and weighted classes where a config asks for them. Evaluations
/// take the loss alone, so that they compare runs that were trained in different ways.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingLoss {
    loss: Loss,
    softened: Option<Softened>,
}

/// Of a cross-entropy: the shares of the classes in a label ([`SoftCrossEntropy`] has the formula).
#[derive(Debug, Clone, PartialEq)]
struct Softened {
    smoothing: f64,
    /// One a class.
    weights: Vec<f64>,
}

impl From<Loss> for TrainingLoss {
    fn from(loss: Loss) -> Self {
        Self { loss, softened: None }
    }
}

impl TrainingLoss {
    /// The loss of an experiment on these training images of `classes` classes.
    #[must_use]
    pub fn new(training: &Training, classes: usize, images: &Subset) -> Self {
        let weights = class_weights(training, classes, images).unwrap_or_else(|| vec![1.0; classes]);
        let softened = training.label_smoothing != 0.0 || training.class_weights.is_some();
        let softened = softened.then_some(Softened { smoothing: training.label_smoothing, weights });
        Self { loss: training.loss, softened }
    }
}

impl Softened {
    /// The shares of each image, `[N, K]`, and how much each counts in the mean, `[N]`.
    fn targets(&self, outputs: &Tensor<2>, labels: Tensor<1, Int>) -> (Tensor<2>, Tensor<1>) {
        let Self { smoothing, weights } = self;
        let classes = weights.len();
        let row = Tensor::<2>::from_data(
            TensorData::new(weights.clone(), [1, classes]),
            (&outputs.device(), outputs.dtype()),
        );
        let counted = one_hot(outputs, labels) * row.clone();
        let shares = counted.clone() * (1.0 - smoothing) + row * (smoothing / classes as f64);
        (shares, counted.sum_dim(1).squeeze_dim(1))
    }
}

/// The mean over the batch, `[1]`, of outputs `[N, K]` and labels `[N]`, by operations that autodiff can differentiate.
pub(crate) fn mean(loss: &TrainingLoss, outputs: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    if let Some(softened) = &loss.softened {
        let (shares, counts) = softened.targets(&outputs, labels);
        return SoftCrossEntropy.forward(outputs, shares).sum() / counts.sum();
    }
    match loss.loss {
        Loss::CrossEntropy => SoftmaxCrossEntropy.mean(outputs, labels),
        Loss::MeanSquaredError => MeanSquaredError.mean(outputs.clone(), one_hot(&outputs, labels)),
        Loss::BinaryCrossEntropy => BinaryCrossEntropy.mean(outputs.clone(), one_hot(&outputs, labels)),
    }
}

/// [`mean`] and its gradient with respect to the outputs, `[N, K]`, by the formulas derived by hand, on plain tensors.
pub(crate) fn mean_and_gradient(
    loss: &TrainingLoss,
    outputs: Tensor<2>,
    labels: Tensor<1, Int>,
) -> (Tensor<1>, Tensor<2>) {
    if let Some(softened) = &loss.softened {
        let (shares, counts) = softened.targets(&outputs, labels);
        let (losses, saved) = SoftCrossEntropy.forward_saving(outputs, shares);
        let share = losses.ones_like() / counts.clone().sum();
        return (losses.sum() / counts.sum(), SoftCrossEntropy.backward(saved, share));
    }
    match loss.loss {
        Loss::CrossEntropy => {
            let (losses, saved) = SoftmaxCrossEntropy.forward_saving(outputs, labels);
            (losses.mean(), SoftmaxCrossEntropy.mean_backward(saved))
        }
        Loss::MeanSquaredError => {
            let targets = one_hot(&outputs, labels);
            let (losses, saved) = MeanSquaredError.forward_saving(outputs, targets);
            (losses.mean(), MeanSquaredError.mean_backward(saved))
        }
        Loss::BinaryCrossEntropy => {
            let targets = one_hot(&outputs, labels);
            let (losses, saved) = BinaryCrossEntropy.forward_saving(outputs, targets);
            (losses.mean(), BinaryCrossEntropy.mean_backward(saved))
        }
    }
}

/// The loss of each image, `[N]`, of outputs `[N, K]` and labels `[N]`, by operations that autodiff can differentiate.
#[must_use]
pub fn losses(loss: &TrainingLoss, outputs: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    if let Some(softened) = &loss.softened {
        let (shares, _) = softened.targets(&outputs, labels);
        return SoftCrossEntropy.forward(outputs, shares);
    }
    match loss.loss {
        Loss::CrossEntropy => SoftmaxCrossEntropy.forward(outputs, labels),
        Loss::MeanSquaredError => MeanSquaredError.forward(outputs.clone(), one_hot(&outputs, labels)),
        Loss::BinaryCrossEntropy => BinaryCrossEntropy.forward(outputs.clone(), one_hot(&outputs, labels)),
    }
}

/// The gradient of the outputs, `[N, K]`, from that of the [`losses`], `[N]`, by the formulas derived by hand, on plain
/// tensors.
#[must_use]
pub fn losses_backward(
    loss: &TrainingLoss,
    outputs: Tensor<2>,
    labels: Tensor<1, Int>,
    gradient: Tensor<1>,
) -> Tensor<2> {
    if let Some(softened) = &loss.softened {
        let (shares, _) = softened.targets(&outputs, labels);
        return SoftCrossEntropy.backward(SoftCrossEntropy.forward_saving(outputs, shares).1, gradient);
    }
    match loss.loss {
        Loss::CrossEntropy => {
            SoftmaxCrossEntropy.backward(SoftmaxCrossEntropy.forward_saving(outputs, labels).1, gradient)
        }
        Loss::MeanSquaredError => {
            let targets = one_hot(&outputs, labels);
            MeanSquaredError.backward(MeanSquaredError.forward_saving(outputs, targets).1, gradient)
        }
        Loss::BinaryCrossEntropy => {
            let targets = one_hot(&outputs, labels);
            BinaryCrossEntropy.backward(BinaryCrossEntropy.forward_saving(outputs, targets).1, gradient)
        }
    }
}

/// The loss as the CPU kernels know it.
#[must_use]
pub fn objective(loss: &TrainingLoss) -> Objective {
    match (&loss.softened, loss.loss) {
        (Some(Softened { smoothing, weights }), _) => Objective::soft_cross_entropy(*smoothing, weights),
        (None, Loss::CrossEntropy) => Objective::CrossEntropy,
        (None, Loss::MeanSquaredError) => Objective::MeanSquaredError,
        (None, Loss::BinaryCrossEntropy) => Objective::BinaryCrossEntropy,
    }
}

/// 1 at each label and 0 elsewhere, in the shape, on the device and in the precision of `outputs`.
fn one_hot(outputs: &Tensor<2>, labels: Tensor<1, Int>) -> Tensor<2> {
    let (device, dtype) = (outputs.device(), outputs.dtype());
    let labels = labels.unsqueeze_dim::<2>(1);
    let ones = Tensor::ones(labels.dims(), (&device, dtype));
    Tensor::zeros(outputs.dims(), (&device, dtype)).scatter(1, labels, ones, IndexingUpdateOp::Add)
}

/// What a loss says of one image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Score {
    /// A probability per class, as [`Loss`] defines it; they sum to 1.
    pub(crate) probabilities: Vec<f64>,
    /// The loss of this image.
    pub(crate) loss: f64,
}

/// The score of one image of class `label`, in f64, from the outputs of the network.
pub(crate) fn score(loss: Loss, outputs: &[f64], label: usize) -> Score {
    let mean = |of_class: &dyn Fn(f64, f64) -> f64| {
        let targets = (0..outputs.len()).map(|class| if class == label { 1.0 } else { 0.0 });
        outputs.iter().zip(targets).map(|(&z, y)| of_class(z, y)).sum::<f64>() / outputs.len() as f64
    };
    match loss {
        Loss::CrossEntropy => {
            // The maximum is subtracted, so that no exponential overflows.
            let largest = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let exponentials: Vec<f64> = outputs.iter().map(|z| (z - largest).exp()).collect();
            let sum: f64 = exponentials.iter().sum();
            let probabilities = exponentials.iter().map(|e| e / sum).collect();
            Score { probabilities, loss: sum.ln() + largest - outputs[label] }
        }
        Loss::MeanSquaredError => {
            let probabilities = shares(outputs.iter().map(|z| z.max(0.0)).collect());
            Score { probabilities, loss: mean(&|z, y| (z - y) * (z - y)) }
        }
        Loss::BinaryCrossEntropy => {
            let probabilities = shares(outputs.iter().map(|z| 1.0 / (1.0 + (-z).exp())).collect());
            // The stable form that `BinaryCrossEntropy` derives.
            Score { probabilities, loss: mean(&|z, y| z.max(0.0) - y * z + (-z.abs()).exp().ln_1p()) }
        }
    }
}

/// Each value over the sum of all; equal shares of nothing.
fn shares(values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    let equal = 1.0 / values.len() as f64;
    values.into_iter().map(|value| if sum > 0.0 { value / sum } else { equal }).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device};

    use super::*;

    const OUTPUTS: [[f64; 3]; 4] = [[2.0, -1.0, 0.5], [-3.0, -0.1, -2.0], [0.0, 0.0, 0.0], [700.0, -900.0, 30.0]];
    const LABELS: [usize; 4] = [0, 2, 1, 0];

    /// The loss is computed in three places: for autodiff, by hand, and on the host.
    #[test]
    fn the_loss_of_a_batch_is_the_mean_of_the_losses_of_its_images() {
        let device = Device::flex();
        for loss in Loss::ALL {
            let outputs: Vec<f64> = OUTPUTS.into_iter().flatten().collect();
            let outputs = Tensor::<2>::from_data(TensorData::new(outputs, [4, 3]), (&device, DType::F64));
            let labels = Tensor::<1, Int>::from_data([0, 2, 1, 0], &device);
            let number = |tensor: Tensor<1>| tensor.into_data().iter::<f64>().next().unwrap();
            let of_training = TrainingLoss::from(loss);
            let by_autodiff = number(mean(&of_training, outputs.clone().autodiff(), labels.clone().autodiff()).inner());
            let by_hand = number(mean_and_gradient(&of_training, outputs, labels).0);
            let scores = OUTPUTS.iter().zip(LABELS).map(|(outputs, label)| score(loss, outputs, label).loss);
            let on_the_host = scores.sum::<f64>() / 4.0;
            for found in [by_autodiff, by_hand] {
                assert!((found - on_the_host).abs() <= 1e-12 * on_the_host, "{loss:?}: {found}, {on_the_host}");
            }
        }
    }

    /// Weighed by 1/N, the losses of the images have the gradient of their mean.
    #[test]
    fn the_losses_of_the_images_and_their_gradient_are_those_of_the_batch() {
        let device = Device::flex();
        for loss in Loss::ALL {
            let of_training = TrainingLoss::from(loss);
            let outputs: Vec<f64> = OUTPUTS.into_iter().flatten().collect();
            let outputs = Tensor::<2>::from_data(TensorData::new(outputs, [4, 3]), (&device, DType::F64));
            let labels = Tensor::<1, Int>::from_data([0, 2, 1, 0], &device);
            let found: Vec<f64> =
                losses(&of_training, outputs.clone(), labels.clone()).into_data().iter::<f64>().collect();
            for ((found, outputs), label) in found.into_iter().zip(&OUTPUTS).zip(LABELS) {
                let expected = score(loss, outputs, label).loss;
                assert!((found - expected).abs() <= 1e-12 * expected, "{loss:?}: {found}, {expected}");
            }
            let quarters = Tensor::<1>::full([4], 0.25, (&device, DType::F64));
            let of_images = losses_backward(&of_training, outputs.clone(), labels.clone(), quarters);
            let of_batch = mean_and_gradient(&of_training, outputs, labels).1;
            let apart = (of_images - of_batch).abs().max().into_data().iter::<f64>().next().unwrap();
            assert!(apart <= 1e-15, "{loss:?}: {apart}");
        }
    }

    #[test]
    fn losses_and_probabilities_worked_out_by_hand() {
        let check = |loss, outputs: &[f64], label, probabilities: &[f64], expected: f64| {
            let found = score(loss, outputs, label);
            assert!((found.loss - expected).abs() < 1e-12, "{loss:?}: {found:?}");
            for (found, expected) in found.probabilities.iter().zip(probabilities) {
                assert!((found - expected).abs() < 1e-12, "{loss:?}: {found}, expected {expected}");
            }
        };
        let ln = f64::ln;
        check(Loss::CrossEntropy, &[ln(1.0), ln(2.0), ln(5.0)], 1, &[0.125, 0.25, 0.625], ln(4.0));
        // ((0.5 − 1)² + 0.25² + (−0.25)²) / 3; the negative output counts as 0.
        check(Loss::MeanSquaredError, &[0.5, 0.25, -0.25], 0, &[2.0 / 3.0, 1.0 / 3.0, 0.0], 0.375 / 3.0);
        check(Loss::MeanSquaredError, &[-1.0, -2.0], 0, &[0.5, 0.5], 4.0);
        // σ(ln 3) = 3/4 and σ(0) = 1/2: −(ln 3/4 + ln 1/2) / 2.
        check(Loss::BinaryCrossEntropy, &[ln(3.0), 0.0], 0, &[0.6, 0.4], -ln(0.375) / 2.0);
        check(Loss::BinaryCrossEntropy, &[-1e4, -1e4], 0, &[0.5, 0.5], 5e3);
    }

    #[test]
    fn probabilities_sum_to_one() {
        for loss in Loss::ALL {
            for outputs in OUTPUTS {
                let sum: f64 = score(loss, &outputs, 0).probabilities.iter().sum();
                assert!((sum - 1.0).abs() < 1e-12, "{loss:?}, {outputs:?}: {sum}");
            }
        }
    }

    /// All three engines against the definition, which `SoftCrossEntropy` compares with PyTorch's values.
    #[test]
    fn smoothed_labels_of_weighted_classes_are_the_same_for_every_engine() {
        let outputs = [[1.0, -2.0, 0.5], [0.0, 3.0, -1.0], [-0.5, 0.25, 2.0], [0.1, 0.2, 0.3]];
        let (labels, weights, smoothing) = ([2_usize, 0, 2, 1], [0.5, 3.0, 1.0], 0.2);
        let loss = TrainingLoss {
            loss: Loss::CrossEntropy,
            softened: Some(Softened { smoothing, weights: weights.to_vec() }),
        };
        let total: f64 = labels.iter().map(|&label| weights[label]).sum();
        let mean_of = |outputs: &[[f64; 3]; 4]| -> f64 {
            let of_image = |(z, &label): (&[f64; 3], &usize)| {
                let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
                let share = |k: usize| weights[k] * (smoothing / 3.0 + if k == label { 1.0 - smoothing } else { 0.0 });
                (0..3).map(|k| share(k) * (log_sum - z[k])).sum::<f64>()
            };
            outputs.iter().zip(&labels).map(of_image).sum::<f64>() / total
        };
        let expected = mean_of(&outputs);
        let gradient: Vec<f64> = (0..12)
            .map(|at| {
                let moved = |step: f64| {
                    let mut moved = outputs;
                    moved[at / 3][at % 3] += step;
                    mean_of(&moved)
                };
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            })
            .collect();
        let close = |what: &str, found: &[f64], expected: &[f64], within: f64| {
            let far = found.iter().zip(expected).any(|(found, expected)| (found - expected).abs() > within);
            assert!(!far && found.len() == expected.len(), "{what}: {found:?}, not {expected:?}");
        };
        let device = Device::flex();
        let numbers = |tensor: Tensor<1>| tensor.into_data().iter::<f64>().collect::<Vec<_>>();
        let tensor = Tensor::<2>::from_data(TensorData::from(outputs), (&device, DType::F64));
        let classes = Tensor::<1, Int>::from_data([2, 0, 2, 1], &device);
        let (found, by_hand) = mean_and_gradient(&loss, tensor.clone(), classes.clone());
        close("mean", &numbers(found), &[expected], 1e-12);
        close("gradient", &by_hand.into_data().iter::<f64>().collect::<Vec<_>>(), &gradient, 1e-9);
        let watched = tensor.clone().autodiff().require_grad();
        let by_autodiff = mean(&loss, watched.clone(), classes.clone().autodiff());
        let graph = by_autodiff.backward();
        close("mean by autodiff", &numbers(by_autodiff.inner()), &[expected], 1e-12);
        let found = watched.grad(&graph).unwrap().into_data();
        close("gradient by autodiff", &found.iter::<f64>().collect::<Vec<_>>(), &gradient, 1e-9);
        let each = numbers(losses(&loss, tensor, classes));
        close("losses", &[each.iter().sum::<f64>() / total], &[expected], 1e-12);

        let objective = objective(&loss);
        let (mut sum, mut found) = (0.0, Vec::new());
        for (row, &label) in outputs.iter().zip(&labels) {
            let mut gradient = [0.0; 3];
            let row = row.map(|z| z as f32);
            sum += objective.loss(&row, label, (1.0 / total) as f32, &mut gradient);
            found.extend(gradient.map(f64::from));
        }
        let counted: f64 = labels.iter().map(|&label| objective.weight(label)).sum();
        close("mean by kernels", &[sum / counted], &[expected], 1e-6);
        close("gradient by kernels", &found, &gradient, 1e-6);
    }
}
