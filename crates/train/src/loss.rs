//! The losses that an experiment can ask for: over a batch on the device for training, and of one image on the host.
//!
//! On tensors they are Burn's operations, also where the layers run on the CPU kernels: with 16 images of 10 logits
//! there is nothing to gain.

use backproof_compiled::Objective;
use backproof_layers::{BinaryCrossEntropy, MeanSquaredError, SoftmaxCrossEntropy};
use backproof_spec::Loss;
use burn::Tensor;
use burn::tensor::{IndexingUpdateOp, Int};

/// The mean over the batch, `[1]`, of outputs `[N, K]` and labels `[N]`, by operations that autodiff can differentiate.
pub(crate) fn mean(loss: Loss, outputs: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    match loss {
        Loss::CrossEntropy => SoftmaxCrossEntropy.mean(outputs, labels),
        Loss::MeanSquaredError => MeanSquaredError.mean(outputs.clone(), one_hot(&outputs, labels)),
        Loss::BinaryCrossEntropy => BinaryCrossEntropy.mean(outputs.clone(), one_hot(&outputs, labels)),
    }
}

/// [`mean`] and its gradient with respect to the outputs, `[N, K]`, by the formulas derived by hand, on plain tensors.
pub(crate) fn mean_and_gradient(loss: Loss, outputs: Tensor<2>, labels: Tensor<1, Int>) -> (Tensor<1>, Tensor<2>) {
    match loss {
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
pub fn losses(loss: Loss, outputs: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    match loss {
        Loss::CrossEntropy => SoftmaxCrossEntropy.forward(outputs, labels),
        Loss::MeanSquaredError => MeanSquaredError.forward(outputs.clone(), one_hot(&outputs, labels)),
        Loss::BinaryCrossEntropy => BinaryCrossEntropy.forward(outputs.clone(), one_hot(&outputs, labels)),
    }
}

/// The gradient of the outputs, `[N, K]`, from that of the [`losses`], `[N]`, by the formulas derived by hand, on plain
/// tensors.
#[must_use]
pub fn losses_backward(loss: Loss, outputs: Tensor<2>, labels: Tensor<1, Int>, gradient: Tensor<1>) -> Tensor<2> {
    match loss {
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
pub const fn objective(loss: Loss) -> Objective {
    match loss {
        Loss::CrossEntropy => Objective::CrossEntropy,
        Loss::MeanSquaredError => Objective::MeanSquaredError,
        Loss::BinaryCrossEntropy => Objective::BinaryCrossEntropy,
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
    use burn::tensor::{DType, Device, TensorData};

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
            let by_autodiff = number(mean(loss, outputs.clone().autodiff(), labels.clone().autodiff()).inner());
            let by_hand = number(mean_and_gradient(loss, outputs, labels).0);
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
            let outputs: Vec<f64> = OUTPUTS.into_iter().flatten().collect();
            let outputs = Tensor::<2>::from_data(TensorData::new(outputs, [4, 3]), (&device, DType::F64));
            let labels = Tensor::<1, Int>::from_data([0, 2, 1, 0], &device);
            let found: Vec<f64> = losses(loss, outputs.clone(), labels.clone()).into_data().iter::<f64>().collect();
            for ((found, outputs), label) in found.into_iter().zip(&OUTPUTS).zip(LABELS) {
                let expected = score(loss, outputs, label).loss;
                assert!((found - expected).abs() <= 1e-12 * expected, "{loss:?}: {found}, {expected}");
            }
            let quarters = Tensor::<1>::full([4], 0.25, (&device, DType::F64));
            let of_images = losses_backward(loss, outputs.clone(), labels.clone(), quarters);
            let of_batch = mean_and_gradient(loss, outputs, labels).1;
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
}
