//! How gradients are made on tensors. Both engines return the same, so that nothing after them can know which one ran.

use backproof_models::{Network, PassMode};
use burn::Tensor;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;

use crate::loss::TrainingLoss;
use crate::targets::{self, Targets};

/// An engine that computes on tensors; the third, [`Engine::Compiled`](backproof_spec::Engine), has a memory of its
/// own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnTensors {
    /// By Burn's automatic differentiation.
    Autodiff,
    /// By the derived backward passes.
    Manual,
}

/// What one pass over a batch gives.
#[derive(Debug)]
pub(crate) struct Gradients {
    /// Mean loss over the batch.
    pub(crate) loss: f64,
    /// Logits `[N, K]`, a plain tensor.
    pub(crate) logits: Tensor<2>,
    /// The gradient of the loss with respect to each parameter, by id, as plain tensors.
    pub(crate) parameters: GradientsParams,
}

impl OnTensors {
    /// The device of the batches: with autodiff or without.
    pub(crate) fn batch_device(self, device: &Device) -> Device {
        match self {
            Self::Autodiff => device.clone().autodiff(),
            Self::Manual => device.clone().without_autodiff(),
        }
    }

    /// One step of the optimizer.
    ///
    /// Burn's `ModuleOptimizer` takes only parameters on an autodiff device. So the manual engine's network goes to
    /// autodiff and back, which copies no numbers.
    pub(crate) fn update(
        self,
        optimizer: &mut ModuleOptimizer,
        learning_rate: f64,
        network: Network,
        gradients: GradientsParams,
    ) -> Network {
        match self {
            Self::Autodiff => optimizer.step(learning_rate, network, gradients),
            Self::Manual => optimizer.step(learning_rate, network.train(), gradients).valid(),
        }
    }

    /// The mean of `loss`, logits and gradients of one batch: network, images `[N, C, H, W]` and targets on
    /// [`batch_device`](Self::batch_device).
    pub(crate) fn gradients(
        self,
        loss: &TrainingLoss,
        network: &Network,
        images: Tensor<4>,
        targets: impl Into<Targets>,
        mode: PassMode,
    ) -> Gradients {
        let targets = targets.into();
        match self {
            Self::Autodiff => by_autodiff(loss, network, images, targets, mode),
            Self::Manual => by_hand(loss, network, images, targets, mode),
        }
    }
}

fn by_autodiff(
    loss: &TrainingLoss,
    network: &Network,
    images: Tensor<4>,
    targets: Targets,
    mode: PassMode,
) -> Gradients {
    let logits = network.forward(images, mode);
    let loss = targets::mean(loss, logits.clone(), targets);
    let graph = loss.backward();
    Gradients {
        loss: scalar(loss.inner()),
        logits: logits.inner(),
        parameters: GradientsParams::from_grads(graph, network),
    }
}

fn by_hand(loss: &TrainingLoss, network: &Network, images: Tensor<4>, targets: Targets, mode: PassMode) -> Gradients {
    let (logits, saved) = network.forward_saving(images, mode);
    let (loss, gradient) = targets::mean_and_gradient(loss, logits.clone(), targets);
    Gradients { loss: scalar(loss), logits, parameters: network.backward(saved, gradient) }
}

fn scalar(tensor: Tensor<1>) -> f64 {
    tensor.into_data().iter::<f64>().next().expect("a mean has one element")
}

#[cfg(test)]
mod tests;
