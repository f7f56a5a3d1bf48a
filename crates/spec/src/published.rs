//! The published networks, each one function that reads like its description.
//!
//! The course's networks share their building blocks: 5×5 convolutions with padding 2, which keep the size of the image,
//! and 2×2 max pooling, which halves it. All end in one score a class.

use crate::Layer::{self, Flatten, Relu};
use crate::{Architecture, Conv2d, Linear, MaxPool2d, Shape};

const MNIST: Shape = Shape::image(1, 28, 28);
const CIFAR: Shape = Shape::image(3, 32, 32);

const NAMES: [&str; 5] = ["mnist-baseline", "cifar-baseline", "willis-improved", "bai-improved", "timurtas-improved"];

/// The names of all published networks.
pub fn names() -> &'static [&'static str] {
    &NAMES
}

/// The published network of that name.
pub fn by_name(name: &str) -> Option<Architecture> {
    match name {
        "mnist-baseline" => Some(mnist_baseline()),
        "cifar-baseline" => Some(cifar_baseline()),
        "willis-improved" => Some(willis_improved()),
        "bai-improved" => Some(bai_improved()),
        "timurtas-improved" => Some(timurtas_improved()),
        _ => None,
    }
}

/// The course's network for MNIST: 14,682 trainable parameters.
pub fn mnist_baseline() -> Architecture {
    network(
        "mnist-baseline",
        MNIST,
        vec![
            conv5(16),
            Relu,
            pool2(),
            conv5(16),
            Relu,
            pool2(),
            Flatten, // 16 · 7 · 7 = 784
            linear(10),
        ],
    )
}

/// The course's network for CIFAR-10, with one pooling layer only: 48,602 trainable parameters.
pub fn cifar_baseline() -> Architecture {
    network(
        "cifar-baseline",
        CIFAR,
        vec![
            conv5(16),
            Relu,
            pool2(),
            conv5(16),
            Relu,
            Flatten, // 16 · 16 · 16 = 4,096
            linear(10),
        ],
    )
}

/// Willis 2025: the baseline with a 3×3 convolution after the second ReLU, and none after it. 50,922 trainable
/// parameters.
pub fn willis_improved() -> Architecture {
    network("willis-improved", CIFAR, vec![conv5(16), Relu, pool2(), conv5(16), Relu, conv3(16), Flatten, linear(10)])
}

/// Bai 2023: the baseline with a third 5×5 convolution and its ReLU. 55,018 trainable parameters.
pub fn bai_improved() -> Architecture {
    network(
        "bai-improved",
        CIFAR,
        vec![conv5(16), Relu, pool2(), conv5(16), Relu, conv5(16), Relu, Flatten, linear(10)],
    )
}

/// Timürtas 2021: three convolutions that widen, 16, 32, 48, each pooled, and two fully connected layers. 68,086
/// trainable parameters.
pub fn timurtas_improved() -> Architecture {
    network(
        "timurtas-improved",
        CIFAR,
        vec![
            conv5(16),
            Relu,
            pool2(),
            conv5(32),
            Relu,
            pool2(),
            conv5(48),
            Relu,
            pool2(),
            Flatten, // 48 · 4 · 4 = 768
            linear(20),
            Relu,
            linear(10),
        ],
    )
}

fn network(name: &str, input: Shape, layers: Vec<Layer>) -> Architecture {
    Architecture { name: name.to_owned(), input, layers }
}

/// A 5×5 convolution that keeps the size of the image.
fn conv5(out_channels: usize) -> Layer {
    Layer::Conv2d(Conv2d::new(out_channels, 5).padding(2))
}

/// A 3×3 convolution that keeps the size of the image.
fn conv3(out_channels: usize) -> Layer {
    Layer::Conv2d(Conv2d::new(out_channels, 3).padding(1))
}

/// A 2×2 max pooling that halves the image.
fn pool2() -> Layer {
    Layer::MaxPool2d(MaxPool2d::new(2))
}

fn linear(out_features: usize) -> Layer {
    Layer::Linear(Linear::new(out_features))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layers that have parameters, with weights and biases.
    fn parameters(architecture: &Architecture) -> Vec<(String, usize, usize)> {
        let traced = architecture.trace().unwrap();
        traced
            .into_iter()
            .filter(|layer| layer.weights + layer.biases > 0)
            .map(|layer| (layer.name, layer.weights, layer.biases))
            .collect()
    }

    fn expect(architecture: Architecture, total: usize, layers: &[(&str, usize, usize)]) {
        let layers: Vec<_> = layers.iter().map(|&(name, weights, biases)| (name.to_owned(), weights, biases)).collect();
        assert_eq!(parameters(&architecture), layers);
        assert_eq!(architecture.trainable_parameters(), Ok(total));
        assert_eq!(architecture.classes(), Ok(10));
    }

    #[test]
    fn mnist_baseline_has_14682_parameters() {
        let layers = [("conv1", 400, 16), ("conv2", 6_400, 16), ("linear1", 7_840, 10)];
        expect(mnist_baseline(), 14_682, &layers);
    }

    #[test]
    fn cifar_baseline_has_48602_parameters() {
        let layers = [("conv1", 1_200, 16), ("conv2", 6_400, 16), ("linear1", 40_960, 10)];
        expect(cifar_baseline(), 48_602, &layers);
    }

    #[test]
    fn willis_improved_has_50922_parameters() {
        let layers = [("conv1", 1_200, 16), ("conv2", 6_400, 16), ("conv3", 2_304, 16), ("linear1", 40_960, 10)];
        expect(willis_improved(), 50_922, &layers);
    }

    #[test]
    fn bai_improved_has_55018_parameters() {
        let layers = [("conv1", 1_200, 16), ("conv2", 6_400, 16), ("conv3", 6_400, 16), ("linear1", 40_960, 10)];
        expect(bai_improved(), 55_018, &layers);
    }

    #[test]
    fn timurtas_improved_has_68086_parameters() {
        let layers = [
            ("conv1", 1_200, 16),
            ("conv2", 12_800, 32), // 12,832
            ("conv3", 38_400, 48), // 38,448
            ("linear1", 15_360, 20),
            ("linear2", 200, 10),
        ];
        expect(timurtas_improved(), 68_086, &layers);
    }

    #[test]
    fn every_network_is_found_by_the_name_that_it_has() {
        for name in names() {
            assert_eq!(by_name(name).unwrap().name, *name);
        }
        assert_eq!(by_name("mnist"), None);
    }

    #[test]
    fn willis_has_no_relu_after_his_third_convolution() {
        let traced = willis_improved().trace().unwrap();
        let names: Vec<_> = traced.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["conv1", "relu1", "pool1", "conv2", "relu2", "conv3", "flatten1", "linear1"]);
    }
}
