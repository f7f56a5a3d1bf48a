//! What the published networks are made of.

use crate::{
    Architecture, Conv2dSpec, DropoutSpec, FlattenSpec, LayerSpec, LinearSpec, MaxPool2dSpec, ReluSpec, Shape,
};

pub(super) const MNIST: Shape = Shape::image(1, 28, 28);
pub(super) const CIFAR: Shape = Shape::image(3, 32, 32);

pub(super) fn network(name: &str, input: Shape, layers: Vec<LayerSpec>) -> Architecture {
    Architecture { name: name.to_owned(), input, layers }
}

/// A 5×5 convolution that keeps the size of the image.
pub(super) fn conv5(out_channels: usize) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec::new(out_channels, 5).padding(2))
}

/// A 3×3 convolution that keeps the size of the image.
pub(super) fn conv3(out_channels: usize) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec::new(out_channels, 3).padding(1))
}

/// A 2×2 max pooling that halves the image.
pub(super) fn pool2() -> LayerSpec {
    LayerSpec::MaxPool2d(MaxPool2dSpec::new(2))
}

pub(super) fn dropout(probability: f64) -> LayerSpec {
    LayerSpec::Dropout(DropoutSpec { probability })
}

pub(super) fn linear(out_features: usize) -> LayerSpec {
    LayerSpec::Linear(LinearSpec::new(out_features))
}

pub(super) fn flatten() -> LayerSpec {
    LayerSpec::Flatten(FlattenSpec)
}

pub(super) fn relu() -> LayerSpec {
    LayerSpec::Relu(ReluSpec::default())
}
