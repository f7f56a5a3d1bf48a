//! A trained network as files that other programs run: ONNX, and a PyTorch module.
//!
//! A [`Model`] is the network of a run with what one must know to use it: the normalisation, the classes, the run.
//! [`onnx()`] makes an ONNX file of it, and [`write_folder`] a folder with a PyTorch module, its weights, and a script
//! that compares PyTorch's logits with ours.
//!
//! Both follow from `backproof-spec`'s definition of the network. `layers/` has a file for each layer, with its nodes in
//! ONNX and its module in PyTorch. Names are those of a weights file: the constant `conv1.weight` in ONNX, and
//! `conv1.weight` in PyTorch's state dict.
//!
//! # What ONNX leaves open
//!
//! The files have opset 17, which runtimes read since 2022. What newer opsets have as one operator is written out:
//! GELU, and group normalisation. Sizes are known when a file is written, except for that of the batch. So a pooling
//! that rounds up becomes one with padding at the far edges: runtimes do not agree on how many windows `ceil_mode` gives.
//!
//! # What is not here
//!
//! This crate trains nothing and reads no data. An evaluation over several views of an image is not part of a file.

mod error;
mod layers;
mod model;
mod onnx;
mod pytorch;
mod tensors;
#[cfg(test)]
mod testing;

pub use error::ExportError;
pub use model::Model;
pub use onnx::{Onnx, OnnxOptions, PixelType, onnx};
pub use pytorch::{FILES, check_folder, write_folder};
pub(crate) use tensors::Tensors;
