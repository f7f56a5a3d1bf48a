//! A network as an ONNX file.

pub(crate) mod graph;
mod normalization;
mod probabilities;
pub(crate) mod proto;
mod write;

pub use write::{Onnx, OnnxOptions, PixelType, onnx};
