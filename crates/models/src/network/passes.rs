//! What flows between the layers of a network, forward and back.

use std::collections::BTreeMap;

use backproof_layers::{Features, Layer, Mode, Ranked, Saved};
use burn::Tensor;
use burn::optim::GradientsParams;
use burn::tensor::TensorData;

use super::{Network, PassMode};

/// Both passes of a network at one layer.
#[derive(Debug, Clone)]
pub struct LayerPass {
    /// The output.
    pub output: Features,
    /// The gradient of the loss with respect to the output.
    pub gradient: Features,
}

/// Both passes of a network.
#[derive(Debug)]
pub struct Passes {
    /// Of each layer by its number, those inside of others included.
    pub layers: Vec<LayerPass>,
    /// The gradient of the loss with respect to the images, `[N, C, H, W]`.
    pub images: Tensor<4>,
    /// The gradients of the parameters, by their ids.
    pub parameters: GradientsParams,
}

impl Network {
    /// The forward pass of `images`, `[N, C, H, W]`, and the backward pass by hand, with what flows between the layers.
    /// `mode` is that of the layer with a number; `loss` gives the gradient of the logits, `[N, K]` both.
    pub fn passes(
        &self,
        images: Tensor<4>,
        mode: impl Fn(usize) -> Mode,
        loss: impl FnOnce(Tensor<2>) -> Tensor<2>,
    ) -> Passes {
        let count = self.names.len();
        let mut outputs = vec![None; count];
        let mut see = |number: usize, output: &Features| outputs[number] = Some(output.clone());
        let (logits, saved) = self.chain_saving(&self.layers, 0, Ranked::Images(images), &mode, &mut see);
        let (mut gradients, mut parameters) = (vec![None; count], GradientsParams::new());
        let gradient = Ranked::Vectors(loss(logits.vectors()));
        let images = backward_through(&self.layers, 0, saved, gradient, &mut gradients, &mut parameters);
        let whole = "each pass reaches every layer";
        let layers = outputs
            .into_iter()
            .zip(gradients)
            .map(|(output, gradient)| LayerPass { output: output.expect(whole), gradient: gradient.expect(whole) });
        Passes { layers: layers.collect(), images: images.images(), parameters }
    }

    /// The forward pass of `images`, `[N, C, H, W]`; `see` is given the output of each layer with its number.
    pub fn see_outputs(&self, images: Tensor<4>, mode: PassMode, see: &mut dyn FnMut(usize, &Features)) {
        self.chain_saving(&self.layers, 0, Ranked::Images(images), &|number| self.mode_of(number, mode), see);
    }

    /// Gradients of the parameters by the names and in the layouts of PyTorch; of those that are there.
    #[must_use]
    pub fn named_gradients(&self, gradients: &GradientsParams) -> Vec<(String, TensorData)> {
        let ranks = self.tensors().into_iter().map(|tensor| (tensor.name, tensor.data.shape().len()));
        let ranks: BTreeMap<String, usize> = ranks.collect();
        let named = self.parameter_ids().into_iter().filter_map(|(name, id)| {
            let gradient = match ranks[&name] {
                1 => gradients.get::<1>(id).map(Tensor::into_data),
                // Burn stores the weights of a linear layer, the only matrices, as `[inputs, outputs]`.
                2 => gradients.get::<2>(id).map(|matrix| matrix.transpose().into_data()),
                _ => gradients.get::<4>(id).map(Tensor::into_data),
            };
            Some((name, gradient?))
        });
        named.collect()
    }
}

/// The gradient of the input of layers that follow one another, of which the first has the number `first`.
fn backward_through(
    layers: &[Layer],
    first: usize,
    saved: Vec<Saved>,
    gradient: Features,
    gradients: &mut [Option<Features>],
    parameters: &mut GradientsParams,
) -> Features {
    let mut gradient = gradient;
    let mut number = first + layers.iter().map(Layer::count).sum::<usize>();
    for (layer, saved) in layers.iter().zip(saved).rev() {
        number -= layer.count();
        gradients[number] = Some(gradient.clone());
        gradient = match (layer, saved) {
            (Layer::Residual(residual), Saved::Residual(saved)) => {
                residual.backward_by(saved, gradient, |layers, inside, saved, gradient| {
                    backward_through(layers, number + inside, saved, gradient, gradients, parameters)
                })
            }
            (layer, saved) => layer.backward(saved, gradient, parameters),
        };
    }
    gradient
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use backproof_spec::published;

    fn flat(features: &Features) -> Vec<f32> {
        match features.clone() {
            Ranked::Images(images) => images.into_data(),
            Ranked::Vectors(vectors) => vectors.into_data(),
        }
        .iter::<f32>()
        .collect()
    }

    #[test]
    fn the_passes_are_those_of_the_engine_and_every_layer_s_gradient_moves_the_loss() {
        let device = Device::flex();
        for name in ["cifar-baseline", "resnet-20"] {
            let network = Network::new(&published::by_name(name).unwrap(), 3, &device).unwrap();
            let images = Tensor::<4>::random([2, 3, 32, 32], burn::tensor::Distribution::Default, &device);
            let mode = PassMode::Training { seed: 1, step: 0 };
            // The loss is the sum of all logits.
            let passes = network.passes(images.clone(), |number| mode.of_layer(number), |logits| logits.ones_like());
            let (logits, saved) = network.forward_saving(images, mode);
            let (of_images, _) = network.backward_to_images(saved, logits.ones_like());
            passes.images.into_data().assert_approx_eq::<f32>(&of_images.into_data(), Tolerance::default());
            assert_eq!(passes.layers.len(), network.names().len());
            assert_eq!(
                flat(&passes.layers.last().unwrap().output),
                logits.into_data().iter::<f32>().collect::<Vec<_>>()
            );
            for (layer, name) in passes.layers.iter().zip(network.names()) {
                let (output, gradient) = (flat(&layer.output), flat(&layer.gradient));
                assert_eq!(output.len(), gradient.len(), "{name}");
                assert!(gradient.iter().any(|gradient| *gradient != 0.0), "{name}");
            }
        }
    }
}
