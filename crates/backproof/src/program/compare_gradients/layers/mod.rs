//! The layers of `backproof-layers`: the backward derived by hand and Burn's autodiff of the forward, over generated
//! shapes.
//!
//! Each comes with backwards that are wrong on purpose, in the ways in which one really gets that layer wrong. They
//! must not be proven, and a gradient that turns out wrong is compared with them, to say what it looks like.

mod avg_pool2d;
mod batch_norm;
mod conv2d;
mod dropout;
mod elementwise;
mod flatten;
mod linear;
mod losses;
mod max_pool2d;
mod prelu;
mod segment;
mod windows;

use super::subject::Subject;

/// In the order of the table.
pub(crate) const SUBJECTS: &[Subject] = &[
    Subject { name: "linear", generate: linear::case },
    Subject { name: "conv2d", generate: conv2d::case },
    Subject { name: "max_pool2d", generate: max_pool2d::case },
    Subject { name: "avg_pool2d", generate: avg_pool2d::case },
    Subject { name: "flatten", generate: flatten::case },
    Subject { name: "relu", generate: elementwise::relu },
    Subject { name: "leaky_relu", generate: elementwise::leaky_relu },
    Subject { name: "prelu", generate: prelu::case },
    Subject { name: "elu", generate: elementwise::elu },
    Subject { name: "gelu", generate: elementwise::gelu },
    Subject { name: "sigmoid", generate: elementwise::sigmoid },
    Subject { name: "tanh", generate: elementwise::tanh },
    Subject { name: "batch_norm", generate: batch_norm::case },
    Subject { name: "dropout", generate: dropout::case },
    Subject { name: "segment", generate: segment::case },
    Subject { name: "softmax_cross_entropy", generate: losses::softmax_cross_entropy },
    Subject { name: "mean_squared_error", generate: losses::mean_squared_error },
    Subject { name: "binary_cross_entropy", generate: losses::binary_cross_entropy },
];
