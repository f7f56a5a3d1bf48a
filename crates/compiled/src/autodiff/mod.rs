//! Nodes of Burn's autodiff graph that kernels compute, each with a backward of its own.

mod linear;
mod primitive;
mod segment;

#[cfg(test)]
mod testing;

pub use linear::{linear_on_kernels, linear_pays};
pub use segment::{Segment, SegmentNormalization, SegmentParameters, WriteMask};
