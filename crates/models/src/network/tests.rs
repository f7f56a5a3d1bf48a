//! Networks with residual layers: names, random streams, modes, and both passes.

use backproof_spec::{BatchNormSpec, Conv2dSpec, DropoutSpec, FlattenSpec, LayerSpec, LinearSpec, ResidualSpec, Shape};
use backproof_spec::{Shortcut, published};
use burn::tensor::DType;

use super::*;
use crate::{load_weights, save_weights};

fn conv(channels: usize) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec::new(channels, 3).padding(1))
}

fn dropout() -> LayerSpec {
    LayerSpec::Dropout(DropoutSpec { probability: 0.5 })
}

/// A residual layer inside of another, with dropout and normalisation in the branches.
fn nested() -> Architecture {
    let inner = ResidualSpec::new(vec![conv(2), dropout()]);
    let shortcut = Shortcut::Layers(vec![conv(2), LayerSpec::BatchNorm(BatchNormSpec::default())]);
    let outer = ResidualSpec::new(vec![dropout(), LayerSpec::Residual(inner), conv(2)]).shortcut(shortcut);
    let layers =
        vec![LayerSpec::Residual(outer), LayerSpec::Flatten(FlattenSpec), LayerSpec::Linear(LinearSpec::new(3))];
    Architecture { name: "nested".to_owned(), input: Shape::image(2, 4, 4), layers }
}

fn network(architecture: &Architecture) -> Network {
    Network::new(architecture, 1, &Device::flex()).unwrap()
}

fn images() -> Tensor<4> {
    Tensor::arange(0..64, &Device::flex()).float().reshape([2, 2, 4, 4]).sin()
}

const TRAINING: PassMode = PassMode::Training { seed: 1, step: 0 };

#[test]
fn tensors_inside_of_residual_layers_are_named_after_their_place() {
    let names: Vec<String> = network(&nested()).tensors().into_iter().map(|tensor| tensor.name).collect();
    let expected = [
        "residual1.body.residual1.body.conv1.weight",
        "residual1.body.residual1.body.conv1.bias",
        "residual1.body.conv1.weight",
        "residual1.body.conv1.bias",
        "residual1.shortcut.conv1.weight",
        "residual1.shortcut.conv1.bias",
        "residual1.shortcut.norm1.weight",
        "residual1.shortcut.norm1.bias",
        "residual1.shortcut.norm1.running_mean",
        "residual1.shortcut.norm1.running_var",
        "linear1.weight",
        "linear1.bias",
    ];
    assert_eq!(names, expected);
}

#[test]
fn weights_of_residual_layers_come_back_as_they_were_saved() {
    let (one, other) = (network(&nested()), Network::new(&nested(), 2, &Device::flex()).unwrap());
    let (back, _) = load_weights(other, &save_weights(&one).unwrap(), &[]).unwrap();
    let logits = |network: &Network| network.forward(images(), PassMode::Inference).into_data();
    assert_eq!(logits(&back), logits(&one));
}

/// The convolutions have one shape, and each is drawn from the stream of its own number.
#[test]
fn each_layer_inside_is_drawn_from_its_own_stream() {
    let network = network(&nested());
    let values = |name: &str| {
        let tensor = network.tensors().into_iter().find(|tensor| tensor.name == name).unwrap();
        tensor.data.iter::<f32>().map(f32::to_bits).collect::<Vec<_>>()
    };
    let weights = [
        "residual1.body.residual1.body.conv1.weight",
        "residual1.body.conv1.weight",
        "residual1.shortcut.conv1.weight",
    ];
    let [inner, outer, shortcut] = weights.map(values);
    assert!(inner != outer && outer != shortcut && inner != shortcut);
    // As the layer with number 3 of a network without residual layers.
    let chain =
        Architecture { layers: vec![conv(2), conv(2), conv(2), conv(2), LayerSpec::Flatten(FlattenSpec)], ..nested() };
    let tensors = super::tests::network(&chain).tensors();
    let fourth: Vec<u32> = tensors[6].data.iter::<f32>().map(f32::to_bits).collect();
    assert_eq!((tensors[6].name.as_str(), inner), ("conv4.weight", fourth));
}

/// With the mask of one dropout in the place of another, or with another step, the logits differ.
#[test]
fn each_dropout_inside_has_a_mask_of_its_own_and_both_passes_have_the_same_ones() {
    let network = network(&nested());
    let logits = |mode| network.forward(images(), mode).into_data();
    let (by_hand, _) = network.forward_saving(images(), TRAINING);
    assert_eq!(logits(TRAINING), by_hand.into_data());
    assert_ne!(logits(TRAINING), logits(PassMode::Training { seed: 1, step: 1 }));
    let only = |number: usize| {
        // The others keep everything.
        let mut architecture = nested();
        let mut at = 0;
        let LayerSpec::Residual(outer) = &mut architecture.layers[0] else { unreachable!() };
        for layer in &mut outer.body {
            let inside = match layer {
                LayerSpec::Residual(inner) => &mut inner.body[..],
                layer => std::slice::from_mut(layer),
            };
            for layer in inside {
                if let LayerSpec::Dropout(dropout) = layer {
                    dropout.probability = if at == number { 0.5 } else { 0.0 };
                    at += 1;
                }
            }
        }
        super::tests::network(&architecture).forward(images(), TRAINING).into_data()
    };
    assert_ne!(only(0), only(1));
    assert_ne!(TRAINING.of_layer(1), TRAINING.of_layer(4));
}

#[test]
fn frozen_normalisation_inside_keeps_its_running_statistics() {
    let statistics = |network: &Network| {
        let found = network.tensors().into_iter().find(|tensor| tensor.name.ends_with("running_mean")).unwrap();
        found.data.iter::<f32>().collect::<Vec<_>>()
    };
    let plain = network(&nested());
    let _ = plain.forward(images(), TRAINING);
    assert_ne!(statistics(&plain), [0.0; 2]);
    let roles = ["weight", "bias", "running_mean", "running_var"];
    let frozen = network(&nested()).freeze(roles.map(|role| format!("residual1.shortcut.norm1.{role}")));
    let _ = frozen.forward(images(), TRAINING);
    let _ = frozen.forward_saving(images(), TRAINING);
    assert_eq!(statistics(&frozen), [0.0; 2]);
    let kept = frozen.tensors().into_iter().filter(|tensor| !tensor.trainable).count();
    assert_eq!(kept, 4);
}

#[test]
fn the_gradients_by_hand_are_those_of_autodiff() {
    let manual = network(&nested());
    let autodiff = Network::new(&nested(), 1, &Device::flex().autodiff()).unwrap();
    let (logits, saved) = manual.forward_saving(images(), TRAINING);
    let slopes = Tensor::arange(0..6, &Device::flex()).float().reshape([2, 3]).cos();
    let by_hand = manual.backward(saved, slopes.clone());
    let output = autodiff.forward(images().autodiff(), TRAINING);
    assert_eq!(output.clone().without_autodiff().into_data(), logits.into_data());
    let gradients = (output * slopes.autodiff()).sum().backward();
    let by_autodiff = GradientsParams::from_grads(gradients, &autodiff);
    assert_eq!((by_hand.len(), by_autodiff.len()), (10, 10));
    let mut compare = Compare { by_hand, by_autodiff };
    manual.visit(&mut compare);
}

struct Compare {
    by_hand: GradientsParams,
    by_autodiff: GradientsParams,
}

impl burn::module::ModuleVisitor for Compare {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let [one, other] = [&self.by_hand, &self.by_autodiff].map(|found| found.get::<D>(parameter.id));
        let (Some(one), Some(other)) = (one, other) else { return };
        let largest = other.clone().abs().max().into_scalar::<f32>();
        let apart = (one - other).abs().max().into_scalar::<f32>();
        // The bias before a normalisation has no effect, and a gradient of rounding alone.
        assert!(apart < 1e-4 * largest.max(1e-2), "{apart} of {largest}");
    }
}

#[test]
fn a_published_residual_network_gives_a_score_a_class() {
    let network = network(&published::resnet_20());
    let images = Tensor::<4>::ones([1, 3, 32, 32], &Device::flex());
    let logits = network.forward(images, PassMode::Inference);
    assert_eq!((logits.dims(), logits.dtype()), ([1, 10], DType::F32));
}
