//! Nodes of Burn's autodiff graph that kernels compute, each with a backward of its own.

mod linear;
mod place;
mod primitive;
mod segment;

#[cfg(test)]
mod testing;

pub use linear::{linear_on_kernels, linear_pays};
pub use place::runs_on_kernels;
pub use segment::{Segment, SegmentNormalization, SegmentParameters, WriteMask};
