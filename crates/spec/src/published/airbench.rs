//! The network of the CIFAR-10 speed records.

use super::parts::{CIFAR, flatten, network, pool2};
use crate::{
    Architecture, BatchNormSpec, Conv2dSpec, GeluSpec, Initialization, InitializationKind, LayerSpec, LinearSpec,
    MaxPool2dSpec, ScaleSpec, Whitening,
};

/// Jordan 2024 (arXiv:2404.00498, and the repository `cifar10-airbench`), for CIFAR-10: 1,971,640 trainable parameters
/// and 2,304 running statistics.
///
/// A 2×2 convolution, whose kernels whiten the images and which training leaves as they are, and three blocks of 64, 256
/// and 256 channels. Each block halves the image, and its batch normalisations have no scale. The first kernels of the
/// other convolutions give their channels on as they are. The scores are divided by 256 before the loss.
pub fn airbench94() -> Architecture {
    let whitening = initialized(InitializationKind::Whitening);
    let whitening = Initialization { whitening: Some(Whitening::default()), ..whitening };
    let first = Conv2dSpec { initialization: Some(whitening), ..Conv2dSpec::new(24, 2) };
    let mut layers = vec![LayerSpec::Conv2d(first), gelu()];
    for channels in [64, 256, 256] {
        layers.extend([conv(channels), pool2(), norm(), gelu(), conv(channels), norm(), gelu()]);
    }
    let head = Initialization { unit_deviation: true, ..initialized(InitializationKind::PytorchDefault) };
    layers.extend([
        LayerSpec::MaxPool2d(MaxPool2dSpec::new(3)), // of the whole 3×3 image
        flatten(),
        LayerSpec::Linear(LinearSpec { bias: false, initialization: Some(head), ..LinearSpec::new(10) }),
        LayerSpec::Scale(ScaleSpec { factor: 1.0 / 256.0 }),
    ]);
    network("airbench94", CIFAR, layers)
}

fn initialized(kind: InitializationKind) -> Initialization {
    Initialization { kind, ..Initialization::default() }
}

fn gelu() -> LayerSpec {
    LayerSpec::Gelu(GeluSpec::default())
}

/// A 3×3 convolution without a bias that keeps the size of the image.
fn conv(channels: usize) -> LayerSpec {
    let dirac = Some(initialized(InitializationKind::Dirac));
    LayerSpec::Conv2d(Conv2dSpec { initialization: dirac, ..Conv2dSpec::new(channels, 3).padding(1).without_bias() })
}

/// Running statistics move by 0.4 of the difference at each step.
fn norm() -> LayerSpec {
    LayerSpec::BatchNorm(BatchNormSpec { epsilon: 1e-12, momentum: 0.4, scale: false, shift: true })
}
