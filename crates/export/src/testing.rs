//! A small model for tests, whose weights follow from no random number.

use backproof_data::Normalizer;
use backproof_models::Network;
use backproof_spec::{
    Architecture, BatchNormSpec, Conv2dSpec, FlattenSpec, LayerSpec, LinearSpec, Loss, MaxPool2dSpec, ReluSpec,
    ResidualSpec, Shape, Shortcut, Views,
};
use burn::tensor::Device;

use crate::Model;

/// A network with a convolution, a residual connection of option A and a pooling that rounds up.
pub(crate) fn layers() -> Vec<LayerSpec> {
    let conv = |channels, stride| LayerSpec::Conv2d(Conv2dSpec::new(channels, 3).padding(1).stride(stride));
    let norm = BatchNormSpec { scale: false, ..BatchNormSpec::default() };
    vec![
        conv(2, 1),
        LayerSpec::Residual(
            ResidualSpec::new(vec![conv(3, 2), LayerSpec::BatchNorm(norm)]).shortcut(Shortcut::ZeroPadding),
        ),
        LayerSpec::Relu(ReluSpec::default()),
        LayerSpec::MaxPool2d(MaxPool2dSpec { ceil_mode: true, ..MaxPool2dSpec::new(2) }),
        LayerSpec::Flatten(FlattenSpec),
        LayerSpec::Linear(LinearSpec::new(2)),
    ]
}

/// A model of these layers on images of 1×5×6 with a border of one pixel.
pub(crate) fn model(layers: Vec<LayerSpec>) -> Model {
    let input = Shape::image(1, 7, 8);
    let device = Device::flex();
    let architecture = Architecture { name: "small".to_owned(), input, layers };
    let mut network = Network::new(&architecture, 1, &device).unwrap();
    for tensor in network.tensors() {
        // Multiples of 1/8 from 1/8 to 1: sums of few of them are exact.
        let values: Vec<f64> =
            (0..tensor.data.num_elements()).map(|index| (1 + (3 * index) % 8) as f64 / 8.0).collect();
        network = network.with_values(&tensor.name, &values);
    }
    Model {
        network,
        device,
        normalizer: Normalizer::Standardize { mean: vec![0.25], std: vec![0.5] },
        padding: 1,
        image: Shape::image(1, 5, 6),
        classes: vec!["cat".to_owned(), "\"dog\"".to_owned()],
        loss: Loss::CrossEntropy,
        views: Views::One,
        run: "small/20261201T000000Z-00000000".to_owned(),
        iteration: Some(24),
        test_accuracy: Some(0.875),
    }
}
