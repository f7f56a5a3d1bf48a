//! The one fork: how gradients are made. Both engines return the same, so nothing after them can know which one ran.

use backproof_layers::SoftmaxCrossEntropy;
use backproof_models::{Mode, Network};
use backproof_spec::Engine;
use burn::Tensor;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int};

/// What one pass over a batch gives.
#[derive(Debug)]
pub struct Gradients {
    /// Mean cross-entropy over the batch in nats.
    pub loss: f64,
    /// Logits `[N, K]`, a plain tensor.
    pub logits: Tensor<2>,
    /// The gradient of the loss with respect to each parameter, by id, as plain tensors.
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

/// Loss, logits and gradients of one batch: images `[N, C, H, W]` and labels `[N]` on [`batch_device`],
/// the network as it is [`ready`].
#[must_use]
pub fn gradients(
    engine: Engine,
    network: &Network,
    images: Tensor<4>,
    labels: Tensor<1, Int>,
    mode: Mode,
) -> Gradients {
    match engine {
        Engine::Autodiff => by_autodiff(network, images, labels, mode),
        Engine::Manual => by_hand(network, images, labels, mode),
    }
}

fn by_autodiff(network: &Network, images: Tensor<4>, labels: Tensor<1, Int>, mode: Mode) -> Gradients {
    let logits = network.forward(images, mode);
    let loss = SoftmaxCrossEntropy.mean(logits.clone(), labels);
    let graph = loss.backward();
    Gradients {
        loss: scalar(loss.inner()),
        logits: logits.inner(),
        parameters: GradientsParams::from_grads(graph, network),
    }
}

fn by_hand(network: &Network, images: Tensor<4>, labels: Tensor<1, Int>, mode: Mode) -> Gradients {
    let (logits, saved) = network.forward_saving(images, mode);
    let (losses, saved_loss) = SoftmaxCrossEntropy.forward_saving(logits.clone(), labels);
    let parameters = network.backward(saved, SoftmaxCrossEntropy.mean_backward(saved_loss));
    Gradients { loss: scalar(losses.mean()), logits, parameters }
}

fn scalar(tensor: Tensor<1>) -> f64 {
    tensor.into_data().iter::<f64>().next().expect("a mean has one element")
}

#[cfg(test)]
mod tests {
    use backproof_spec::published;
    use burn::module::{ModuleMapper, Param};
    use burn::tensor::{DType, TensorData};

    use super::*;
    use crate::Momentum;

    /// Every parameter in double precision.
    struct Double;

    impl ModuleMapper for Double {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let value = parameter.val().into_data().convert::<f64>();
            let value = Tensor::from_data(value, (&parameter.device(), DType::F64));
            let id = parameter.id;
            parameter.transform_for_load(value, id)
        }
    }

    /// Four images of step `step` and their labels: any numbers will do, as long as both engines see the same.
    fn batch(step: usize, shape: [usize; 3], device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let [channels, height, width] = shape;
        let count = 4 * channels * height * width;
        let pixel = |i: usize| ((i * 7919 + step * 104_729) % 1009) as f64 / 504.5 - 1.0;
        let pixels: Vec<f64> = (0..count).map(pixel).collect();
        let images = TensorData::new(pixels, [4, channels, height, width]);
        let labels: Vec<i64> = (0..4).map(|i| ((i * 3 + step) % 10) as i64).collect();
        (Tensor::from_data(images, (device, DType::F64)), Tensor::from_data(TensorData::new(labels, [4]), device))
    }

    /// All parameters after 200 steps.
    fn train(engine: Engine, name: &str) -> Vec<(String, Vec<f64>)> {
        let plain = Device::flex();
        let architecture = published::by_name(name).unwrap();
        let network = Network::new(&architecture, 1, &plain.clone().autodiff()).unwrap().map(&mut Double);
        let mut network = ready(engine, network);
        let mut optimizer: ModuleOptimizer = Momentum::new(0.9, 0.001).into();
        let shape = architecture.input.dimensions().try_into().unwrap();
        for step in 0..200 {
            let (images, labels) = batch(step, shape, &batch_device(engine, &plain));
            let mode = Mode::Training { seed: 1, step: step as u64 };
            let pass = gradients(engine, &network, images, labels, mode);
            assert!(pass.loss.is_finite());
            network = update(engine, &mut optimizer, 0.01, network, pass.parameters);
        }
        let tensors = network.tensors();
        tensors.into_iter().map(|tensor| (tensor.name, tensor.data.iter::<f64>().collect())).collect()
    }

    #[test]
    fn both_engines_reach_the_same_parameters_in_double_precision() {
        for name in published::names() {
            let start = Network::new(&published::by_name(name).unwrap(), 1, &Device::flex()).unwrap().tensors();
            let autodiff = train(Engine::Autodiff, name);
            let manual = train(Engine::Manual, name);
            for (((tensor, a), (_, m)), start) in autodiff.iter().zip(&manual).zip(start) {
                let largest = a.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
                let difference = a.iter().zip(m).map(|(a, m)| (a - m).abs()).fold(0.0, f64::max);
                assert!(difference <= 1e-10 * largest, "{name}, {tensor}: {difference:e} of {largest:e}");
                let moved = a.iter().zip(start.data.iter::<f64>()).any(|(a, start)| (a - start).abs() > 1e-4);
                assert!(moved, "{name}, {tensor} was not trained");
            }
        }
    }
}
