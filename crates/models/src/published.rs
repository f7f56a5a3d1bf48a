//! The published networks, one function each.

use backproof_spec::{Architecture, published};
use burn::tensor::Device;

use crate::Network;

fn build(architecture: &Architecture, device: &Device) -> Network {
    Network::new(architecture, 1, device).expect("the shapes of a published network fit")
}

/// [`published::mnist_baseline`] on 1×28×28 images, 14,682 parameters, initialised from seed 1.
#[must_use]
pub fn mnist_baseline(device: &Device) -> Network {
    build(&published::mnist_baseline(), device)
}

/// [`published::cifar_baseline`] on 3×32×32 images, 48,602 parameters, initialised from seed 1.
#[must_use]
pub fn cifar_baseline(device: &Device) -> Network {
    build(&published::cifar_baseline(), device)
}

/// [`published::willis_improved`] on 3×32×32 images, 50,922 parameters, initialised from seed 1.
#[must_use]
pub fn willis_improved(device: &Device) -> Network {
    build(&published::willis_improved(), device)
}

/// [`published::bai_improved`] on 3×32×32 images, 55,018 parameters, initialised from seed 1.
#[must_use]
pub fn bai_improved(device: &Device) -> Network {
    build(&published::bai_improved(), device)
}

/// [`published::timurtas_improved`] on 3×32×32 images, 68,086 parameters, initialised from seed 1.
#[must_use]
pub fn timurtas_improved(device: &Device) -> Network {
    build(&published::timurtas_improved(), device)
}

/// [`published::timurtas_64_32_16`] on 3×32×32 images, 74,262 parameters, initialised from seed 1.
#[must_use]
pub fn timurtas_64_32_16(device: &Device) -> Network {
    build(&published::timurtas_64_32_16(), device)
}

/// [`published::timurtas_32_16_8`] on 3×32×32 images, 21,246 parameters, initialised from seed 1.
#[must_use]
pub fn timurtas_32_16_8(device: &Device) -> Network {
    build(&published::timurtas_32_16_8(), device)
}

/// [`published::petre_mlp`] on 3×32×32 images, 404,010 parameters, initialised from seed 1.
#[must_use]
pub fn petre_mlp(device: &Device) -> Network {
    build(&published::petre_mlp(), device)
}

/// [`published::petre_mlp_fashion`] on 1×28×28 images, 111,146 parameters, initialised from seed 1.
#[must_use]
pub fn petre_mlp_fashion(device: &Device) -> Network {
    build(&published::petre_mlp_fashion(), device)
}

/// [`published::petre_cnn`] on 3×32×32 images, 328,810 parameters and 384 running statistics, initialised from seed 1.
#[must_use]
pub fn petre_cnn(device: &Device) -> Network {
    build(&published::petre_cnn(), device)
}

/// [`published::petre_cnn_fashion`] on 1×28×28 images, 266,794 parameters and 384 running statistics, initialised from
/// seed 1.
#[must_use]
pub fn petre_cnn_fashion(device: &Device) -> Network {
    build(&published::petre_cnn_fashion(), device)
}

/// [`published::lenet_5`] on 1×32×32 images, 61,706 parameters, initialised from seed 1.
#[must_use]
pub fn lenet_5(device: &Device) -> Network {
    build(&published::lenet_5(), device)
}

/// [`published::resnet_20`] on 3×32×32 images, 269,722 parameters and 1,376 running statistics, initialised from seed
/// 1.
#[must_use]
pub fn resnet_20(device: &Device) -> Network {
    build(&published::resnet_20(), device)
}

/// [`published::resnet_9`] on 3×32×32 images, 6,573,120 parameters and 4,480 running statistics, initialised from seed
/// 1.
#[must_use]
pub fn resnet_9(device: &Device) -> Network {
    build(&published::resnet_9(), device)
}

/// [`published::airbench94`] on 3×32×32 images, 1,971,640 parameters and 2,304 running statistics, initialised from
/// seed 1.
#[must_use]
pub fn airbench94(device: &Device) -> Network {
    build(&published::airbench94(), device)
}

/// [`published::alexnet`] on 3×224×224 images and 1,000 classes, 60,965,224 parameters (244 MB), initialised from seed
/// 1.
#[must_use]
pub fn alexnet(device: &Device) -> Network {
    build(&published::alexnet(), device)
}
