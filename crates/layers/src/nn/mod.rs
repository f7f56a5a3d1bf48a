//! Layers with the interface of `burn-nn`, on our kernels where these run.
//!
//! A layer here has the name, the configuration, the fields and the parameters of the one in `burn::nn`. So a network
//! changes by its `use` line alone, and loads the records that `burn-nn` saved:
//!
//! ```
//! use backproof_layers::nn::conv::Conv2dConfig; // before: use burn::nn::conv::Conv2dConfig;
//! use burn::nn::PaddingConfig2d;
//! use burn::tensor::{Device, Tensor};
//!
//! let device = Device::flex();
//! let conv = Conv2dConfig::new([3, 8], [3, 3]).with_padding(PaddingConfig2d::Same).init(&device);
//! let output = conv.forward(Tensor::zeros([2, 3, 32, 32], &device));
//! assert_eq!(output.dims(), [2, 8, 32, 32]);
//! ```
//!
//! # Where it runs
//!
//! With the feature `flex`, on Burn's backend flex in single precision, the kernels of `backproof-kernels` compute
//! forward and backward, in training under autodiff and in inference. Elsewhere, and for options that no kernel
//! computes, the layer calls Burn's operation. Both give the same results but for rounding.
//!
//! A plan of a kernel belongs to one shape of images. A layer keeps its latest plans, so images of changing sizes work.
//!
//! # Errors
//!
//! `forward` panics where `burn-nn` does, with a message that has the shapes. `try_forward` returns the same as an
//! [`Error`].

pub mod conv;
mod error;
#[cfg(feature = "flex")]
mod plans;

pub use error::Error;
