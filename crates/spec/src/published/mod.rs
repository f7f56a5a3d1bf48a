//! The published networks, each one function that reads like its description.
//!
//! `course.rs` has those of the course, `petre.rs` those of the thesis, `classics.rs` the two from the literature that
//! the thesis describes. All end in one score a class.

mod classics;
mod course;
mod petre;

#[cfg(test)]
mod tests;

pub use classics::{alexnet, lenet_5};
pub use course::{
    bai_improved, cifar_baseline, mnist_baseline, timurtas_32_16_8, timurtas_64_32_16, timurtas_improved,
    willis_improved,
};
pub use petre::{petre_cnn, petre_cnn_fashion, petre_mlp, petre_mlp_fashion};

use crate::{
    Architecture, Conv2dSpec, DropoutSpec, FlattenSpec, LayerSpec, LinearSpec, MaxPool2dSpec, ReluSpec, Shape,
};

const MNIST: Shape = Shape::image(1, 28, 28);
const CIFAR: Shape = Shape::image(3, 32, 32);

/// A name, and the function that builds the network.
type Named = (&'static str, fn() -> Architecture);

const NETWORKS: [Named; 13] = [
    ("mnist-baseline", mnist_baseline),
    ("cifar-baseline", cifar_baseline),
    ("willis-improved", willis_improved),
    ("bai-improved", bai_improved),
    ("timurtas-improved", timurtas_improved),
    ("timurtas-64-32-16", timurtas_64_32_16),
    ("timurtas-32-16-8", timurtas_32_16_8),
    ("petre-mlp", petre_mlp),
    ("petre-mlp-fashion", petre_mlp_fashion),
    ("petre-cnn", petre_cnn),
    ("petre-cnn-fashion", petre_cnn_fashion),
    ("lenet-5", lenet_5),
    ("alexnet", alexnet),
];

static NAMES: [&str; NETWORKS.len()] = {
    let mut names = [""; NETWORKS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = NETWORKS[index].0;
        index += 1;
    }
    names
};

/// The names of all published networks.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The published network of that name.
pub fn by_name(name: &str) -> Option<Architecture> {
    let (_, build) = NETWORKS.iter().find(|(it, _)| *it == name)?;
    Some(build())
}

fn network(name: &str, input: Shape, layers: Vec<LayerSpec>) -> Architecture {
    Architecture { name: name.to_owned(), input, layers }
}

/// A 5×5 convolution that keeps the size of the image.
fn conv5(out_channels: usize) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec::new(out_channels, 5).padding(2))
}

/// A 3×3 convolution that keeps the size of the image.
fn conv3(out_channels: usize) -> LayerSpec {
    LayerSpec::Conv2d(Conv2dSpec::new(out_channels, 3).padding(1))
}

/// A 2×2 max pooling that halves the image.
fn pool2() -> LayerSpec {
    LayerSpec::MaxPool2d(MaxPool2dSpec::new(2))
}

fn dropout(probability: f64) -> LayerSpec {
    LayerSpec::Dropout(DropoutSpec { probability })
}

fn linear(out_features: usize) -> LayerSpec {
    LayerSpec::Linear(LinearSpec::new(out_features))
}

fn flatten() -> LayerSpec {
    LayerSpec::Flatten(FlattenSpec)
}

fn relu() -> LayerSpec {
    LayerSpec::Relu(ReluSpec)
}
