//! The one fork: how gradients are made. Both engines return the same, so nothing after them can know which one ran.

use backproof_models::{Mode, Network};
use backproof_spec::{Engine, Loss};
use burn::Tensor;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int};

use crate::loss;

/// What one pass over a batch gives.
#[derive(Debug)]
pub struct Gradients {
    /// Mean loss over the batch.
    pub loss: f64,
    /// Logits `[N, K]`, a plain tensor.
    pub logits: Tensor<2>,
    /// The gradient of the loss with respect to each parameter that is not frozen, by id, as plain tensors.
    pub parameters: GradientsParams,
}

/// The device of the batches for `engine`: with autodiff or without.
#[must_use]
pub fn batch_device(engine: Engine, device: &Device) -> Device {
    match engine {
        Engine::Autodiff => device.clone().autodiff(),
        Engine::Manual => device.clone().without_autodiff(),
    }
}

/// The network as `engine` wants it: on its autodiff device, or plain.
#[must_use]
pub fn ready(engine: Engine, network: Network) -> Network {
    match engine {
        Engine::Autodiff => network,
        Engine::Manual => network.valid(),
    }
}

/// One step of the optimizer.
///
/// Burn's optimizers take a network on an autodiff device only; a plain one goes there and back, which copies no numbers.
#[must_use]
pub fn update(
    engine: Engine,
    optimizer: &mut ModuleOptimizer,
    learning_rate: f64,
    network: Network,
    gradients: GradientsParams,
) -> Network {
    match engine {
        Engine::Autodiff => optimizer.step(learning_rate, network, gradients),
        Engine::Manual => optimizer.step(learning_rate, network.train(), gradients).valid(),
    }
}

/// The mean of `loss`, logits and gradients of one batch: images `[N, C, H, W]` and labels `[N]` on [`batch_device`],
/// the network as it is [`ready`].
#[must_use]
pub fn gradients(
    engine: Engine,
    loss: Loss,
    network: &Network,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
    mode: Mode,
) -> Gradients {
    let pass = match engine {
        Engine::Autodiff => by_autodiff(loss, network, images, labels, mode),
        Engine::Manual => by_hand(loss, network, images, labels, mode),
    };
    Gradients { parameters: network.without_frozen(pass.parameters), ..pass }
}

fn by_autodiff(loss: Loss, network: &Network, images: Tensor<4>, labels: Tensor<1, Int>, mode: Mode) -> Gradients {
    let logits = network.forward(images, mode);
    let loss = loss::mean(loss, logits.clone(), labels);
    let graph = loss.backward();
    Gradients {
        loss: scalar(loss.inner()),
        logits: logits.inner(),
        parameters: GradientsParams::from_grads(graph, network),
    }
}

fn by_hand(loss: Loss, network: &Network, images: Tensor<4>, labels: Tensor<1, Int>, mode: Mode) -> Gradients {
    let (logits, saved) = network.forward_saving(images, mode);
    let (loss, gradient) = loss::mean_and_gradient(loss, logits.clone(), labels);
    Gradients { loss: scalar(loss), logits, parameters: network.backward(saved, gradient) }
}

fn scalar(tensor: Tensor<1>) -> f64 {
    tensor.into_data().iter::<f64>().next().expect("a mean has one element")
}

#[cfg(test)]
mod tests;
