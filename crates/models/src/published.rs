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
