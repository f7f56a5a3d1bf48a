//! Burn's own operations: the function is Burn's on the reference device in double precision, the gradient is that of
//! Burn's autodiff on the device under test.
//!
//! One file holds a family of operations, with the cases of each and the *mutants* that bring faults back which Burn
//! has had. A mutant is named after the fault's cause, so that a mismatch that equals it is explained by its name.

mod activation;
mod assigning;
mod attention;
mod convolution;
mod deformable_convolution;
mod einsum;
mod grid;
mod indexing;
mod linalg;
mod maker;
mod math;
mod matmul;
mod nn;
mod normalization;
mod norms;
mod pairs;
mod pooling;
mod reduction;
mod reduction_axes;
mod resampling;
mod scalars;
mod shape;
#[cfg(feature = "signal")]
mod signal;
mod transposed_convolution;
mod views;
mod weight_gradient;
mod window;

use crate::subject::Subject;

/// The families, each in its file.
const FAMILIES: &[&[Subject]] = &[
    activation::SUBJECTS,
    math::SUBJECTS,
    pairs::SUBJECTS,
    reduction::SUBJECTS,
    shape::SUBJECTS,
    indexing::SUBJECTS,
    matmul::SUBJECTS,
    convolution::SUBJECTS,
    transposed_convolution::SUBJECTS,
    deformable_convolution::SUBJECTS,
    pooling::SUBJECTS,
    resampling::SUBJECTS,
    normalization::SUBJECTS,
    scalars::SUBJECTS,
    reduction_axes::SUBJECTS,
    views::SUBJECTS,
    assigning::SUBJECTS,
    einsum::SUBJECTS,
    grid::SUBJECTS,
    linalg::SUBJECTS,
    norms::SUBJECTS,
    weight_gradient::SUBJECTS,
    #[cfg(feature = "signal")]
    signal::SUBJECTS,
    attention::SUBJECTS,
];

/// Every operation.
pub(crate) fn subjects() -> impl Iterator<Item = &'static Subject> {
    FAMILIES.iter().chain(nn::FAMILIES).copied().flatten()
}

#[cfg(test)]
mod completeness;
#[cfg(test)]
mod tests;
