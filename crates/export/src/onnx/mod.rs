//! A network as an ONNX file.

pub(crate) mod graph;
mod normalization;
mod probabilities;
pub(crate) mod proto;
#[cfg(test)]
mod tests;
mod write;

pub use write::{Onnx, OnnxOptions, PixelType, onnx};
