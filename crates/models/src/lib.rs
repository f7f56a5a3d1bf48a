//! Networks as Burn modules, built from an [`Architecture`](backproof_spec::Architecture).
//!
//! A network is defined once, in `backproof-spec`, as a list of layers with their shapes. [`Network::new`] turns that
//! list into a Burn module: parameters with their initial values, drawn from one seed. Everything else reads the same
//! list: the parameter table, the shape check, the names of the tensors in a weights file.
//!
//! [`transfer_weights`] begins with the weights of another network, as far as they fit, and [`Network::freeze`] keeps
//! tensors as they are.
//!
//! A network runs in one of two ways. [`Network::forward`] is what Burn's autodiff differentiates.
//! [`Network::forward_saving`] and [`Network::backward`] use the backward passes derived by hand in `backproof-layers`,
//! on plain tensors.
//!
//! On the CPU and in single precision there is a third: [`Compiled`] runs the same layers as a plan of
//! `backproof-compiled`.
//!
//! ```
//! use backproof_models::{PassMode, cifar_baseline};
//! use burn::Tensor;
//! use burn::tensor::Device;
//!
//! let device = Device::flex();
//! let network = cifar_baseline(&device);
//! let logits = network.forward(Tensor::zeros([2, 3, 32, 32], &device), PassMode::Inference);
//! assert_eq!(logits.dims(), [2, 10]);
//! ```

mod active;
mod compiled;
mod freeze;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod has_kernels;
mod network;
mod published;
#[cfg(feature = "flex")]
mod segments;
mod transfer;
mod weights;
#[cfg(feature = "flex")]
mod with_segments;

pub use backproof_compiled::ActiveUnits;
pub use compiled::{Compiled, can_freeze};
pub use has_kernels::{ComputedBy, NotCompiled, has_kernels};
pub use network::passes::{LayerPass, Passes};
pub use network::{Network, PassMode, SavedForward};
pub use published::{
    airbench94, alexnet, bai_improved, cifar_baseline, lenet_5, mnist_baseline, petre_cnn, petre_cnn_fashion,
    petre_mlp, petre_mlp_fashion, resnet_9, resnet_20, timurtas_32_16_8, timurtas_64_32_16, timurtas_improved,
    willis_improved,
};
pub use transfer::{Resized, Skipped, Transfer, transfer_weights};
pub use weights::{Changes, ElementFault, FormatError, NamedTensor, WeightsError, load_weights, save_weights};
