//! The networks of the course and of the reports on it.
//!
//! They share their building blocks: 5×5 convolutions with padding 2, which keep the size of the image, and 2×2 max
//! pooling, which halves it.

use super::parts::{CIFAR, MNIST, conv3, conv5, flatten, linear, network, pool2, relu};
use crate::Architecture;

/// The course's network for MNIST: 14,682 trainable parameters.
pub fn mnist_baseline() -> Architecture {
    network(
        "mnist-baseline",
        MNIST,
        vec![
            conv5(16),
            relu(),
            pool2(),
            conv5(16),
            relu(),
            pool2(),
            flatten(), // 16 · 7 · 7 = 784
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
            relu(),
            pool2(),
            conv5(16),
            relu(),
            flatten(), // 16 · 16 · 16 = 4,096
            linear(10),
        ],
    )
}

/// Willis 2025: the baseline with a 3×3 convolution after the second ReLU, and none after it. 50,922 trainable
/// parameters.
pub fn willis_improved() -> Architecture {
    network(
        "willis-improved",
        CIFAR,
        vec![conv5(16), relu(), pool2(), conv5(16), relu(), conv3(16), flatten(), linear(10)],
    )
}

/// Bai 2023: the baseline with a third 5×5 convolution and its ReLU. 55,018 trainable parameters.
pub fn bai_improved() -> Architecture {
    network(
        "bai-improved",
        CIFAR,
        vec![conv5(16), relu(), pool2(), conv5(16), relu(), conv5(16), relu(), flatten(), linear(10)],
    )
}

/// Timürtas 2021: three convolutions that widen, 16, 32, 48, each pooled, and two fully connected layers. 68,086
/// trainable parameters.
pub fn timurtas_improved() -> Architecture {
    timurtas("timurtas-improved", [16, 32, 48]) // 48 · 4 · 4 = 768 features before the first linear layer
}

/// Timürtas 2021, a variant whose convolutions narrow, 64, 32, 16. 74,262 trainable parameters.
///
/// The report gives the numbers of kernels only; the rest is that of [`timurtas_improved`].
pub fn timurtas_64_32_16() -> Architecture {
    timurtas("timurtas-64-32-16", [64, 32, 16]) // 16 · 4 · 4 = 256
}

/// [`timurtas_64_32_16`] with half as many kernels: 21,246 trainable parameters.
///
/// The report calls the narrower variants worse, and gives no numbers; half of each is our choice.
pub fn timurtas_32_16_8() -> Architecture {
    timurtas("timurtas-32-16-8", [32, 16, 8]) // 8 · 4 · 4 = 128
}

fn timurtas(name: &str, [first, second, third]: [usize; 3]) -> Architecture {
    network(
        name,
        CIFAR,
        vec![
            conv5(first),
            relu(),
            pool2(),
            conv5(second),
            relu(),
            pool2(),
            conv5(third),
            relu(),
            pool2(),
            flatten(),
            linear(20),
            relu(),
            linear(10),
        ],
    )
}
