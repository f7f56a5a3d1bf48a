//! CPU kernels for convolutional networks: slices in, slices out, without tensors and without threads.
//!
//! # Layout
//!
//! Everything between two layers is a [`Layout`]: channels in blocks of 16, so that one vector is 16 channels of a
//! pixel, with a border of zeros as wide as the next convolution's padding. The images of a data set stay plane by
//! plane, since one or three channels would leave most of a block empty. A kernel works on one image, or, where a
//! matrix product pays off ([`linear_forward`]), on several. Whoever calls divides the images between threads.
//!
//! # Instructions
//!
//! A kernel is written once over a vector of 16 numbers, and compiled for each [`Isa`]: AVX-512, AVX2 with FMA, NEON,
//! plain Rust. Which one runs is an argument; [`Isa::selected`] is the fastest that the machine has, or what the
//! variable `BACKPROOF_KERNELS` names.
//!
//! # Determinism
//!
//! Every sum has a fixed order for a given [`Isa`]. Where one goes over several images, the caller adds up an image
//! after the other, and so decides the order.
//!
//! # Soundness
//!
//! Pointers stay inside of this crate. Most kernels have none: they go over rows of pixels, each an array of 16
//! numbers, and are unsafe for the instructions alone. The tiles of convolutions and linear layers do use pointers.
//! Their public functions assert the length of every slice against its layout, by products that may not overflow, and
//! tables of offsets are checked against the layouts when they are made; the loops rely on nothing else. The test
//! `bounds` runs every kernel between pages that fault.

// Registers are arrays here; indices that are known at compile time keep them out of memory.
#![allow(clippy::needless_range_loop)]

mod batch_norm;
mod conv2d;
mod element;
mod elementwise;
mod functions;
mod isa;
mod layout;
mod linear;
mod loss;
mod memory;
mod optimizer;
mod pool;
mod shortcut;
mod sums;
mod vector;
mod winograd;

#[cfg(test)]
mod testing;

pub use batch_norm::{Moments, batch_norm_backward, batch_norm_forward, batch_norm_moments, batch_norm_sums};
pub use conv2d::{Conv2dShape, DirectConv2d};
pub use element::{ElementFunction, element_backward, element_forward, prelu_backward};
pub use elementwise::{copy, multiply, relu_backward, relu_backward_passing_zero, relu_forward};
pub use isa::{Isa, VARIABLE};
pub use layout::{Border, Layout};
pub use linear::{linear_forward, linear_input_gradient, linear_weight_gradient};
pub use loss::{binary_cross_entropy, mean_squared_error, soft_cross_entropy, softmax_cross_entropy};
pub use memory::{Memory, zeros};
pub use optimizer::{
    AdaGradStep, AdamStep, AdamWStep, MOST_REMEMBERED, MomentumStep, OptimizerStep, RmsPropStep, SgdStep,
};
pub use pool::{Divisor, Window, avg_pool_backward, avg_pool_forward, max_pool_backward, max_pool_forward};
pub use shortcut::{add_pixels, sum, take_pixels};
pub use sums::{accumulate, add_channel_sums};
pub use vector::LANES;
pub use winograd::Winograd;

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
