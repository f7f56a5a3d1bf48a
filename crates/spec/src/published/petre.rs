//! The two networks that Jäppinen trains (thesis, Turku 2024), each for colour and for grey images.

use super::parts::{CIFAR, MNIST, conv3, dropout, flatten, linear, network, pool2, relu};
use crate::{Architecture, BatchNormSpec, LayerSpec, Shape};

/// Jäppinen's multilayer perceptron for CIFAR-10: 404,010 trainable parameters.
pub fn petre_mlp() -> Architecture {
    mlp("petre-mlp", CIFAR)
}

/// [`petre_mlp`] for the 1×28×28 images of Fashion-MNIST: 111,146 trainable parameters.
pub fn petre_mlp_fashion() -> Architecture {
    mlp("petre-mlp-fashion", MNIST)
}

/// Jäppinen's convolutional network for CIFAR-10: 328,810 trainable parameters and 384 running statistics.
///
/// Batch normalisation comes after the ReLU, as in the thesis, and not before it, as in most networks since.
pub fn petre_cnn() -> Architecture {
    cnn("petre-cnn", CIFAR)
}

/// [`petre_cnn`] for the 1×28×28 images of Fashion-MNIST: 266,794 trainable parameters and 384 running statistics.
pub fn petre_cnn_fashion() -> Architecture {
    cnn("petre-cnn-fashion", MNIST)
}

fn mlp(name: &str, input: Shape) -> Architecture {
    network(name, input, vec![flatten(), linear(128), relu(), linear(64), relu(), linear(32), relu(), linear(10)])
}

fn cnn(name: &str, input: Shape) -> Architecture {
    let norm = || LayerSpec::BatchNorm(BatchNormSpec::default());
    let stage = |kernels| [conv3(kernels), relu(), norm(), conv3(kernels), relu(), norm(), pool2(), dropout(0.25)];
    let mut layers = Vec::new();
    layers.extend(stage(32));
    layers.extend(stage(64)); // 64 · 8 · 8 = 4,096 features of CIFAR-10, 64 · 7 · 7 = 3,136 of Fashion-MNIST
    layers.extend([flatten(), linear(64), relu(), dropout(0.25), linear(10)]);
    network(name, input, layers)
}
